//! How much of what somebody can take they have already.

use askama::Template;

use super::{px, share};

/// A short bar with its words, "3 of 15".
#[derive(Clone, Debug, Template)]
#[template(path = "charts/load.html")]
pub struct Load {
    open: u32,
    limit: Option<u32>,
}

impl Load {
    /// What is open, and the limit if there is one; without it only the number is written.
    #[must_use]
    pub fn new(open: u32, limit: Option<u32>) -> Self {
        Self { open, limit }
    }

    fn full(&self) -> bool {
        self.limit.is_some_and(|limit| self.open >= limit)
    }

    fn width(&self) -> String {
        px(100.0 * share(f64::from(self.open), f64::from(self.limit.unwrap_or(0))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_sound;
    use super::*;

    #[test]
    fn full_is_said_in_words() {
        let load = Load::new(16, Some(15));
        assert_eq!(load.width(), "100");
        assert!(load.to_string().contains("16 of 15, full"));
        assert!(!Load::new(3, Some(15)).to_string().contains("full"));
        assert!(Load::new(3, None).to_string().contains("3 open"));
        for load in [load, Load::new(0, Some(0)), Load::new(0, None)] {
            assert_sound(&load.to_string());
        }
    }
}
