//! Aggregates SQLite has not, or computes with other numbers.

use super::{SqlFunction, internal, text};
use crate::decimal::Decimal;
use crate::error::SqlError;
use crate::json;
use crate::types::Type;
use crate::types::cast::{decimal, float, integer, narrow, print_decimal, widen};
use crate::types::time::interval::Interval;
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
    fn finish(&self) -> Result<Value, SqlError>;
}

/// What is done with the JSON that SQLite's own aggregates gather: over no rows Postgres gives null.
pub(super) const ALL: &[SqlFunction] = &[
    internal!("pg_some", 1, |a: &[Value]| Ok(if text(&a[0]).len() == 2 {
        Value::Null
    } else {
        a[0].clone()
    })),
    internal!("pg_json_agg", 1, |a: &[Value]| {
        let gathered = text(&a[0]);
        if gathered.len() == 2 {
            return Ok(Value::Null);
        }
        let members: Vec<&serde_json::value::RawValue> = serde_json::from_str(&gathered)
            .map_err(|_| SqlError::new("22P02", "malformed array"))?;
        let members: Vec<&str> = members.iter().map(|member| member.get()).collect();
        Ok(Value::from(format!("[{}]", members.join(", "))))
    }),
    internal!("pg_jsonb_agg", 1, |a: &[Value]| {
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
    internal!("pg_json_object_agg", 1, |a: &[Value]| {
        let gathered = text(&a[0]);
        Ok(if gathered.len() == 2 {
            Value::Null
        } else {
            Value::from(gathered.to_string())
        })
    }),
    internal!("pg_join", 2, |a: &[Value]| {
        let members: Vec<Option<String>> = serde_json::from_str(&text(&a[0]))
            .map_err(|_| SqlError::new("22P02", "malformed array"))?;
        let members: Vec<String> = members.into_iter().flatten().collect();
        Ok(if members.is_empty() {
            Value::Null
        } else {
            Value::from(members.join(&text(&a[1])))
        })
    }),
];

/// All aggregates.
pub fn aggregates() -> &'static [SqlAggregate] {
    &[
        SqlAggregate {
            name: "pg_sum_numeric",
            arity: 1,
            begin: || Box::new(Exact::default()),
        },
        SqlAggregate {
            name: "pg_avg_numeric",
            arity: 1,
            begin: || {
                Box::new(Exact {
                    mean: true,
                    ..Exact::default()
                })
            },
        },
        SqlAggregate {
            name: "pg_sum_int8",
            arity: 1,
            begin: || {
                Box::new(Exact {
                    whole: true,
                    ..Exact::default()
                })
            },
        },
        SqlAggregate {
            name: "pg_sum_float8",
            arity: 1,
            begin: || Box::new(Rough::default()),
        },
        SqlAggregate {
            name: "pg_avg_float8",
            arity: 1,
            begin: || {
                Box::new(Rough {
                    mean: true,
                    ..Rough::default()
                })
            },
        },
        SqlAggregate {
            name: "pg_avg_float4",
            arity: 1,
            begin: || {
                Box::new(Rough {
                    mean: true,
                    exact: true,
                    ..Rough::default()
                })
            },
        },
        SqlAggregate {
            name: "pg_json_gather",
            arity: 1,
            begin: || Box::new(Gathered::default()),
        },
        SqlAggregate {
            name: "pg_json_object_gather",
            arity: 2,
            begin: || Box::new(Gathered::default()),
        },
        SqlAggregate {
            name: "pg_sum_float4",
            arity: 1,
            begin: || {
                Box::new(Rough {
                    single: true,
                    ..Rough::default()
                })
            },
        },
        SqlAggregate {
            name: "pg_sum_interval",
            arity: 1,
            begin: || Box::new(Spans::default()),
        },
        SqlAggregate {
            name: "pg_avg_interval",
            arity: 1,
            begin: || {
                Box::new(Spans {
                    mean: true,
                    ..Spans::default()
                })
            },
        },
        SqlAggregate {
            name: "pg_string_agg",
            arity: 2,
            begin: || Box::new(Joined::default()),
        },
    ]
}

/// Integers and numerics.
#[derive(Default)]
struct Exact {
    total: Option<Decimal>,
    count: i64,
    mean: bool,
    /// The sum is a bigint.
    whole: bool,
}

impl Accumulate for Exact {
    fn step(&mut self, arguments: &[Value]) -> Result<(), SqlError> {
        let [value] = arguments else { return Ok(()) };
        if value.is_null() {
            return Ok(());
        }
        let value = decimal(value)?;
        self.count += 1;
        self.total = Some(match self.total.take() {
            Some(total) => total.plus(&value),
            None => value,
        });
        Ok(())
    }

    fn finish(&self) -> Result<Value, SqlError> {
        let Some(total) = &self.total else {
            return Ok(Value::Null);
        };
        if self.whole {
            return integer(total.to_i64(), &Type::Int8);
        }
        if !self.mean {
            return print_decimal(total);
        }
        let mean = total
            .over(&Decimal::int(self.count))
            .map_err(|_| SqlError::new("22012", "division by zero"))?;
        print_decimal(&mean)
    }
}

/// Floats, summed with the compensation Postgres uses where it does: none for sums.
#[derive(Default)]
struct Rough {
    total: f64,
    count: i64,
    mean: bool,
    single: bool,
    /// Each is a `real`, taken for the number it exactly is.
    exact: bool,
}

impl Accumulate for Rough {
    fn step(&mut self, arguments: &[Value]) -> Result<(), SqlError> {
        let [Value::Real(value)] = arguments else {
            return Ok(());
        };
        let before = self.total;
        self.count += 1;
        self.total = if self.single {
            f64::from(narrow(before) + narrow(*value))
        } else {
            before
                + if self.exact {
                    f64::from(narrow(*value))
                } else {
                    *value
                }
        };
        if self.total.is_infinite() && before.is_finite() && value.is_finite() {
            return Err(SqlError::new("22003", "value out of range: overflow"));
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "as Postgres divides")]
    fn finish(&self) -> Result<Value, SqlError> {
        match (self.count, self.mean) {
            (0, _) => Ok(Value::Null),
            (count, true) => float(self.total / count as f64),
            _ if self.single => float(widen(narrow(self.total))),
            _ => float(self.total),
        }
    }
}

#[derive(Default)]
struct Spans {
    total: Interval,
    count: i64,
    mean: bool,
}

impl Accumulate for Spans {
    fn step(&mut self, arguments: &[Value]) -> Result<(), SqlError> {
        let [Value::Text(value)] = arguments else {
            return Ok(());
        };
        self.total = self.total.plus(&Interval::stored(value)?)?;
        self.count += 1;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "as Postgres divides")]
    fn finish(&self) -> Result<Value, SqlError> {
        match (self.count, self.mean) {
            (0, _) => Ok(Value::Null),
            (count, true) => Ok(self.total.over(count as f64)?.print().into()),
            _ => Ok(self.total.print().into()),
        }
    }
}

/// JSON texts as an array, or with their keys as an object, spaced as Postgres spaces them.
#[derive(Default)]
struct Gathered {
    out: String,
    object: bool,
}

impl Accumulate for Gathered {
    fn step(&mut self, arguments: &[Value]) -> Result<(), SqlError> {
        if !self.out.is_empty() {
            self.out.push_str(", ");
        }
        let value = match arguments {
            [Value::Null, _] => {
                return Err(SqlError::new("22023", "field name must not be null"));
            }
            [key, value] => {
                self.object = true;
                json::print_text(&text(key), &mut self.out);
                self.out.push_str(" : ");
                value
            }
            [value] => value,
            _ => return Ok(()),
        };
        match value {
            Value::Null => self.out.push_str("null"),
            value => self.out.push_str(&text(value)),
        }
        Ok(())
    }

    fn finish(&self) -> Result<Value, SqlError> {
        Ok(match (self.out.as_str(), self.object) {
            ("", _) => Value::Null,
            (out, true) => format!("{{ {out} }}").into(),
            (out, false) => format!("[{out}]").into(),
        })
    }
}

/// Texts with what stands before each but the first.
#[derive(Default)]
struct Joined(Option<String>);

impl Accumulate for Joined {
    fn step(&mut self, arguments: &[Value]) -> Result<(), SqlError> {
        let [value, separator] = arguments else {
            return Ok(());
        };
        if value.is_null() {
            return Ok(());
        }
        match &mut self.0 {
            None => self.0 = Some(text(value).to_string()),
            Some(joined) => {
                joined.push_str(&text(separator));
                joined.push_str(&text(value));
            }
        }
        Ok(())
    }

    fn finish(&self) -> Result<Value, SqlError> {
        Ok(self.0.clone().into())
    }
}
