//! What `--help` says: options in groups, a line each, and examples that work if typed.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::Folder;

/// The verbs, as `scvi --help` lists them.
fn verbs() -> Vec<String> {
    let help = Folder::new().scvi(&["--help"]).ok();
    let (_, after) = help.split_once("Commands:\n").expect("a list of commands");
    let listed = after.lines().take_while(|line| !line.is_empty());
    // What belongs to the line before stands further in.
    let listed = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = listed.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    let verbs: Vec<String> = names.filter(|name| name != "help").collect();
    assert!(verbs.len() > 12, "{verbs:?}");
    verbs
}

fn help(verb: &str) -> String {
    Folder::new().scvi(&[verb, "--help"]).ok()
}

/// The options under each heading.
fn groups(help: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut groups = BTreeMap::<_, BTreeSet<_>>::new();
    let mut heading = "";
    for line in help.lines() {
        if !line.starts_with(' ') && line.ends_with(':') {
            heading = line.trim_end_matches(':');
        }
        let words = line.trim_start();
        let names = words.split("  ").next().unwrap_or_default();
        if words.starts_with('-') && heading != "Examples" {
            let long = names.split([' ', ',']).find(|name| name.starts_with("--"));
            groups.entry(heading).or_default().insert(long.expect("a long name"));
        }
    }
    groups
}

#[test]
fn options_of_de_stand_in_groups() {
    let help = help("de");
    let groups = groups(&help);
    let of = |heading: &str| groups[heading].iter().copied().collect::<Vec<_>>();
    assert_eq!(
        of("Cells to compare"),
        [
            "--cells-by",
            "--filter-outlier-cells",
            "--group1",
            "--group2",
            "--groupby",
            "--idx1",
            "--idx2"
        ]
    );
    assert!(of("Test").contains(&"--delta") && of("Samples").contains(&"--batch-correction"));
    assert!(of("Options").contains(&"--output") && of("Reading").contains(&"--cache"));
}

/// A heading that holds for the options behind its group, too, puts others under it in some verb.
#[test]
fn a_group_has_the_same_options_in_every_verb() {
    let mut known = BTreeMap::<String, (String, BTreeSet<String>)>::new();
    for verb in verbs() {
        let help = help(&verb);
        for (heading, options) in groups(&help) {
            if heading == "Options" {
                continue;
            }
            let options: BTreeSet<String> = options.into_iter().map(str::to_owned).collect();
            let first = known.entry(heading.to_owned()).or_insert((verb.clone(), options.clone()));
            assert_eq!(first.1, options, "{heading} of {} and of {verb}", first.0);
        }
    }
    for heading in ["Reading", "Training", "Global options", "Importance weights"] {
        assert!(known.contains_key(heading), "{heading} in {known:?}");
    }
}

/// clap shows a choice on a line of its own, and options far apart, as soon as one of them has a
/// long help.
#[test]
fn an_option_takes_a_few_lines() {
    for verb in verbs() {
        let help = help(&verb);
        assert_eq!(help, Folder::new().scvi(&[&verb, "-h"]).ok());
        let options = help.lines().filter(|line| line.trim_start().starts_with("--")).count();
        let body = help.split("Examples:").next().unwrap_or_default().lines().count();
        assert!(body < 15 + 3 * options, "scvi {verb} --help has {body} lines");
    }
}

/// The examples of a help text, each as one types it.
fn examples(help: &str) -> Vec<String> {
    let (_, text) = help.split_once("Examples:\n").expect("examples");
    let joined = text.replace("\\\n", "");
    let lines = joined.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn examples_work_if_typed() {
    let folder = Folder::new();
    let sizes = ["--n-cells", "120", "--n-genes", "40", "--density", "0.3", "--quiet"];
    for (name, seed) in [("counts.h5ad", "0"), ("query.h5ad", "1")] {
        let simulate = ["simulate", "--output", name, "--seed", seed];
        folder.scvi(&[&simulate[..], &sizes].concat()).ok();
    }
    for verb in verbs() {
        let help = help(&verb);
        let examples = examples(&help);
        assert_eq!(examples.len(), 2, "{help}");
        let after = help.rsplit('\n').find(|line| !line.trim().is_empty()).expect("a last line");
        assert!(examples[1].ends_with(after.trim()), "{verb}: {after}");
        // clap breaks lines to the width of the terminal, and a broken one does not work.
        let shown = help.rsplit("Examples:").next().unwrap_or_default();
        assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
        for example in examples {
            assert!(example.contains(&format!("scvi {verb}")), "{example}");
            folder.typed(&example).ok();
        }
    }
}
