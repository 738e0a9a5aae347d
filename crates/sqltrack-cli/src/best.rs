//! A metric and which of its values is the best, as they are named on the command line.

use std::str::FromStr;

use sqltrack_analysis::best::add_best;
use sqltrack_core::{Client, Goal, Rows};

/// A metric, and which of its values is the best.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BestOf {
    pub(crate) metric: String,
    pub(crate) goal: Goal,
}

impl FromStr for BestOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let goal = |word| match word {
            "max" => Some(Goal::Max),
            "min" => Some(Goal::Min),
            _ => None,
        };
        // The name may hold colons.
        let parts = text.rsplit_once(':').and_then(|(metric, word)| Some((metric, goal(word)?)));
        let (metric, goal) =
            parts.ok_or_else(|| format!("say which value is the best: `{text}:max` or `{text}:min`"))?;
        Ok(Self { metric: metric.to_owned(), goal })
    }
}

impl BestOf {
    /// The rows of runs with two columns more: the best value, and its step.
    pub(crate) async fn add_to(&self, rows: Rows, client: &Client) -> anyhow::Result<Rows> {
        Ok(add_best(rows, client, &self.metric, self.goal).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_best_value_is_that_of_a_metric_and_a_goal() {
        let parsed = "val:loss:min".parse();
        assert_eq!(parsed, Ok(BestOf { metric: "val:loss".to_owned(), goal: Goal::Min }));
        for text in ["loss", "loss:", "loss:best", ""] {
            let err = text.parse::<BestOf>().unwrap_err();
            assert!(err.starts_with("say which value is the best"), "{err}");
        }
    }
}
