//! Chance that repeats itself: SplitMix64, the same on every machine and with every compiler.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream of a seed and a name: what one workspace does is not moved by what is told of
    /// another one.
    #[must_use]
    pub fn of(seed: u64, name: &str) -> Self {
        // FNV-1a
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(seed ^ hash)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `from` to `to`, both included.
    pub fn from_to(&mut self, from: i64, to: i64) -> i64 {
        let width = u64::try_from(to.saturating_sub(from).saturating_add(1).max(1)).unwrap_or(1);
        let step = self.next().checked_rem(width).unwrap_or(0);
        from.saturating_add(i64::try_from(step).unwrap_or(0))
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: i64) -> bool {
        self.from_to(1, 100) <= chance
    }

    /// One of these; the default of none.
    pub fn one_of<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let last = i64::try_from(choices.len()).unwrap_or(1).saturating_sub(1);
        let index = usize::try_from(self.from_to(0, last)).unwrap_or(0);
        choices.get(index).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_stay_in_bounds_and_differ_by_name() {
        let draw = |name: &str| -> Vec<i64> {
            let mut dice = Dice::of(7, name);
            (0..1000).map(|_| dice.from_to(-3, 3)).collect()
        };
        assert_eq!(draw("a"), draw("a"));
        assert_ne!(draw("a"), draw("b"));
        for number in -3..=3 {
            let count = draw("a").iter().filter(|drawn| **drawn == number).count();
            assert!((100..190).contains(&count), "{number}: {count}");
        }
        assert_eq!(Dice::of(1, "x").one_of::<&str>(&[]), "");
    }
}
