//! What the options ask for is what the session has, on a real server.

use sqltrack_core::Value;
use sqltrack_core::sql::Identifier;
use sqltrack_tests::{Database, on_both_engines};

on_both_engines!(; postgres: names_and_options_arrive_unchanged);

async fn names_and_options_arrive_unchanged(db: &Database) {
    let schemas = ["track", "a b", "quote\"d", "back\\slash", "semi;colon--", "Über,ß😀", "$1%s"];
    let quoted = schemas.map(|name| Identifier::new(name).quoted().unwrap());
    let owner = db.connect().await;
    for name in &quoted {
        owner.execute(&format!("CREATE SCHEMA {name}"), ()).await.unwrap();
    }
    let session = db
        .builder()
        .set("schema", quoted.join(" , "))
        .set("options", "-c geqo=off --work-mem=5MB")
        .set("application_name", r"it's \a 'name'")
        .connect()
        .await
        .unwrap();
    let row: Option<(Value, String, String, String)> = session
        .first_row(
            "SELECT current_schemas(false)::text[], current_setting('geqo'), current_setting('work_mem'),
                current_setting('application_name')",
            (),
        )
        .await
        .unwrap();
    let expected = ["off", "5MB", r"it's \a 'name'"].map(str::to_owned);
    let (found, geqo, work_mem, application_name) = row.unwrap();
    assert_eq!(found, Value::from_iter(schemas));
    assert_eq!([geqo, work_mem, application_name], expected);
}
