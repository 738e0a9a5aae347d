//! What the integration tests share: a database of its own for each test, and processes that use it at once.

mod bouncer;
mod browser;
mod database;
pub mod generator;
mod proxy;
mod python;
mod server;
mod worker;

pub use bouncer::Bouncer;
pub use browser::{Looked, look};
pub use database::{Database, run};
pub use proxy::Proxy;
pub use python::python;
pub use server::Server;
pub use sqltrack_core::Dialect;
pub use worker::{Signal, Worker, all_at_once};

/// Makes two tests of each `async fn name(db: &Database)`, `postgres::name` and `sqlite::name`. What can only be
/// tested on one engine is listed behind that engine's name.
#[macro_export]
macro_rules! on_both_engines {
    (
        $($test:ident),* $(,)?
        $(; postgres: $($postgres:ident),+ $(,)?)?
        $(; sqlite: $($sqlite:ident),+ $(,)?)?
    ) => {
        #[allow(unused_imports, reason = "a file may have tests of the other engine only")]
        mod postgres {
            $crate::each_test!(Postgres: $($test)* $($($postgres)+)?);
        }
        #[allow(unused_imports, reason = "a file may have tests of the other engine only")]
        mod sqlite {
            $crate::each_test!(Sqlite: $($test)* $($($sqlite)+)?);
        }
    };
}

/// One test of each function on one engine, for [`on_both_engines!`].
#[doc(hidden)]
#[macro_export]
macro_rules! each_test {
    ($engine:ident: $($test:ident)*) => {$(
        #[test]
        fn $test() {
            $crate::run($crate::Dialect::$engine, super::$test);
        }
    )*};
}
