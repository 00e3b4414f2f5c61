//! Names Postgres makes by itself: of constraints, indexes and sequences. They are unique in their schema.

use super::Migration;
use crate::catalog::Table;
use crate::lower::NAME_BYTES_MAX;

/// `a_b_label`, cut so that it fits: the longer of the two parts gives way.
pub(super) fn object_name(first: &str, second: Option<&str>, label: &str) -> String {
    let second = second.unwrap_or_default();
    let joints = 1 + usize::from(!second.is_empty());
    let room = NAME_BYTES_MAX.saturating_sub(label.len() + joints);
    let (mut left, mut right) = (first.len(), second.len());
    while left + right > room {
        if left > right {
            left -= 1;
        } else {
            right -= 1;
        }
    }
    let left = &first[..first.floor_char_boundary(left)];
    let right = &second[..second.floor_char_boundary(right)];
    if right.is_empty() {
        format!("{left}_{label}")
    } else {
        format!("{left}_{right}_{label}")
    }
}

/// Whether a constraint of the table has the name.
pub(super) fn constrained(table: &Table, name: &str) -> bool {
    table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .map(|key| &key.name)
        .chain(table.checks.iter().map(|check| &check.name))
        .chain(table.foreign_keys.iter().map(|key| &key.name))
        .any(|known| known == name)
}

/// Whether an index of the table, or of one of its keys, has the name.
fn indexed(table: &Table, name: &str) -> bool {
    table
        .primary_key
        .iter()
        .chain(&table.uniques)
        .map(|key| &key.name)
        .chain(table.indexes.iter().map(|index| &index.name))
        .any(|known| known == name)
}

impl Migration {
    /// Whether a table, sequence or index of the schema has the name. `draft` is a table that is not in the catalog as it will be.
    pub(super) fn relation_exists(&self, schema: &str, name: &str, draft: Option<&Table>) -> bool {
        let key = (schema.to_owned(), name.to_owned());
        self.catalog.tables.contains_key(&key)
            || self.catalog.sequences.contains_key(&key)
            || draft.is_some_and(|draft| draft.name == name || indexed(draft, name))
            || self
                .tables_of(schema, draft)
                .any(|table| indexed(table, name))
    }

    /// The tables of a schema but for the one being changed.
    fn tables_of<'a>(
        &'a self,
        schema: &'a str,
        draft: Option<&'a Table>,
    ) -> impl Iterator<Item = &'a Table> {
        self.catalog
            .tables
            .values()
            .map(|table| &**table)
            .filter(move |table| {
                table.schema == schema
                    && draft.is_none_or(|draft| {
                        draft.name != table.name || draft.schema != table.schema
                    })
            })
    }

    fn constraint_exists(&self, name: &str, draft: &Table) -> bool {
        constrained(draft, name)
            || self
                .tables_of(&draft.schema, Some(draft))
                .any(|table| constrained(table, name))
    }

    /// The name of a check or a foreign key.
    pub(super) fn constraint_name(&self, table: &Table, columns: &[String], label: &str) -> String {
        let columns = columns.join("_");
        self.numbered(&table.name, &columns, label, |name| {
            self.constraint_exists(name, table)
        })
    }

    /// The name of a key, which is that of its index too.
    pub(super) fn key_name(&self, table: &Table, columns: &[String], label: &str) -> String {
        let columns = columns.join("_");
        self.numbered(&table.name, &columns, label, |name| {
            self.constraint_exists(name, table)
                || self.relation_exists(&table.schema, name, Some(table))
        })
    }

    /// The name of an index or sequence.
    pub(super) fn relation_name(&self, table: &Table, column: &str, label: &str) -> String {
        self.numbered(&table.name, column, label, |name| {
            self.relation_exists(&table.schema, name, Some(table))
        })
    }

    fn numbered(
        &self,
        first: &str,
        second: &str,
        label: &str,
        taken: impl Fn(&str) -> bool,
    ) -> String {
        let second = (!second.is_empty()).then_some(second);
        let mut name = object_name(first, second, label);
        let mut number = 0;
        while taken(&name) {
            number += 1;
            name = object_name(first, second, &format!("{label}{number}"));
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::object_name;

    #[test]
    fn long_names_are_cut_as_postgres_cuts_them() {
        let long = "Very Long Name For A Table That Has More Than Sixty Three Bytes";
        for (first, second, label, name) in [
            ("todos", Some("id"), "seq", "todos_id_seq"),
            ("todos", None, "pkey", "todos_pkey"),
            (
                long,
                Some("id"),
                "seq",
                "Very Long Name For A Table That Has More Than Sixty Thre_id_seq",
            ),
            (
                long,
                Some("another long column name for a table that has more than that"),
                "check",
                "Very Long Name For A Table T_another long column name for_check",
            ),
        ] {
            assert_eq!(object_name(first, second, label), name);
        }
    }
}
