//! The page holds whatever names there are as text, is one well-formed document, and stays small.

use scvi_report::charts::Marks;
use scvi_report::page::{Coloring, Page};
use scvi_report::sections::{
    Adequacy, Column, DataSummary, Dropped, Expression, Fit, GroupResult, Integration, LatentSpace,
    Metric, Provenance, Terms, TrainingHistory, Worst,
};

/// Names that end an element, an attribute, a string or a line, or hide what stands beside them.
const HOSTILE: [&str; 8] = [
    "<script>document.title = 'owned'</script>",
    "</script><img src=x onerror=\"document.title = 'owned'\">",
    "\" onmouseover=\"document.title = 'owned'\" x=\"",
    "'); document.title = 'owned'; //",
    "line\u{2028}separator\u{2029}",
    "<!--",
    "\u{202e}reversed \u{0} \u{1b}[31m",
    "naïve Größe 細胞 🧬 &amp; ${7*7} {{7*7}}",
];

/// A page of so many cells, whose names are these.
fn page(n_cells: usize, name: impl Fn(usize) -> String, n_colorings: usize) -> Page {
    let wave = |k: usize, step: f32| (k as f32 * step).sin() * 5.0;
    let names: Vec<String> = (0..n_cells).map(&name).collect();
    let categories: Vec<String> = (0..8).map(&name).collect();
    let codes = (0..n_cells).map(|k| (k % 9 < 8).then_some(k as u32 % 9)).collect();
    let mut colorings = vec![Coloring {
        label: name(2),
        marks: Marks::Categories { names: categories.clone(), codes },
    }];
    colorings.extend((1..n_colorings).map(|c| {
        let values = (0..n_cells).map(|k| if k % 50 == 0 { f32::NAN } else { wave(k, 0.1) });
        Coloring { label: name(c), marks: Marks::Numbers(values.collect()) }
    }));
    let embedding = LatentSpace {
        cells: names.clone(),
        x: (0..n_cells).map(|k| wave(k, 0.37)).collect(),
        y: (0..n_cells).map(|k| wave(k, 0.11)).collect(),
        colorings,
        n_cells: n_cells * 2,
    };
    let genes: Vec<String> = (0..200).map(&name).collect();
    let sections = vec![
        training().section(),
        embedding.section(),
        integration(&name).section().unwrap(),
        adequacy(&genes, &names[..n_cells.min(100)]).section(),
        expression(&genes, &categories).section().unwrap(),
        data(n_cells, &name).section(),
        Provenance { command: name(0), entries: vec![(name(1), name(3))] }.section(),
    ];
    Page { title: name(1), subtitle: name(0), sections }
}

fn data(n_cells: usize, name: &impl Fn(usize) -> String) -> DataSummary {
    DataSummary {
        n_genes: 200,
        counts_per_cell: (0..n_cells).map(|k| 500.0 + (k % 977) as f64 * 11.0).collect(),
        genes_per_cell: (0..n_cells).map(|k| 50.0 + (k % 97) as f64).collect(),
        columns: vec![Column {
            role: "batch",
            key: name(4),
            categories: (0..40).map(|k| (name(k), k)).collect(),
        }],
        dropped: vec![Dropped { when: "in training", filter: name(5), n_cells: 3 }],
        gene_selection: Some(name(6)),
    }
}

fn training() -> TrainingHistory {
    let epochs: Vec<f64> = (1..=60).map(f64::from).collect();
    let falling =
        |from: f64| epochs.iter().map(|e| Some(from + 400.0 * (-e / 8.0).exp())).collect();
    let terms = || Terms { train: falling(500.0), validation: falling(520.0) };
    TrainingHistory {
        kl_weight: epochs.iter().map(|e| Some((e / 40.0).min(1.0))).collect(),
        lr: Some(epochs.iter().map(|_| Some(1e-3)).collect()),
        stop: "early_stopping".to_owned(),
        elbo: terms(),
        reconstruction_loss: terms(),
        kl_local: terms(),
        epochs,
    }
}

fn integration(name: &impl Fn(usize) -> String) -> Integration {
    let metric = |k: usize| Metric {
        name: format!("iLISI {}", name(k)),
        meaning: name(k + 1),
        before: 0.1,
        after: 0.7,
    };
    Integration {
        batch_mixing: vec![metric(0), metric(1)],
        label_conservation: vec![(name(2), vec![metric(3)])],
        n_cells: 1000,
    }
}

fn adequacy(genes: &[String], cells: &[String]) -> Adequacy {
    let fit = |n: usize, is_log| Fit {
        name: if is_log { "variance" } else { "share of zeros" }.to_owned(),
        is_log,
        observed: (0..n).map(|k| (k + 1) as f32 / n as f32).collect(),
        drawn: (0..n).map(|k| (k as f32 * 1.1 + 1.0) / n as f32).collect(),
    };
    Adequacy {
        n_samples: 1,
        n_cells: cells.len(),
        genes: genes.to_vec(),
        by_gene: vec![fit(genes.len(), true), fit(genes.len(), false)],
        cells: cells.to_vec(),
        by_cell: vec![fit(cells.len(), false)],
        summary: vec![["calibration error".to_owned(), genes[3].clone(), "0.03".to_owned()]],
        worst: vec![Worst {
            caption: "Genes".to_owned(),
            columns: vec!["gene".to_owned(), "difference".to_owned()],
            rows: vec![vec![genes[1].clone(), "1.5".to_owned()]],
        }],
    }
}

fn expression(genes: &[String], groups: &[String]) -> Expression {
    let n = genes.len();
    let group = |(g, name): (usize, &String)| GroupResult {
        name: name.clone(),
        genes: (0..n as u32).collect(),
        lfc: (0..n).map(|k| ((k * 7 + g * 31) % 100) as f32 / 20.0 - 2.5).collect(),
        evidence: (0..n).map(|k| ((k * 13 + g * 17) % 90) as f32 / 10.0).collect(),
        share: (0..n).map(|k| (k % 10) as f32 / 10.0).collect(),
    };
    Expression {
        source: genes[0].clone(),
        genes: genes.to_vec(),
        groups: groups.iter().enumerate().map(group).collect(),
        evidence: "Bayes factor".to_owned(),
        is_probability: false,
    }
}

fn hostile(k: usize) -> String {
    match k < HOSTILE.len() {
        true => HOSTILE[k].to_owned(),
        false => format!("{} {k}", HOSTILE[k % HOSTILE.len()]),
    }
}

/// Names of all elements that begin in a document, where each is closed in its turn.
fn elements(html: &str) -> Vec<String> {
    const VOID: [&str; 2] = ["meta", "img"];
    let (mut open, mut all, mut rest) = (Vec::<String>::new(), Vec::new(), html);
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed));
        } else if !tag.starts_with('!') {
            all.push(name.clone());
            if ["script", "style"].contains(&&name[..]) {
                rest = &rest[rest.find(&format!("</{name}>")).expect("it is closed")..];
            }
            if !tag.ends_with('/') && !VOID.contains(&&name[..]) {
                open.push(name);
            }
        }
    }
    assert_eq!(open, Vec::<String>::new());
    all
}

#[test]
fn whatever_the_names_are_the_elements_are_the_same() {
    let harmless = page(300, |k| format!("name {k}"), 3).html();
    let html = page(300, hostile, 3).html();
    // Texts of another length take other places in legends, but not other elements.
    let count = |html: &str| {
        let mut names = elements(html);
        names.sort();
        names
    };
    assert_eq!(count(&html), count(&harmless));
    assert!(html.contains("&lt;script&gt;document.title = &#39;owned&#39;&lt;/script&gt;"));
    assert!(!html.contains('\u{202e}') && !html.contains('\0') && !html.contains('\u{2028}'));
}

#[test]
fn the_data_of_points_are_json_with_every_name() {
    let html = page(300, hostile, 3).html();
    let mut n_blocks = 0;
    for block in html.split("<script type=\"application/json\">").skip(1) {
        let json = block.split("</script>").next().unwrap();
        let data: serde_json::Value = serde_json::from_str(json).unwrap();
        let points = data["points"].as_array().unwrap();
        assert!(points.iter().any(|name| name.as_str() == Some(HOSTILE[1])));
        n_blocks += 1;
    }
    assert_eq!(n_blocks, 4);
}

#[test]
fn every_chart_says_in_words_what_it_shows() {
    let html = page(300, hostile, 3).html();
    let charts = html.matches("<svg ").count() + html.matches("<canvas ").count();
    let words = html.matches("role=\"img\" aria-label=\"").count();
    assert_eq!((charts, words), (2 * (5 + 1 + 1 + 2) + 4, charts));
    assert!(!html.contains("aria-label=\"\""));
}

#[test]
fn nothing_is_fetched_and_no_other_script_runs() {
    let html = page(300, hostile, 3).html();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-";
    assert!(html.contains(policy));
    let own = elements(&html);
    for element in ["link", "iframe", "img", "object", "embed", "base"] {
        assert!(!own.contains(&element.to_owned()), "{element}");
    }
}

#[test]
fn a_hundred_thousand_cells_in_ten_colors_take_less_than_12_mb() {
    let cell = |k: usize| format!("AAACATACAACCAC-{k:06}-sample");
    let html = page(100_000, cell, 10).html();
    assert!(html.len() < 12_000_000, "{} bytes", html.len());
}

#[test]
fn every_chart_is_a_picture_too() {
    let figures = page(300, hostile, 3).figures();
    assert_eq!(figures.len(), 5 + 3 + 1 + 3 + 1 + 8 + 2);
    for figure in &figures {
        let is_file_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(figure.name.chars().all(is_file_name), "{}", figure.name);
        let svg = figure.svg(640);
        assert_eq!(elements(&svg)[..3], ["svg", "title", "desc"], "{}", figure.name);
    }
    let png = figures[0].png(640).unwrap();
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    assert_eq!(png[16..24], [0, 0, 5, 0, 0, 0, 2, 168], "1280 x 680 pixels");
}
