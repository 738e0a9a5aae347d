//! What keeps the book and the README true: their Rust code is the doc tests of this crate, and `tests/` runs
//! their terminal sessions and compares their tables with the code.

mod page;
mod session;
mod workshop;

pub use page::{Block, Page, pages};
pub use session::check;
pub use workshop::{Workshop, program};

use std::error::Error;

use sqltrack_core::Client;

/// Runs the code of a page with a client of an empty SQLite database that is set up. It lasts as long as the code.
///
/// # Errors
///
/// What the code fails with.
///
/// # Panics
///
/// If the code fails, so that the doc test fails.
pub fn on_sqlite<F>(code: F)
where
    F: AsyncFnOnce(Client) -> Result<(), Box<dyn Error>>,
{
    let done = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("sqltrack.db").display().to_string();
            let client = Client::builder().set("engine", "sqlite").set("dbpath", path).connect().await?;
            client.setup().await?;
            code(client.clone()).await?;
            client.close().await;
            Ok::<(), Box<dyn Error>>(())
        })
    });
    if let Err(err) = done {
        panic!("the code of the page failed: {err}");
    }
}

/// The pages, as documentation whose code is compiled and, unless it says `no_run`, run.
#[cfg(doctest)]
mod doctests {
    macro_rules! pages {
        ($($name:ident $path:literal,)*) => {
            $(#[doc = include_str!($path)] mod $name {})*
        };
    }

    pages! {
        readme "../../README.md",
        introduction "../src/introduction.md",
        getting_started "../src/getting-started.md",
        concepts "../src/concepts.md",
        configuration "../src/configuration.md",
        setup "../src/setup.md",
        library "../src/library.md",
        run_life "../src/run-life.md",
        reliability "../src/reliability.md",
        schedulers "../src/schedulers.md",
        secrets "../src/secrets.md",
        cli "../src/cli.md",
        listing "../src/listing.md",
        best_values "../src/best-values.md",
        comparing "../src/comparing.md",
        plotting "../src/plotting.md",
        exporting "../src/exporting.md",
        notebooks "../src/notebooks.md",
        reference_api "../src/reference-api.md",
        architecture "../src/architecture.md",
    }
}
