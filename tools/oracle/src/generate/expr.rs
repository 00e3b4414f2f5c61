//! Expressions of a wanted type.

use super::{Generator, Source};
use crate::node::Node;
use crate::rules::{Nature, Operand, Rule};
use crate::ty::{Ty, quoted};

impl Generator<'_> {
    /// An expression of this type over what is in scope.
    pub(super) fn expr(&mut self, ty: &Ty, depth: usize) -> Node {
        if depth == 0 || self.random.chance(15) {
            return self.leaf(ty);
        }
        if *ty == Ty::Bool && self.random.chance(18) && !self.tables.is_empty() {
            return self.lazily(|it| it.sub_select_condition(depth - 1));
        }
        if self.random.chance(5) && !self.tables.is_empty() {
            let ty = ty.clone();
            return self.lazily(|it| it.scalar(&ty, depth - 1));
        }
        if !self.risk && self.random.chance(20) {
            let fitting: Vec<_> = self
                .routines
                .iter()
                .filter(|routine| routine.gives == *ty)
                .cloned()
                .collect();
            if !fitting.is_empty() {
                let routine = self.random.pick(&fitting).clone();
                let args: Vec<Node> = routine
                    .takes
                    .iter()
                    .map(|takes| self.expr(takes, depth - 1))
                    .collect();
                let holes = "$".repeat(args.len());
                return Node::expr(ty, &format!("{}({holes})", routine.name), args);
            }
        }
        let rules: Vec<Rule> = self
            .language
            .rules
            .giving(ty)
            .into_iter()
            .filter(|rule| {
                let nested =
                    matches!(ty, Ty::Array(_)) && rule.takes.contains(&Operand::ArrayOfSame);
                let raises = rule.nature == Nature::Risky;
                (self.risk || !raises) && (self.wild || !rule.refused) && !nested
            })
            .cloned()
            .collect();
        if rules.is_empty() {
            return self.leaf(ty);
        }
        // A rule of the type itself is more telling than one that holds for all.
        let own: Vec<&Rule> = rules.iter().filter(|rule| rule.gives.is_some()).collect();
        let rule = if !own.is_empty() && self.random.chance(80) {
            (*self.random.pick(&own)).clone()
        } else {
            self.random.pick(&rules).clone()
        };
        if rule.nature == Nature::Lazy {
            self.lazily(|it| it.by(&rule, ty, depth - 1))
        } else {
            self.by(&rule, ty, depth - 1)
        }
    }

    /// Makes something in which no error may be raised: whether it is seen depends on what is evaluated.
    fn lazily(&mut self, make: impl FnOnce(&mut Self) -> Node) -> Node {
        let risk = std::mem::replace(&mut self.risk, false);
        let made = make(self);
        self.risk = risk;
        made
    }

    /// An expression by a rule. With leaves alone at depth 0.
    pub fn by(&mut self, rule: &Rule, ty: &Ty, depth: usize) -> Node {
        let mut comparable = self.comparable();
        let nests =
            rule.takes.contains(&Operand::ArrayOfComparable) || rule.shape.contains("array[");
        if nests && let Ty::Array(item) = comparable {
            comparable = *item;
        }
        // Postgres does not evaluate what stands beside a constant null: where errors are to be seen, only one operand is more than
        // a column or a literal.
        let deep = self.random.below(rule.takes.len());
        let full = depth;
        let kids = rule
            .takes
            .iter()
            .enumerate()
            .map(|(at, operand)| {
                let depth = if self.risk && at != deep { 0 } else { full };
                match operand {
                    Operand::Of(ty) => self.expr(ty, depth),
                    Operand::Same => self.expr(ty, depth),
                    Operand::ArrayOfSame => self.expr(&Ty::Array(Box::new(ty.clone())), depth),
                    Operand::MemberOfSame => match ty {
                        Ty::Array(item) => self.expr(item, depth),
                        other => self.expr(other, depth),
                    },
                    // Two quoted literals would be two texts.
                    Operand::Comparable if at == 0 => self.expr(&comparable, depth),
                    Operand::Comparable => self.compared(&comparable, depth),
                    Operand::ArrayOfComparable => {
                        self.expr(&Ty::Array(Box::new(comparable.clone())), depth)
                    }
                    Operand::Anything => {
                        let any = self.some_type();
                        self.expr(&any, depth)
                    }
                    Operand::Number => {
                        let number = self
                            .random
                            .pick(&[
                                Ty::Int2,
                                Ty::Int4,
                                Ty::Int8,
                                Ty::Numeric(None),
                                Ty::Float8,
                                Ty::Float4,
                            ])
                            .clone();
                        self.expr(&number, depth)
                    }
                    Operand::OneOf(texts) => Node::text(self.random.word(texts)),
                }
            })
            .collect();
        Node::expr(ty, rule.shape, kids)
    }

    /// Any type, rather one that something in scope has.
    pub(super) fn some_type(&mut self) -> Ty {
        let scope = self.scopes.last().cloned().unwrap_or_default();
        let known: Vec<Ty> = scope
            .iter()
            .flat_map(|source| source.columns.iter().map(|(_, ty)| ty.clone()))
            .collect();
        if !known.is_empty() && self.random.chance(60) {
            return self.random.pick(&known).clone();
        }
        Ty::any(self.random).base()
    }

    /// A type with `=`, rather one that something in scope has.
    fn comparable(&mut self) -> Ty {
        let known: Vec<Ty> = self
            .scopes
            .iter()
            .flatten()
            .flat_map(|source| source.columns.iter().map(|(_, ty)| ty.clone()))
            .filter(Ty::has_equality)
            .collect();
        if !known.is_empty() && self.random.chance(80) {
            return self.random.pick(&known).clone();
        }
        loop {
            let ty = Ty::any(self.random).base();
            if ty.has_equality() {
                return ty;
            }
        }
    }

    /// As [`expr`](Self::expr), or now and then a quoted literal that takes its type from what it is compared with.
    fn compared(&mut self, ty: &Ty, depth: usize) -> Node {
        if self.random.chance(15) && !matches!(ty, Ty::Char(_)) {
            let raw = ty.raw(self.random);
            return Node::leaf(ty, quoted(&raw));
        }
        self.expr(ty, depth)
    }

    fn leaf(&mut self, ty: &Ty) -> Node {
        // A column of the query itself, seldom one of those around it.
        let mut columns = Vec::new();
        for (out, scope) in self.scopes.iter().rev().enumerate() {
            for Source {
                alias,
                columns: all,
            } in scope
            {
                for (name, of) in all.iter().filter(|(_, of)| of == ty) {
                    let _ = of;
                    columns.push((out, format!("{alias}.{name}")));
                }
            }
        }
        let near: Vec<&(usize, String)> = columns.iter().filter(|(out, _)| *out == 0).collect();
        if !near.is_empty() && self.random.chance(72) {
            return Node::leaf(ty, self.random.pick(&near).1.clone());
        }
        if !columns.is_empty() && self.random.chance(30) {
            return Node::leaf(ty, self.random.pick(&columns).1.clone());
        }
        if !self.risk && self.random.chance(8) {
            return Node::leaf(ty, format!("null::{}", ty.sql()));
        }
        Node::leaf(ty, ty.literal(self.random))
    }

    /// `exists`, `in` and the like over a table.
    fn sub_select_condition(&mut self, depth: usize) -> Node {
        let depth = depth.min(1);
        let (from, source) = self.inner_source();
        let negated = self.random.word(&["", "not "]);
        match self.random.below(3) {
            0 => {
                let filter = self.inner_filter(source, depth, 90);
                Node::expr(
                    &Ty::Bool,
                    &format!("({negated}exists (select 1 from {from}$))"),
                    vec![filter],
                )
            }
            _ => {
                let comparable: Vec<(String, Ty)> = source
                    .columns
                    .iter()
                    .filter(|(_, ty)| ty.has_equality())
                    .cloned()
                    .collect();
                let (name, ty) = self.random.pick(&comparable).clone();
                let sought = self.expr(&ty, depth);
                let alias = source.alias.clone();
                let filter = self.inner_filter(source, depth, 70);
                let shape = if self.feature("any sub-select", 15) {
                    format!("($ = any (select {alias}.{name} from {from}$))")
                } else {
                    format!("($ {negated}in (select {alias}.{name} from {from}$))")
                };
                Node::expr(&Ty::Bool, &shape, vec![sought, filter])
            }
        }
    }

    /// A sub-select as a value, of at most one row.
    fn scalar(&mut self, ty: &Ty, depth: usize) -> Node {
        let depth = depth.min(1);
        let (from, source) = self.inner_source();
        let alias = source.alias.clone();
        let key = source.columns[0].0.clone();
        let matching: Vec<String> = source
            .columns
            .iter()
            .filter(|(_, of)| of == ty)
            .map(|(name, _)| name.clone())
            .collect();
        if *ty == Ty::Int8 && self.random.chance(60) {
            let filter = self.inner_filter(source, depth, 80);
            return Node::expr(ty, &format!("(select count(*) from {from}$)"), vec![filter]);
        }
        let Some(name) = (!matching.is_empty()).then(|| self.random.pick(&matching).clone()) else {
            return self.leaf(ty);
        };
        let sortable = !matches!(
            ty,
            Ty::Bool | Ty::Uuid | Ty::Json | Ty::Jsonb | Ty::Bytea | Ty::Array(_)
        );
        if sortable && self.random.chance(50) {
            let function = self.random.word(&["max", "min"]);
            let filter = self.inner_filter(source, depth, 70);
            return Node::expr(
                ty,
                &format!("(select {function}({alias}.{name}) from {from}$)"),
                vec![filter],
            );
        }
        if self.feature("ordered sub-select", 40) {
            let filter = self.inner_filter(source, depth, 60);
            return Node::expr(
                ty,
                &format!("(select {alias}.{name} from {from}$ order by {alias}.{key} limit 1)"),
                vec![filter],
            );
        }
        let wanted = source.columns[0].1.literal(self.random);
        Node::expr(
            ty,
            &format!("(select {alias}.{name} from {from} where {alias}.{key} = {wanted})"),
            Vec::new(),
        )
    }

    fn inner_source(&mut self) -> (String, Source) {
        let table = self.table();
        let alias = self.alias();
        let source = Self::source(table, &alias);
        (format!("{} {alias}", table.name), source)
    }

    fn inner_filter(&mut self, source: Source, depth: usize, percent: usize) -> Node {
        if !self.random.chance(percent) {
            return Node::text("");
        }
        self.scopes.push(vec![source]);
        let condition = self.expr(&Ty::Bool, depth + 1);
        self.scopes.pop();
        Node::shape(" where $", vec![condition]).optional()
    }
}
