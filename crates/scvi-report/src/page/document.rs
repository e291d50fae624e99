//! The whole document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::escape::html;
use super::{Page, blocks};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

impl Page {
    /// The page as one HTML file that needs nothing else. No script but its own runs in it, and
    /// nothing is fetched: its policy says so to the browser.
    pub fn html(&self) -> String {
        let title = html(&self.title);
        let hash = STANDARD.encode(Sha256::digest(SCRIPT));
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'sha256-{hash}'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#content\">Skip to the content</a>\n"
        );
        out += "<nav aria-label=\"Sections\"><ul>\n";
        for section in &self.sections {
            let (id, heading) = (section.id, html(section.heading));
            out += &format!("<li><a href=\"#{id}\">{heading}</a></li>\n");
        }
        out += "</ul><button type=\"button\" id=\"theme\" hidden>Dark</button></nav>\n";
        let subtitle = html(&self.subtitle);
        out += &format!("<main id=\"content\">\n<h1>{title}</h1>\n<p>{subtitle}</p>\n");
        out += "<noscript><p class=\"verdict warning\">Charts of points need JavaScript. \
                All other charts, tables and texts do not.</p></noscript>\n";
        for section in &self.sections {
            let (id, heading) = (section.id, html(section.heading));
            out += &format!("<section id=\"{id}\" aria-labelledby=\"h-{id}\">\n");
            out += &format!("<h2 id=\"h-{id}\">{heading}</h2>\n");
            section.blocks.iter().for_each(|block| blocks::write(&mut out, block));
            out += "</section>\n";
        }
        out += &format!("</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
        out
    }
}
