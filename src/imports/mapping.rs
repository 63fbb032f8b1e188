//! Columns to fields: what is suggested, what is refused, and a row's cells as a record. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::escape;
use super::sheet::is_blank_row;
use crate::bulk::kind::Kind;
use crate::bulk::lines::RECORD_LIMIT;
use crate::bulk::row::Fault;
use crate::error::FieldErrors;
use crate::ingest::trait_names::folded;
use crate::ingest::traits::snake_case;
use crate::values::text::{Holds, is_empty_word, trimmed, without_formula};

/// What a mapped trait's target begins with.
const OWN: &str = "trait:";

/// Where the cells of each column go: a field's name, `trait:<name>`, or nothing.
pub type Mapping = Vec<String>;

/// What the header suggests: a column goes to the field of its name, else to the one that goes by
/// that name elsewhere; each field is suggested once, and other columns are left out.
#[must_use]
pub fn suggested(kind: Kind, header: &[String]) -> Mapping {
    let names: Vec<String> = header.iter().map(|name| snake_case(name)).collect();
    let mut mapping: Mapping = vec![String::new(); names.len()];
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for is_exact in [true, false] {
        for (target, name) in mapping.iter_mut().zip(&names).filter(|(target, _)| target.is_empty())
        {
            let found = kind.fields().iter().find(|field| {
                let fits = if is_exact {
                    folded(field.name) == folded(name)
                } else {
                    field.headers.iter().any(|header| folded(header) == folded(name))
                };
                fits && field.name != "traits" && !taken.contains(field.name)
            });
            let bare_id = || {
                let own = kind.fields().iter().find(|field| field.is_required)?;
                (!is_exact
                    && name == "id"
                    && kind != Kind::Memberships
                    && !taken.contains(own.name))
                .then_some(own)
            };
            if let Some(field) = found.or_else(bare_id) {
                taken.insert(field.name);
                target.push_str(field.name);
            }
        }
    }
    mapping
}

/// What can be chosen for a column of this name: nothing, each field, a trait of one's own.
#[must_use]
pub fn choices(kind: Kind, column: &str) -> Vec<(String, String)> {
    let mut choices = vec![(String::new(), "Leave out".to_owned())];
    choices.extend(kind.fields().iter().filter(|field| field.name != "traits").map(|field| {
        // Only what is short: on a phone the longest choice must fit.
        let of = field.of.words();
        let about: Vec<&str> = [of.as_str()]
            .into_iter()
            .filter(|of| of.len() <= 16)
            .chain(field.is_required.then_some("required"))
            .collect();
        let about =
            if about.is_empty() { String::new() } else { format!(" ({})", about.join(", ")) };
        (field.name.to_owned(), format!("{}{about}", field.name))
    }));
    let own = snake_case(column);
    if !own.is_empty() {
        choices.push((format!("{OWN}{own}"), format!("Keep as trait {own}")));
    }
    choices
}

/// What is wrong with a mapping, at `column_<n>`; the key `""` is for the whole.
#[must_use]
pub fn faults(kind: Kind, header: &[String], mapping: &Mapping) -> FieldErrors {
    let mut faults = FieldErrors::new();
    let mut refuse = |field: String, text: String| faults.entry(field).or_default().push(text);
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, target) in mapping.iter().enumerate().filter(|(_, target)| !target.is_empty()) {
        let column = format!("column_{at}");
        if let Some(first) = used.insert(target, at) {
            let name = header.get(first).map_or("", String::as_str);
            refuse(
                column,
                format!("The column “{name}” goes to {target} already: choose one of the two."),
            );
        } else if !target.starts_with(OWN)
            && !kind.fields().iter().any(|field| field.name == target)
        {
            refuse(column, format!("{target} is no field of {}.", kind.key()));
        }
    }
    for field in kind.fields().iter().filter(|field| field.is_required) {
        if !used.contains_key(field.name) {
            refuse(
                String::new(),
                format!("Choose the column that holds {}: {}", field.name, field.meaning),
            );
        }
    }
    if kind == Kind::Accounts && !used.contains_key("domain") && !used.contains_key("account_id") {
        refuse(
            String::new(),
            "Choose the column that holds the domain, or the account_id.".to_owned(),
        );
    }
    faults
}

/// A row as the members of a record.
///
/// # Errors
/// When the row has more cells than the header, not blank, or a cell that cannot be kept.
pub fn members(
    kind: Kind,
    header: &[String],
    mapping: &Mapping,
    clears_blanks: bool,
    cells: &[String],
) -> Result<Map<String, Value>, Fault> {
    let surplus = cells.get(header.len()..).unwrap_or_default();
    if !is_blank_row(surplus) {
        let text = format!(
            "The row has {} cells, the header has {}. Put cells that contain the delimiter in quotes, or remove the extra cells.",
            cells.len(),
            header.len()
        );
        return Err(Fault::whole("ragged_row", text));
    }
    let mut members = Map::new();
    let mut own = Map::new();
    // Programs leave out the empty cells at the end of a row.
    let cells = cells.iter().map(String::as_str).chain(std::iter::repeat(""));
    let all = cells.zip(header).zip(mapping).filter(|(_, target)| !target.is_empty());
    for ((cell, column), target) in all {
        let at = |what: String| Fault {
            field: Some(target.clone()),
            code: "invalid_value",
            message: what,
        };
        if cell.len() > RECORD_LIMIT {
            let text = format!(
                "Column “{column}”: the cell has {} bytes, the limit is {RECORD_LIMIT}. Perhaps a quote before it is never closed.",
                cell.len()
            );
            return Err(at(text));
        }
        if cell.contains('\0') {
            return Err(at(format!(
                "Column “{column}”: the cell holds a NUL character. Leave it out, or choose another encoding."
            )));
        }
        let text = without_formula(trimmed(escape::plain(cell)));
        let own_name = target.strip_prefix(OWN);
        let is_empty = match own_name {
            Some(name) => is_empty_word(text, Holds::of(name)),
            None => kind.field(target).is_some_and(|field| field.is_empty(text)),
        };
        let text = if is_empty { "" } else { text };
        if is_empty && !clears_blanks {
            continue;
        }
        match own_name {
            Some(name) => {
                let value = if text.is_empty() { Value::Null } else { Value::from(text) };
                own.insert(name.to_owned(), value)
            }
            // An empty text: what that clears is for the record to say.
            None => members.insert(target.clone(), Value::from(text)),
        };
    }
    if !own.is_empty() {
        members.insert("traits".to_owned(), Value::Object(own));
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn headers_suggest_fields_each_once() {
        let header = texts(&[
            "Company Domain Name",
            "Record ID",
            "Number of Employees",
            "Name",
            "name",
            "Owner",
        ]);
        assert_eq!(
            suggested(Kind::Accounts, &header),
            texts(&["domain", "account_id", "employee_count", "name", "", ""])
        );
        assert_eq!(
            suggested(Kind::Users, &texts(&["ID", "E-Mail", "Title"])),
            texts(&["user_id", "email", "job_title"])
        );
        assert_eq!(
            suggested(Kind::Memberships, &texts(&["id", "User Id", "workspaceId"])),
            texts(&["", "user_id", "workspace_id"])
        );
    }

    #[test]
    fn a_mapping_is_checked_whole() {
        let header = texts(&["a", "b"]);
        let wrong = faults(Kind::Users, &header, &texts(&["email", "email"]));
        assert_eq!(wrong.keys().collect::<Vec<_>>(), ["", "column_1"]);
        assert!(faults(Kind::Users, &header, &texts(&["user_id", "trait:b"])).is_empty());
        assert_eq!(faults(Kind::Accounts, &header, &texts(&["name", ""])).len(), 1);
        assert_eq!(faults(Kind::Users, &header, &texts(&["user_id", "nonsense"])).len(), 1);
    }

    #[test]
    fn empty_cells_say_nothing_unless_they_clear() {
        let (header, mapping) =
            (texts(&["id", "mail", "tier"]), texts(&["user_id", "email", "trait:tier"]));
        let row = texts(&[" u1 ", "", "gold"]);
        let read =
            |clears| Value::Object(members(Kind::Users, &header, &mapping, clears, &row).unwrap());
        assert_eq!(read(false), json!({"user_id": "u1", "traits": {"tier": "gold"}}));
        assert_eq!(read(true), json!({"user_id": "u1", "email": "", "traits": {"tier": "gold"}}));
        let blank = texts(&["u1", "dana@acme.com", " "]);
        assert_eq!(
            Value::Object(members(Kind::Users, &header, &mapping, true, &blank).unwrap())["traits"],
            json!({"tier": null})
        );
        let said = texts(&["u1", "dana@acme.com", "'+49 30"]);
        assert_eq!(
            Value::Object(members(Kind::Users, &header, &mapping, true, &said).unwrap())["traits"],
            json!({"tier": "+49 30"}),
            "the file of errors puts that apostrophe there"
        );
        for (row, code) in [
            (texts(&["u1", "", "", "surplus"]), "ragged_row"),
            (texts(&["u1", "\0", ""]), "invalid_value"),
            (vec!["u1".to_owned(), "x".repeat(RECORD_LIMIT + 1), String::new()], "invalid_value"),
        ] {
            assert_eq!(
                members(Kind::Users, &header, &mapping, false, &row).unwrap_err().code,
                code
            );
        }
    }

    #[test]
    fn words_for_nothing_and_cells_that_are_not_there_are_empty_cells() {
        let header = texts(&["id", "mail", "title", "tier"]);
        let mapping = texts(&["user_id", "email", "job_title", "trait:tier"]);
        let read = |clears, row: &[&str]| {
            Value::Object(members(Kind::Users, &header, &mapping, clears, &texts(row)).unwrap())
        };
        for row in [
            &["u1", "NULL", "#N/A", "\\N"][..],
            &["u1"],
            &["u1", ""],
            &["u1", "", "", "", "", " "],
            &["=\"u1\"", "nan", "None", "(blank)"],
            &["u1", "-", "N/A", "=\"\""],
        ] {
            assert_eq!(read(false, row), json!({"user_id": "u1"}), "{row:?}");
            let cleared =
                json!({"user_id": "u1", "email": "", "job_title": "", "traits": {"tier": null}});
            assert_eq!(read(true, row), cleared, "{row:?}");
        }
        assert_eq!(read(false, &["NULL"]), json!({"user_id": "NULL"}), "to be refused");
    }

    proptest! {
        #[test]
        fn whatever_the_header_a_suggestion_names_each_field_once(header in prop::collection::vec("[a-zA-Z _]{0,12}|id|email|domain", 0..9)) {
            for kind in Kind::ALL {
                let mapping = suggested(kind, &header);
                prop_assert_eq!(mapping.len(), header.len());
                prop_assert!(faults(kind, &header, &mapping).keys().all(String::is_empty));
            }
        }
    }
}
