//! One page of any list as SQL: filters, order, and the place to go on at. Every piece of its text comes
//! from `columns`, every value is bound.

use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{Array, BigInt, Bool, Date, Double, Text, Timestamptz};

use super::columns::Kind;
use super::cursor::Cursor;
use super::query::{Filter, Operand, Query};
use crate::catalog::operator::Op;

/// A statement with its values.
pub type Asked = BoxedSqlQuery<'static, Pg, SqlQuery>;

/// Text of SQL and its values, in step.
struct Writer {
    sql: String,
    binds: usize,
    query: Vec<Operand>,
}

impl Writer {
    /// The placeholder of a value.
    fn bind(&mut self, operand: Operand) -> String {
        self.binds += 1;
        self.query.push(operand);
        format!("${}", self.binds)
    }

    fn filter(&mut self, filter: &Filter) {
        let column = match (&filter.operand, filter.column.kind) {
            (Operand::Day(_), Kind::Time) => {
                &*format!("({} at time zone 'UTC')::date", filter.column.sql)
            }
            _ => filter.column.sql,
        };
        let value = match filter.operand {
            Operand::Nothing => String::new(),
            _ => self.bind(filter.operand.clone()),
        };
        let condition = match filter.op {
            Op::Eq => format!("{column} = {value}"),
            Op::Ne => format!("{column} is distinct from {value}"),
            Op::Lt => format!("{column} < {value}"),
            Op::Le => format!("{column} <= {value}"),
            Op::Gt => format!("{column} > {value}"),
            Op::Ge => format!("{column} >= {value}"),
            Op::In => format!("{column} = any({value})"),
            Op::NotIn => format!("({column} is null or {column} <> all({value}))"),
            Op::Contains if filter.column.kind == Kind::List => {
                format!("jsonb_exists({column}, {value})")
            }
            Op::Contains => format!("position(lower({value}) in lower({column})) > 0"),
            Op::IsSet => format!("{column} is not null"),
            Op::IsNotSet => format!("{column} is null"),
        };
        self.sql.push_str(" and ");
        self.sql.push_str(&condition);
    }

    /// Rows after the cursor; `<=` first, so that the index of the sort is entered at the place.
    fn after(&mut self, query: &Query, cursor: &Cursor) {
        let ((column, is_nullable), own) = (query.by.order(), query.of.id);
        let (beyond, from) = if query.is_descending { ("<", "<=") } else { (">", ">=") };
        let id = format!("{}::uuid", self.bind(Operand::Text(cursor.id.to_string())));
        let condition = match &cursor.value {
            Some(value) => {
                let kind = match query.by.kind {
                    Kind::Number => "bigint",
                    Kind::Decimal => "float8",
                    Kind::Bool => "boolean",
                    Kind::Day => "date",
                    Kind::Time => "timestamptz",
                    Kind::Text | Kind::List => "text",
                };
                let value = format!("{}::text::{kind}", self.bind(Operand::Text(value.clone())));
                let here = format!(
                    "{column} {from} {value} and ({column} {beyond} {value} or {own} > {id})"
                );
                if is_nullable { format!("({column} is null or ({here}))") } else { here }
            }
            None => format!("{column} is null and {own} > {id}"),
        };
        self.sql.push_str(" and ");
        self.sql.push_str(&condition);
    }

    fn asked(self) -> Asked {
        self.query.into_iter().fold(
            diesel::sql_query(self.sql).into_boxed::<Pg>(),
            |query, operand| match operand {
                Operand::Nothing => query,
                Operand::Text(text) => query.bind::<Text, _>(text),
                Operand::Texts(texts) => query.bind::<Array<Text>, _>(texts),
                Operand::Number(number) => query.bind::<BigInt, _>(number),
                Operand::Numbers(numbers) => query.bind::<Array<BigInt>, _>(numbers),
                Operand::Decimal(number) => query.bind::<Double, _>(number),
                Operand::Decimals(numbers) => query.bind::<Array<Double>, _>(numbers),
                Operand::Bool(flag) => query.bind::<Bool, _>(flag),
                Operand::Day(day) => query.bind::<Date, _>(day),
                Operand::Time(time) => query.bind::<Timestamptz, _>(time),
            },
        )
    }
}

/// The page that is asked for, and one row more when there are more. `from` is the statement up to
/// and with a `where`.
pub fn page(from: String, query: &Query) -> Asked {
    let ((by, is_nullable), own) = (query.by.order(), query.of.id);
    let mut writer = Writer { sql: from, binds: 0, query: Vec::new() };
    for filter in &query.filters {
        writer.filter(filter);
    }
    if let Some(cursor) = &query.after {
        writer.after(query, cursor);
    }
    let direction = if query.is_descending { "desc" } else { "asc" };
    let nulls = if is_nullable { "nulls last" } else { "" };
    let limit = writer.bind(Operand::Number(query.limit.saturating_add(1)));
    writer.sql.push_str(&format!(" order by {by} {direction} {nulls}, {own} limit {limit}"));
    writer.asked()
}
