//! The book is whole: every table and column is described as it is, every page's code is tested, and the README's
//! example is the one that is run.

use std::collections::BTreeSet;

use sqltrack_core::{Client, Dialect, Error};
use sqltrack_docs::{Page, pages};

const EXAMPLE: &str = include_str!("../examples/minimal.rs");
const DOCTESTS: &str = include_str!("../check/lib.rs");

/// A column as the database names it: table, column, type in upper case.
type Column = (String, String, String);

/// What the headings and tables of `concepts.md` say of one engine's columns.
fn described(dialect: Dialect) -> BTreeSet<Column> {
    let page = Page::read("docs/src/concepts.md").unwrap();
    let mut columns = BTreeSet::new();
    let mut table = String::new();
    for line in page.text.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            table = heading.to_owned();
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let [name, postgres, sqlite, _] = cells.as_slice()
            && let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'))
        {
            let type_name = if dialect == Dialect::Postgres { postgres } else { sqlite };
            columns.insert((table.clone(), name.to_owned(), (*type_name).to_owned()));
        }
    }
    columns
}

async fn check_columns(client: &Client, sql: &str) -> Result<(), Error> {
    client.setup().await?;
    let mut found = BTreeSet::new();
    for row in client.query(sql, ()).await? {
        let (table, column, type_name): (String, String, String) = row.decode()?;
        found.insert((table, column, type_name.to_uppercase()));
    }
    let described = described(client.dialect());
    let missing: Vec<_> = found.difference(&described).collect();
    let wrong: Vec<_> = described.difference(&found).collect();
    assert_eq!((missing, wrong), (vec![], vec![]), "(not in concepts.md, not in the database)");
    Ok(())
}

#[tokio::test]
async fn the_columns_of_sqlite_are_as_described() -> Result<(), Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sqltrack.db").display().to_string();
    let client = Client::builder().set("engine", "sqlite").set("dbpath", path).connect().await?;
    // The computed columns of a view have no declared type.
    let sql = "SELECT t.name, c.name, CASE WHEN c.type <> '' THEN c.type WHEN c.name = 'value'
            THEN 'DOUBLE PRECISION' WHEN c.name IN ('before_step', 'is_cycle') THEN 'INTEGER' ELSE 'TEXT' END
        FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'sqltrack_migrations'";
    check_columns(&client, sql).await
}

#[tokio::test]
async fn the_columns_of_postgres_are_as_described() -> Result<(), Error> {
    let url = std::env::var("SQLTRACK_TEST_POSTGRES").unwrap_or_default();
    assert!(!url.is_empty(), "SQLTRACK_TEST_POSTGRES is not set; run `cargo xtask test`");
    let client = Client::builder().set("url", url).set("schema", "book_columns").connect().await?;
    client.executescript("DROP SCHEMA IF EXISTS book_columns CASCADE").await?;
    let sql = "SELECT table_name::TEXT, column_name::TEXT, data_type::TEXT FROM information_schema.columns
        WHERE table_schema = 'book_columns' AND table_name <> 'sqltrack_migrations'";
    let checked = check_columns(&client, sql).await;
    client.executescript("DROP SCHEMA IF EXISTS book_columns CASCADE").await?;
    checked
}

#[test]
fn the_example_of_the_readme_is_the_one_that_is_run() {
    let readme = Page::read("README.md").unwrap();
    let block = readme.blocks().into_iter().find(|block| block.language == "rust").unwrap();
    assert!(
        EXAMPLE.ends_with(&format!("\n{}", block.code)),
        "docs/examples/minimal.rs differs from the README"
    );
}

/// The code of the other page is compiled by `sqltrack-args-macros`.
#[test]
fn the_code_of_every_page_is_tested() {
    for page in pages().unwrap() {
        let has_code = page.blocks().iter().any(|block| block.language == "rust");
        let is_tested = DOCTESTS.contains(&format!("/{}\"", page.path.trim_start_matches("docs/")));
        let is_elsewhere = page.path == "docs/src/arguments.md";
        assert!(
            !has_code || is_tested || is_elsewhere,
            "{} is no doc test: add it to check/lib.rs",
            page.path
        );
    }
}
