//! The pages that are written, in a real browser: charts are drawn and answer, tables are sorted, nothing is fetched, and the
//! browser has nothing to say against them.

use serde_json::json;
use sqltrack_analysis::chart::{Chart, Curve};
use sqltrack_analysis::format::{Formatting, format_dataframe};
use sqltrack_analysis::report::{ReportOptions, report};
use sqltrack_core::{Column, Experiment, Goal, RESUMES, Rows, Value, metrics};
use sqltrack_tests::{Database, Looked, look, on_both_engines};

on_both_engines!(a_report_is_one_page_that_works,);

/// Uses the page, which must be complete and without fault.
fn used(page: &str, script: &str) -> serde_json::Value {
    let Looked { found, console, fetched } = look(page, script);
    assert_eq!(console, [] as [String; 0]);
    assert_eq!(fetched, [] as [String; 0]);
    found
}

/// What a person does with a pointer, at a place of an element that is given in shares of its size.
const POINTER: &str = "
    const at = (element, x, y) => {
        const box = element.getBoundingClientRect();
        return { clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true, button: 0 };
    };
    const pointer = (type, element, x, y) => element.dispatchEvent(new PointerEvent(type, at(element, x, y)));
    const svg = () => document.querySelector('.sqltrack-chart svg');
    const ticks = () => [...svg().querySelectorAll('text[text-anchor=middle]:not([transform])')].map((text) => text.textContent);
    const curves = () => svg().querySelectorAll('.sqltrack-curve').length;
";

fn chart() -> Chart {
    let falling = (0..=100).map(|x| (f64::from(x), 100.0 - f64::from(x))).collect();
    let broken = (0..=100).map(|x| (f64::from(x), if x == 50 { f64::NAN } else { f64::from(x) })).collect();
    Chart::new("step", "loss <b>").with(Curve::new("run <1>", falling)).with(Curve::new("run 2", broken))
}

#[test]
fn a_chart_answers_the_pointer() {
    let script = format!(
        "{POINTER}
        const whole = ticks();
        pointer('pointermove', svg(), 0.5, 0.5);
        const tip = document.querySelector('.sqltrack-tip');
        const told = tip.textContent, isShown = getComputedStyle(tip).display;
        pointer('pointerdown', svg(), 0.3, 0.5);
        pointer('pointermove', svg(), 0.5, 0.5);
        pointer('pointerup', svg(), 0.5, 0.5);
        const zoomed = ticks();
        svg().dispatchEvent(new MouseEvent('dblclick', {{ bubbles: true }}));
        const out = ticks();
        const before = curves();
        svg().querySelector('.sqltrack-legend').dispatchEvent(new MouseEvent('click', {{ bubbles: true }}));
        const gaps = svg().querySelector('.sqltrack-curve').getAttribute('d').split('M').length - 1;
        return {{ whole, told, isShown, zoomed, isBack: out.join() === whole.join(), before, after: curves(), gaps }};"
    );
    let found = used(&chart().page(), &script);
    assert_eq!(found["whole"], json!(["0", "20", "40", "60", "80", "100", "step"]));
    assert_eq!(found["isShown"], "block");
    let told = found["told"].as_str().unwrap();
    assert!(told.contains("run <1>: 54 at 46") && told.contains("run 2: 46 at 46"), "{told}");
    assert_eq!(found["zoomed"], json!(["25", "30", "35", "40", "45", "step"]));
    assert_eq!(found["isBack"], true);
    // Without the first curve, the other one is left, in two pieces.
    assert_eq!((&found["before"], &found["after"], &found["gaps"]), (&json!(2), &json!(1), &json!(2)));
}

#[test]
fn a_chart_without_scripts_is_a_picture() {
    let page = chart().page();
    let scripts_are_off = page.replace("script-src 'unsafe-inline'", "script-src 'sha256-none'");
    // The probe is a script as well.
    assert!(scripts_are_off.contains("<svg ") && scripts_are_off.contains("run &lt;1&gt;"));
    let text = "const texts = [...document.querySelectorAll('svg text')].map((text) => text.textContent); return texts.includes('run <1>');";
    assert_eq!(used(&page, text), true);
}

#[test]
fn a_logarithmic_chart_leaves_out_what_has_no_place() {
    let points = vec![(0.0, 0.0), (1.0, 0.001), (2.0, 1.0), (3.0, 1000.0), (4.0, f64::INFINITY)];
    let mut chart = Chart::new("step", "loss").with(Curve::new("run 1", points));
    chart.log_y = true;
    let script = "
        const labels = [...document.querySelectorAll('svg text[text-anchor=end]')].map((text) => text.textContent);
        const path = document.querySelector('.sqltrack-curve').getAttribute('d');
        return { labels, points: path.split(/[ML]/).length - 1, isWhole: !path.includes('NaN') };";
    let found = used(&chart.page(), script);
    assert_eq!(
        found,
        json!({ "labels": ["0.001", "0.01", "0.1", "1", "10", "100", "1000"], "points": 3, "isWhole": true })
    );
}

#[test]
fn a_table_is_sorted_by_a_click() {
    let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
    let row = |id: i64, loss: Value, time: i64| {
        let time = time::OffsetDateTime::from_unix_timestamp(time).unwrap();
        vec![Value::Int(id), loss, Value::from(time)]
    };
    let values = vec![
        row(1, Value::Float(10.5), 3_000_000),
        row(2, Value::Null, 1_000),
        row(3, Value::Float(9.0), 200_000_000),
        row(4, Value::Float(f64::NEG_INFINITY), 10),
    ];
    let rows = Rows::new(["id", "loss", "seen"].map(column).to_vec(), values);
    let page = format_dataframe(&rows, &Formatting::new()).page("table");
    let script = "
        const ids = () => [...document.querySelectorAll('tbody tr')].map((row) => Number(row.cells[0].textContent));
        const click = (place) => {
            document.querySelectorAll('th')[place].click();
            return ids();
        };
        return [ids(), click(1), click(1), click(2), click(0), document.querySelector('th').ariaSort];";
    let found = used(&page, script);
    assert_eq!(
        found,
        json!([[1, 2, 3, 4], [2, 4, 3, 1], [1, 3, 2, 4], [4, 2, 1, 3], [1, 2, 3, 4], "ascending"])
    );
}

async fn a_report_is_one_page_that_works(db: &Database) {
    let client = db.set_up().await;
    let experiment = Experiment::open(&client, "</script> & co").await.unwrap();
    let mut first = None;
    for number in 0..3_u32 {
        let run = experiment.new_run().await.unwrap();
        run.add_args(sqltrack_core::Fields::from([("lr", f64::from(number))])).await.unwrap();
        run.add_tags(["<tag>"]).await.unwrap();
        for step in 0..50_u32 {
            let loss = f64::from(number + 1) / f64::from(step + 1);
            run.record_metrics(i64::from(step), metrics! { "loss" => loss, "note" => "text" }).unwrap();
        }
        if number == 1 {
            run.add_link(RESUMES, *first.get_or_insert(run.id())).await.unwrap();
        }
        first.get_or_insert(run.id());
    }
    client.flush().await.unwrap();
    let options =
        ReportOptions { best: vec![("loss".to_owned(), Goal::Min)], runs: 8, ..ReportOptions::default() };
    let page = report(&client, experiment.id(), &options).await.unwrap();
    let script = "
        const rows = document.querySelector('tbody').rows;
        return {
            title: document.querySelector('h1').textContent,
            charts: document.querySelectorAll('.sqltrack-chart[data-ready] .sqltrack-tip').length,
            curves: document.querySelectorAll('.sqltrack-curve').length,
            best: [...rows].map((row) => row.cells[2].textContent),
            compared: [...document.querySelectorAll('table')].at(-1).textContent.includes('lr'),
        };";
    let found = used(&page, script);
    let expected = json!({
        "title": "</script> & co",
        "charts": 1,
        "curves": 2,
        "best": ["0.02", "0.04", "0.06"],
        "compared": true,
    });
    assert_eq!(found, expected);
}
