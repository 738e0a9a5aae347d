//! Tests that are the same for both engines.

use crate::program::{Program, Server};

/// Makes two tests of each `fn name(program: Program)`, on a database of its own that is set up.
macro_rules! on_both_engines {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() {
                super::$test($crate::program::Program::sqlite_with(""));
            })*
        }
        mod postgres {
            $(#[test] fn $test() {
                $crate::engines::on_postgres(super::$test);
            })*
        }
    };
}
pub(crate) use on_both_engines;

/// Runs a test on a database of its own on the server.
pub(crate) fn on_postgres(test: impl FnOnce(Program)) {
    let mut server = Server::new();
    let (_, program) = server.create("both");
    program.run(&["setup"]).succeeded();
    test(program);
}
