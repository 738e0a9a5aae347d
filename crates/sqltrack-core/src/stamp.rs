//! What is to happen to a time of a run, and what to take as its arguments or environment.

use sqltrack_engines::{Moment, Object};
use time::OffsetDateTime;

use crate::Error;

/// What happens to a time of a run, the manual's `'auto'`, time, or `None`.
///
/// ```
/// use sqltrack_core::Stamp;
/// use time::OffsetDateTime;
///
/// assert_eq!(Stamp::from(OffsetDateTime::UNIX_EPOCH), Stamp::At(OffsetDateTime::UNIX_EPOCH));
/// assert_eq!(Stamp::from(None), Stamp::Keep);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stamp {
    /// It is set to now, on the database's clock.
    #[default]
    Auto,
    /// It is set to this time, to the microsecond.
    At(OffsetDateTime),
    /// It stays as it is.
    Keep,
}

impl Stamp {
    pub(crate) fn moment(self) -> Option<Moment> {
        match self {
            Self::Auto => Some(Moment::Now),
            Self::At(time) => Some(Moment::At(sqltrack_engines::to_microseconds(time))),
            Self::Keep => None,
        }
    }
}

impl From<OffsetDateTime> for Stamp {
    fn from(time: OffsetDateTime) -> Self {
        Self::At(time)
    }
}

impl From<Option<OffsetDateTime>> for Stamp {
    fn from(time: Option<OffsetDateTime>) -> Self {
        time.map_or(Self::Keep, Self::At)
    }
}

/// A JSON object to set or add, or the one that is found by looking: the manual's `'auto'`, dict, or `None`.
#[derive(Debug, Clone, PartialEq)]
pub enum Fields {
    /// What is found by looking, see the method that takes it.
    Auto,
    /// This object; NULL when it is `None` and set, nothing when it is `None` and added.
    Object(Option<Object>),
    /// A value that is no object, which is an error.
    Invalid(String),
}

impl Fields {
    /// The fields of a struct or the entries of a map, as JSON. What is no such thing is reported by the call that
    /// the fields are given to.
    #[must_use]
    pub fn of<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => value.into(),
            Err(err) => Self::Invalid(err.to_string()),
        }
    }

    /// What to write, with what `detect` finds for [`Fields::Auto`]; the outer `None` is to write nothing.
    pub(crate) fn resolve(
        self,
        what: &str,
        detect: impl FnOnce() -> Result<Option<Object>, Error>,
    ) -> Result<Option<Option<Object>>, Error> {
        let resolved = match self {
            Self::Auto => detect()?.map(Some),
            Self::Object(object) => Some(object),
            Self::Invalid(reason) => return Err(Error::Fields { what: what.to_owned(), reason }),
        };
        if let Some(Some(object)) = &resolved {
            crate::check::object(what, object)?;
        }
        Ok(resolved)
    }

    /// What to write where there is nothing to detect.
    pub(crate) fn given(self, what: &str) -> Result<Option<Object>, Error> {
        let detect =
            || Err(Error::Fields { what: what.to_owned(), reason: "there is nothing to detect".to_owned() });
        self.resolve(what, detect).map(Option::flatten)
    }
}

impl From<Object> for Fields {
    fn from(object: Object) -> Self {
        Self::Object(Some(object))
    }
}

impl From<Option<Object>> for Fields {
    fn from(object: Option<Object>) -> Self {
        Self::Object(object)
    }
}

impl From<serde_json::Value> for Fields {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Object(object) => Self::Object(Some(object)),
            serde_json::Value::Null => Self::Object(None),
            other => Self::Invalid(format!("expected an object, found `{other}`")),
        }
    }
}

impl<N: Into<String>, V: Into<serde_json::Value>, const COUNT: usize> From<[(N, V); COUNT]> for Fields {
    fn from(pairs: [(N, V); COUNT]) -> Self {
        Self::Object(Some(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }
}
