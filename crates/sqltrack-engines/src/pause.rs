//! Pauses between tries.

use std::time::Duration;

/// A time of about `pause`, from half of it to one and a half, so that those who failed together do not come back together.
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// let pause = sqltrack_engines::jittered(Duration::from_secs(2));
/// assert!(pause >= Duration::from_secs(1) && pause < Duration::from_secs(3));
/// ```
pub fn jittered(pause: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new().hash_one(0) % 1_000;
    pause.mul_f64(0.5 + random as f64 / 1_000.0)
}
