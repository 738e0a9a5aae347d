//! Who delivers metrics out of a spool, and which runs were begun without a database.

use std::fmt;
use std::str::FromStr;

/// A text that is no id: see [`WriterId`] and [`OfflineRunId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 hexadecimal digits")]
pub struct NotAnId;

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let is_plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                let number = u128::from_str_radix(text, 16).ok().filter(|_| is_plain);
                number.map(Self).ok_or(NotAnId)
            }
        }
    };
}

random_id! {
    /// The id of one who delivers entries in order: 128 random bits, as 32 hexadecimal digits.
    ///
    /// ```
    /// use sqltrack_engines::WriterId;
    ///
    /// let id: WriterId = "000000000000000000000000000000ff".parse()?;
    /// assert_eq!(id, WriterId(255));
    /// assert!("ff".parse::<WriterId>().is_err());
    /// # Ok::<(), sqltrack_engines::NotAnId>(())
    /// ```
    WriterId
}
random_id! {
    /// The id of a run that is begun without a database: 128 random bits, as 32 hexadecimal digits.
    OfflineRunId
}
