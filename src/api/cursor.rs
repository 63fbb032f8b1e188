//! Where a list goes on: opaque to callers, a place in the order to us.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::columns::Kind;
use crate::clock::is_askable;

/// The last row of a page: the value that the list is sorted by, and the row's id for ties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The sort it belongs to, as in `?sort=`.
    #[serde(rename = "s")]
    pub sort: String,
    /// As PostgreSQL writes it; none sorts last.
    #[serde(rename = "v")]
    pub value: Option<String>,
    /// The internal id.
    #[serde(rename = "i")]
    pub id: Uuid,
}

impl Cursor {
    /// The text for `?after=`.
    #[must_use]
    pub fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// The place that a text means, if it is one of ours for this sort.
    #[must_use]
    pub fn read(text: &str, sort: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let cursor: Self = serde_json::from_slice(&bytes).ok()?;
        (cursor.sort == sort).then_some(cursor)
    }

    /// Whether PostgreSQL would read its value as this kind: nobody is kept from writing cursors.
    #[must_use]
    pub fn fits(&self, kind: Kind) -> bool {
        let Some(value) = self.value.as_deref() else { return true };
        match kind {
            Kind::Text | Kind::List => !value.contains('\0'),
            Kind::Decimal => value.parse::<f64>().is_ok(),
            Kind::Bool => matches!(value, "true" | "false"),
            Kind::Number => value.parse::<i64>().is_ok(),
            Kind::Day => value.parse().is_ok_and(is_askable),
            Kind::Time => DateTime::parse_from_str(value, "%Y-%m-%d %H:%M:%S%.f%#z")
                .is_ok_and(|time| is_askable(time.date_naive())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_wrote_for_the_same_sort_alone() {
        let cursor =
            Cursor { sort: "-score".into(), value: Some("7412".into()), id: Uuid::from_u128(7) };
        let text = cursor.write();
        assert_eq!(Cursor::read(&text, "-score"), Some(cursor));
        assert_eq!(Cursor::read(&text, "name"), None);
        assert_eq!(Cursor::read("%", "-score"), None);
        assert_eq!(Cursor::read("", "-score"), None);
    }
}
