//! Which type turns into which, and when: what `pg_cast` says for the types here, and the conversions through text.

use super::Type;

/// When a conversion is made. Each also covers those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// On its own, wherever the other type is wanted.
    Implicit,
    /// When a value is assigned to a column.
    Assigned,
    /// Only where it is written: `::`.
    Explicit,
}

/// The categories Postgres sorts types into when it chooses among overloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    Number,
    Text,
    Boolean,
    Moment,
    Span,
    User,
    Enum,
    Array,
}

impl Type {
    /// The type without its size: `varchar(5)` is `varchar`, `numeric(10,2)` is `numeric`.
    pub(crate) fn base(&self) -> Type {
        match self {
            Type::Varchar(_) => Type::Varchar(None),
            Type::Numeric(_) => Type::Numeric(None),
            Type::Char(_) => Type::Char(1),
            Type::Array(item) => Type::Array(Box::new(item.base())),
            other => other.clone(),
        }
    }

    pub(crate) fn category(&self) -> Category {
        match self {
            Type::Int2
            | Type::Int4
            | Type::Int8
            | Type::Float4
            | Type::Float8
            | Type::Numeric(_) => Category::Number,
            Type::Text | Type::Varchar(_) | Type::Char(_) => Category::Text,
            Type::Bool => Category::Boolean,
            Type::Timestamptz | Type::Timestamp | Type::Date | Type::Time => Category::Moment,
            Type::Interval => Category::Span,
            Type::Uuid | Type::Json | Type::Jsonb | Type::Bytea => Category::User,
            Type::Enum(_) => Category::Enum,
            Type::Array(_) => Category::Array,
        }
    }

    /// Whether Postgres prefers the type within its category.
    pub(crate) fn preferred(&self) -> bool {
        matches!(
            self,
            Type::Float8 | Type::Text | Type::Bool | Type::Timestamptz | Type::Interval
        )
    }

    /// The type that stands for both where several values have one type (PostgreSQL docs 10.5): this one, unless it turns into the other
    /// on its own and not the other way round. None if they have nothing in common.
    pub(crate) fn common_with(&self, later: &Type) -> Option<Type> {
        let forth = self.conversion(later) == Some(When::Implicit);
        let back = later.conversion(self) == Some(When::Implicit);
        if self.category() != later.category() || !(forth || back) {
            None
        } else if forth && !back && !self.preferred() {
            Some(later.clone())
        } else {
            Some(self.clone())
        }
    }

    /// When `self` turns into `to`; none if it never does.
    pub fn conversion(&self, to: &Type) -> Option<When> {
        use Type as T;
        use When::{Assigned, Explicit, Implicit};
        let (from, to) = (self.base(), to.base());
        if from == to {
            return Some(Implicit);
        }
        if let (Some(from), Some(to)) = (number(&from), number(&to)) {
            return Some(if from <= to { Implicit } else { Assigned });
        }
        match (&from, &to) {
            (T::Int4, T::Bool) | (T::Bool, T::Int4) => Some(Explicit),
            (T::Date, T::Timestamp | T::Timestamptz)
            | (T::Timestamp, T::Timestamptz)
            | (T::Time, T::Interval) => Some(Implicit),
            (T::Timestamp | T::Timestamptz, T::Date | T::Time)
            | (T::Timestamptz, T::Timestamp)
            | (T::Interval, T::Time)
            | (T::Json, T::Jsonb)
            | (T::Jsonb, T::Json) => Some(Assigned),
            (T::Jsonb, T::Bool) => Some(Explicit),
            (T::Jsonb, to) if number(to).is_some() => Some(Explicit),
            (T::Array(from), T::Array(to)) => from.conversion(to),
            (from, to) => match (from.category(), to.category()) {
                (Category::Text, Category::Text) => Some(Implicit),
                (_, Category::Text) => Some(Assigned),
                (Category::Text, _) => Some(Explicit),
                _ => None,
            },
        }
    }
}

/// The order in which numbers turn into one another on their own.
fn number(ty: &Type) -> Option<u8> {
    Some(match ty {
        Type::Int2 => 0,
        Type::Int4 => 1,
        Type::Int8 => 2,
        Type::Numeric(_) => 3,
        Type::Float4 => 4,
        Type::Float8 => 5,
        _ => return None,
    })
}
