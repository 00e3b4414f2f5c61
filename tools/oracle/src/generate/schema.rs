//! Tables with keys, checks, defaults, references and indexes; rows to fill them.

use super::{Generator, Language};
use crate::node::Node;
use crate::random::Random;
use crate::schema::{Column, Schema, Table};
use crate::ty::{MOODS, Ty, quoted};

/// A schema of one to three tables, with its policies.
pub fn schema(random: &mut Random, language: &Language) -> Schema {
    let mut made = Schema::default();
    let labels: Vec<String> = MOODS.iter().map(|label| quoted(label)).collect();
    made.ddl.push(Node::text(format!(
        "create type mood as enum ({})",
        labels.join(", ")
    )));
    for number in 1..=random.between(1, 3) {
        table(random, language, &mut made, number);
    }
    super::routine::routines(random, language, &mut made);
    for at in 0..made.tables.len() {
        if made.tables[at].view {
            continue;
        }
        let tables = made.tables.clone();
        let routines = made.routines.clone();
        // Policies that ask for one another are an error: rather ask for the tables before.
        let asked = if random.chance(85) { at } else { tables.len() };
        let mut generator = Generator::new(random, language, &tables[..asked]).calling(&routines);
        made.ddl.extend(generator.policies(&tables[at]));
    }
    if random.chance(35) {
        view(random, language, &mut made);
    }
    made
}

/// A view of one of the tables, as whoever reads it sees it.
fn view(random: &mut Random, language: &Language, schema: &mut Schema) {
    let of = random.pick(&schema.tables).clone();
    let tables = schema.tables.clone();
    let mut generator = Generator::new(random, language, &tables);
    let filter = generator.over(&of, |it| it.expr(&Ty::Bool, 2));
    let extra = generator.over(&of, |it| it.expr(&Ty::Text, 2));
    let names: Vec<&str> = of
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    schema.ddl.push(Node::shape(
        &format!(
            "create view v1 with (security_invoker = true) as select {}, $ as extra from {} where $",
            names.join(", "),
            of.name
        ),
        vec![extra, filter],
    ));
    let mut columns = of.columns;
    columns.push(Column {
        name: "extra".to_owned(),
        ty: Ty::Text,
        not_null: false,
        has_default: false,
        generated: false,
        refers: None,
    });
    schema.tables.push(Table {
        name: "v1".to_owned(),
        columns,
        keys: Vec::new(),
        view: true,
    });
}

/// Statements that fill the tables, to be run by the service.
pub fn rows(random: &mut Random, schema: &Schema) -> Vec<Node> {
    let mut made = Vec::new();
    for table in schema.tables.iter().filter(|table| !table.view) {
        for number in 0..random.between(2, 7) {
            let mut names = Vec::new();
            let mut values = Vec::new();
            for (at, column) in table.columns.iter().enumerate() {
                if column.generated || (column.has_default && random.chance(40)) {
                    continue;
                }
                names.push(column.name.clone());
                values.push(if at == 0 {
                    key(&column.ty, number)
                } else if column.refers.is_some() {
                    if random.chance(20) && !column.not_null {
                        "null".to_owned()
                    } else {
                        key(&column.ty, random.below(3))
                    }
                } else {
                    value(random, column)
                });
            }
            made.push(Node::text(format!(
                "insert into {} ({}) values ({})",
                table.name,
                names.join(", "),
                values.join(", ")
            )));
        }
    }
    made
}

/// A value for a column, null now and then.
pub(super) fn value(random: &mut Random, column: &Column) -> String {
    if !column.not_null && random.chance(18) {
        return "null".to_owned();
    }
    quoted(&column.ty.raw(random))
}

/// The n-th key of a type.
pub(super) fn key(ty: &Ty, number: usize) -> String {
    match ty {
        Ty::Uuid => format!("'00000000-0000-4000-8000-00000000000{number}'"),
        Ty::Text => format!("'k{number}'"),
        _ => (number + 1).to_string(),
    }
}

fn table(random: &mut Random, language: &Language, schema: &mut Schema, number: usize) {
    let name = format!("t{number}");
    let plain = |name: &str, ty: Ty| Column {
        name: name.to_owned(),
        ty,
        not_null: false,
        has_default: false,
        generated: false,
        refers: None,
    };
    let mut columns = vec![Column {
        not_null: true,
        ..plain(
            "id",
            random
                .pick(&[Ty::Int4, Ty::Int4, Ty::Int8, Ty::Text, Ty::Uuid])
                .clone(),
        )
    }];
    let mut lines = vec![Node::text(format!(
        "id {} primary key",
        columns[0].ty.sql()
    ))];
    if random.chance(75) {
        let default = random.chance(50);
        lines.push(Node::shape(
            "owner uuid$",
            vec![Node::text(if default { " default auth.uid()" } else { "" }).optional()],
        ));
        columns.push(Column {
            has_default: default,
            ..plain("owner", Ty::Uuid)
        });
    }
    if let Some(parent) = schema.tables.last().filter(|_| random.chance(60)) {
        let ty = parent.columns[0].ty.clone();
        let action = random.word(&[
            "",
            " on delete cascade",
            " on delete set null",
            " on delete restrict",
            " on update cascade",
            " deferrable initially deferred",
        ]);
        lines.push(Node::text(format!(
            "parent {} references {} (id){action}",
            ty.sql(),
            parent.name
        )));
        columns.push(Column {
            refers: Some((parent.name.clone(), "id".to_owned())),
            ..plain("parent", ty)
        });
    }
    let mut keys = vec![vec!["id".to_owned()]];
    for letter in ["a", "b", "c", "d", "e", "f"]
        .iter()
        .take(random.between(2, 6))
    {
        let ty = Ty::any(random);
        let mut column = plain(letter, ty.clone());
        let mut rest = Vec::new();
        if random.chance(15) {
            column.not_null = true;
            rest.push(Node::text(" not null").optional());
        }
        if random.chance(20) {
            column.has_default = true;
            rest.push(Node::text(format!(" default {}", quoted(&ty.raw(random)))).optional());
        }
        if ty.has_equality() && random.chance(8) {
            keys.push(vec![column.name.clone()]);
            rest.push(Node::text(" unique").optional());
        }
        let holes = "$".repeat(rest.len());
        lines.push(Node::shape(&format!("{letter} {}{holes}", ty.sql()), rest));
        columns.push(column);
    }
    let mut made = Table {
        name: name.clone(),
        columns,
        keys,
        view: false,
    };
    if random.chance(15) {
        lines.push(Node::text("g text generated always as (upper(id::text)) stored").optional());
        made.columns.push(Column {
            generated: true,
            has_default: true,
            ..plain("g", Ty::Text)
        });
    }
    if random.chance(12) {
        let mut generator = Generator::new(random, language, &[]);
        let check = generator.over(&made, |it| it.expr(&Ty::Bool, 2));
        lines.push(Node::shape("constraint fits check ($)", vec![check]).optional());
    }
    if random.chance(12) {
        let two: Vec<String> = made
            .columns
            .iter()
            .skip(1)
            .filter(|column| column.ty.has_equality() && !column.generated)
            .take(2)
            .map(|column| column.name.clone())
            .collect();
        if two.len() == 2 {
            let nulls = if random.chance(25) {
                " nulls not distinct"
            } else {
                ""
            };
            lines.push(Node::text(format!("unique{nulls} ({})", two.join(", "))).optional());
            made.keys.push(two);
        }
    }
    schema.ddl.push(Node::shape(
        &format!("create table {name} ($)"),
        vec![Node::list(lines, ", ", 1)],
    ));
    if random.chance(30) {
        schema.ddl.extend(index(random, &made));
    }
    schema.tables.push(made);
}

fn index(random: &mut Random, table: &Table) -> Option<Node> {
    let column = random.pick(&table.columns).clone();
    if !column.ty.has_equality() {
        return None;
    }
    let unique = random.word(&["", "", "unique "]);
    let key = match column.ty.base() {
        Ty::Text if random.chance(60) => format!("lower({})", column.name),
        Ty::Int4 if random.chance(40) => format!("({} % 3)", column.name),
        _ => column.name.clone(),
    };
    let partial = if random.chance(40) {
        format!(" where {} is not null", random.pick(&table.columns).name)
    } else {
        String::new()
    };
    Some(Node::shape(
        &format!(
            "create {unique}index on {} ({key}{})$",
            table.name,
            random.word(&["", " desc"])
        ),
        vec![Node::text(partial).optional()],
    ))
}
