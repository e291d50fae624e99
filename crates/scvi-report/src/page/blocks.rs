//! Blocks as HTML.

use super::escape::html;
use super::{Block, Table};
use crate::charts::{Chart, Figure};

/// Widths that charts are drawn for: of the page, of one of its two columns, and of a phone.
const WIDE: u32 = 640;
const COLUMN: u32 = 470;
const NARROW: u32 = 330;

pub fn write(out: &mut String, block: &Block) {
    match block {
        Block::Text(text) => *out += &format!("<p>{}</p>\n", html(text)),
        Block::Verdict { is_good, text } => {
            let (class, sign) = if *is_good { ("good", "✓") } else { ("warning", "!") };
            *out += &format!(
                "<p class=\"verdict {class}\"><span aria-hidden=\"true\">{sign}</span>{}</p>\n",
                html(text)
            );
        }
        Block::Facts(facts) => {
            *out += "<dl class=\"facts\">\n";
            for (name, value) in facts {
                let (name, value) = (html(name), html(value));
                *out += &format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
            }
            *out += "</dl>\n";
        }
        Block::Table(table) => write_table(out, table),
        Block::Figures(figures) => {
            *out += "<div class=\"figures\">\n";
            figures.iter().for_each(|figure| write_figure(out, figure));
            *out += "</div>\n";
        }
        Block::Scatter(scatter) => scatter.write(out),
    }
}

fn write_table(out: &mut String, table: &Table) {
    let cell = |tag: &str, text: &str, is_number: bool| {
        let class = if is_number { " class=\"number\"" } else { "" };
        format!("<{tag}{class}>{}</{}>", html(text), tag.split(' ').next().unwrap_or(tag))
    };
    *out += "<div class=\"table\" tabindex=\"0\"><table>\n";
    *out += &format!("<caption>{}</caption>\n<thead><tr>", html(&table.caption));
    for (name, is_number) in &table.columns {
        *out += &cell("th scope=\"col\"", name, *is_number);
    }
    *out += "</tr></thead>\n<tbody>\n";
    for row in &table.rows {
        *out += "<tr>";
        for (k, (text, (_, is_number))) in row.iter().zip(&table.columns).enumerate() {
            *out += &cell(if k == 0 { "th scope=\"row\"" } else { "td" }, text, *is_number);
        }
        *out += "</tr>\n";
    }
    *out += "</tbody></table></div>\n";
}

/// Once for wide windows and once for narrow ones, of which a style shows one.
fn write_figure(out: &mut String, figure: &Figure) {
    let (title, alt) = (html(&figure.title), html(&figure.alt));
    *out += &format!("<figure class=\"chart\" id=\"{}\">\n", html(&figure.name));
    *out += &format!("<figcaption>{title}</figcaption>\n");
    let wide = match figure.chart {
        Chart::Lines(_) | Chart::Histogram(_) => COLUMN,
        _ => WIDE,
    };
    for (class, width) in [("wide", wide), ("narrow", NARROW)] {
        let attributes = format!("class=\"{class}\" role=\"img\" aria-label=\"{alt}\"");
        *out += &figure.svg_with(width, &attributes, "");
    }
    *out += "</figure>\n";
}
