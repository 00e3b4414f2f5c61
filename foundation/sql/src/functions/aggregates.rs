//! Aggregates SQLite has not, or computes with other numbers.

use super::registry::Row;
use super::{strict, text};
use crate::decimal::Decimal;
use crate::error::SqlError;
use crate::json;
use crate::value::Value;

/// An aggregate and how it is made.
#[derive(Clone, Copy)]
pub struct SqlAggregate {
    /// Its name in SQLite.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arity: i32,
    /// Begins one over no rows.
    pub begin: fn() -> Box<dyn Accumulate>,
}

/// An aggregate being computed.
pub trait Accumulate: Send + std::panic::UnwindSafe + std::panic::RefUnwindSafe {
    /// Takes one row.
    fn step(&mut self, arguments: &[Value]) -> Result<(), SqlError>;
    /// Gives the result.
    fn finish(self: Box<Self>) -> Result<Value, SqlError>;
}

/// What is done with the JSON that SQLite's own aggregates gather: over no rows Postgres gives null.
pub(super) fn rows() -> Vec<Row> {
    vec![
        strict!("pg_some", 1, |a: &[Value]| Ok(if text(&a[0]).len() == 2 {
            Value::Null
        } else {
            a[0].clone()
        })),
        strict!("pg_json_agg", 1, |a: &[Value]| {
            let gathered = text(&a[0]);
            if gathered.len() == 2 {
                return Ok(Value::Null);
            }
            let members: Vec<&serde_json::value::RawValue> = serde_json::from_str(&gathered)
                .map_err(|_| SqlError::new("22P02", "malformed array"))?;
            let members: Vec<&str> = members.iter().map(|member| member.get()).collect();
            Ok(Value::from(format!("[{}]", members.join(", "))))
        }),
        strict!("pg_jsonb_agg", 1, |a: &[Value]| {
            let gathered = text(&a[0]);
            if gathered.len() == 2 {
                return Ok(Value::Null);
            }
            let parsed =
                json::parse(&gathered).map_err(|_| SqlError::new("22P02", "malformed json"))?;
            let mut out = String::new();
            json::print(&parsed, &mut out);
            Ok(Value::from(out))
        }),
        strict!("pg_json_object_agg", 1, |a: &[Value]| {
            let gathered = text(&a[0]);
            Ok(if gathered.len() == 2 {
                Value::Null
            } else {
                Value::from(gathered.to_string())
            })
        }),
        strict!("pg_join", 2, |a: &[Value]| {
            let members: Vec<Option<String>> = serde_json::from_str(&text(&a[0]))
                .map_err(|_| SqlError::new("22P02", "malformed array"))?;
            let members: Vec<String> = members.into_iter().flatten().collect();
            Ok(if members.is_empty() {
                Value::Null
            } else {
                Value::from(members.join(&text(&a[1])))
            })
        }),
    ]
}

/// All aggregates.
pub fn aggregates() -> &'static [SqlAggregate] {
    &[SqlAggregate {
        name: "pg_sum_numeric",
        arity: 1,
        begin: || Box::new(Sum::default()),
    }]
}

#[derive(Default)]
struct Sum {
    total: Option<Decimal>,
}

impl Accumulate for Sum {
    fn step(&mut self, arguments: &[Value]) -> Result<(), SqlError> {
        let [value] = arguments else { return Ok(()) };
        if value.is_null() {
            return Ok(());
        }
        let value = Decimal::parse(&text(value))
            .ok_or_else(|| SqlError::new("22P02", "invalid input syntax for type numeric"))?;
        self.total = Some(match self.total.take() {
            Some(total) => total.plus(&value),
            None => value,
        });
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Value, SqlError> {
        Ok(match self.total {
            None => Value::Null,
            Some(total) => printed(&total),
        })
    }
}

fn printed(decimal: &Decimal) -> Value {
    let mut out = String::new();
    decimal.print(&mut out);
    Value::from(out)
}
