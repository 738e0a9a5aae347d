//! The page with the Rust counterparts of the Python package's API: no name is missing, and every counterpart exists.

use std::collections::BTreeSet;

use sqltrack_core::{
    Client, Config, Engine, Error, Experiment, Fields, MetricType, Run, Stamp, Status, Transaction, Value,
    config, create, create_engine, setup, sigterm, sql,
};
use sqltrack_docs::Page;

/// What the Python package's API reference names, by module.
const NAMES: [(&str, &str); 10] = [
    (
        "sqltrack",
        "Client Client.commit Client.cursor Client.execute Client.executemany Client.executescript \
         Client.rollback Experiment Experiment.add_link Experiment.add_tags Experiment.get_run \
         Experiment.remove_link Experiment.remove_tags Experiment.set_comment Experiment.set_name \
         Experiment.set_tags Run Run.add_args Run.add_env Run.add_extras Run.add_link Run.add_metrics \
         Run.add_tags Run.remove_args Run.remove_env Run.remove_extras Run.remove_link Run.remove_tags \
         Run.set_args Run.set_comment Run.set_created Run.set_env Run.set_extras Run.set_started \
         Run.set_status Run.set_tags Run.set_updated Run.start Run.stop Run.track experiment_add_link \
         experiment_add_tags experiment_remove_link experiment_remove_tags experiment_set_comment \
         experiment_set_name experiment_set_tags run_add_args run_add_env run_add_extras run_add_link \
         run_add_metrics run_add_tags run_from_env run_remove_args run_remove_env run_remove_extras \
         run_remove_link run_remove_tags run_set_args run_set_comment run_set_created run_set_env \
         run_set_extras run_set_started run_set_status run_set_tags run_set_updated",
    ),
    (
        "sqltrack.args",
        "ParsedOptions convert_arguments detect_args docopt_arguments docopt_main \
         docopt_parse_docstrings make_conversion register_conversion",
    ),
    ("sqltrack.commands", "main create.create setup.setup"),
    ("sqltrack.config", "DEFAULT_CONFIG find_config_file get_env_config load_config"),
    (
        "sqltrack.engines",
        "create_engine PostgresEngine PostgresEngine.connect PostgresEngine.data_dir \
         PostgresEngine.map_type SQLiteEngine SQLiteEngine.connect SQLiteEngine.data_dir \
         SQLiteEngine.map_type engine.Engine engine.Engine.connect engine.Engine.data_dir \
         engine.Engine.map_type engine.Engine.schema json.jsonb",
    ),
    (
        "sqltrack.notebook",
        "format_dataframe format_datetime format_datetime_relative format_float format_marked \
         format_percentage format_status format_string format_tags format_timedelta init_notebook_mode \
         textcolor",
    ),
    ("sqltrack.pandas", "query_dataframe"),
    ("sqltrack.queries", "first_row first_value first_values"),
    ("sqltrack.sigterm", "deregister register"),
    (
        "sqltrack.util",
        "Composable Composed Identifier Literal SQL SQL.as_bytes SQL.as_string SQL.format SQL.join \
         coalesce",
    ),
];

/// Commands, which are no paths of Rust.
const PROGRAM: &str = "sqltrack-cli";

/// Makes `PATHS` of the paths of items and calls, and a function that uses them, so that a name which is gone does not
/// compile.
macro_rules! counterparts {
    (
        items { $($($item:ident)::+,)* }
        calls ($($name:ident: $ty:ty),* $(,)?) { $($($call:ident)::+ $([$generic:ty])? ($($argument:expr),*),)* }
    ) => {
        const PATHS: &[&[&str]] = &[$(&[$(stringify!($item)),+],)* $(&[$(stringify!($call)),+],)*];

        #[expect(dead_code, clippy::too_many_arguments, reason = "it is enough that it compiles")]
        fn uses($($name: $ty),*) {
            $({
                #[expect(unused_imports, reason = "it is enough that it is there")]
                use $($item)::+ as _;
            })*
            $(exists($($call)::+$(::<$generic>)?($($argument),*));)*
        }
    };
}

fn exists<T>(_: T) {}

counterparts! {
    items {
        Client,
        Engine,
        setup,
        create,
        create_engine,
        Stamp::Auto,
        Value::Null,
        serde_json::Value,
        config::env_config,
        config::find_config_file,
        config::load_config,
        sql::Composable,
        sql::Identifier,
        sql::Literal,
        sql::Sql,
        sqltrack_analysis::arrow::query_arrow,
        sqltrack_analysis::format::format_dataframe,
        sqltrack_analysis::format::format_datetime,
        sqltrack_analysis::format::format_datetime_relative,
        sqltrack_analysis::format::format_float,
        sqltrack_analysis::format::format_marked,
        sqltrack_analysis::format::format_percentage,
        sqltrack_analysis::format::format_status,
        sqltrack_analysis::format::format_string,
        sqltrack_analysis::format::format_tags,
        sqltrack_analysis::format::format_timedelta,
        sqltrack_analysis::format::init_notebook_mode,
        sqltrack_analysis::format::textcolor,
        sqltrack_args::ParsedOptions,
        sqltrack_args::convert_arguments,
        sqltrack_args::detect_args,
        sqltrack_args::make_conversion,
        sqltrack_args::parse_docstrings,
        sqltrack_args::register_conversion,
        sqltrack_args_macros::docopt_arguments,
        sqltrack_args_macros::docopt_main,
        sqltrack_postgres::PostgresEngine,
        sqltrack_sqlite::SqliteEngine,
    }
    calls (client: &Client, first: Transaction, second: Transaction, experiment: &Experiment, run: &Run,
        engine: &dyn Engine, part: &sql::Sql, settings: &Config, json: serde_json::Value) {
        Client::builder(),
        Client::connect(),
        Client::execute(client, "", ()),
        Client::executemany(client, "", [(1,)]),
        Client::executescript(client, ""),
        Client::experiment(client, 1),
        Client::first_row[(i64,)](client, "", ()),
        Client::first_value[i64](client, "", ()),
        Client::first_values[i64](client, "", ()),
        Client::map_type(client, MetricType::Int),
        Client::query(client, "", ()),
        Client::setup(client),
        Transaction::commit(first),
        Transaction::rollback(second),
        Experiment::add_link(experiment, "", 1),
        Experiment::add_tags(experiment, [""]),
        Experiment::get_run(experiment, 1),
        Experiment::get_run_from_variable(experiment, "X"),
        Experiment::new_run(experiment),
        Experiment::open(client, ""),
        Experiment::remove_link(experiment, "", 1),
        Experiment::remove_tags(experiment, [""]),
        Experiment::set_comment(experiment, ""),
        Experiment::set_name(experiment, ""),
        Experiment::set_tags(experiment, [""]),
        Run::add_args(run, Fields::Auto),
        Run::add_env(run, Fields::Auto),
        Run::add_extras(run, [("", 1)]),
        Run::add_link(run, "", 1),
        Run::add_metrics(run, [("", 1)]),
        Run::add_tags(run, [""]),
        Run::from_env(client),
        Run::guard(run),
        Run::open(client, 1),
        Run::open_from_variable(client, ""),
        Run::remove_args(run, [""]),
        Run::remove_env(run, [""]),
        Run::remove_extras(run, [""]),
        Run::remove_link(run, "", 1),
        Run::remove_tags(run, [""]),
        Run::set_args(run, Fields::Auto),
        Run::set_comment(run, ""),
        Run::set_created(run, Stamp::Auto),
        Run::set_env(run, Fields::Auto),
        Run::set_extras(run, [("", 1)]),
        Run::set_started(run, Stamp::Auto),
        Run::set_status(run, Status::Running),
        Run::set_tags(run, [""]),
        Run::set_updated(run, Stamp::Auto),
        Run::start(run),
        Run::stop(run),
        Run::stop_with(run, Status::Failed),
        Run::track(run, async |_| Ok::<_, Error>(())),
        Run::tracking(run),
        sigterm::deregister(""),
        sigterm::register("", || ()),
        Config::builder(),
        Config::explicit([("", "")]),
        Config::get(settings, ""),
        Engine::base_scripts(engine),
        Engine::connect(engine),
        Engine::sql_type(engine, MetricType::Int),
        Value::Json(json),
        sql::Composable::to_string_for(part, client.dialect()),
        sql::Sql::format(part, &[]),
        sql::Sql::join(part, [part]),
        Option::or(None::<i64>, None),
    }
}

/// The name of every row, with the counterpart and the remark.
fn rows(page: &Page) -> Vec<(String, String, String)> {
    let cells = page.rows().into_iter().filter_map(|cells| <[&str; 3]>::try_from(cells).ok());
    let rows = cells.filter(|[name, ..]| name.starts_with('`'));
    rows.map(|[name, counterpart, remark]| (name.replace('`', ""), counterpart.to_owned(), remark.to_owned()))
        .collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_name_has_one_row() {
    let page = Page::read("docs/src/reference-api.md").unwrap();
    let names = NAMES
        .iter()
        .flat_map(|(module, names)| names.split_whitespace().map(move |name| format!("{module}.{name}")));
    let rows: Vec<String> = rows(&page).into_iter().map(|(name, ..)| name).collect();
    let listed: BTreeSet<&String> = rows.iter().collect();
    assert_eq!(listed.len(), rows.len(), "a name has two rows");
    let names: BTreeSet<String> = names.collect();
    let missing: Vec<_> = names.iter().filter(|name| !listed.contains(name)).collect();
    let unknown: Vec<_> = rows.iter().filter(|name| !names.contains(*name)).collect();
    assert_eq!((missing, unknown), (vec![], vec![]), "(missing, not in the API)");
}

#[test]
fn every_counterpart_exists() {
    let page = Page::read("docs/src/reference-api.md").unwrap();
    let paths: BTreeSet<String> = PATHS.iter().map(|path| path.join("::")).collect();
    let mut used = BTreeSet::new();
    for (name, counterpart, remark) in rows(&page) {
        let is_program = counterpart.trim_matches('`').starts_with(PROGRAM);
        let mentioned = quoted(&remark).filter(|code| code.contains("::") && !code.contains(['"', '(']));
        let own = quoted(&counterpart).filter(|_| !is_program);
        assert!(is_program || quoted(&counterpart).count() == 1, "{name}: what is `{counterpart}`?");
        for path in own.chain(mentioned) {
            assert!(paths.contains(path), "{name}: `{path}` is not in the list of this test; does it exist?");
            used.insert(path.to_owned());
        }
    }
    let unused: Vec<_> = paths.difference(&used).collect();
    assert!(unused.is_empty(), "the page has no {unused:?} any more");
}
