//! An app on a real Postgres.

use crate::answer::{Answer, canonical};
use crate::app::App;
use crate::script::{Request, Step};
use pando_testkit::Postgres;
use postgres::Client;

/// Its answers, in order; none where Postgres is not to be had. Its migrations must run: they are meant for Postgres.
pub fn run(app: &App) -> Option<Vec<Answer>> {
    run_after(app, "")
}

/// As [`run`], on a server that was told something before.
pub fn run_after(app: &App, before: &str) -> Option<Vec<Answer>> {
    if Postgres::is_absent() {
        eprintln!("not compared: PostgreSQL 15 is not to be had here");
        return None;
    }
    let database = Postgres::shared().unwrap().database().unwrap();
    let mut client = database.connect().unwrap();
    client.batch_execute(before).unwrap();
    for (file, sql) in &app.migrations {
        if let Err(error) = client.batch_execute(&format!("begin;\n{sql}\n;commit;")) {
            panic!("{}/{file} on Postgres: {}", app.name, text(&error));
        }
        // What a dump sets for its own session is not for the next file.
        client.batch_execute("reset all").unwrap();
    }
    let answers = app
        .script
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::SignUp(user) => {
                client.batch_execute(&user.sign_up()).unwrap();
                None
            }
            Step::Ask(request) => Some(ask(&mut client, request)),
        })
        .collect();
    Some(answers)
}

fn ask(client: &mut Client, request: &Request) -> Answer {
    let claims = request.claims.replace('\'', "''");
    client
        .batch_execute(&format!(
            "begin; set local role {}; set local request.jwt.claims = '{claims}';",
            request.role
        ))
        .unwrap();
    match answer(client, &request.sql) {
        Ok(answer) => {
            client.batch_execute("commit").unwrap();
            answer
        }
        Err(error) => {
            client.batch_execute("rollback").unwrap();
            let told = error.as_db_error().unwrap();
            Answer::Error {
                state: told.code().code().to_owned(),
                message: told.message().to_owned(),
            }
        }
    }
}

fn answer(client: &mut Client, sql: &str) -> Result<Answer, postgres::Error> {
    let statement = client.prepare(sql)?;
    let described: Vec<(String, u32)> = statement
        .columns()
        .iter()
        .map(|column| (column.name().to_owned(), column.type_().oid()))
        .collect();
    if described.is_empty() {
        return Ok(Answer::Done(client.execute(&statement, &[])?));
    }
    // What changes rows may stand in a `with` only, what reads them may be written there too.
    let rows = client
        .query(
            &format!("with answer as ({sql}) select row_to_json(answer)::text from answer"),
            &[],
        )?
        .iter()
        .map(|row| canonical(row.get(0)))
        .collect();
    let mut columns = Vec::new();
    for (name, oid) in described {
        let named = client.query_one("select format_type($1, null)", &[&oid])?;
        // Nothing has a type of its own there; here it is a text that is null.
        let ty: String = named.get(0);
        let ty = if ty == "void" { "text".to_owned() } else { ty };
        columns.push((name, ty));
    }
    Ok(Answer::Rows { columns, rows })
}

fn text(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |error| format!("{} ({:?})", error.message(), error.where_()),
    )
}
