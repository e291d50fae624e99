//! Reports in a browser, where there is one: charts are drawn, pointer, keyboard and legend work, no
//! error is told, nothing is wider than a phone, and pages can be printed.
//!
//! `SCVI_BROWSER`, or one of the names of Chromium and Chrome in `PATH`.

mod common;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Folder, data};
use serde_json::Value;

/// What it may be called.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/// What a reader does, and what is seen then.
const PROBE: &str = include_str!("browser/probe.js");

/// The browser, or a visible line that says the test was skipped.
fn browser() -> Option<PathBuf> {
    let given = env::var_os("SCVI_BROWSER").map(PathBuf::from);
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let found = || {
        let paths = NAMES.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name)));
        paths.into_iter().find(|path| path.is_file())
    };
    let browser = given.or_else(found);
    if browser.is_none() {
        eprintln!("skipped: no browser (SCVI_BROWSER, or {} in PATH)", NAMES.join(", "));
    }
    browser
}

/// Opens a page; what the browser prints, and the lines of its console.
fn open(browser: &Path, page: &Path, more: &[&str]) -> (String, Vec<String>) {
    let profile = tempfile::tempdir().unwrap();
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"];
    let output = Command::new(browser)
        .args(flags)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--virtual-time-budget=20000")
        .args(more)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    // The probe reads pixels, which the browser has an opinion on.
    let is_told = |line: &&str| line.contains(":CONSOLE") && !line.contains("willReadFrequently");
    let console = told.lines().filter(is_told).map(str::to_owned);
    (String::from_utf8_lossy(&output.stdout).into_owned(), console.collect())
}

/// Reads the page as a reader would.
fn read(browser: &Path, folder: &Folder, page: &str, colors: &[&str]) {
    let path = folder.path(page);
    let html = fs::read_to_string(&path).unwrap();
    let n_charts = html.matches("<canvas ").count();
    // As it is: its own policy lets its script run.
    let (dom, console) = open(browser, &path, &["--dump-dom", "--window-size=1400,900"]);
    assert_eq!(console, Vec::<String>::new());
    assert!(dom.contains(&format!("data-drawn=\"{n_charts}\"")), "{}", &dom[..300]);
    let start = html.find("<meta http-equiv").unwrap();
    let end = start + html[start..].find('>').unwrap() + 1;
    let probed = format!("{}{}<script>{PROBE}</script>", &html[..start], &html[end..]);
    fs::write(folder.path("probed.html"), probed).unwrap();
    for (size, width) in [("--window-size=1400,900", 1400), ("--window-size=500,844", 500)] {
        let (dom, console) = open(browser, &folder.path("probed.html"), &["--dump-dom", size]);
        assert_eq!(console, Vec::<String>::new());
        let json = dom.split("<pre id=\"probe\">").nth(1).expect("the probe ran to its end");
        let json = json.split("</pre>").next().unwrap().replace("&gt;", ">").replace("&amp;", "&");
        let seen: Value = serde_json::from_str(&json.replace("&lt;", "<")).unwrap();
        assert!(seen["width"].as_f64().unwrap() <= f64::from(width), "{seen:#}");
        for chart in seen["charts"].as_array().unwrap() {
            assert!(chart["colored"].as_f64().unwrap() > 200.0, "points are drawn: {seen:#}");
            assert!(chart["hovered"].as_str().unwrap().contains(": "), "{seen:#}");
            assert!(chart["by_keys"].as_str().unwrap().contains(": "), "{seen:#}");
            assert_ne!(chart["zoomed"], chart["drawn"], "{seen:#}");
            assert_ne!(chart["dark"], chart["drawn"], "{seen:#}");
        }
        let umap = &seen["charts"][0];
        assert_eq!(umap["pressed"], "false");
        let [all, some, none] =
            ["colored", "filtered", "hidden"].map(|k| umap[k].as_f64().unwrap());
        assert!(some < all && none == 0.0, "{seen:#}");
        assert_eq!(umap["options"].as_array().unwrap().len(), colors.len());
        for (option, color) in umap["options"].as_array().unwrap().iter().zip(colors) {
            assert_eq!(option, color);
        }
    }
    let pdf = folder.path("report.pdf");
    let print = format!("--print-to-pdf={}", pdf.display());
    open(browser, &path, &[&print, "--no-pdf-header-footer"]);
    let bytes = fs::read(pdf).unwrap();
    assert!(bytes.starts_with(b"%PDF-") && bytes.len() > 30_000, "{} bytes", bytes.len());
}

#[test]
fn a_report_of_simulated_cells_works_in_a_browser() {
    let Some(browser) = browser() else { return };
    let folder = Folder::new();
    let simulate = ["simulate", "--output", "counts.h5ad", "--n-cells", "300", "--n-genes", "60"];
    folder.scvi(&[&simulate[..], &["--density", "0.3", "--quiet"]].concat()).ok();
    let train = ["train", "counts.h5ad", "--batch-key", "batch", "--model", "m", "--quiet"];
    folder.scvi(&[&train[..], &["--max-epochs", "5"]].concat()).ok();
    let de = ["de", "--model", "m", "counts.h5ad", "--groupby", "cell_type", "--output", "de.csv"];
    folder.scvi(&de).ok();
    let report = ["report", "--model", "m", "counts.h5ad", "--labels-key", "cell_type", "--de"];
    folder.scvi(&[&report[..], &["de.csv", "--output", "r.html", "--quiet"]].concat()).ok();
    let colors = ["cell_type", "batch", "library size (log10 counts)", "ELBO (nats)"];
    read(&browser, &folder, "r.html", &colors);
}

#[test]
fn reports_of_real_counts_work_in_a_browser() {
    let Some(browser) = browser() else { return };
    for name in ["pbmc3k.h5ad", "sc_mixology_5batches.h5ad"] {
        let Some(path) = data(name) else { return };
        let folder = Folder::new();
        let path = path.to_str().unwrap();
        let train = ["train", path, "--model", "m", "--n-top-genes", "500", "--max-epochs", "2"];
        folder.scvi(&[&train[..], &["--quiet"]].concat()).ok();
        let report = ["report", "--model", "m", path, "--output", "r.html", "--quiet"];
        folder.scvi(&[&report[..], &["--labels-key", "cell_type"]].concat()).ok();
        let colors = ["cell_type", "library size (log10 counts)", "ELBO (nats)"];
        read(&browser, &folder, "r.html", &colors);
    }
}
