//! The proof that Postgres SQL means the same on both engines: what is generated is asked of a real PostgreSQL 15 and of the
//! embedded engine, and the answers are compared.
//!
//! ```text
//! seed --generate--> schema, rows, policies, statements --each--> Postgres | embedded --compare--> same, refused by name, different
//!                                                                                   different --shrink--> a case file, run for ever
//! ```
//!
//! Invariants
//! - The generator knows SQL, and nothing of how we read it: not the parser, not the catalog, not the policy compiler.
//! - Equal seeds make equal statements, so whatever was found is found again.
//! - What the embedded engine refuses by name is no difference, and is counted and shown by its construct.
//! - Whether a row is visible is asked of Postgres alone.

mod case;
mod compare;
pub mod differential;
mod engine;
mod explained;
mod generate;
mod json;
mod node;
mod on_embedded;
mod on_postgres;
mod probe;
mod random;
mod rules;
mod schema;
mod shrink;
mod ty;

pub use case::Case;
pub use compare::{Difference, Verdict};
pub use on_postgres::OnPostgres;
pub use random::Random;

#[doc(hidden)]
pub fn pg_only() {
    use engine::*;
    let server = pando_testkit::Postgres::start().unwrap();
    let database = server.database().unwrap();
    let mut pg = OnPostgres::open(&database).unwrap();
    let language = generate::Language::default();
    let mut random = Random::new(
        std::env::args()
            .nth(1)
            .and_then(|a| a.parse().ok())
            .unwrap_or(1),
    );
    let mut states = std::collections::BTreeMap::<String, (usize, String)>::new();
    let began = std::time::Instant::now();
    let mut n = 0;
    for _ in 0..60 {
        let schema = generate::schema(&mut random, &language);
        pg.reset().unwrap();
        let mut note = |kind: &str, sql: String, o: Outcome| {
            let key = match &o {
                Outcome::Failed { state, .. } => format!("{kind} {state}"),
                Outcome::Done { rows, .. } => {
                    format!("{kind} {}", if rows.is_empty() { "empty" } else { "rows" })
                }
                _ => "?".into(),
            };
            let e = states.entry(key).or_insert((0, String::new()));
            e.0 += 1;
            if e.0 <= 8 {
                e.1.push_str(&format!(
                    "    {sql}\n      {}\n",
                    o.show().chars().take(150).collect::<String>()
                ));
            }
        };
        for node in &schema.ddl {
            let sql = node.sql();
            let o = pg.migrate(&sql);
            note("ddl", sql, o);
        }
        for node in generate::rows(&mut random, &schema) {
            let sql = node.sql();
            let o = pg.run(&Who::service(), &sql);
            note("row", sql, o);
        }
        for _ in 0..60 {
            n += 1;
            let st = generate::Generator::new(&mut random, &language, &schema.tables).statement();
            let sql = st.node.sql();
            let o = pg.run(&st.who, &sql);
            note(if st.writes { "write" } else { "select" }, sql, o);
        }
    }
    println!("{n} in {:?}", began.elapsed());
    for (k, (c, ex)) in states {
        println!("{k}: {c}\n{ex}");
    }
}
