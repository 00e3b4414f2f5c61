//! Statements that change rows.

use super::Generator;
use super::schema::{key, value};
use crate::node::Node;
use crate::schema::Table;
use crate::ty::Ty;

impl Generator<'_> {
    pub(super) fn insert(&mut self) -> Node {
        let table = self.written();
        let mut names = vec!["id".to_owned()];
        for column in table.columns.iter().skip(1) {
            if !column.generated && (column.not_null || self.random.chance(60)) {
                names.push(column.name.clone());
            }
        }
        let many = if self.feature("insert many", 25) {
            2
        } else {
            1
        };
        let rows = (0..many).map(|_| self.row(table, &names)).collect();
        let conflict = self.conflict(table, &names);
        let returning = self.returning(table, "insert returning");
        self.scopes.clear();
        Node::shape(
            &format!(
                "insert into {} ({}) values $$$",
                table.name,
                names.join(", ")
            ),
            vec![Node::list(rows, ", ", 1), conflict, returning],
        )
    }

    fn row(&mut self, table: &Table, names: &[String]) -> Node {
        let mut values = Vec::new();
        for name in names {
            let Some(column) = table.column(name) else {
                continue;
            };
            let written = if name == "id" {
                key(&column.ty, self.random.below(9))
            } else if column.refers.is_some() && self.random.chance(85) {
                key(&column.ty, self.random.below(5))
            } else if name == "owner" && self.random.chance(50) {
                "auth.uid()".to_owned()
            } else if self.feature("insert default", 6) {
                "default".to_owned()
            } else if self.random.chance(20) && column.refers.is_none() {
                // An expression, which is assigned as its type is.
                let ty = column.ty.base();
                self.expr(&ty, 1).sql()
            } else if self.random.chance(10) && column.ty.is_number() && column.refers.is_none() {
                let other = self
                    .random
                    .pick(&[Ty::Int4, Ty::Numeric(None), Ty::Float8, Ty::Int8])
                    .clone();
                other.literal(self.random)
            } else {
                value(self.random, column)
            };
            values.push(written);
        }
        Node::text(format!("({})", values.join(", ")))
    }

    fn conflict(&mut self, table: &Table, names: &[String]) -> Node {
        if !self.random.chance(40) {
            return Node::text("");
        }
        if self.feature("upsert any", 15) {
            return Node::text(" on conflict do nothing").optional();
        }
        let target = self.random.pick(&table.keys).join(", ");
        if self.feature("upsert nothing", 30) {
            return Node::text(format!(" on conflict ({target}) do nothing")).optional();
        }
        if !self.feature("upsert", 100) {
            return Node::text("");
        }
        let mut sets = Vec::new();
        for name in names.iter().skip(1).take(3) {
            sets.push(Node::text(format!("{name} = excluded.{name}")));
        }
        if sets.is_empty() {
            return Node::text("");
        }
        let filter = if self.feature("upsert where", 20) {
            self.over(table, |it| {
                let condition = it.expr(&Ty::Bool, 1);
                Node::shape(" where $", vec![condition]).optional()
            })
        } else {
            Node::text("")
        };
        Node::shape(
            &format!(" on conflict ({target}) do update set $$"),
            vec![Node::list(sets, ", ", 1), filter],
        )
        .optional()
    }

    pub(super) fn update(&mut self) -> Node {
        let table = self.written();
        self.scopes.push(vec![Self::source(table, &table.name)]);
        let mut sets = Vec::new();
        for column in table.columns.iter().skip(1) {
            if column.generated || !self.random.chance(30) {
                continue;
            }
            let new = if self.random.chance(50) {
                Node::text(value(self.random, column))
            } else if column.refers.is_some() {
                Node::text(key(&column.ty, self.random.below(4)))
            } else {
                let ty = column.ty.base();
                self.expr(&ty, 2)
            };
            sets.push(Node::shape(&format!("{} = $", column.name), vec![new]));
        }
        if sets.is_empty() {
            let id = &table.columns[0];
            let (one, two) = (self.random.below(5), self.random.below(9));
            sets.push(Node::text(format!("id = {}", key(&id.ty, two))));
            let filter = Node::text(format!(" where {}.id = {}", table.name, key(&id.ty, one)));
            let returning = self.returning(table, "update returning");
            self.scopes.clear();
            return Node::shape(
                &format!("update {} set $$$", table.name),
                vec![Node::list(sets, ", ", 1), filter, returning],
            );
        }
        let filter = self.write_filter(table);
        let returning = self.returning(table, "update returning");
        self.scopes.clear();
        Node::shape(
            &format!("update {} set $$$", table.name),
            vec![Node::list(sets, ", ", 1), filter, returning],
        )
    }

    pub(super) fn delete(&mut self) -> Node {
        let table = self.written();
        self.scopes.push(vec![Self::source(table, &table.name)]);
        let filter = self.write_filter(table);
        let returning = self.returning(table, "delete returning");
        self.scopes.clear();
        Node::shape(
            &format!("delete from {}$$", table.name),
            vec![filter, returning],
        )
    }

    /// Rather few rows, so that there is something left.
    fn write_filter(&mut self, table: &Table) -> Node {
        let filter = match self.random.below(10) {
            0 => return Node::text(""),
            1..=5 => Node::leaf(
                &Ty::Bool,
                format!(
                    "{}.id = {}",
                    table.name,
                    key(&table.columns[0].ty, self.random.below(6))
                ),
            ),
            _ => self.expr(&Ty::Bool, 2),
        };
        Node::shape(" where $", vec![filter]).optional()
    }

    fn returning(&mut self, table: &Table, feature: &str) -> Node {
        if !self.feature(feature, 45) {
            return Node::text("");
        }
        if self.random.chance(40) {
            return Node::text(" returning *").optional();
        }
        let scope = std::mem::take(&mut self.scopes);
        let item = self.over(table, |it| {
            let ty = it.some_type();
            it.expr(&ty, 1)
        });
        self.scopes = scope;
        Node::shape(
            &format!(" returning {}.id, $ as c0", table.name),
            vec![item],
        )
        .optional()
    }
}
