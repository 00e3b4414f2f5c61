//! Schemas, rows, expressions, policies and statements, made at random from a seed.

mod expr;
mod policy;
mod routine;
mod schema;
mod select;
mod write;

pub use schema::{rows, schema};

use crate::engine::Who;
use crate::node::Node;
use crate::random::Random;
use crate::rules::Rules;
use crate::schema::{Routine, Table};
use crate::ty::Ty;

/// What statements are made of besides expressions; those the embedded engine refuses are tried seldom.
#[derive(Clone, Debug)]
pub struct Language {
    /// Operators and functions.
    pub rules: Rules,
    /// Clauses, types and the like, each with a statement that shows whether it is refused, and whether it is.
    pub features: Vec<Feature>,
    /// Whether `revoke` takes a right away.
    pub revokes: bool,
}

/// A clause or a type.
#[derive(Clone, Debug)]
pub struct Feature {
    /// What it is called here.
    pub name: &'static str,
    /// A statement over `t1 (id int primary key, a int, b text)` that has it.
    pub probe: &'static str,
    /// Whether it is refused by name.
    pub refused: bool,
}

/// A generated statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// What it says.
    pub node: Node,
    /// Whether its order is given whole.
    pub ordered: bool,
    /// Who says it.
    pub who: Who,
}

const FEATURES: &[(&str, &str)] = &[
    ("join", "select a.id from t1 a join t1 b on a.id = b.id"),
    (
        "left join",
        "select a.id from t1 a left join t1 b on a.id = b.id",
    ),
    (
        "right join",
        "select a.id from t1 a right join t1 b on a.id = b.id",
    ),
    (
        "full join",
        "select a.id from t1 a full join t1 b on a.id = b.id",
    ),
    ("cross join", "select a.id from t1 a cross join t1 b"),
    (
        "comma join",
        "select a.id from t1 a, t1 b where a.id = b.id",
    ),
    ("group by", "select a.b, count(*) from t1 a group by a.b"),
    (
        "having",
        "select a.b, count(*) from t1 a group by a.b having count(*) > 1",
    ),
    ("aggregate", "select max(a.a) from t1 a"),
    ("sum", "select sum(a.a) from t1 a"),
    ("avg", "select avg(a.a) from t1 a"),
    ("bool_and", "select bool_and(a.a > 1) from t1 a"),
    ("array_agg", "select array_agg(a.a order by a.id) from t1 a"),
    (
        "string_agg",
        "select string_agg(a.b, ',' order by a.id) from t1 a",
    ),
    ("jsonb_agg", "select jsonb_agg(a.b order by a.id) from t1 a"),
    ("count distinct", "select count(distinct a.b) from t1 a"),
    ("filter", "select count(*) filter (where a.a > 1) from t1 a"),
    ("distinct", "select distinct a.b from t1 a"),
    (
        "distinct on",
        "select distinct on (a.b) a.b, a.id from t1 a order by a.b, a.id",
    ),
    ("order by", "select a.id from t1 a order by a.id"),
    (
        "nulls first",
        "select a.id from t1 a order by a.a desc nulls last, a.id",
    ),
    ("limit", "select a.id from t1 a order by a.id limit 2"),
    (
        "offset",
        "select a.id from t1 a order by a.id limit 2 offset 1",
    ),
    ("union", "select a.id from t1 a union select b.a from t1 b"),
    (
        "union all",
        "select a.id from t1 a union all select b.a from t1 b",
    ),
    (
        "intersect",
        "select a.id from t1 a intersect select b.a from t1 b",
    ),
    (
        "except",
        "select a.id from t1 a except select b.a from t1 b",
    ),
    (
        "with",
        "with w as (select a.id from t1 a) select w.id from w",
    ),
    (
        "from subquery",
        "select s.id from (select a.id from t1 a) s",
    ),
    (
        "lateral",
        "select a.id, l.n from t1 a, lateral (select count(*) as n from t1 b where b.a = a.id) l",
    ),
    (
        "window",
        "select a.id, row_number() over (order by a.id) as n from t1 a",
    ),
    ("star", "select * from t1"),
    ("alias star", "select a.* from t1 a"),
    ("values", "values (1, 'a'), (2, 'b')"),
    ("no from", "select 1 as a"),
    (
        "in sub-select",
        "select a.id from t1 a where a.id in (select b.id from t1 b)",
    ),
    (
        "ordered sub-select",
        "select (select b.a from t1 b order by b.id desc limit 1) as x from t1 a",
    ),
    (
        "any sub-select",
        "select a.id from t1 a where a.id = any (select b.id from t1 b)",
    ),
    (
        "array sub-select",
        "select array(select b.id from t1 b order by b.id) as x",
    ),
    ("insert", "insert into t1 (id, a) values (11, 1)"),
    (
        "insert many",
        "insert into t1 (id, a) values (12, 1), (13, 2)",
    ),
    (
        "insert default",
        "insert into t1 (id, a) values (14, default)",
    ),
    (
        "insert select",
        "insert into t1 (id, a) select a.id + 100, a.a from t1 a",
    ),
    (
        "insert returning",
        "insert into t1 (id, a) values (15, 1) returning id, a",
    ),
    (
        "upsert nothing",
        "insert into t1 (id, a) values (1, 1) on conflict (id) do nothing",
    ),
    (
        "upsert any",
        "insert into t1 (id, a) values (1, 1) on conflict do nothing",
    ),
    (
        "upsert",
        "insert into t1 (id, a) values (1, 1) on conflict (id) do update set a = excluded.a",
    ),
    (
        "upsert where",
        "insert into t1 (id, a) values (1, 1) on conflict (id) do update set a = excluded.a where t1.a > 0",
    ),
    ("update", "update t1 set a = 2 where id = 1"),
    (
        "update from",
        "update t1 set a = b.a from t1 b where b.id = t1.id",
    ),
    (
        "update returning",
        "update t1 set a = 2 where id = 1 returning id, a",
    ),
    (
        "update many columns",
        "update t1 set (a, b) = (1, 'x') where id = 1",
    ),
    ("delete", "delete from t1 where id = 99"),
    (
        "delete using",
        "delete from t1 using t1 b where b.id = t1.id and b.id = 99",
    ),
    (
        "delete returning",
        "delete from t1 where id = 99 returning id",
    ),
];

impl Default for Language {
    fn default() -> Language {
        let features = FEATURES.iter().map(|(name, probe)| Feature {
            name,
            probe,
            refused: false,
        });
        Language {
            rules: Rules::default(),
            features: features.collect(),
            revokes: true,
        }
    }
}

/// Makes statements over a schema.
pub struct Generator<'g> {
    random: &'g mut Random,
    language: &'g Language,
    tables: &'g [Table],
    routines: &'g [Routine],
    /// What the query being made, and those around it, select from.
    scopes: Vec<Vec<Source>>,
    /// How many names were given to sources.
    names: usize,
    /// Whether an error in the evaluation would be seen on both engines.
    risk: bool,
    /// Whether what is refused may be tried.
    wild: bool,
}

/// A table in `from`, or what stands for one.
#[derive(Clone, Debug)]
struct Source {
    alias: String,
    columns: Vec<(String, Ty)>,
}

impl<'g> Generator<'g> {
    /// Over these tables.
    pub fn new(
        random: &'g mut Random,
        language: &'g Language,
        tables: &'g [Table],
    ) -> Generator<'g> {
        Generator {
            random,
            language,
            tables,
            routines: &[],
            scopes: Vec::new(),
            names: 0,
            risk: false,
            wild: false,
        }
    }

    /// With functions of the schema's own.
    pub fn calling(mut self, routines: &'g [Routine]) -> Generator<'g> {
        self.routines = routines;
        self
    }

    /// A statement of some kind, said by somebody.
    pub fn statement(&mut self) -> Statement {
        self.names = 0;
        self.wild = self.random.chance(3);
        let who = self.who();
        let (node, ordered) = match self.random.below(100) {
            0..=24 => self.risky(),
            25..=66 => self.select(),
            67..=78 => (self.insert(), false),
            79..=89 => (self.update(), false),
            _ => (self.delete(), false),
        };
        self.risk = false;
        self.scopes.clear();
        Statement { node, ordered, who }
    }

    fn who(&mut self) -> Who {
        match self.random.below(10) {
            0..=3 => Who::service(),
            4..=5 => Who::anon(),
            6..=7 => Who::user(crate::ty::USERS[0]),
            _ => Who::user(crate::ty::USERS[1]),
        }
    }

    /// Whether a clause may be used now, which is one in `percent`.
    fn feature(&mut self, name: &str, percent: usize) -> bool {
        let refused = self
            .language
            .features
            .iter()
            .find(|feature| feature.name == name)
            .is_some_and(|feature| feature.refused);
        self.random.chance(percent) && (!refused || (self.wild && self.random.chance(30)))
    }

    fn alias(&mut self) -> String {
        self.names += 1;
        format!("x{}", self.names)
    }

    fn source(table: &Table, alias: &str) -> Source {
        Source {
            // A function of rows goes by its name alone.
            alias: alias.trim_end_matches("()").to_owned(),
            columns: table
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.ty.base()))
                .collect(),
        }
    }

    /// A table that may be written.
    fn written(&mut self) -> &'g Table {
        loop {
            let table = self.table();
            if !table.view {
                return table;
            }
        }
    }

    fn table(&mut self) -> &'g Table {
        &self.tables[self.random.below(self.tables.len())]
    }
}
