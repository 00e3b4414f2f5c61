//! Functions in SQL: of values, of whether a row is there, of rows; with the rights of their caller or of their owner.

use super::{Generator, Language, Source};
use crate::node::Node;
use crate::random::Random;
use crate::schema::{Routine, Schema};
use crate::ty::Ty;

/// Functions over the tables, and the rights to call them.
pub(super) fn routines(random: &mut Random, language: &Language, schema: &mut Schema) {
    if random.chance(45) {
        value(random, language, schema);
    }
    if random.chance(45) {
        found(random, language, schema);
    }
    if random.chance(30) {
        rows(random, language, schema);
    }
}

fn heading(random: &mut Random) -> String {
    let volatility = random.word(&["", " stable", " stable", " immutable"]);
    let strict = random.word(&["", "", " strict"]);
    format!("language sql{volatility}{strict}")
}

/// Who may call it: everybody, unless it is taken away.
fn rights(random: &mut Random, schema: &mut Schema, signature: &str) {
    if random.chance(12) {
        let from = random.word(&["anon", "authenticated"]);
        schema.ddl.push(Node::text(format!(
            "revoke execute on function {signature} from public, {from}"
        )));
    }
}

/// `f1(p)`: a value of a value.
fn value(random: &mut Random, language: &Language, schema: &mut Schema) {
    let (takes, gives) = (Ty::any(random).base(), Ty::any(random).base());
    let mut generator = Generator::new(random, language, &[]);
    generator.scopes.push(vec![Source {
        alias: "f1".to_owned(),
        columns: vec![("p".to_owned(), takes.clone())],
    }]);
    let body = generator.expr(&gives, 2);
    let heading = heading(random).replace(" immutable", "");
    let (from, to) = (takes.sql(), gives.sql());
    schema.ddl.push(Node::shape(
        &format!("create function f1(p {from}) returns {to} {heading} return $"),
        vec![body],
    ));
    rights(random, schema, &format!("f1({from})"));
    schema.routines.push(Routine {
        name: "f1".to_owned(),
        takes: Some(takes),
        gives,
    });
}

/// `f2(k)`: whether a row with this key is there, as its caller or its owner sees it.
fn found(random: &mut Random, language: &Language, schema: &mut Schema) {
    let of = random.pick(&schema.tables).clone();
    let key = of.columns[0].ty.clone();
    let tables = schema.tables.clone();
    let mut generator = Generator::new(random, language, &tables);
    let filter = generator.over(&of, |it| it.expr(&Ty::Bool, 1));
    let heading = heading(random).replace(" immutable", " stable");
    let definer = random.word(&["", " security definer", " security invoker"]);
    let (from, name) = (key.sql(), &of.name);
    schema.ddl.push(Node::shape(
        &format!("create function f2(k {from}) returns boolean {heading}{definer} return exists (select 1 from {name} where {name}.id = f2.k and $)"),
        vec![filter],
    ));
    rights(random, schema, &format!("f2({from})"));
    schema.routines.push(Routine {
        name: "f2".to_owned(),
        takes: Some(key),
        gives: Ty::Bool,
    });
}

/// `f3()`: rows of a table, as its caller or its owner sees them, selected from as a view is.
fn rows(random: &mut Random, language: &Language, schema: &mut Schema) {
    let of = random.pick(&schema.tables).clone();
    let tables = schema.tables.clone();
    let mut generator = Generator::new(random, language, &tables);
    let filter = generator.over(&of, |it| it.expr(&Ty::Bool, 2));
    let definer = random.word(&["", " security definer"]);
    let name = &of.name;
    schema.ddl.push(Node::shape(
        &format!("create function f3() returns setof {name} language sql stable{definer} begin atomic select * from {name} where $; end"),
        vec![filter],
    ));
    rights(random, schema, "f3()");
    let mut table = of;
    table.name = "f3()".to_owned();
    table.keys.clear();
    table.view = true;
    schema.tables.push(table);
}
