//! The parameters of a statement, by position or by name.

use sqltrack_engines::placeholders::{check_positional, named_to_positional};
use sqltrack_engines::{Dialect, Value};

use crate::Error;

/// Values for the placeholders of a statement: `$1`, `$2`, … by position, or `:name` by name.
///
/// Tuples, arrays and vectors are positional; `()` is none at all.
///
/// ```
/// use sqltrack_core::Parameters;
///
/// let positional: Parameters = (7, "loss").into();
/// let named = Parameters::named([("run", 7)]);
/// # drop((positional, named));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(Kind);

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Positional(Vec<Value>),
    Named(Vec<(String, Value)>),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Positional(Vec::new())
    }
}

impl Parameters {
    /// Values for `:name` placeholders. A name that the statement does not use is an error, and so is one
    /// that it uses and that is not given.
    pub fn named<N: Into<String>, V: Into<Value>>(values: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(Kind::Named(values.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }

    /// The statement with `$n` placeholders alone, and its values in order.
    pub(crate) fn resolve(self, sql: &str, dialect: Dialect) -> Result<(String, Vec<Value>), Error> {
        match self.0 {
            Kind::Positional(values) => {
                check_positional(sql, dialect, values.len())?;
                Ok((sql.to_owned(), values))
            }
            Kind::Named(values) => {
                let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                let (sql, order) = named_to_positional(sql, dialect, &names)?;
                let values = order.into_iter().filter_map(|position| values.get(position));
                Ok((sql, values.map(|(_, value)| value.clone()).collect()))
            }
        }
    }
}

impl From<()> for Parameters {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Parameters {
    fn from(values: [T; N]) -> Self {
        Self(Kind::Positional(values.into_iter().map(Into::into).collect()))
    }
}

impl<T: Into<Value>> From<Vec<T>> for Parameters {
    fn from(values: Vec<T>) -> Self {
        Self(Kind::Positional(values.into_iter().map(Into::into).collect()))
    }
}

macro_rules! from_tuple {
    ($($ty:ident $index:tt),*) => {
        impl<$($ty: Into<Value>),*> From<($($ty,)*)> for Parameters {
            fn from(values: ($($ty,)*)) -> Self {
                Self(Kind::Positional(vec![$(values.$index.into()),*]))
            }
        }
    };
}

from_tuple!(A 0);
from_tuple!(A 0, B 1);
from_tuple!(A 0, B 1, C 2);
from_tuple!(A 0, B 1, C 2, D 3);
from_tuple!(A 0, B 1, C 2, D 3, E 4);
from_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
from_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
from_tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
