//! How the values that come with a request are read: each by the type of what it is compared with.

use crate::request::{Input, Slot};
use pando_sql::{SqlError, Type, Value};

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
    /// The members of `in.(..)`, each of the type, as the text of a JSON array.
    List(Type),
    /// An array literal `{a,b}` of the type's members, as the text of a JSON array.
    Array(Type),
    /// A label's place in the declaration of its enum, as enums sort by it.
    EnumRank(Type),
    /// As [`InputType::EnumRank`], for the members of an array literal.
    EnumRanks(Type),
    /// A page's length, at most `max`.
    Limit {
        /// The most rows of one page.
        max: Option<u64>,
    },
    /// Rows to skip.
    Offset,
}

/// Reads the inputs a plan needs, in the order of its parameters.
pub(crate) fn bind(slots: &[InputSlot], inputs: &[Input]) -> Result<Vec<Value>, SqlError> {
    slots
        .iter()
        .map(|slot| {
            let input = inputs
                .get(slot.slot.0 as usize)
                .ok_or_else(|| SqlError::new("XX000", format!("input {} of the request is missing", slot.slot.0)))?;
            slot.ty.read(input)
        })
        .collect()
}

impl InputType {
    fn read(&self, _input: &Input) -> Result<Value, SqlError> {
        Err(SqlError::new("0A000", "reading inputs is not there yet"))
    }
}
