//! How the values that come with a request are read: each by the type of what it is compared with.

use crate::request::{Input, Slot};
use pando_sql::search::{Config, Mode, read_query};
use pando_sql::{SqlError, Type, Value};
use serde_json::value::RawValue;

/// One parameter of a plan that the request fills: [`pando_sql::Bind::Input`] counts these.
#[derive(Clone, Debug, PartialEq)]
pub struct InputSlot {
    /// Which of the request's inputs.
    pub slot: Slot,
    /// How it is read.
    pub ty: InputType,
}

/// How an input becomes a value in storage form.
#[derive(Clone, Debug, PartialEq)]
pub enum InputType {
    /// A scalar of the type.
    Scalar(Type),
    /// The members of `in.(..)`, each of the type, as the text of a JSON array of stored values.
    List(Type),
    /// An array literal `{a,b}` of the type's members, as the text of a JSON array of stored values.
    Array(Type),
    /// A label's place in the declaration of its enum, as enums sort by it.
    EnumRank(Type),
    /// As [`InputType::EnumRank`], for the members of an array literal.
    EnumRanks(Type),
    /// A page's length, at most `max`.
    Limit {
        /// The most rows of one page.
        max: u64,
    },
    /// A number of rows as it is.
    Rows,
    /// A text search query, as its printed form.
    Search(Config, Mode),
    /// None of the request's: filled when the plan runs.
    Result,
}

/// Reads the inputs a plan needs, in the order of its parameters.
pub(crate) fn bind(slots: &[InputSlot], inputs: &[Input]) -> Result<Vec<Value>, SqlError> {
    slots
        .iter()
        .map(|slot| {
            if slot.ty == InputType::Result {
                return Ok(Value::Null);
            }
            let input = inputs
                .get(slot.slot.0 as usize)
                .ok_or_else(|| mismatch("is missing"))?;
            slot.ty.read(input)
        })
        .collect()
}

impl InputType {
    fn read(&self, input: &Input) -> Result<Value, SqlError> {
        match (self, input) {
            (InputType::Scalar(ty), Input::Text(text)) => ty.read_text(text),
            (InputType::Scalar(_), Input::Json(json)) if json == "null" => Ok(Value::Null),
            (InputType::Scalar(ty), Input::Json(json)) => {
                let json: Box<RawValue> =
                    serde_json::from_str(json).map_err(|_| mismatch("is no JSON"))?;
                ty.read_json(&json)
            }
            (InputType::List(ty), Input::List(members)) => {
                list(members.iter().map(|member| ty.read_text(member)))
            }
            (InputType::Array(ty), Input::Text(text)) => {
                list(array_members(ty, text)?.into_iter().map(Ok))
            }
            (InputType::EnumRank(ty), Input::Text(text)) => rank(ty, &ty.read_text(text)?),
            (InputType::EnumRanks(ty), Input::Text(text)) => {
                list(array_members(ty, text)?.iter().map(|label| rank(ty, label)))
            }
            (InputType::Search(config, mode), Input::Text(text)) => {
                Ok(read_query(text, *config, *mode)?.into())
            }
            (InputType::Limit { max }, Input::Rows(rows)) => Ok(rows_value(*rows.min(max))),
            (InputType::Rows, Input::Rows(rows)) => Ok(rows_value(*rows)),
            _ => Err(mismatch("is of another kind than the plan reads")),
        }
    }
}

/// The members of an array literal in storage form.
fn array_members(ty: &Type, text: &str) -> Result<Vec<Value>, SqlError> {
    let stored = Type::Array(Box::new(ty.clone())).read_text(text)?;
    let members: Vec<Box<RawValue>> = serde_json::from_str(stored.as_str().unwrap_or("[]"))
        .map_err(|error| {
            SqlError::new("XX000", format!("an array is not stored as JSON: {error}"))
        })?;
    members
        .iter()
        .map(|member| {
            if member.get() == "null" {
                Ok(Value::Null)
            } else {
                ty.read_json(member)
            }
        })
        .collect()
}

/// Stored values as the text of a JSON array, from which `json_each` gives the very same values.
fn list(members: impl Iterator<Item = Result<Value, SqlError>>) -> Result<Value, SqlError> {
    let mut json = String::from("[");
    for member in members {
        if json.len() > 1 {
            json.push(',');
        }
        match member? {
            Value::Null => json.push_str("null"),
            Value::Int(int) => json.push_str(&int.to_string()),
            Value::Real(real) if real.is_finite() => json.push_str(&format!("{real:?}")),
            Value::Text(text) => json.push_str(&serde_json::Value::from(&*text).to_string()),
            Value::Real(_) | Value::Blob(_) => {
                return Err(SqlError::new(
                    "0A000",
                    "lists of bytea, NaN or infinity are not supported",
                ));
            }
        }
    }
    json.push(']');
    Ok(Value::text(json))
}

fn rank(ty: &Type, label: &Value) -> Result<Value, SqlError> {
    let (Type::Enum(labels), Some(text)) = (ty, label.as_str()) else {
        return Ok(Value::Null);
    };
    let rank = labels.labels.iter().position(|known| known == text);
    Ok(rank.map_or(Value::Null, |rank| Value::Int(rank as i64)))
}

fn rows_value(rows: u64) -> Value {
    Value::Int(i64::try_from(rows).unwrap_or(i64::MAX))
}

/// A request that doesn't fit the plan made for its shape: a mistake of ours, not of the client's.
fn mismatch(what: &str) -> SqlError {
    SqlError::new("XX000", format!("an input of the request {what}"))
}
