//! Trains softmax regression on the Iris flowers with three learning rates, and tracks every epoch.
//!
//! Without a configuration it tracks in `sqltrack.db`; with `sqltrack.conf` or `SQLTRACK_DSN_*` wherever they say.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use sqltrack_core::{Client, Experiment, Metrics, Run};

const LEARNING_RATES: [f64; 3] = [0.003, 0.03, 0.3];
const EPOCHS: i64 = 200;
const FEATURES: usize = 4;
const CLASSES: usize = 3;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let client = sqltrack_examples::client().await?;
    client.setup().await?;
    let experiment = Experiment::open(&client, "Iris").await?;
    let (train, validation) = load();

    let mut runs = Vec::new();
    for learning_rate in LEARNING_RATES {
        let run = experiment.new_run().await?;
        run.set_args([("learning_rate", learning_rate), ("epochs", EPOCHS as f64)])
            .add_tags(["example"])
            .await?;
        run.track(async |run| fit(&run, learning_rate, &train, &validation).await).await?;
        runs.push(run);
    }

    println!("tracked in {}\n", client.target());
    println!(
        "{:>6}  {:>13}  {:>13}  {:>7}  validation loss",
        "run", "learning rate", "best accuracy", "at step"
    );
    for (run, learning_rate) in runs.iter().zip(LEARNING_RATES) {
        let (accuracy, step) = best(&client, run).await?;
        let losses: Vec<f64> = client
            .first_values("SELECT val_loss FROM metrics WHERE run_id = $1 ORDER BY step", (run.id(),))
            .await?;
        let curve = sqltrack_examples::curve(&losses, 40);
        println!("{:>6}  {learning_rate:>13}  {:>12.1}%  {step:>7}  {curve}", run.id(), accuracy * 100.0);
    }
    Ok(())
}

/// The best validation accuracy of a run, not the last, and the first step that reached it.
async fn best(client: &Client, run: &Run) -> anyhow::Result<(f64, i64)> {
    let best = "SELECT val_accuracy, step FROM metrics WHERE run_id = $1
        ORDER BY val_accuracy DESC NULLS LAST, step LIMIT 1";
    let best = client.first_row(best, (run.id(),)).await?;
    best.ok_or_else(|| anyhow::anyhow!("run {} has no metrics", run.id()))
}

/// Flowers with the numbers of their species.
type Flowers = Vec<([f64; FEATURES], usize)>;

/// The flowers, with features of mean 0 and variance 1: four of five to train on, the fifth to validate.
fn load() -> (Flowers, Flowers) {
    let data = linfa_datasets::iris();
    let rows = data.records().outer_iter().zip(data.targets());
    let mut flowers: Flowers = rows.map(|(row, class)| (std::array::from_fn(|i| row[i]), *class)).collect();
    let count = flowers.len() as f64;
    for feature in 0..FEATURES {
        let mean = flowers.iter().map(|(x, _)| x[feature]).sum::<f64>() / count;
        let variance = flowers.iter().map(|(x, _)| (x[feature] - mean).powi(2)).sum::<f64>() / count;
        for (x, _) in &mut flowers {
            x[feature] = (x[feature] - mean) / variance.sqrt();
        }
    }
    let (validation, train): (Vec<_>, Vec<_>) =
        flowers.into_iter().enumerate().partition(|(index, _)| index % 5 == 0);
    let strip = |part: Vec<(usize, _)>| part.into_iter().map(|(_, flower)| flower).collect();
    (strip(train), strip(validation))
}

/// Weights by class; the last of each is the bias.
type Weights = [[f64; FEATURES + 1]; CLASSES];

/// Gradient descent over all flowers at once, tracked epoch by epoch.
async fn fit(run: &Run, learning_rate: f64, train: &Flowers, validation: &Flowers) -> anyhow::Result<()> {
    let mut weights = Weights::default();
    for epoch in 0..EPOCHS {
        let mut gradient = Weights::default();
        for (x, class) in train {
            let probabilities = predict(&weights, x);
            for (k, gradient) in gradient.iter_mut().enumerate() {
                let error = probabilities[k] - f64::from(u8::from(k == *class));
                for (feature, gradient) in gradient.iter_mut().enumerate() {
                    *gradient += error * x.get(feature).copied().unwrap_or(1.0);
                }
            }
        }
        for (weights, gradient) in weights.iter_mut().flatten().zip(gradient.iter().flatten()) {
            *weights -= learning_rate * gradient / train.len() as f64;
        }
        let (train_loss, train_accuracy) = score(&weights, train);
        let (val_loss, val_accuracy) = score(&weights, validation);
        let metrics = Metrics::from([
            ("train_loss", train_loss),
            ("train_accuracy", train_accuracy),
            ("val_loss", val_loss),
            ("val_accuracy", val_accuracy),
        ]);
        run.add_metrics(metrics).step(epoch).progress((epoch + 1) as f64 / EPOCHS as f64).await?;
    }
    Ok(())
}

/// The probabilities of the classes.
fn predict(weights: &Weights, x: &[f64; FEATURES]) -> [f64; CLASSES] {
    let logits = weights.map(|w| w[FEATURES] + x.iter().zip(&w).map(|(x, w)| x * w).sum::<f64>());
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers = logits.map(|logit| (logit - highest).exp());
    powers.map(|power| power / powers.iter().sum::<f64>())
}

/// The mean cross-entropy, and how many of the flowers are told right.
fn score(weights: &Weights, flowers: &Flowers) -> (f64, f64) {
    let mut loss = 0.0;
    let mut right = 0;
    for (x, class) in flowers {
        let probabilities = predict(weights, x);
        loss -= probabilities[*class].ln();
        let likeliest = (0..CLASSES).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
        right += usize::from(likeliest == Some(*class));
    }
    let count = flowers.len() as f64;
    (loss / count, right as f64 / count)
}
