//! Policies: the usual ones, and any condition.

use super::Generator;
use crate::node::Node;
use crate::schema::Table;
use crate::ty::Ty;

impl Generator<'_> {
    /// Makes something over one table, whose columns go by its name.
    pub(super) fn over(&mut self, table: &Table, make: impl FnOnce(&mut Self) -> Node) -> Node {
        self.scopes.push(vec![Self::source(table, &table.name)]);
        let made = make(self);
        self.scopes.pop();
        made
    }

    /// The policies of a table. Now and then row-level security is off.
    pub fn policies(&mut self, table: &Table) -> Vec<Node> {
        let mut made = Vec::new();
        if self.random.chance(6) {
            made.push(Node::text(format!(
                "alter table {} disable row level security",
                table.name
            )));
        }
        if self.random.chance(6) && self.language.revokes {
            let what = self
                .random
                .word(&["insert", "update", "delete", "select", "all"]);
            let from = self
                .random
                .word(&["anon", "authenticated", "anon, authenticated"]);
            made.push(Node::text(format!(
                "revoke {what} on {} from {from}",
                table.name
            )));
        }
        if self.random.chance(5) && self.language.revokes {
            let from = self.random.word(&["anon", "authenticated"]);
            let what = self.random.word(&["select", "update", "insert"]);
            let columns: Vec<&str> = table
                .columns
                .iter()
                .filter(|column| column.name == "id" || self.random.chance(70))
                .map(|column| column.name.as_str())
                .collect();
            made.push(Node::text(format!(
                "revoke {what} on {} from {from}",
                table.name
            )));
            made.push(Node::text(format!(
                "grant {what} ({}) on {} to {from}",
                columns.join(", "),
                table.name
            )));
        }
        for number in 0..self.random.below(5) {
            made.push(self.policy(table, number));
        }
        made
    }

    fn policy(&mut self, table: &Table, number: usize) -> Node {
        let kind = self.random.word(&[
            "",
            "",
            "",
            " as permissive",
            " as restrictive",
            " as restrictive",
        ]);
        let command = self.random.word(&[
            "",
            " for all",
            " for select",
            " for select",
            " for insert",
            " for update",
            " for delete",
        ]);
        let roles = self.random.word(&[
            "",
            "",
            " to anon",
            " to authenticated",
            " to authenticated",
            " to anon, authenticated",
            " to public",
            " to service_role",
        ]);
        let mut clauses = Vec::new();
        if command != " for insert" {
            let using = self.over(table, |it| it.rule(table));
            clauses.push(Node::shape(" using ($)", vec![using]));
        }
        let checks = !matches!(command, " for select" | " for delete");
        if checks && (command == " for insert" || self.random.chance(50)) {
            let check = self.over(table, |it| it.rule(table));
            clauses.push(Node::shape(" with check ($)", vec![check]).optional());
        }
        let holes = "$".repeat(clauses.len());
        Node::shape(
            &format!(
                "create policy p{number} on {}{kind}{command}{roles}{holes}",
                table.name
            ),
            clauses,
        )
    }

    fn rule(&mut self, table: &Table) -> Node {
        let own = table.column("owner").is_some();
        let name = table.name.clone();
        let usual = match self.random.below(12) {
            0 | 1 => Node::leaf(&Ty::Bool, "true"),
            2 | 3 if own => Node::leaf(&Ty::Bool, "owner = auth.uid()"),
            4 if own => Node::leaf(&Ty::Bool, format!("(select auth.uid()) = {name}.owner")),
            5 => Node::leaf(&Ty::Bool, "auth.uid() is not null"),
            6 => Node::leaf(&Ty::Bool, "auth.role() = 'authenticated'"),
            _ => return self.expr(&Ty::Bool, 3),
        };
        match self.random.below(5) {
            0 => {
                let other = self.expr(&Ty::Bool, 2);
                Node::expr(&Ty::Bool, "$ and $", vec![usual, other])
            }
            1 => {
                let (one, other) = (self.expr(&Ty::Bool, 1), self.expr(&Ty::Bool, 1));
                Node::expr(&Ty::Bool, "$ or $ and $", vec![usual, one, other])
            }
            _ => usual,
        }
    }
}
