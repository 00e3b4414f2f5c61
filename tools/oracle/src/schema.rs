//! A generated schema: what its tables are, and the statements that make it.

use crate::node::Node;
use crate::ty::Ty;

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, with its size.
    pub ty: Ty,
    /// Whether it takes no null.
    pub not_null: bool,
    /// Whether it may be left out of an insert.
    pub has_default: bool,
    /// Whether values can't be given for it.
    pub generated: bool,
    /// The table and column its values must be found in.
    pub refers: Option<(String, String)>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns; the first is the key.
    pub columns: Vec<Column>,
    /// Columns, or a set of columns, a conflict may be named by. The first is the key.
    pub keys: Vec<Vec<String>>,
    /// Whether it is a view, which is only read.
    pub view: bool,
}

/// A schema.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Its tables, those referred to first.
    pub tables: Vec<Table>,
    /// The statements that make it, policies too.
    pub ddl: Vec<Node>,
    /// Functions that give a value.
    pub routines: Vec<Routine>,
}

/// A function of at most one value.
#[derive(Clone, Debug)]
pub struct Routine {
    /// Its name.
    pub name: String,
    /// The type of its parameter, if it has one.
    pub takes: Option<Ty>,
    /// The type of its value.
    pub gives: Ty,
}

impl Table {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
