//! How much chaos, and which.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Few by default, all of them under `bin/test chaos`.
pub fn rounds(few: usize, all: usize) -> usize {
    match std::env::var("RIPEN_CHAOS") {
        Ok(given) if given == "all" => all,
        Ok(given) => given.parse().expect("RIPEN_CHAOS is `all` or a number"),
        Err(_) => few,
    }
}

/// Whether everything is to be shown, so that nothing may be passed over.
pub fn is_all() -> bool {
    std::env::var("RIPEN_CHAOS").is_ok_and(|given| given == "all")
}

/// A seed that is printed when the test fails.
pub struct Seed(pub u64);

impl Seed {
    /// RIPEN_SEED, else a new one.
    pub fn new() -> Self {
        let given = std::env::var("RIPEN_SEED").ok();
        Self(given.map_or_else(|| rand::rng().random(), |seed| seed.parse().expect("a number")))
    }

    /// Random numbers of this seed for one purpose.
    pub fn random(&self, purpose: u64) -> StdRng {
        StdRng::seed_from_u64(self.0 ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with RIPEN_SEED={}", self.0);
        }
    }
}
