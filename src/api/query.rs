//! `?limit=&after=&sort=&filter[field][op]=value`: read into what the store can ask. Pure.

use chrono::{DateTime, NaiveDate, Utc};

use super::columns::{Column, Kind, Listing};
use super::cursor::Cursor;
use super::problem::Problem;
use crate::catalog::operator::Op;
use crate::clock::is_askable;

/// Rows a page when nothing is asked.
pub const DEFAULT_LIMIT: i64 = 50;
/// Most rows a page.
pub const MOST_ROWS: i64 = 500;

/// What a filter compares with.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each is what it says")]
pub enum Operand {
    Nothing,
    Text(String),
    Texts(Vec<String>),
    Number(i64),
    Numbers(Vec<i64>),
    Decimal(f64),
    Decimals(Vec<f64>),
    Bool(bool),
    Day(NaiveDate),
    Time(DateTime<Utc>),
}

/// One condition; all of a query's must hold.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What is compared.
    pub column: &'static Column,
    /// How.
    pub op: Op,
    /// With what.
    pub operand: Operand,
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Query {
    /// The list.
    pub of: &'static Listing,
    /// 1 to [`MOST_ROWS`].
    pub limit: i64,
    /// As in the address: `-score`.
    pub sort: String,
    /// What it is sorted by.
    pub by: &'static Column,
    /// From the highest to the lowest.
    pub is_descending: bool,
    /// Where to go on.
    pub after: Option<Cursor>,
    /// All must hold.
    pub filters: Vec<Filter>,
}

impl Query {
    /// Reads the part of the address after `?`.
    ///
    /// # Errors
    /// A problem that names the first parameter that can't be used, and what is possible.
    pub fn read(text: &str, of: &'static Listing) -> Result<Self, Problem> {
        let mut limit = DEFAULT_LIMIT;
        let mut sort = of.sort.to_owned();
        let mut after = None;
        let mut filters = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            match name.as_ref() {
                "limit" => limit = read_limit(&value)?,
                "sort" => sort = value.into_owned(),
                "after" => after = Some(value.into_owned()),
                other => filters.push(read_filter(other, &value, of)?),
            }
        }
        let (key, is_descending) = match sort.strip_prefix('-') {
            Some(key) => (key, true),
            None => (sort.as_str(), false),
        };
        let by = of.find(key).filter(|column| column.sorts).ok_or_else(|| {
            let known: Vec<_> = of.columns.iter().filter(|c| c.sorts).map(|c| c.key).collect();
            Problem::bad_parameter(format!(
                "sort={sort} is not possible. Sort by one of {}; a minus before it turns the order.",
                known.join(", ")
            ))
        })?;
        let after = match after {
            None => None,
            Some(text) => Some(Cursor::read(&text, &sort).filter(|c| c.fits(by.kind)).ok_or_else(|| {
                Problem::bad_parameter(
                    "after is not a cursor of this list in this order. Use the next of the page before.",
                )
            })?),
        };
        Ok(Self { of, limit, by, is_descending, after, filters, sort })
    }
}

/// A number of rows.
///
/// # Errors
/// A problem when it is none or too many.
pub fn read_limit(text: &str) -> Result<i64, Problem> {
    text.parse().ok().filter(|limit| (1..=MOST_ROWS).contains(limit)).ok_or_else(|| {
        Problem::bad_parameter(format!("limit={text} is not possible. Use 1 to {MOST_ROWS}."))
    })
}

/// A day.
///
/// # Errors
/// A problem when it is none.
pub fn read_day(name: &str, text: &str) -> Result<NaiveDate, Problem> {
    text.parse().ok().filter(|day| is_askable(*day)).ok_or_else(|| {
        Problem::bad_parameter(format!("{name}={text} is not a day. Write it as 2026-11-20."))
    })
}

fn read_filter(name: &str, value: &str, of: &Listing) -> Result<Filter, Problem> {
    // An operator with an equals sign that nobody encoded splits the pair in its middle:
    // `filter[score][>=]=5` comes as `filter[score][>` and `=]=5`. So both are put together first.
    let whole = format!("{name}={value}");
    let parts = whole.strip_prefix("filter[").and_then(|rest| rest.split_once("]["));
    let Some((key, (op, value))) =
        parts.and_then(|(key, rest)| Some((key, rest.split_once("]=")?)))
    else {
        return Err(Problem::bad_parameter(format!(
            "{name} is not a parameter. There are limit, after, sort and filter[field][op]."
        )));
    };
    let column = of.find(key).ok_or_else(|| {
        let known: Vec<_> = of.columns.iter().map(|column| column.key).collect();
        Problem::bad_parameter(format!(
            "There is no field {key} to filter by. There are {}.",
            known.join(", ")
        ))
    })?;
    let op = Op::named(op).filter(|op| is_possible(column, *op)).ok_or_else(|| {
        let known: Vec<_> = Op::ALL
            .into_iter()
            .filter(|(op, ..)| is_possible(column, *op))
            .map(|(_, key, _)| key)
            .collect();
        Problem::bad_parameter(format!(
            "{key} can't be compared by {op}. There are {}.",
            known.join(" ")
        ))
    })?;
    let operand = read_operand(column, op, value)?;
    Ok(Filter { column, op, operand })
}

fn is_possible(column: &Column, op: Op) -> bool {
    match op {
        Op::Eq | Op::Ne => column.kind != Kind::List,
        Op::IsSet | Op::IsNotSet => column.is_nullable,
        Op::Lt | Op::Le | Op::Gt | Op::Ge => {
            !matches!(column.kind, Kind::Text | Kind::Bool | Kind::List)
        }
        Op::In | Op::NotIn => {
            matches!(column.kind, Kind::Text | Kind::Number | Kind::Decimal)
        }
        Op::Contains => matches!(column.kind, Kind::Text | Kind::List),
    }
}

fn read_operand(column: &Column, op: Op, value: &str) -> Result<Operand, Problem> {
    let number = |text: &str| {
        text.trim().parse::<i64>().map_err(|_| {
            Problem::bad_parameter(format!("{}: {text} is not a whole number.", column.key))
        })
    };
    let decimal = |text: &str| {
        text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
            Problem::bad_parameter(format!("{}: {text} is not a number.", column.key))
        })
    };
    let list = || value.split(',').map(str::trim);
    Ok(match (op, column.kind) {
        (Op::IsSet | Op::IsNotSet, _) => Operand::Nothing,
        (Op::In | Op::NotIn, Kind::Number) => {
            Operand::Numbers(list().map(number).collect::<Result<_, _>>()?)
        }
        (Op::In | Op::NotIn, Kind::Decimal) => {
            Operand::Decimals(list().map(decimal).collect::<Result<_, _>>()?)
        }
        (Op::In | Op::NotIn, _) => Operand::Texts(list().map(str::to_owned).collect()),
        (_, Kind::Number) => Operand::Number(number(value)?),
        (_, Kind::Decimal) => Operand::Decimal(decimal(value)?),
        (_, Kind::Bool) => Operand::Bool(value.parse().map_err(|_| {
            Problem::bad_parameter(format!("{}: {value} is neither true nor false.", column.key))
        })?),
        // A day stands for the whole of itself.
        (_, Kind::Time) if value.parse::<NaiveDate>().is_ok() => {
            Operand::Day(read_day(column.key, value)?)
        }
        (_, Kind::Day) => Operand::Day(read_day(column.key, value)?),
        (_, Kind::Time) => {
            let time: Option<DateTime<Utc>> = value.parse().ok();
            let time = time.filter(|time| is_askable(time.date_naive()));
            Operand::Time(time.ok_or_else(|| {
                Problem::bad_parameter(format!(
                    "{}: {value} is not a time. Write it as 2026-11-20T10:00:00Z.",
                    column.key
                ))
            })?)
        }
        // Names are compared without regard to case, as they are sorted.
        (_, Kind::Text) if column.key == "name" => Operand::Text(value.to_lowercase()),
        (_, Kind::Text | Kind::List) => Operand::Text(value.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::columns::{ACCOUNTS, WORKSPACES};
    use super::*;

    fn refusal(text: &str) -> String {
        Query::read(text, &WORKSPACES).unwrap_err().detail
    }

    #[test]
    fn nothing_asked_is_the_first_page_by_score() {
        let query = Query::read("", &WORKSPACES).unwrap();
        assert_eq!((query.limit, query.by.key, query.is_descending), (50, "score", true));
        assert!(query.filters.is_empty() && query.after.is_none());
    }

    #[test]
    fn each_list_has_its_own_order_and_columns() {
        let query = Query::read("filter[domain][=]=acme.com", &ACCOUNTS).unwrap();
        assert_eq!((query.by.key, query.is_descending), ("name", false));
        assert!(refusal("filter[domain][=]=acme.com").contains("no field domain"));
        assert!(Query::read("filter[wau][>]=1", &ACCOUNTS).is_err());
    }

    #[test]
    fn filters_are_read_by_the_kind_of_their_column() {
        let text = "filter[score][>=]=6500&filter[stage][in]=pql,hot_pql&filter[owner][is_not_set]=&\
                    filter[trial_end_on][<]=2026-12-01&sort=name&limit=500";
        let query = Query::read(text, &WORKSPACES).unwrap();
        let operands: Vec<_> = query.filters.iter().map(|one| one.operand.clone()).collect();
        assert_eq!(
            operands,
            [
                Operand::Number(6500),
                Operand::Texts(vec!["pql".into(), "hot_pql".into()]),
                Operand::Nothing,
                Operand::Day("2026-12-01".parse().unwrap()),
            ]
        );
        assert!(!query.is_descending);
    }

    #[test]
    fn an_operator_is_read_encoded_or_not() {
        for text in
            ["filter[name][=]=A=b", "filter[name][%3D]=A%3Db", "filter%5Bname%5D%5B%3D%5D=A=b"]
        {
            let query = Query::read(text, &WORKSPACES).unwrap();
            assert_eq!(query.filters[0].op, Op::Eq, "{text}");
            assert_eq!(query.filters[0].operand, Operand::Text("a=b".into()), "{text}");
        }
    }

    #[test]
    fn refusals_name_what_is_possible() {
        assert!(refusal("limit=0").contains("1 to 500"));
        assert!(refusal("limit=many").contains("1 to 500"));
        assert!(refusal("sort=owner").contains("last_active_at"));
        assert!(refusal("filter[mood][=]=good").contains("icp_fit_tier"));
        assert!(refusal("filter[stage][>]=pql").contains("not_in"));
        assert!(refusal("filter[score][=]=high").contains("whole number"));
        assert!(refusal("filter[last_active_at][>]=yesterday").contains("2026-11-20T10:00:00Z"));
        assert!(refusal("page=2").contains("limit, after, sort"));
        assert!(refusal("after=x").contains("cursor"));
    }
}
