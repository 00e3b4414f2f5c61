//! Short words for requests.

use pando_plan::request::{
    Embed, Filter, Input, Is, Item, JsonKey, JsonStep, Node, Op, Order, Path, Read, Slot, Test,
};

pub fn read(table: &str, node: Node) -> Read {
    Read {
        schema: "public".to_owned(),
        table: table.to_owned(),
        node,
        count: false,
        bodyless: false,
        values: false,
        call: None,
    }
}

/// `a,b->c->>d,e::text`, without aliases.
pub fn items(list: &[&str]) -> Node {
    Node {
        items: list.iter().map(|text| item(text)).collect(),
        ..Node::default()
    }
}

pub fn item(text: &str) -> Item {
    if text == "*" {
        return Item::Star;
    }
    let (text, cast) = match text.split_once("::") {
        Some((text, cast)) => (text, Some(cast.to_owned())),
        None => (text, None),
    };
    let (alias, text) = match text.split_once(':') {
        Some((alias, text)) => (Some(alias.to_owned()), text),
        None => (None, text),
    };
    Item::Column {
        alias,
        path: path(text),
        cast,
    }
}

pub fn path(text: &str) -> Path {
    let mut parts = text.split("->");
    let column = parts.next().unwrap().to_owned();
    let steps = parts
        .map(|part| {
            let (text, name) = match part.strip_prefix('>') {
                Some(name) => (true, name),
                None => (false, part),
            };
            let key = name
                .parse()
                .map_or_else(|_| JsonKey::Name(name.to_owned()), JsonKey::Index);
            JsonStep { key, text }
        })
        .collect();
    Path { column, steps }
}

pub fn embed(relation: &str, node: Node) -> Embed {
    Embed {
        alias: None,
        relation: relation.to_owned(),
        hint: None,
        inner: false,
        spread: false,
        node,
    }
}

pub fn compare(text: &str, test: Test) -> Filter {
    Filter::Compare {
        path: path(text),
        negated: false,
        test,
    }
}

pub fn not(filter: Filter) -> Filter {
    match filter {
        Filter::Compare {
            path,
            negated,
            test,
        } => Filter::Compare {
            path,
            negated: !negated,
            test,
        },
        Filter::Group {
            negated,
            any,
            filters,
        } => Filter::Group {
            negated: !negated,
            any,
            filters,
        },
        Filter::Embedded { name, present } => Filter::Embedded {
            name,
            present: !present,
        },
    }
}

pub fn op(column: &str, op: Op, slot: u32) -> Filter {
    compare(column, Test::Op(op, Slot(slot)))
}

pub fn is(column: &str, is: Is) -> Filter {
    compare(column, Test::Is(is))
}

pub fn order(column: &str) -> Order {
    Order {
        relation: None,
        path: path(column),
        descending: false,
        nulls_first: None,
    }
}

pub fn text(text: &str) -> Input {
    Input::Text(text.to_owned())
}

pub fn list(members: &[&str]) -> Input {
    Input::List(members.iter().map(|member| (*member).to_owned()).collect())
}

pub trait NodeExt {
    fn with(self, embed: Embed) -> Node;
    fn filter(self, filter: Filter) -> Node;
    fn order(self, order: Order) -> Node;
}

impl NodeExt for Node {
    fn with(mut self, embed: Embed) -> Node {
        self.items.push(Item::Embed(Box::new(embed)));
        self
    }

    fn filter(mut self, filter: Filter) -> Node {
        self.filters.push(filter);
        self
    }

    fn order(mut self, order: Order) -> Node {
        self.order.push(order);
        self
    }
}
