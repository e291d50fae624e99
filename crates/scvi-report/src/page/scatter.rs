//! Points that answer to pointer and keyboard: their data, for the script of the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::escape::{html, json_in_script, plain};
use crate::charts::palette::{Color, RAMP, categorical};
use crate::charts::{Axis, Chart, Figure, Marks, PointChart, span};

/// Characters of a name that are kept: names are read, not searched.
const NAME_LENGTH: usize = 80;
/// The largest of the whole numbers that places and values are told by.
const STEPS: f64 = 65_534.0;
/// Stands for what has no value.
const NONE: u16 = u16::MAX;

/// Points in one or several planes, to be colored in several ways.
#[derive(Debug, Clone)]
pub struct Scatter {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// The same in words, for those who do not see it.
    pub alt: String,
    /// What a point is: `cell`, `gene`.
    pub noun: &'static str,
    /// What the reader chooses by: `Color by`, `Group`.
    pub choice: &'static str,
    /// Names of the points.
    pub points: Vec<String>,
    /// The planes.
    pub views: Vec<View>,
    /// What points are colored by.
    pub colorings: Vec<Coloring>,
    /// What the reader chooses from.
    pub panels: Vec<Panel>,
}

/// Points in a plane.
#[derive(Debug, Clone)]
pub struct View {
    /// Which points, where not all are in it.
    pub points: Option<Vec<u32>>,
    /// `(points)`
    pub x: Vec<f32>,
    /// `(points)`
    pub y: Vec<f32>,
    /// Both axes; none for a plane whose directions have no meaning.
    pub axes: Option<[Axis; 2]>,
    /// Lines to compare with, from point to point.
    pub lines: Vec<[[f64; 2]; 2]>,
}

/// What the points of a view are colored by.
#[derive(Debug, Clone)]
pub struct Coloring {
    /// What it is.
    pub label: String,
    /// `(points)`
    pub marks: Marks,
}

/// A choice of the reader.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What the reader reads.
    pub label: String,
    /// The view.
    pub view: usize,
    /// The coloring.
    pub coloring: usize,
}

impl View {
    /// Where the points are, from 0 to 1 along both axes; NaN where they have no place.
    fn places(&self) -> Vec<[f32; 2]> {
        let [x_at, y_at]: [Box<dyn Fn(f64) -> f64>; 2] = match &self.axes {
            Some([x, y]) => [x, y].map(|axis| -> Box<dyn Fn(f64) -> f64> {
                Box::new(|v| axis.place(v).unwrap_or(f64::NAN))
            }),
            // One scale for both, so that distances keep their ratios.
            None => {
                let spans = [&self.x, &self.y].map(|v| span(v.iter().map(|&v| v.into())));
                let width = spans.iter().map(|s| s.end - s.start).fold(0.0, f64::max);
                spans.map(|s| -> Box<dyn Fn(f64) -> f64> {
                    let middle = f64::midpoint(s.start, s.end);
                    Box::new(move |v| 0.5 + (v - middle) / (width * 1.04))
                })
            }
        };
        let points = self.x.iter().zip(&self.y);
        points.map(|(&x, &y)| [x_at(x.into()) as f32, y_at(y.into()) as f32]).collect()
    }

    fn place_of(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        let Some([x_axis, y_axis]) = &self.axes else { return [f32::NAN; 2] };
        let at = |axis: &Axis, v| axis.place(v).map_or(f32::NAN, |at| at.clamp(0.0, 1.0) as f32);
        [at(x_axis, x), at(y_axis, y)]
    }

    fn line_places(&self) -> Vec<[[f32; 2]; 2]> {
        self.lines.iter().map(|line| line.map(|end| self.place_of(end))).collect()
    }

    fn data(&self) -> Value {
        let places = self.places();
        let axis = |axis: &Axis, n| json!({"label": plain(&axis.label), "ticks": axis.ticks(n)});
        json!({
            "x": packed(places.iter().map(|at| at[0].into())),
            "y": packed(places.iter().map(|at| at[1].into())),
            "points": self.points.as_ref().map(|points| {
                STANDARD.encode(points.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>())
            }),
            "axes": self.axes.as_ref().map(|[x, y]| [axis(x, 6), axis(y, 6)]),
            "lines": self.line_places(),
        })
    }
}

impl Coloring {
    fn data(&self) -> Value {
        let label = plain(&self.label);
        match &self.marks {
            Marks::Categories { names, codes } => {
                let codes = codes.iter().map(|code| match code {
                    Some(code) if (*code as usize) < names.len() => (*code).min(65_534) as u16,
                    _ => NONE,
                });
                let colors = categorical(names.len()).into_iter().map(Color::css);
                json!({
                    "label": label,
                    "names": names.iter().map(|name| shortened(name)).collect::<Vec<_>>(),
                    "colors": colors.collect::<Vec<_>>(),
                    "values": encoded(codes),
                })
            }
            Marks::Numbers(values) => {
                let range = span(values.iter().map(|&v| v.into()));
                let width = range.end - range.start;
                let at = values.iter().map(|&v| (f64::from(v) - range.start) / width);
                json!({
                    "label": label,
                    "range": [range.start, range.end],
                    "values": packed(at),
                })
            }
        }
    }
}

impl Scatter {
    /// A still picture of each choice.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (k, panel) in self.panels.iter().enumerate() {
            let view = &self.views[panel.view];
            let chart = PointChart {
                axes: view.axes.clone(),
                places: view.places(),
                marks: self.colorings[panel.coloring].marks.clone(),
                lines: view.line_places(),
            };
            let title = format!("{}: {}", self.title, panel.label);
            let alt = format!("{} {}: {}.", self.alt, self.choice, panel.label);
            // Whatever the label is, the name is one of a file.
            let label =
                panel.label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
            let label: String = label.take(40).collect();
            let name = format!("{}_{}_{label}", self.name, k + 1);
            figures.push(Figure { name, title, alt, chart: Chart::Points(chart) });
        }
        figures
    }

    pub(super) fn write(&self, out: &mut String) {
        let Self { name, title, alt, noun, choice, .. } = self;
        let (name, title, alt) = (html(name), html(title), html(alt));
        let n = self.panels.len();
        *out += &format!(
            "<figure class=\"scatter\" id=\"{name}\">\n<figcaption>{title}</figcaption>\n"
        );
        *out += &format!(
            "<div class=\"controls\"><label{}>{choice} <select>",
            if n > 1 { "" } else { " hidden" }
        );
        for panel in &self.panels {
            *out += &format!("<option>{}</option>", html(&panel.label));
        }
        *out += "</select></label><span class=\"zoom\">";
        for (action, sign, label) in
            [("in", "+", "Zoom in"), ("out", "−", "Zoom out"), ("all", "⤢", "Show all")]
        {
            *out += &format!(
                "<button type=\"button\" data-zoom=\"{action}\" aria-label=\"{label}\" \
                 title=\"{label}\">{sign}</button>"
            );
        }
        *out += &format!(
            "</span></div>\n<div class=\"plot\"><div class=\"stage\"><canvas tabindex=\"0\" \
             role=\"img\" aria-label=\"{alt} Arrow keys go from {noun} to {noun}, plus and minus \
             zoom.\"></canvas><div class=\"tip\" hidden></div></div>\n<div class=\"legend\"></div>\
             </div>\n<p class=\"spoken\" aria-live=\"polite\"></p>\n"
        );
        let panels: Vec<_> = self.panels.iter().map(|p| [p.view, p.coloring]).collect();
        let data = json!({
            "noun": noun,
            "points": self.points.iter().map(|name| shortened(name)).collect::<Vec<_>>(),
            "views": self.views.iter().map(View::data).collect::<Vec<_>>(),
            "colorings": self.colorings.iter().map(Coloring::data).collect::<Vec<_>>(),
            "panels": panels,
            "ramp": RAMP.map(Color::css),
            "missing": Color::MISSING.css(),
        });
        *out += "<script type=\"application/json\">";
        *out += &json_in_script(&data);
        *out += "</script>\n</figure>\n";
    }
}

/// A name as it is shown.
fn shortened(name: &str) -> String {
    let mut short: String = name.chars().take(NAME_LENGTH).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    plain(&short)
}

/// Numbers from 0 to 1 in two bytes each: finer than any screen.
fn packed(values: impl Iterator<Item = f64>) -> String {
    encoded(values.map(|at| match at.is_finite() {
        true => (at.clamp(0.0, 1.0) * STEPS).round() as u16,
        false => NONE,
    }))
}

fn encoded(values: impl Iterator<Item = u16>) -> String {
    STANDARD.encode(values.flat_map(u16::to_le_bytes).collect::<Vec<_>>())
}
