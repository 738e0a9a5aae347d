//! Every case of the engines' contract, on both engines.

use sqltrack_engines::contract;
use sqltrack_tests::{Database, on_both_engines};

macro_rules! cases {
    ($($case:ident)*) => {
        $(async fn $case(db: &Database) {
            let client = db.set_up().await;
            let engine = sqltrack_core::create_engine(client.config()).unwrap();
            contract::$case(&*engine).await;
        })*
        on_both_engines!($($case),*);
    };
}

sqltrack_engines::engine_contract!(cases);
