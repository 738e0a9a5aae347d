//! What the queue takes of memory while the database takes no rows.

use anyhow::{Result, bail, ensure};

use super::Setting;
use crate::part;
use crate::report::{Figure, Unit};

const WIDTH: usize = 5;

pub(super) async fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let database = setting.database(WIDTH).await?;
    let rows: u32 = setting.scale.choose(50_000, 10_000);
    // In a process of its own, whose memory holds nothing else that grows.
    let mut command = part::command("queue", database.url())?;
    command.args(["--rows", &rows.to_string()]);
    let output = tokio::task::block_in_place(|| command.output())?;
    database.remove().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    let said = String::from_utf8(output.stdout)?;
    let numbers = said.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [resident, counted] = numbers[..] else {
        bail!("the process said `{}`, which is not two numbers", said.trim());
    };
    let figure = |what: &str, bytes| {
        setting.figure(format!("queued row of {WIDTH} metrics, {what}")).library(bytes, Unit::Bytes)
    };
    Ok(vec![
        figure("memory of the process", resident).note(format!("{rows} rows queued")),
        figure("by `Stats::queued_bytes`", counted),
    ])
}
