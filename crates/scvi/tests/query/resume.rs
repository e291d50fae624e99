//! The training of a query that stops and goes on.

use scvi::model::query::Freeze;
use scvi::train::{TrainError, TrainPlan, TrainingRun};

use crate::mapped;
use crate::reference_is_kept::{cells, counts, pairs, to_the_end, trained};

#[test]
fn a_query_stopped_after_any_minibatch_ends_with_the_same_bits() {
    let counts = counts();
    let freezes = [
        Freeze::default(),
        Freeze { unfrozen: true, ..Freeze::default() },
        Freeze { freeze_dropout: true, freeze_batchnorm_decoder: true, ..Freeze::default() },
    ];
    let mut plan = TrainPlan { max_epochs: Some(2), batch_size: 10, ..TrainPlan::default() };
    // What is frozen must not feel it after the stop either.
    plan.adam.weight_decay = 0.1;
    for (name, config, grown) in pairs() {
        let mut reference = trained(&config, &counts);
        let data = cells(&counts, &grown, |cell, n| cell % n);
        let fingerprint = data.fingerprint().unwrap();
        for freeze in &freezes {
            let begin = |reference: &mut _| mapped(reference, &grown, freeze);
            let run = TrainingRun::of_model(begin(&mut reference), &data, &plan).unwrap();
            let whole = to_the_end(run).state_dict();
            for stop in [0, 1, 4] {
                let vae = begin(&mut reference);
                let mut run = TrainingRun::of_model(vae, &data, &plan).unwrap();
                for _ in 0..stop {
                    run.advance().unwrap();
                }
                let checkpoint = run.checkpoint(&fingerprint).unwrap();
                let vae = begin(&mut reference);
                let run = TrainingRun::resume_of_model(vae, &data, &plan, checkpoint).unwrap();
                assert!(to_the_end(run).state_dict() == whole, "{name} {freeze:?}: {stop}");
            }
        }
    }
}

#[test]
fn the_checkpoint_of_another_query_is_refused() {
    let counts = counts();
    let (_, config, grown) = pairs().swap_remove(0);
    let mut reference = trained(&config, &counts);
    let data = cells(&counts, &grown, |cell, n| cell % n);
    let plan = TrainPlan { max_epochs: Some(2), ..TrainPlan::default() };
    let freeze = Freeze::default();
    let vae = mapped(&mut reference, &grown, &freeze);
    let run = TrainingRun::of_model(vae, &data, &plan).unwrap();
    let checkpoint = run.checkpoint(&data.fingerprint().unwrap()).unwrap();
    let other = TrainPlan { seed: 1, ..plan.clone() };
    let vae = mapped(&mut reference, &grown, &freeze);
    let found = TrainingRun::resume_of_model(vae, &data, &other, checkpoint);
    assert!(matches!(found, Err(TrainError::Resume(_))));
}
