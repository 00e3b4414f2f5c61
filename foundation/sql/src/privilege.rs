//! Who may do what: the privileges that `grant` gives and `revoke` takes, on tables as a whole and on their columns.
//!
//! Deliberately absent: owners. Everything is owned by the migrations, which may do all; a view or function with the rights of its owner
//! is asked no more.

use crate::catalog::{Catalog, Table};
use crate::error::SqlError;
use pando_kernel::Role;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Something that may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Privilege {
    /// `select`
    Select,
    /// `insert`
    Insert,
    /// `update`
    Update,
    /// `delete`
    Delete,
    /// `truncate`
    Truncate,
    /// `references`
    References,
    /// `trigger`
    Trigger,
    /// `usage`, of schemas, sequences and types.
    Usage,
    /// `create`, of schemas.
    Create,
    /// `execute`, of functions.
    Execute,
}

/// What one role may do with one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// With the whole of it.
    pub whole: BTreeSet<Privilege>,
    /// With columns of it.
    pub columns: BTreeMap<String, BTreeSet<Privilege>>,
}

/// What each role may do with one thing, by the role's name; `public` is everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges(pub BTreeMap<String, Granted>);

/// A kind of thing that default privileges are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Tables and views.
    Table,
    /// Sequences.
    Sequence,
    /// Functions.
    Routine,
}

/// The roles that requests have.
const ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

impl Kind {
    /// All that can be granted on it.
    pub fn all(self) -> &'static [Privilege] {
        use Privilege as P;
        match self {
            Kind::Table => &[
                P::Select,
                P::Insert,
                P::Update,
                P::Delete,
                P::Truncate,
                P::References,
                P::Trigger,
            ],
            Kind::Sequence => &[P::Select, P::Update, P::Usage],
            Kind::Routine => &[P::Execute],
        }
    }

    /// What Postgres calls it where a privilege does not fit.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Table => "table",
            Kind::Sequence => "sequence",
            Kind::Routine => "function",
        }
    }
}

impl Privileges {
    fn each<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Granted> {
        [role, "public"]
            .into_iter()
            .filter_map(|name| self.0.get(name))
    }

    /// Whether a role may do something with the whole.
    pub fn allows(&self, role: &str, privilege: Privilege) -> bool {
        self.each(role)
            .any(|granted| granted.whole.contains(&privilege))
    }

    /// Whether a role may do something with a column.
    pub fn allows_column(&self, role: &str, privilege: Privilege, column: &str) -> bool {
        self.each(role).any(|granted| {
            granted.whole.contains(&privilege)
                || granted
                    .columns
                    .get(column)
                    .is_some_and(|column| column.contains(&privilege))
        })
    }

    /// Whether a role may do something with at least one column.
    pub fn allows_any(&self, role: &str, privilege: Privilege) -> bool {
        self.each(role).any(|granted| {
            granted.whole.contains(&privilege)
                || granted
                    .columns
                    .values()
                    .any(|column| column.contains(&privilege))
        })
    }

    /// All of `privileges` for the roles that requests have.
    pub fn everything(privileges: &[Privilege]) -> Privileges {
        let granted = Granted {
            whole: privileges.iter().copied().collect(),
            columns: BTreeMap::new(),
        };
        Privileges(
            ROLES
                .into_iter()
                .map(|role| (role.to_owned(), granted.clone()))
                .collect(),
        )
    }

    pub(crate) fn grant(&mut self, role: &str, privilege: Privilege, columns: &[String]) {
        let granted = self.0.entry(role.to_owned()).or_default();
        if columns.is_empty() {
            granted.whole.insert(privilege);
        }
        for column in columns {
            granted
                .columns
                .entry(column.clone())
                .or_default()
                .insert(privilege);
        }
    }

    /// What is taken from the whole is taken from the columns too; what is taken from a column is not taken from the whole.
    pub(crate) fn revoke(&mut self, role: &str, privilege: Privilege, columns: &[String]) {
        let Some(granted) = self.0.get_mut(role) else {
            return;
        };
        if columns.is_empty() {
            granted.whole.remove(&privilege);
        }
        for (name, column) in &mut granted.columns {
            if columns.is_empty() || columns.contains(name) {
                column.remove(&privilege);
            }
        }
        granted.columns.retain(|_, column| !column.is_empty());
    }

    /// A column goes by another name.
    pub(crate) fn rename_column(&mut self, old: &str, new: &str) {
        for granted in self.0.values_mut() {
            if let Some(column) = granted.columns.remove(old) {
                granted.columns.insert(new.to_owned(), column);
            }
        }
    }

    /// A column is gone.
    pub(crate) fn drop_column(&mut self, name: &str) {
        for granted in self.0.values_mut() {
            granted.columns.remove(name);
        }
    }
}

impl Catalog {
    /// What is granted on a new thing of a schema: in `public` everything to every role, elsewhere nothing, unless
    /// `alter default privileges` said otherwise.
    pub(crate) fn initial_privileges(&self, schema: &str, kind: Kind) -> Privileges {
        let of = |schema: &str| self.default_privileges.get(&(schema.to_owned(), kind));
        let mut initial = match (of(schema), schema) {
            (Some(known), _) => known.clone(),
            (None, "public") => Privileges::everything(kind.all()),
            (None, _) => Privileges::default(),
        };
        // Those said of all schemas come on top.
        for (role, granted) in of("").into_iter().flat_map(|all| &all.0) {
            for privilege in &granted.whole {
                initial.grant(role, *privilege, &[]);
            }
        }
        initial
    }

    /// Whether a role may name what is in a schema.
    pub fn allows_schema(&self, schema: &str, role: Role) -> bool {
        match self.schema_privileges.get(schema) {
            Some(known) => known.allows(role.name(), Privilege::Usage),
            None => schema == "public",
        }
    }
}

impl Table {
    /// Refuses a role that may not do something with any of the columns; with the whole, where none is named.
    ///
    /// Errors: 42501.
    pub fn permit<'a>(
        &self,
        role: Role,
        privilege: Privilege,
        columns: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), SqlError> {
        if self.privileges.allows(role.name(), privilege) {
            return Ok(());
        }
        let mut named = false;
        for column in columns {
            named = true;
            if !self
                .privileges
                .allows_column(role.name(), privilege, column)
            {
                return Err(self.denied());
            }
        }
        // A row can be counted, or made of defaults, by whoever has a column.
        if named || self.privileges.allows_any(role.name(), privilege) {
            return Ok(());
        }
        Err(self.denied())
    }

    fn denied(&self) -> SqlError {
        let kind = if self.view.is_some() { "view" } else { "table" };
        SqlError::new(
            "42501",
            format!("permission denied for {kind} {}", self.name),
        )
    }
}
