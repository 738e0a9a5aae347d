//! Automatic ids. They count up from the last automatic one and skip what is in use; an explicit id, such as
//! that of a batch job, does not move them, so that the ids of later jobs stay free.

use sqlx::SqliteConnection;

/// A table with ids, as its statements.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    Experiments,
    Runs,
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Experiments => "experiments",
            Self::Runs => "runs",
        }
    }
}

/// The last automatic id, which SQLite keeps for a table with AUTOINCREMENT.
pub(crate) async fn last(conn: &mut SqliteConnection, table: Table) -> Result<i64, sqlx::Error> {
    // The table exists as soon as a table with AUTOINCREMENT does; the macros do not know it.
    let last: Option<i64> = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = $1")
        .bind(table.name())
        .fetch_optional(conn)
        .await?;
    Ok(last.unwrap_or(0))
}

/// Takes back what an insert with an explicit id did to the last automatic id.
pub(crate) async fn restore(conn: &mut SqliteConnection, table: Table, last: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE sqlite_sequence SET seq = $1 WHERE name = $2")
        .bind(last)
        .bind(table.name())
        .execute(conn)
        .await?;
    Ok(())
}

/// An id that is not in use, above the last automatic one while there is one. The caller holds the write lock.
pub(crate) async fn unused(conn: &mut SqliteConnection, table: Table) -> Result<i64, sqlx::Error> {
    let start = last(&mut *conn, table).await?.checked_add(1).unwrap_or(1);
    match unused_from(&mut *conn, table, start).await? {
        Some(id) => Ok(id),
        None => Ok(unused_from(conn, table, 1).await?.unwrap_or(i64::MIN)),
    }
}

async fn unused_from(
    conn: &mut SqliteConnection,
    table: Table,
    start: i64,
) -> Result<Option<i64>, sqlx::Error> {
    let is_used: Option<i64> = match table {
        Table::Experiments => {
            sqlx::query_scalar!(r#"SELECT id AS "id!" FROM experiments WHERE id = $1"#, start)
                .fetch_optional(&mut *conn)
                .await?
        }
        Table::Runs => {
            sqlx::query_scalar!(r#"SELECT id AS "id!" FROM runs WHERE id = $1"#, start)
                .fetch_optional(&mut *conn)
                .await?
        }
    };
    if is_used.is_none() {
        return Ok(Some(start));
    }
    match table {
        Table::Experiments => {
            sqlx::query_scalar!(
                r#"SELECT used.id + 1 AS "id!: i64" FROM experiments AS used
                WHERE used.id >= $1 AND used.id < 9223372036854775807
                    AND NOT EXISTS (SELECT 1 FROM experiments AS next WHERE next.id = used.id + 1)
                ORDER BY used.id LIMIT 1"#,
                start
            )
            .fetch_optional(conn)
            .await
        }
        Table::Runs => {
            sqlx::query_scalar!(
                r#"SELECT used.id + 1 AS "id!: i64" FROM runs AS used
                WHERE used.id >= $1 AND used.id < 9223372036854775807
                    AND NOT EXISTS (SELECT 1 FROM runs AS next WHERE next.id = used.id + 1)
                ORDER BY used.id LIMIT 1"#,
                start
            )
            .fetch_optional(conn)
            .await
        }
    }
}
