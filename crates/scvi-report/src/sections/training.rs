//! How training went.

use crate::charts::{Chart, Figure, LineChart, Series};
use crate::number::{count, shown};
use crate::page::{Block, Section};

/// Rise of the validation loss after its best epoch, as a share of all that was gained before, that
/// counts as over-fitting.
const OVER_FITTED: f64 = 0.02;
/// Gain over the last tenth of the epochs, as a share of all that was gained, below which training
/// has converged.
const CONVERGED: f64 = 0.01;

/// Losses by epoch, for the training cells and the validation cells.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// `(epochs)`
    pub train: Vec<Option<f64>>,
    /// `(epochs)`; none where an epoch did not validate.
    pub validation: Vec<Option<f64>>,
}

/// What training recorded.
#[derive(Debug, Clone, Default)]
pub struct TrainingHistory {
    /// `(epochs)`, from 1.
    pub epochs: Vec<f64>,
    /// Negative ELBO, lower is better.
    pub elbo: Terms,
    /// Its first term.
    pub reconstruction_loss: Terms,
    /// Its second term.
    pub kl_local: Terms,
    /// Weight of the KL divergence: `(epochs)`.
    pub kl_weight: Vec<Option<f64>>,
    /// Learning rate, where it was recorded: `(epochs)`.
    pub lr: Option<Vec<Option<f64>>>,
    /// Why it ended: a word of the model folder's.
    pub stop: String,
}

/// What the history says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether nothing need be done.
    pub is_good: bool,
    /// In words.
    pub text: String,
}

impl TrainingHistory {
    /// What the history says, most important first.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let mut add = |is_good, text: String| verdicts.push(Verdict { is_good, text });
        if self.stop == "interrupted" {
            add(false, "Training was interrupted before its end.".to_owned());
        }
        if let [.., before, weight] = self.kl_weight.iter().flatten().collect::<Vec<_>>()[..]
            && before < weight
            && *weight < 0.99
        {
            let weight = shown(*weight);
            add(
                false,
                format!(
                    "Training stopped before the KL warm-up ended: the weight of the KL divergence \
                     was still rising, at {weight}. The latent space is less regular than it would be; \
                     train longer, or with --n-epochs-kl-warmup auto."
                ),
            );
        }
        let has_validation = self.elbo.validation.iter().flatten().count() > 1;
        let (cells, curve) = match has_validation {
            true => ("validation", &self.elbo.validation),
            false => ("training", &self.elbo.train),
        };
        let curve: Vec<(f64, f64)> =
            self.epochs.iter().zip(curve).filter_map(|(&e, v)| Some((e, (*v)?))).collect();
        if curve.len() < 3 {
            add(
                false,
                "Too few epochs were recorded to say whether training converged.".to_owned(),
            );
            return verdicts;
        }
        let smooth = smoothed(&curve);
        let best = (0..smooth.len()).min_by(|&a, &b| smooth[a].total_cmp(&smooth[b])).unwrap_or(0);
        let gained = smooth[0] - smooth[best];
        let last = smooth[smooth.len() - 1];
        let rise = (last - smooth[best]) / gained;
        let before = smooth[smooth.len() - 1 - (smooth.len() / 10).max(1)];
        let late = (before - last) / gained;
        if gained <= 0.0 {
            add(false, format!("The ELBO of the {cells} cells did not improve."));
        } else if has_validation && rise > OVER_FITTED {
            add(
                false,
                format!(
                    "The model over-fitted: the validation ELBO was best at epoch {} and lost {:.0} % \
                     of its gain since. Train for fewer epochs, or with --early-stopping.",
                    count(curve[best].0 as usize),
                    100.0 * rise
                ),
            );
        } else if late > CONVERGED {
            add(
                false,
                format!(
                    "Training had not converged: the last tenth of the epochs still brought {:.1} % \
                     of the whole gain of the {cells} ELBO. Train longer with --max-epochs.",
                    100.0 * late
                ),
            );
        } else {
            let why = if self.stop == "early_stopping" { ", and was stopped early" } else { "" };
            add(
                true,
                format!(
                    "Training converged: the {cells} ELBO changed by less than {:.0} % of its whole \
                     gain over the last tenth of {} epochs{why}.",
                    100.0 * CONVERGED,
                    count(self.epochs.len())
                ),
            );
        }
        verdicts
    }

    /// The section.
    pub fn section(&self) -> Section {
        let mut blocks = vec![Block::Text(
            "The ELBO is shown as a loss, lower is better. Both curves should fall and become flat; \
             a validation curve that rises again means over-fitting."
                .to_owned(),
        )];
        blocks.extend(
            self.verdicts()
                .into_iter()
                .map(|Verdict { is_good, text }| Block::Verdict { is_good, text }),
        );
        if self.epochs.is_empty() {
            blocks.push(Block::Text("The model holds no history of its training.".to_owned()));
            return Section { id: "training", heading: "Training", blocks };
        }
        let mut facts = vec![
            ("Epochs".to_owned(), count(self.epochs.len())),
            ("Ended by".to_owned(), self.stop.replace('_', " ")),
        ];
        let last = |values: &[Option<f64>]| values.iter().rev().flatten().next().copied();
        for (name, terms) in [
            ("ELBO", &self.elbo),
            ("Reconstruction", &self.reconstruction_loss),
            ("KL", &self.kl_local),
        ] {
            for (cells, values) in [("training", &terms.train), ("validation", &terms.validation)] {
                if let Some(value) = last(values) {
                    facts.push((format!("{name}, {cells}"), shown(value)));
                }
            }
        }
        blocks.push(Block::Facts(facts));
        blocks.push(Block::Figures(self.figures()));
        Section { id: "training", heading: "Training", blocks }
    }

    fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![
            self.terms("training_elbo", "Negative ELBO", &self.elbo),
            self.terms("training_reconstruction", "Reconstruction loss", &self.reconstruction_loss),
            self.terms("training_kl", "KL divergence", &self.kl_local),
            self.one("training_kl_weight", "Weight of the KL divergence", &self.kl_weight),
        ];
        if let Some(lr) = &self.lr {
            figures.push(self.one("training_lr", "Learning rate", lr));
        }
        figures
    }

    fn terms(&self, name: &str, title: &str, terms: &Terms) -> Figure {
        let series = [("training", &terms.train), ("validation", &terms.validation)];
        let known = series.into_iter().filter(|(_, values)| values.iter().any(Option::is_some));
        let series = known.map(|(name, values)| (name.to_owned(), values.clone())).collect();
        self.figure(name, title, "nats per cell", series)
    }

    fn one(&self, name: &str, title: &str, values: &[Option<f64>]) -> Figure {
        self.figure(name, title, "", vec![(title.to_owned(), values.to_vec())])
    }

    fn figure(
        &self,
        name: &str,
        title: &str,
        unit: &str,
        series: Vec<(String, Vec<Option<f64>>)>,
    ) -> Figure {
        let ends = series.iter().filter_map(|(name, values)| {
            let mut known = values.iter().flatten();
            let first = known.next()?;
            let last = known.next_back().unwrap_or(first);
            Some(format!("{name} from {} to {}", shown(*first), shown(*last)))
        });
        let alt = format!("{title} by epoch: {}.", ends.collect::<Vec<_>>().join(", "));
        let series = series.into_iter().map(|(name, values)| Series { name, values }).collect();
        let chart = LineChart {
            x_label: "epoch".to_owned(),
            y_label: unit.to_owned(),
            x: self.epochs.clone(),
            series,
        };
        Figure { name: name.to_owned(), title: title.to_owned(), alt, chart: Chart::Lines(chart) }
    }
}

/// Medians over five epochs, fewer at the ends: one epoch's noise decides nothing.
fn smoothed(curve: &[(f64, f64)]) -> Vec<f64> {
    let around = |k: usize| {
        let reach = 2.min(k).min(curve.len() - 1 - k);
        let mut near: Vec<f64> = curve[k - reach..=k + reach].iter().map(|p| p.1).collect();
        near.sort_unstable_by(f64::total_cmp);
        near[near.len() / 2]
    };
    (0..curve.len()).map(around).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(loss: impl Fn(f64) -> f64, weight: f64) -> TrainingHistory {
        let epochs: Vec<f64> = (1..=100).map(f64::from).collect();
        let values: Vec<_> = epochs.iter().map(|&e| Some(loss(e))).collect();
        TrainingHistory {
            elbo: Terms { train: values.clone(), validation: values },
            kl_weight: epochs.iter().map(|e| Some(weight * (e / 100.0))).collect(),
            stop: "max_epochs".to_owned(),
            epochs,
            ..TrainingHistory::default()
        }
    }

    fn first(history: &TrainingHistory) -> Verdict {
        history.verdicts().swap_remove(0)
    }

    #[test]
    fn the_verdict_tells_the_shapes_of_curves_apart() {
        let falling = |e: f64| 500.0 + 500.0 * (-e / 10.0).exp();
        let verdict = first(&history(falling, 1.0));
        // A weight that stays where it was asked to end is no warm-up cut short.
        let constant = TrainingHistory { kl_weight: vec![Some(0.5); 100], ..history(falling, 1.0) };
        assert!(first(&constant).is_good);
        assert!(verdict.is_good && verdict.text.contains("converged"), "{verdict:?}");
        let slow = first(&history(|e| 1000.0 - e, 1.0));
        assert!(!slow.is_good && slow.text.contains("not converged"), "{slow:?}");
        let rising = first(&history(|e| falling(e) + (e - 30.0).max(0.0), 1.0));
        assert!(!rising.is_good && rising.text.contains("over-fitted"), "{rising:?}");
        let early = first(&history(falling, 0.25));
        assert!(!early.is_good && early.text.contains("0.25"), "{early:?}");
        let none = first(&TrainingHistory::default());
        assert!(!none.is_good && none.text.contains("Too few"), "{none:?}");
    }
}
