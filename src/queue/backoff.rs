//! How long a failed job waits before it is tried again. Pure.

use chrono::TimeDelta;

/// The pause after `attempt` failed attempts (1 is the first): 2 s doubling up to an hour, with
/// up to a quarter added so that jobs that failed together do not come back together. `noise` is
/// any number; the same noise gives the same pause.
#[must_use]
pub fn pause(attempt: i32, noise: u64) -> TimeDelta {
    let doublings = u32::try_from(attempt.clamp(1, 12)).unwrap_or(1);
    let seconds = 2_i64.saturating_pow(doublings).min(3600);
    let jitter_ms = i64::try_from(noise % 1000).unwrap_or(0) * seconds / 4;
    TimeDelta::milliseconds(seconds * 1000 + jitter_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds: Vec<i64> = (1..=14).map(|n| pause(n, 0).num_seconds()).collect();
        assert_eq!(&seconds[..4], &[2, 4, 8, 16]);
        assert_eq!(seconds.last(), Some(&3600));
    }

    #[test]
    fn jitter_adds_at_most_a_quarter() {
        for noise in [1, 500, 999, u64::MAX] {
            let pause = pause(3, noise);
            assert!(pause >= TimeDelta::seconds(8) && pause <= TimeDelta::seconds(10));
        }
    }
}
