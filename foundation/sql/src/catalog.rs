//! What the migrations declared, in Postgres' terms: names of constraints, types and policies are kept as written.
//!
//! The catalog is the single source for DDL, planning, errors and (on the way to Postgres) the schema. It is stored
//! with the data as JSON and replaced as a whole when a migration commits.

use crate::expr::Expr;
use crate::privilege::{Kind, Privileges};
use crate::query::Query;
use crate::routine::{Routine, RoutineId};
use crate::trigger::Trigger;
use crate::types::{EnumType, Type};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All schemas. Cheap to clone: tables are shared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Raised by every change; part of every plan's cache key.
    pub version: u64,
    /// Tables and views by (schema, name).
    #[serde(with = "pairs")]
    pub tables: BTreeMap<(String, String), Arc<Table>>,
    /// Enum types by (schema, name).
    #[serde(with = "pairs")]
    pub enums: BTreeMap<(String, String), Arc<EnumType>>,
    /// Functions by (schema, name): those of one name differ by the types of their parameters.
    #[serde(with = "pairs")]
    pub routines: BTreeMap<(String, String), Vec<Arc<Routine>>>,
    /// Sequences by (schema, name); where each stands is kept by the engine.
    #[serde(with = "pairs")]
    pub sequences: BTreeMap<(String, String), Sequence>,
    /// Schemas that were created; `public` is always there.
    pub schemas: BTreeSet<String>,
    /// What each role may do with each schema; everybody may use `public` until something is said of it.
    pub schema_privileges: BTreeMap<String, Privileges>,
    /// What each role may do with functions of a name, where something was said of them.
    #[serde(with = "pairs")]
    pub routine_privileges: BTreeMap<(String, String), Privileges>,
    /// `alter default privileges`, by schema; an empty one means all.
    #[serde(with = "pairs")]
    pub default_privileges: BTreeMap<(String, Kind), Privileges>,
    /// Comments on what has no place for one: by kind and dotted name.
    #[serde(with = "pairs")]
    pub comments: BTreeMap<(String, String), String>,
    /// Extensions accepted and recorded.
    pub extensions: Vec<String>,
    /// Tables in the publication `supabase_realtime`, (schema, name).
    pub published: Vec<(String, String)>,
}

impl Catalog {
    /// A table or view.
    pub fn table(&self, schema: &str, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(&(schema.to_owned(), name.to_owned()))
    }

    /// A function.
    pub fn routine(&self, id: &RoutineId) -> Option<&Arc<Routine>> {
        self.routines
            .get(&(id.schema.clone(), id.name.clone()))?
            .iter()
            .find(|routine| routine.id() == *id)
    }

    /// The name a table has in the SQLite file: `notes` for public.notes, `auth.users` for others.
    pub fn file_name(schema: &str, name: &str) -> String {
        if schema == "public" {
            name.to_owned()
        } else {
            format!("{schema}.{name}")
        }
    }
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// The primary key.
    pub primary_key: Option<Key>,
    /// Unique constraints.
    pub uniques: Vec<Key>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// Check constraints.
    pub checks: Vec<Check>,
    /// Indexes other than those of the keys.
    pub indexes: Vec<Index>,
    /// `enable row level security`; on from creation, closed by default.
    pub rls_enabled: bool,
    /// Policies in order of creation.
    pub policies: Vec<Policy>,
    /// Triggers in the order of their names, in which they run.
    pub triggers: Vec<Trigger>,
    /// `comment on table`.
    pub comment: Option<String>,
    /// What each role may do with it.
    pub privileges: Privileges,
    /// What a view selects; none for a table.
    pub view: Option<View>,
}

/// What makes a view of a table's entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Its rows.
    pub query: Query,
    /// `security_invoker`: read as its reader, under the policies that hold for them; otherwise as its owner, past them.
    pub invoker: bool,
    /// `with check option`
    #[serde(default)]
    pub check: Option<CheckOption>,
    /// The statement as written, for Postgres.
    pub source: String,
}

/// What a row written through a view must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckOption {
    /// The view's own condition.
    Local,
    /// The conditions of the views below it too.
    Cascaded,
}

impl Table {
    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The name in the SQLite file.
    pub fn file_name(&self) -> String {
        Catalog::file_name(&self.schema, &self.name)
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// `not null`, also by being in the primary key.
    pub not_null: bool,
    /// `default`, bound by the planner, never written into the file's DDL. That of an identity column is the next value of its
    /// sequence.
    pub default: Option<Expr>,
    /// `generated .. as identity`
    pub identity: Option<Identity>,
    /// `generated always as (..) stored`, over the columns of the row that are not generated themselves.
    pub generated: Option<Expr>,
    /// `comment on column`.
    pub comment: Option<String>,
}

impl Column {
    /// A column of a view: nothing is known of it but its type.
    pub fn of_view(name: String, ty: Type) -> Column {
        Column {
            name,
            ty,
            not_null: false,
            default: None,
            identity: None,
            generated: None,
            comment: None,
        }
    }
}

/// An identity column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// A given value is refused (428C9) unless `overriding system value`.
    Always,
    /// A given value is taken.
    ByDefault,
}

/// A sequence: the numbers it gives, not where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// `smallint`, `integer` or `bigint`.
    pub ty: Type,
    /// The first number.
    pub start: i64,
    /// What is added for the next one; below zero it counts down.
    pub increment: i64,
    /// `minvalue`
    pub min: i64,
    /// `maxvalue`
    pub max: i64,
    /// Whether it begins again after the last one.
    pub cycle: bool,
    /// The schema, table and column it goes with when they are dropped.
    pub owned_by: Option<(String, String, String)>,
    /// What each role may do with it.
    pub privileges: Privileges,
}

impl Default for Sequence {
    fn default() -> Sequence {
        Sequence {
            ty: Type::Int8,
            start: 1,
            increment: 1,
            min: 1,
            max: i64::MAX,
            cycle: false,
            owned_by: None,
            privileges: Privileges::default(),
        }
    }
}

/// A primary key or unique constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The constraint's name, given or as Postgres makes it (`notes_pkey`).
    pub name: String,
    /// Columns in order.
    pub columns: Vec<String>,
    /// `nulls not distinct`: a null equals a null.
    pub nulls_equal: bool,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The constraint's name, given or `notes_user_id_fkey`.
    pub name: String,
    /// Referencing columns.
    pub columns: Vec<String>,
    /// Schema of the table referred to.
    pub foreign_schema: String,
    /// The table referred to.
    pub foreign_table: String,
    /// Columns referred to, resolved to the primary key when not given.
    pub foreign_columns: Vec<String>,
    /// `on delete`
    pub on_delete: Action,
    /// `on update`
    pub on_update: Action,
    /// `match full`: all columns are null or none is.
    pub match_full: bool,
    /// `deferrable`
    pub deferrable: bool,
    /// `initially deferred`: looked at once the request is done.
    pub deferred: bool,
    /// Whether the rows there were fulfil it: not so after `not valid`.
    pub validated: bool,
}

/// What a foreign key does to referencing rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Refuse, at the end of the statement.
    NoAction,
    /// Refuse at once.
    Restrict,
    /// Delete or update them too.
    Cascade,
    /// Set their columns to null.
    SetNull,
    /// Set their columns to the defaults.
    SetDefault,
}

/// A check constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The constraint's name, given or `notes_body_check`.
    pub name: String,
    /// True or null to pass.
    pub expr: Expr,
    /// As it was written, while its names hold: read again when the type of a column changes.
    pub source: Option<String>,
    /// Whether the rows there were fulfil it: not so after `not valid`.
    pub validated: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether it enforces uniqueness.
    pub unique: bool,
    /// What is indexed, in order.
    pub parts: Vec<IndexPart>,
    /// `where`, for a partial index.
    pub predicate: Option<Expr>,
    /// The predicate as it was written, while its names hold.
    pub predicate_source: Option<String>,
    /// `nulls not distinct`: a null equals a null.
    pub nulls_equal: bool,
}

/// One column or expression of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexPart {
    /// A column reference or an expression.
    pub expr: Expr,
    /// As it was written, while its names hold.
    pub source: Option<String>,
    /// `desc`
    pub descending: bool,
}

/// The command a policy is for, or a request makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Policies only: every command.
    All,
    /// `select`
    Select,
    /// `insert`
    Insert,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

/// A row-level security policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What it applies to.
    pub command: Command,
    /// Role names; empty means `public`.
    pub roles: Vec<String>,
    /// Permissive policies are ORed, restrictive ones ANDed.
    pub permissive: bool,
    /// `using (..)`
    pub using: Option<Expr>,
    /// `with check (..)`
    pub check: Option<Expr>,
    /// The statement as written, for Postgres.
    pub source: String,
    /// Whether a sub-select stands in it as it was written: Postgres looks for recursion by that, whatever the sub-select asks.
    #[serde(default)]
    pub asks: bool,
}

/// Maps keyed by pairs, as arrays of entries: JSON objects have string keys only.
mod pairs {
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer, K: Serialize, V: Serialize>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter())
    }

    pub fn deserialize<
        'de,
        D: Deserializer<'de>,
        K: DeserializeOwned + Ord,
        V: DeserializeOwned,
    >(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}
