//! Functions that read the command line when they are called, with overrides.

use std::collections::BTreeMap;

use sqltrack_args::{ArgValue, ParsedOptions, options};
use sqltrack_args_macros::docopt_arguments;

mod sqltrack {
    pub use sqltrack_args as args;
}

/** usage: prog [--amp] [--epochs=N]
 *
 * options: --epochs=N  Number [default: 90]
 */
#[docopt_arguments(crate = crate::sqltrack::args)]
fn train(args: ParsedOptions) -> (bool, u32) {
    (args.get("amp").unwrap(), args.get("epochs").unwrap())
}

#[doc = "usage: prog [--batch-size=N]"]
#[docopt_arguments(simplify_names = false)]
#[allow(clippy::unused_async)]
async fn later(args: BTreeMap<String, ArgValue>) -> Vec<String> {
    args.into_keys().collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(train(()), (false, 90));
    assert_eq!(train(options! { "amp" => true, "epochs" => 360 }), (true, 360));
    assert_eq!(train([("amp", true)]), (true, 90));
    assert_eq!(later([("more", 1)]).await, ["--batch-size", "more"]);
}
