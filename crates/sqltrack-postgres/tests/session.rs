//! What the options ask for is what the session has, on a real server.

use sqltrack_engines::{Environment, Settings};
use sqltrack_postgres::PostgresOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, Row};

/// The settings that lead to the test's database.
fn settings(connect: &PgConnectOptions) -> Settings {
    let socket = connect.get_socket().map(|folder| folder.display().to_string());
    let password = connect.to_url_lossy().password().unwrap_or_default().to_owned();
    Settings::from_iter([
        ("host", socket.unwrap_or_else(|| connect.get_host().to_owned())),
        ("port", connect.get_port().to_string()),
        ("user", connect.get_username().to_owned()),
        ("dbname", connect.get_database().unwrap_or_default().to_owned()),
        ("password", password),
    ])
}

const CREATE_SCHEMAS: &str = "DO $$ DECLARE name text; BEGIN \
    FOREACH name IN ARRAY current_setting('test.names')::text[] LOOP \
    EXECUTE format('CREATE SCHEMA %I', name); END LOOP; END $$";

#[sqlx::test]
async fn names_and_options_arrive_unchanged(_: PgPoolOptions, connect: PgConnectOptions) {
    let schemas = ["track", "a b", "quote\"d", "back\\slash", "semi;colon--", "Über,ß😀", "$1%s"];
    let list: Vec<_> = schemas.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
    let mut settings = settings(&connect);
    settings.extend(Settings::from_iter([
        ("schema", list.join(" , ").as_str()),
        ("options", r"-c geqo=off --work-mem=5MB"),
        ("application_name", r"it's \a 'name'"),
    ]));
    let options = PostgresOptions::new(&settings, &Environment::empty()).unwrap();
    let mut session = options.connect.connect().await.unwrap();
    sqlx::query("SELECT set_config('test.names', $1::text[]::text, false)")
        .bind(&schemas[..])
        .execute(&mut session)
        .await
        .unwrap();
    session.execute(CREATE_SCHEMAS).await.unwrap();
    let row = session
        .fetch_one(
            "SELECT current_schemas(false)::text[], current_setting('geqo'), \
             current_setting('work_mem'), current_setting('application_name')",
        )
        .await
        .unwrap();
    assert_eq!(row.get::<Vec<String>, _>(0), schemas);
    let others: [String; 3] = [row.get(1), row.get(2), row.get(3)];
    assert_eq!(others, ["off", "5MB", r"it's \a 'name'"]);
}
