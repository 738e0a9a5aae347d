//! The batch job that a run is part of, as Slurm tells it to the job.

use serde_json::{Map, Value as Json};
use sqltrack_core::config::Environment;

/// The variables, whose names without `SLURM_` become those of the values.
const VARIABLES: [&str; 16] = [
    "SLURM_JOB_ID",
    "SLURM_JOB_NAME",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_STEP_ID",
    "SLURM_PROCID",
    "SLURM_NTASKS",
    "SLURM_NODEID",
    "SLURM_NNODES",
    "SLURM_JOB_NODELIST",
    "SLURM_JOB_PARTITION",
    "SLURM_JOB_ACCOUNT",
    "SLURM_JOB_QOS",
    "SLURM_CLUSTER_NAME",
    "SLURM_RESTART_COUNT",
    "SLURM_SUBMIT_DIR",
];

/// What Slurm tells, if this is a job of it. Numbers are numbers.
pub(super) fn describe(environment: &Environment) -> Option<Map<String, Json>> {
    let found: Map<String, Json> = VARIABLES.iter().filter_map(|name| entry(name, environment)).collect();
    found.contains_key("job_id").then_some(found)
}

fn entry(name: &str, environment: &Environment) -> Option<(String, Json)> {
    let value = environment.get(name).ok()??;
    let value = value.parse::<i64>().map_or_else(|_| Json::from(value), Json::from);
    Some((name.strip_prefix("SLURM_")?.to_lowercase(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_is_described_by_its_variables() {
        let variables = [
            ("SLURM_JOB_ID", "523473"),
            ("SLURM_ARRAY_TASK_ID", "7"),
            ("SLURM_JOB_NODELIST", "node[01-04]"),
            ("SLURM_JOB_NAME", ""),
            ("SLURM_OTHER", "x"),
        ];
        let found = describe(&Environment::from_iter(variables)).unwrap();
        let expected = json!({"job_id": 523_473, "array_task_id": 7, "job_nodelist": "node[01-04]"});
        assert_eq!(Json::Object(found), expected);
    }

    #[test]
    fn without_a_job_there_is_nothing() {
        assert_eq!(describe(&Environment::from_iter([("SLURM_CLUSTER_NAME", "a")])), None);
    }
}
