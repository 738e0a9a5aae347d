//! Metrics that can be told again: what a row holds follows from a seed and its step.

use sqltrack_core::Value;

/// Pseudo-random numbers that are the same each time (xorshift).
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds give sequences that have nothing in common, and none is all zeros.
        let mut seeded = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            seeded.next();
        }
        seeded
    }

    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// The next number below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// The metrics of a step: one to five of some twenty, of three types; new ones come up as time goes on.
pub fn metrics(seed: u64, step: i64) -> Vec<(String, Value)> {
    let mut seeded = Seeded::new(seed ^ u64::try_from(step).unwrap().wrapping_mul(0xD134_2543_DE82_EF95));
    let known = 4 + u64::try_from(step).unwrap() / 100 % 20;
    let mut metrics: Vec<(String, Value)> = Vec::new();
    for _ in 0..=seeded.below(5) {
        let number = seeded.below(known);
        let (name, value) = match number % 5 {
            0 => (format!("count {number}"), Value::Int(seeded.next() as i64 >> 12)),
            1 => (format!("text {number}"), Value::Text(format!("é {:x}", seeded.next()))),
            _ => (format!("loss/{number}"), Value::Float(float(&mut seeded))),
        };
        if metrics.iter().all(|(other, _)| *other != name) {
            metrics.push((name, value));
        }
    }
    metrics
}

fn float(seeded: &mut Seeded) -> f64 {
    match seeded.below(12) {
        0 => f64::NAN,
        1 => f64::NEG_INFINITY,
        2 => f64::MIN_POSITIVE,
        _ => (seeded.next() >> 11) as f64 / 1e6,
    }
}
