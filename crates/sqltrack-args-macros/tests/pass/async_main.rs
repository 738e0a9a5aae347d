//! usage: prog [--epochs=N] [--name=X]
//!
//! options: --epochs=N  Number [default: 90]

use serde::Deserialize;
use sqltrack_args_macros::docopt_main;

#[derive(Deserialize)]
struct Args {
    epochs: u32,
    name: Option<String>,
}

/// The help text is in the docs of the file.
#[docopt_main(version = env!("CARGO_PKG_VERSION"), default_help = false, options_first)]
#[tokio::main(flavor = "current_thread")]
async fn main(args: Args) {
    tokio::task::yield_now().await;
    assert_eq!((args.epochs, args.name), (90, None));
}
