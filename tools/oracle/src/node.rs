//! A statement as a tree that can be made smaller: text with holes, each hole a tree of its own.

use crate::ty::Ty;

/// A part of a statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is, when it is an expression: any other of the type may stand in its place.
    pub ty: Option<Ty>,
    /// Whether the statement is still one without it.
    pub optional: bool,
    /// Its text and holes, in order.
    pub parts: Vec<Part>,
}

/// A piece of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// As it is written.
    Text(String),
    /// A hole with what fills it.
    Kid(Node),
    /// Several, with a text between them; at least `min` stay.
    List {
        /// What stands in it.
        items: Vec<Node>,
        /// What stands between two.
        separator: &'static str,
        /// How many must stay.
        min: usize,
    },
}

impl Node {
    /// An expression that is not taken apart.
    pub fn leaf(ty: &Ty, text: impl Into<String>) -> Node {
        Node {
            ty: Some(ty.clone()),
            optional: false,
            parts: vec![Part::Text(text.into())],
        }
    }

    /// Text that is not taken apart.
    pub fn text(text: impl Into<String>) -> Node {
        Node {
            ty: None,
            optional: false,
            parts: vec![Part::Text(text.into())],
        }
    }

    /// An expression written with `$` where the kids stand, in order.
    pub fn expr(ty: &Ty, shape: &str, kids: Vec<Node>) -> Node {
        Node {
            ty: Some(ty.clone()),
            ..Node::shape(shape, kids)
        }
    }

    /// No expression, but written with `$` where the kids stand.
    pub fn shape(shape: &str, kids: Vec<Node>) -> Node {
        let mut kids = kids.into_iter();
        let mut parts = Vec::new();
        for (index, text) in shape.split('$').enumerate() {
            if index > 0 {
                parts.extend(kids.next().map(Part::Kid));
            }
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
        }
        Node {
            ty: None,
            optional: false,
            parts,
        }
    }

    /// A list.
    pub fn list(items: Vec<Node>, separator: &'static str, min: usize) -> Node {
        Node {
            ty: None,
            optional: false,
            parts: vec![Part::List {
                items,
                separator,
                min,
            }],
        }
    }

    /// A clause that can be left out.
    pub fn optional(mut self) -> Node {
        self.optional = true;
        self
    }

    /// The text.
    pub fn sql(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Kid(kid) => kid.write(out),
                Part::List {
                    items, separator, ..
                } => {
                    for (index, item) in items.iter().enumerate() {
                        out.push_str(if index > 0 { separator } else { "" });
                        item.write(out);
                    }
                }
            }
        }
    }

    /// All trees that are one step smaller, the boldest steps first.
    pub fn smaller(&self) -> Vec<Node> {
        let mut found = Vec::new();
        self.steps(&mut |node| found.push(node));
        found.sort_by_key(|node| node.sql().len());
        found.dedup();
        let len = self.sql().len();
        found.retain(|node| node.sql().len() < len);
        found
    }

    fn steps(&self, give: &mut dyn FnMut(Node)) {
        if let Some(ty) = &self.ty {
            let mut within = Vec::new();
            self.of_type(ty, &mut within);
            within.into_iter().cloned().for_each(&mut *give);
            for simple in ty.simplest() {
                give(Node::leaf(ty, simple));
            }
        }
        for (index, part) in self.parts.iter().enumerate() {
            let with = |part: Option<Part>| {
                let mut node = self.clone();
                match part {
                    Some(part) => node.parts[index] = part,
                    None => {
                        node.parts.remove(index);
                    }
                }
                node
            };
            match part {
                Part::Text(_) => {}
                Part::Kid(kid) => {
                    if kid.optional {
                        give(with(None));
                    }
                    kid.steps(&mut |kid| give(with(Some(Part::Kid(kid)))));
                }
                Part::List {
                    items,
                    separator,
                    min,
                } => {
                    let list = |items| {
                        with(Some(Part::List {
                            items,
                            separator,
                            min: *min,
                        }))
                    };
                    for at in 0..items.len() {
                        if items.len() > *min {
                            let mut fewer = items.clone();
                            fewer.remove(at);
                            give(list(fewer));
                        }
                        items[at].steps(&mut |item| {
                            let mut changed = items.clone();
                            changed[at] = item;
                            give(list(changed));
                        });
                    }
                }
            }
        }
    }

    fn of_type<'n>(&'n self, ty: &Ty, found: &mut Vec<&'n Node>) {
        for part in &self.parts {
            let kids = match part {
                Part::Text(_) => &[][..],
                Part::Kid(kid) => std::slice::from_ref(kid),
                Part::List { items, .. } => &items[..],
            };
            for kid in kids {
                if kid.ty.as_ref() == Some(ty) {
                    found.push(kid);
                }
                kid.of_type(ty, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smaller_tree_is_still_a_statement() {
        let one = || Node::leaf(&Ty::Int4, "1000");
        let sum = Node::expr(&Ty::Int4, "($ + $)", vec![one(), one()]);
        let node = Node::shape(
            "select $ from t$",
            vec![
                Node::list(vec![sum, one()], ", ", 1),
                Node::text(" limit 1").optional(),
            ],
        );
        assert_eq!(node.sql(), "select (1000 + 1000), 1000 from t limit 1");
        let smaller: Vec<String> = node.smaller().iter().map(Node::sql).collect();
        for expected in [
            "select 1000 from t limit 1",
            "select (1000 + 1000), 1000 from t",
            "select 1000, 1000 from t limit 1",
            "select (1000 + 1), 1000 from t limit 1",
        ] {
            assert!(
                smaller.iter().any(|sql| sql == expected),
                "{expected} in {smaller:?}"
            );
        }
    }
}
