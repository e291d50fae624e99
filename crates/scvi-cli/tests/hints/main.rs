//! Every hint that the command can give: provoked, and what it shows typed.
//!
//! The hints that are written in the sources are counted against those that were seen, so that a new
//! one has to be provoked here.

#[path = "../common/mod.rs"]
mod common;

mod cells;
mod files;
mod inputs;
mod labels;
mod models;
mod sources;
mod training;
mod walk;

use walk::Walk;

#[test]
fn every_hint_works_if_typed() {
    let mut walk = Walk::new();
    files::walk(&mut walk);
    inputs::walk(&mut walk);
    cells::walk(&mut walk);
    models::walk(&mut walk);
    labels::walk(&mut walk);
    training::walk(&mut walk);
    sources::check_all_seen(walk.seen());
}
