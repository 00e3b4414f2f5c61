//! Queries.

use super::{Generator, Source};
use crate::node::Node;
use crate::ty::Ty;

impl Generator<'_> {
    /// One expression that may raise an error, where both engines must evaluate it: selected from all rows of a table.
    pub(super) fn risky(&mut self) -> (Node, bool) {
        let table = self.table();
        let alias = self.alias();
        self.scopes.push(vec![Self::source(table, &alias)]);
        self.risk = true;
        let ty = if self.random.chance(70) {
            self.random
                .pick(&[
                    Ty::Int4,
                    Ty::Int8,
                    Ty::Numeric(None),
                    Ty::Float8,
                    Ty::Text,
                    Ty::Bool,
                    Ty::Timestamptz,
                    Ty::Date,
                    Ty::Jsonb,
                ])
                .clone()
        } else {
            self.some_type()
        };
        let expr = self.expr(&ty, 3);
        self.risk = false;
        let node = Node::shape(
            &format!(
                "select {alias}.id, $ as v from {} {alias} order by {alias}.id",
                table.name
            ),
            vec![expr],
        );
        (node, true)
    }

    pub(super) fn select(&mut self) -> (Node, bool) {
        let made = match self.random.below(20) {
            0..=3 => self.grouped(),
            4 => self.combined(),
            5 => self.query_of_query(),
            6 => self.starred(),
            7 => self.oddity(),
            _ => self.plain(),
        };
        self.scopes.clear();
        made
    }

    /// Columns of tables, joined and filtered.
    fn plain(&mut self) -> (Node, bool) {
        let from = self.from();
        let items: Vec<Node> = (0..self.random.between(1, 3))
            .map(|number| {
                let ty = self.some_type();
                let depth = self.random.below(4);
                let item = self.expr(&ty, depth);
                Node::shape(&format!("$ as c{number}"), vec![item])
            })
            .collect();
        let filter = self.filter(70);
        let json = items.iter().any(|item| {
            item.parts
                .iter()
                .any(|part| matches!(part, crate::node::Part::Kid(kid) if kid.ty == Some(Ty::Json)))
        });
        let distinct = !json && self.feature("distinct", 8);
        let (order, ordered) = if distinct {
            (Node::text(""), false)
        } else {
            self.order()
        };
        let limit = if ordered {
            self.limit()
        } else {
            Node::text("")
        };
        let node = Node::shape(
            if distinct {
                "select distinct $ from $$$$"
            } else {
                "select $ from $$$$"
            },
            vec![Node::list(items, ", ", 1), from, filter, order, limit],
        );
        (node, ordered)
    }

    /// Groups with aggregates.
    fn grouped(&mut self) -> (Node, bool) {
        let from = self.from();
        let keys: Vec<(String, Ty)> = self
            .scopes
            .last()
            .into_iter()
            .flatten()
            .flat_map(|source| {
                source
                    .columns
                    .iter()
                    .map(|(name, ty)| (format!("{}.{name}", source.alias), ty.clone()))
            })
            .filter(|(_, ty)| ty.has_equality())
            .collect();
        let filter = self.filter(50);
        let by = (self.feature("group by", 65)).then(|| self.random.pick(&keys).clone());
        let mut items: Vec<Node> = by
            .iter()
            .map(|(name, ty)| Node::shape("$ as k", vec![Node::leaf(ty, name.clone())]))
            .collect();
        for number in 0..self.random.between(1, 2) {
            let aggregate = self.aggregate();
            items.push(Node::shape(&format!("$ as c{number}"), vec![aggregate]));
        }
        let (mut group, mut order) = (Node::text(""), Node::text(""));
        let mut having = Node::text("");
        if let Some((name, _)) = &by {
            group = Node::text(format!(" group by {name}"));
            if self.feature("having", 25) {
                let aggregate = self
                    .random
                    .word(&["count(*) > 1", "count(*) = 1", "count(*) < 3"]);
                having = Node::text(format!(" having {aggregate}")).optional();
            }
            if self.random.chance(50) {
                order = Node::text(format!(" order by {name}")).optional();
            }
        }
        let ordered = by.is_none() || order.optional;
        let node = Node::shape(
            "select $ from $$$$$",
            vec![
                Node::list(items, ", ", 1),
                from,
                filter,
                group,
                having,
                order,
            ],
        );
        (node, ordered)
    }

    fn aggregate(&mut self) -> Node {
        // In an order that leaves nothing open.
        let ids: Vec<String> = self
            .scopes
            .last()
            .into_iter()
            .flatten()
            .map(|source| format!("{}.id", source.alias))
            .collect();
        let id = ids.join(", ");
        let of = |it: &mut Self, ty: Ty, shape: &str| {
            let arg = it.expr(&ty, 1);
            Node::shape(shape, vec![arg])
        };
        match self.random.below(14) {
            0 | 1 => Node::text("count(*)"),
            2 => {
                let ty = self.some_type();
                of(self, ty, "count($)")
            }
            3 | 4 => {
                let ty = self
                    .random
                    .pick(&[
                        Ty::Int4,
                        Ty::Numeric(None),
                        Ty::Text,
                        Ty::Date,
                        Ty::Timestamptz,
                        Ty::Float8,
                        Ty::Mood,
                        Ty::Time,
                    ])
                    .clone();
                let shape = if self.random.chance(50) {
                    "max($)"
                } else {
                    "min($)"
                };
                of(self, ty, shape)
            }
            5 | 6 if self.feature("sum", 100) => {
                let ty = self
                    .random
                    .pick(&[Ty::Int4, Ty::Int8, Ty::Numeric(None), Ty::Int2])
                    .clone();
                of(self, ty, "sum($)")
            }
            7 if self.feature("avg", 100) => {
                let ty = self
                    .random
                    .pick(&[Ty::Int4, Ty::Numeric(None), Ty::Int8])
                    .clone();
                of(self, ty, "avg($)")
            }
            8 if self.feature("bool_and", 100) => {
                let shape = self.random.word(&["bool_and($)", "bool_or($)", "every($)"]);
                of(self, Ty::Bool, shape)
            }
            9 if self.feature("array_agg", 100) => {
                let ty = self
                    .random
                    .pick(&[Ty::Int4, Ty::Text, Ty::Uuid, Ty::Numeric(None)])
                    .clone();
                of(self, ty, &format!("array_agg($ order by {id})"))
            }
            10 if self.feature("string_agg", 100) => {
                of(self, Ty::Text, &format!("string_agg($, ',' order by {id})"))
            }
            11 if self.feature("jsonb_agg", 100) => {
                let ty = self.some_type();
                of(self, ty, &format!("jsonb_agg($ order by {id})"))
            }
            12 if self.feature("count distinct", 100) => {
                let ty = self
                    .random
                    .pick(&[Ty::Int4, Ty::Text, Ty::Numeric(None), Ty::Bool])
                    .clone();
                of(self, ty, "count(distinct $)")
            }
            13 if self.feature("filter", 100) => of(self, Ty::Bool, "count(*) filter (where $)"),
            _ => Node::text("count(*)"),
        }
    }

    /// Two queries of the same columns put together.
    fn combined(&mut self) -> (Node, bool) {
        let operators = ["union", "union all", "intersect", "except"];
        let operator = operators[self.random.below(4)];
        if !self.feature(operator, 100) {
            return self.plain();
        }
        self.from();
        let types: Vec<Ty> = (0..self.random.between(1, 2))
            .map(|_| {
                loop {
                    let ty = self.some_type();
                    if ty.has_equality() {
                        break ty;
                    }
                }
            })
            .collect();
        self.scopes.clear();
        let mut sides = Vec::new();
        for _ in 0..2 {
            let from = self.from();
            let items = types
                .iter()
                .enumerate()
                .map(|(number, ty)| {
                    let item = self.expr(ty, 1);
                    Node::shape(&format!("$ as c{number}"), vec![item])
                })
                .collect();
            let filter = self.filter(50);
            sides.push(Node::shape(
                "select $ from $$",
                vec![Node::list(items, ", ", 1), from, filter],
            ));
            self.scopes.clear();
        }
        (Node::shape(&format!("$ {operator} $"), sides), false)
    }

    /// A query from a query, or from one with a name.
    fn query_of_query(&mut self) -> (Node, bool) {
        let named = self.random.chance(50);
        if !self.feature(if named { "with" } else { "from subquery" }, 100) {
            return self.plain();
        }
        let from = self.from();
        let ty = self.some_type();
        let item = self.expr(&ty, 2);
        let filter = self.filter(50);
        self.scopes.clear();
        let inner = Node::shape("select $ as v from $$", vec![item, from, filter]);
        let alias = self.alias();
        self.scopes.push(vec![Source {
            alias: alias.clone(),
            columns: vec![("v".to_owned(), ty.clone())],
        }]);
        let of = self.some_type();
        let outer = self.expr(&of, 2);
        let filter = self.filter(40);
        let node = if named {
            Node::shape(
                &format!("with {alias} as ($) select $ as c0, {alias}.v as c1 from {alias}$"),
                vec![inner, outer, filter],
            )
        } else {
            Node::shape(
                &format!("select $ as c0, {alias}.v as c1 from ($) {alias}$"),
                vec![outer, inner, filter],
            )
        };
        (node, false)
    }

    /// All columns of a table.
    fn starred(&mut self) -> (Node, bool) {
        if !self.feature("star", 100) {
            return self.plain();
        }
        let table = self.table();
        let source = Self::source(table, &table.name);
        self.scopes.push(vec![source]);
        let filter = self.filter(60);
        let node = Node::shape(
            &format!("select * from {}$ order by id", table.name),
            vec![filter],
        );
        (node, true)
    }

    /// One of the rarer clauses, as it stands in its probe but over a table of ours.
    fn oddity(&mut self) -> (Node, bool) {
        let table = self.table();
        let name = table.name.clone();
        let column = self.random.pick(&table.columns).name.clone();
        let choices = [
            (
                "distinct on",
                format!(
                    "select distinct on (a.{column}) a.{column} as k, a.id from {name} a order by a.{column}, a.id"
                ),
                true,
            ),
            (
                "window",
                format!(
                    "select a.id, row_number() over (partition by a.{column} order by a.id) as n from {name} a order by a.id"
                ),
                true,
            ),
            (
                "lateral",
                format!(
                    "select a.id, l.n from {name} a, lateral (select count(*) as n from {name} b where b.id <= a.id) l order by a.id"
                ),
                true,
            ),
            (
                "array sub-select",
                format!("select array(select b.{column} from {name} b order by b.id) as x"),
                true,
            ),
            (
                "values",
                "values (1, 'a', null), (2, 'b', 1.5)".to_owned(),
                false,
            ),
            (
                "no from",
                format!(
                    "select (select count(*) from {name}) as n, auth.uid() as u, auth.role() as r"
                ),
                true,
            ),
        ];
        let (feature, sql, ordered) = self.random.pick(&choices).clone();
        if self.feature(feature, 100) {
            (Node::text(sql), ordered)
        } else {
            self.plain()
        }
    }

    /// One table, or two joined. Opens their scope.
    fn from(&mut self) -> Node {
        let first = self.table();
        let alias = self.alias();
        let node = Node::text(format!("{} {alias}", first.name));
        self.scopes.push(vec![Self::source(first, &alias)]);
        if !self.random.chance(35) {
            return node;
        }
        let kind = [
            "join",
            "left join",
            "right join",
            "full join",
            "cross join",
            "comma join",
        ][self.random.below(6)];
        if !self.feature(kind, 100) {
            return node;
        }
        let second = self.table();
        let other = self.alias();
        let source = Self::source(second, &other);
        let name = &second.name;
        let mut both = self.scopes.pop().unwrap_or_default();
        both.push(source);
        self.scopes.push(both);
        match kind {
            "cross join" => Node::shape(&format!("$ cross join {name} {other}"), vec![node]),
            "comma join" => Node::shape(&format!("$, {name} {other}"), vec![node]),
            "full join" => Node::shape(
                &format!("$ full join {name} {other} on {alias}.id::text = {other}.id::text"),
                vec![node],
            ),
            _ => {
                let on = self.join_condition(&alias, &other);
                Node::shape(&format!("$ {kind} {name} {other} on $"), vec![node, on])
            }
        }
    }

    fn join_condition(&mut self, left: &str, right: &str) -> Node {
        let scope = self.scopes.last().cloned().unwrap_or_default();
        let mut pairs = Vec::new();
        for (one, a) in &scope[0].columns {
            for (two, b) in &scope[1].columns {
                if a == b && a.has_equality() {
                    pairs.push(format!("{left}.{one} = {right}.{two}"));
                }
            }
        }
        if pairs.is_empty() || self.random.chance(20) {
            return self.expr(&Ty::Bool, 1);
        }
        Node::leaf(&Ty::Bool, self.random.pick(&pairs).clone())
    }

    fn filter(&mut self, percent: usize) -> Node {
        if !self.random.chance(percent) {
            return Node::text("");
        }
        let depth = self.random.between(1, 3);
        let condition = self.expr(&Ty::Bool, depth);
        Node::shape(" where $", vec![condition]).optional()
    }

    /// An order that leaves nothing open: it ends with the keys of all tables.
    fn order(&mut self) -> (Node, bool) {
        if !self.feature("order by", 60) {
            return (Node::text(""), false);
        }
        let scope = self.scopes.last().cloned().unwrap_or_default();
        let mut items = Vec::new();
        for _ in 0..self.random.below(3) {
            let ty = loop {
                let ty = self.some_type();
                if ty.has_equality() {
                    break ty;
                }
            };
            // A bare number would be a column's place.
            let item = self.expr(&ty, 1);
            let direction = if self.feature("nulls first", 60) {
                self.random
                    .word(&["", " desc", " desc nulls last", " nulls first", " asc"])
            } else {
                self.random.word(&["", " desc"])
            };
            if item.sql().contains('.') && !item.sql().starts_with(|c: char| c.is_ascii_digit()) {
                items.push(Node::shape(&format!("${direction}"), vec![item]));
            }
        }
        for source in &scope {
            items.push(Node::text(format!("{}.id", source.alias)));
        }
        let least = items.len().min(scope.len());
        let _ = least;
        let node = Node::shape(" order by $", vec![Node::list(items, ", ", 1)]);
        (node, true)
    }

    fn limit(&mut self) -> Node {
        if !self.feature("limit", 30) {
            return Node::text("");
        }
        let limit = self.random.word(&["0", "1", "2", "3"]);
        if self.feature("offset", 40) {
            return Node::text(format!(" limit {limit} offset 1")).optional();
        }
        Node::text(format!(" limit {limit}")).optional()
    }
}
