//! Where in a run metrics were measured.

use crate::Error;

/// A step and a progress, for [`Run::record_metrics`](crate::Run::record_metrics): from a step alone, or from both.
///
/// ```
/// use sqltrack_core::At;
///
/// assert_eq!(At::from(3), At { step: 3, progress: 0.0 });
/// assert_eq!(At::from((3, 0.25)), At { step: 3, progress: 0.25 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct At {
    /// The step: an absolute number such as iterations.
    pub step: i64,
    /// The progress: by convention the part of the run that is done, from 0 to 1. Any number but NaN.
    pub progress: f64,
}

impl At {
    /// The same as a key of the table, where `-0.0` and `0.0` are one.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        if self.progress.is_nan() {
            return Err(Error::ProgressNan);
        }
        Ok(Self { step: self.step, progress: self.progress + 0.0 })
    }
}

macro_rules! from_step {
    ($($ty:ty),*) => {$(
        impl From<$ty> for At {
            fn from(step: $ty) -> Self {
                Self { step: step.into(), progress: 0.0 }
            }
        }

        impl From<($ty, f64)> for At {
            fn from((step, progress): ($ty, f64)) -> Self {
                Self { step: step.into(), progress }
            }
        }
    )*};
}

from_step!(i64, i32, u32, u16, u8);
