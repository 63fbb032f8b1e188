//! The column names by which the header row and the delimiter of a file are recognised. Pure.

use std::collections::BTreeSet;

use crate::bulk::kind::Kind;
use crate::ingest::trait_names::folded;
use crate::ingest::traits::snake_case;
use crate::values::text::trimmed;

/// Bytes of the longest cell that is looked up.
const LONGEST: usize = 100;

/// The names of all fields of all kinds, and those by which other programs export them.
pub struct KnownNames(BTreeSet<String>);

impl Default for KnownNames {
    fn default() -> Self {
        let fields = Kind::ALL.iter().flat_map(|kind| kind.fields());
        let names = fields
            .filter(|field| field.name != "traits")
            .flat_map(|field| field.headers.iter().copied().chain([field.name]));
        Self(names.chain(["id"]).map(folded).collect())
    }
}

impl KnownNames {
    /// How many different known names these cells have.
    #[must_use]
    pub fn count(&self, cells: &[String]) -> usize {
        let short = cells.iter().map(|cell| trimmed(cell)).filter(|cell| cell.len() <= LONGEST);
        let names: BTreeSet<String> = short.map(|cell| folded(&snake_case(cell))).collect();
        names.intersection(&self.0).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_are_told_from_titles_and_values() {
        let count = |line: &str| {
            let cells: Vec<String> = line.split(';').map(str::to_owned).collect();
            KnownNames::default().count(&cells)
        };
        assert_eq!(count("user_id;E-Mail; Job Title ;Shoe size"), 3);
        assert_eq!(count("id;ID;"), 1);
        assert_eq!(count("Customers of November;;"), 0);
        assert_eq!(count("u1;dana@acme.com;VP Sales;gold"), 0);
    }
}
