//! A catalog with its SQLite tables, and plans run on them as the engine runs them.

use pando_kernel::Role;
use pando_plan::request::{Input, Read};
use pando_plan::{OutColumn, PlanError, PlanLimits, ReadPlan, plan_read};
use pando_sql::catalog::Catalog;
use pando_sql::statement::JsonOut;
use pando_sql::{Bind, SqlError, Statement, Value};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

pub const LIMITS: PlanLimits = PlanLimits {
    embed_depth_max: 4,
    page_rows_max: 100,
    allow_unprotected: false,
};

pub struct Bed {
    pub catalog: Catalog,
    pub conn: Connection,
}

/// Who asks.
#[derive(Clone, Copy)]
pub struct As(pub Role, pub Option<&'static str>);

pub const SERVICE: As = As(Role::Service, None);
pub const ANN: As = As(Role::Authenticated, Some("ann"));
pub const BOB: As = As(Role::Authenticated, Some("bob"));
pub const ANON: As = As(Role::Anon, None);

impl Bed {
    pub fn plan(&self, who: As, read: &Read) -> Result<ReadPlan, PlanError> {
        plan_read(&self.catalog, who.0, read, &LIMITS)
    }

    /// The answer's rows.
    pub fn read(&self, who: As, read: &Read, inputs: &[Input]) -> serde_json::Value {
        let plan = self.plan(who, read).unwrap();
        let inputs = plan.bind(inputs).unwrap();
        let text = self
            .rows(who, &plan.statement, &plan.columns, &inputs)
            .unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The answer's rows as they are written.
    pub fn text(&self, who: As, read: &Read, inputs: &[Input]) -> String {
        let plan = self.plan(who, read).unwrap();
        let inputs = plan.bind(inputs).unwrap();
        self.rows(who, &plan.statement, &plan.columns, &inputs)
            .unwrap()
    }

    pub fn count(&self, who: As, read: &Read, inputs: &[Input]) -> i64 {
        let plan = self.plan(who, read).unwrap();
        let inputs = plan.bind(inputs).unwrap();
        let count = plan.count.unwrap();
        let mut statement = self.conn.prepare(&count.sql).unwrap();
        statement
            .query_row(
                rusqlite::params_from_iter(values(who, &count, &inputs)),
                |row| row.get(0),
            )
            .unwrap()
    }

    /// The rows of a plan as they are written.
    pub fn run(&self, who: As, plan: &ReadPlan, inputs: &[Value]) -> String {
        self.rows(who, &plan.statement, &plan.columns, inputs)
            .unwrap()
    }

    fn rows(
        &self,
        who: As,
        statement: &Statement,
        columns: &[OutColumn],
        inputs: &[Value],
    ) -> Result<String, SqlError> {
        let mut prepared = self
            .conn
            .prepare(&statement.sql)
            .unwrap_or_else(|error| panic!("{error}: {}", statement.sql));
        let mut rows = prepared
            .query(rusqlite::params_from_iter(values(who, statement, inputs)))
            .unwrap();
        let mut out = String::from("[");
        while let Some(row) = rows
            .next()
            .unwrap_or_else(|error| panic!("{error}: {}", statement.sql))
        {
            if out.len() > 1 {
                out.push(',');
            }
            out.push('{');
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&column.key);
                write_json(row.get_ref(index).unwrap(), column.out, &mut out);
            }
            out.push('}');
        }
        out.push(']');
        Ok(out)
    }
}

fn write_json(value: ValueRef<'_>, out: JsonOut, text: &mut String) {
    match (value, out) {
        (ValueRef::Null, _) => text.push_str("null"),
        (ValueRef::Integer(int), JsonOut::Bool) => {
            text.push_str(if int == 1 { "true" } else { "false" })
        }
        (ValueRef::Integer(int), _) => text.push_str(&int.to_string()),
        (ValueRef::Real(real), _) => text.push_str(&real.to_string()),
        (ValueRef::Text(bytes), JsonOut::Raw) => text.push_str(std::str::from_utf8(bytes).unwrap()),
        (ValueRef::Text(bytes), _) => {
            text.push_str(
                &serde_json::Value::from(std::str::from_utf8(bytes).unwrap()).to_string(),
            );
        }
        (ValueRef::Blob(bytes), _) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            text.push_str(&format!("\"\\\\x{hex}\""));
        }
    }
}

pub fn values(who: As, statement: &Statement, inputs: &[Value]) -> Vec<rusqlite::types::Value> {
    statement
        .binds
        .iter()
        .map(|bind| match bind {
            Bind::Const(value) => value.clone(),
            Bind::Input(index) => inputs[*index as usize].clone(),
            Bind::Uid => who.1.into(),
            Bind::Role => who.0.name().into(),
            other => panic!("unexpected {other:?}"),
        })
        .map(stored)
        .collect()
}

/// Gives SQLite the functions and collations that plans call, as the engine does.
pub fn register(conn: &Connection) {
    for function in pando_sql::functions::functions() {
        conn.create_scalar_function(
            function.sqlite_name(),
            function.arity(),
            FunctionFlags::SQLITE_UTF8,
            move |context| {
                let arguments: Vec<Value> = (0..context.len())
                    .map(|index| match context.get_raw(index) {
                        ValueRef::Null => Value::Null,
                        ValueRef::Integer(int) => Value::Int(int),
                        ValueRef::Real(real) => Value::Real(real),
                        ValueRef::Text(bytes) => Value::text(std::str::from_utf8(bytes).unwrap()),
                        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
                    })
                    .collect();
                function
                    .call(&arguments)
                    .map(stored)
                    .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
            },
        )
        .unwrap();
    }
    for collation in pando_sql::functions::collations() {
        conn.create_collation(collation.name, collation.compare)
            .unwrap();
    }
}

fn stored(value: Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Int(int) => int.into(),
        Value::Real(real) => real.into(),
        Value::Text(text) => text.to_string().into(),
        Value::Blob(bytes) => bytes.to_vec().into(),
    }
}

/// A database with a migration run on it.
pub fn migrated(schema: &str) -> Bed {
    let conn = Connection::open_in_memory().unwrap();
    register(&conn);
    let migrated = pando_sql::migrate(&Catalog::default(), "schema.sql", schema)
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    for step in &migrated.steps {
        conn.execute(
            &step.sql.sql,
            rusqlite::params_from_iter(values(SERVICE, &step.sql, &[])),
        )
        .unwrap_or_else(|error| panic!("{error}: {}", step.sql.sql));
    }
    Bed {
        catalog: migrated.catalog,
        conn,
    }
}
