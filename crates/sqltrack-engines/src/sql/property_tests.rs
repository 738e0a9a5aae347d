//! No name and no value gets out of its quotes, whatever is in it and around it.

use proptest::prelude::*;

use super::{Composable, Identifier, Literal, Sql};
use crate::Dialect;
use crate::script::{Token, TokenKind, tokens};

const HOSTILE: &str = r#"[a;'"`$ \n\\/*\-\[\]{}é損\u{1F600}]{0,8}"#;

fn dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

fn all_tokens(text: &str, dialect: Dialect) -> Vec<Token<'_>> {
    tokens(text, dialect).map(Result::unwrap).collect()
}

/// The program's own text, which is constant there.
fn constant(text: String) -> Sql {
    Sql::new(text.leak())
}

proptest! {
    #[test]
    fn a_name_is_one_token(dialect in dialect(), name in prop_oneof![HOSTILE.prop_map(|it| it + "\""), "[^\0]{1,9}"]) {
        let text = Identifier::new(&name).to_string_for(dialect).unwrap();
        let tokens = all_tokens(&text, dialect);
        prop_assert_eq!(tokens.len(), 1);
        prop_assert_eq!(tokens[0].kind, TokenKind::QuotedIdentifier);
        prop_assert_eq!(tokens[0].text[1..tokens[0].text.len() - 1].replace("\"\"", "\""), name);
    }

    #[test]
    fn a_string_is_one_token(dialect in dialect(), value in prop_oneof![HOSTILE, "[^\0]{0,9}"]) {
        let text = Literal::from(value.as_str()).to_string_for(dialect).unwrap();
        let tokens = all_tokens(&text, dialect);
        prop_assert_eq!(tokens.len(), 1);
        prop_assert_eq!(tokens[0].kind, TokenKind::String);
        let escaped = text.starts_with('E');
        let inner = &text[if escaped { 2 } else { 1 }..text.len() - 1];
        let inner = inner.replace("''", "'");
        prop_assert_eq!(if escaped { inner.replace(r"\\", r"\") } else { inner }, value);
    }

    #[test]
    fn numbers_are_read_back(integer in any::<i64>(), float in any::<f64>()) {
        let text = |literal: Literal| literal.to_string_for(Dialect::Postgres).map(|it| it.replace(['(', ')'], ""));
        prop_assert_eq!(text(Literal::from(integer)).unwrap().parse(), Ok(integer));
        if float.is_finite() && float != 0.0 {
            prop_assert_eq!(text(Literal::from(float)).unwrap().parse(), Ok(float));
        }
    }

    /// A hostile value leaves the tokens around it as a harmless one does, or is refused.
    #[test]
    fn a_value_changes_nothing_around_it(
        dialect in dialect(), before in "[a'\"`$E \n/*\\-U&]{0,5}", after in "[a'\"`$ \n/*\\-]{0,5}", value in HOSTILE,
    ) {
        let around = |value: &str| {
            (constant(before.clone()) + Literal::from(value) + constant(after.clone())).to_string_for(dialect)
        };
        if let (Ok(hostile), Ok(harmless)) = (around(&value), around("x")) {
            let kinds = |text| all_tokens(text, dialect).iter().map(|it| it.kind).collect::<Vec<_>>();
            prop_assert_eq!(kinds(&hostile), kinds(&harmless));
        }
    }

    #[test]
    fn any_template_is_read_without_panic(template in r"[{}a01é!:]{0,12}") {
        let _ = constant(template).format(&[&Literal::from(1), &("a", Identifier::new("b"))]);
    }
}
