//! An app on a real Postgres.

use crate::answer::Answer;
use crate::app::App;
use crate::script::{Request, Step};
use pando_testkit::Postgres;
use postgres::{Client, SimpleQueryMessage};

/// Its answers, in order; none where Postgres is not to be had. Its migrations must run: they are meant for Postgres.
pub fn run(app: &App) -> Option<Vec<Answer>> {
    if Postgres::is_absent() {
        eprintln!("not compared: PostgreSQL 15 is not to be had here");
        return None;
    }
    let database = Postgres::shared().unwrap().database().unwrap();
    let mut client = database.connect().unwrap();
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
    let answered = client.simple_query(&request.sql);
    let end = if answered.is_ok() {
        "commit"
    } else {
        "rollback"
    };
    match answered.and_then(|messages| client.batch_execute(end).map(|()| messages)) {
        Ok(messages) => answer(&messages),
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

fn answer(messages: &[SimpleQueryMessage]) -> Answer {
    let mut columns = None;
    let mut rows = Vec::new();
    let mut count = 0;
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(described) => {
                let names = described.iter().map(|column| column.name().to_owned());
                columns = Some(names.collect());
            }
            SimpleQueryMessage::Row(row) => rows.push(
                (0..row.len())
                    .map(|at| row.get(at).map(str::to_owned))
                    .collect(),
            ),
            SimpleQueryMessage::CommandComplete(changed) => count = *changed,
            _ => {}
        }
    }
    match columns {
        Some(columns) => Answer::Rows { columns, rows },
        None => Answer::Done(count),
    }
}

fn text(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |error| format!("{} ({:?})", error.message(), error.where_()),
    )
}
