//! Ceiling: the same reads, list and durable insert as bare axum handlers over rusqlite, with the same headers looked at, and nothing
//! else: no keys, no policies, no plans, no limits, no deadlines, no metrics, no logs.
//!
//! Reads run in place on a prepared statement of the worker's own connection. Inserts go to one writer thread that commits what has
//! gathered as one transaction with `synchronous=FULL` and answers afterwards.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio::sync::oneshot;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Serialize)]
struct Item {
    id: String,
    owner: String,
    title: String,
    body: String,
    category: i64,
    score: i64,
    created_at: String,
}

#[derive(Serialize)]
struct Todo {
    id: String,
    owner: String,
    title: String,
    done: bool,
    created_at: String,
}

#[derive(Deserialize)]
struct Note {
    owner: String,
    title: String,
    body: String,
}

#[derive(Deserialize)]
struct Listing {
    category: i64,
}

struct Insert {
    table: &'static str,
    note: Note,
    done: oneshot::Sender<bool>,
}

struct App {
    file: String,
    writer: SyncSender<Insert>,
}

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

impl App {
    fn read<T>(&self, f: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StatusCode> {
        READER.with_borrow_mut(|slot| {
            if slot.is_none() {
                *slot = Some(open(&self.file).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?);
            }
            let connection = slot.as_ref().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
            f(connection).map_err(|_| StatusCode::NOT_FOUND)
        })
    }
}

fn open(file: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "mmap_size", 268_435_456)?;
    Ok(connection)
}

/// The headers every client sends: looked at, not verified.
fn identified(headers: &HeaderMap) -> Result<(), StatusCode> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
    if headers.contains_key("apikey") && bearer {
        Ok(())
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn item(row: &rusqlite::Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        id: row.get(0)?,
        owner: row.get(1)?,
        title: row.get(2)?,
        body: row.get(3)?,
        category: row.get(4)?,
        score: row.get(5)?,
        created_at: row.get(6)?,
    })
}

async fn read(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, StatusCode> {
    identified(&headers)?;
    let found = app.read(|connection| {
        connection
            .prepare_cached("select id, owner, title, body, category, score, created_at from items where id = ?1")?
            .query_row(params![id], item)
    })?;
    Ok(json(&found))
}

async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(listing): Query<Listing>,
) -> Result<Response, StatusCode> {
    identified(&headers)?;
    let found = app.read(|connection| {
        connection
            .prepare_cached("select id, owner, title, body, category, score, created_at from items where category = ?1 order by score desc limit 20")?
            .query_map(params![listing.category], item)?
            .collect::<rusqlite::Result<Vec<_>>>()
    })?;
    Ok(json(&found))
}

async fn todos(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(owner): Path<String>,
) -> Result<Response, StatusCode> {
    identified(&headers)?;
    let found = app.read(|connection| {
        connection
            .prepare_cached("select id, owner, title, done, created_at from todos where owner = ?1 order by created_at desc limit 20")?
            .query_map(params![owner], |row| {
                Ok(Todo { id: row.get(0)?, owner: row.get(1)?, title: row.get(2)?, done: row.get(3)?, created_at: row.get(4)? })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    })?;
    Ok(json(&found))
}

async fn insert(
    app: Arc<App>,
    table: &'static str,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    identified(&headers)?;
    let note: Note = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let (done, answer) = oneshot::channel();
    app.writer
        .try_send(Insert { table, note, done })
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    match answer.await {
        Ok(true) => Ok(StatusCode::CREATED),
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

async fn notes(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    insert(app, "notes", headers, body).await
}

async fn diary(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    insert(app, "diary", headers, body).await
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments
        .next()
        .context("usage: ceiling-axum ADDRESS FILE")?;
    let file = arguments
        .next()
        .context("usage: ceiling-axum ADDRESS FILE")?;
    let (writer, queue) = sync_channel::<Insert>(4096);
    let connection = open(&file)?;
    std::thread::spawn(move || -> rusqlite::Result<()> {
        while let Ok(first) = queue.recv() {
            connection.prepare_cached("begin immediate")?.execute([])?;
            let mut answered = Vec::new();
            let mut next = Some(first);
            while let Some(insert) = next {
                let sql = if insert.table == "notes" {
                    "insert into notes (id, owner, title, body, created_at) values (?1, ?2, ?3, ?4, strftime('%Y-%m-%dT%H:%M:%f+00:00'))"
                } else {
                    "insert into diary (id, owner, title, body, created_at) values (?1, ?2, ?3, ?4, strftime('%Y-%m-%dT%H:%M:%f+00:00'))"
                };
                let id = uuid::Uuid::new_v4().to_string();
                let note = &insert.note;
                let wrote = connection
                    .prepare_cached(sql)?
                    .execute(params![id, note.owner, note.title, note.body])
                    .is_ok();
                answered.push((insert.done, wrote));
                next = if answered.len() < 256 {
                    queue.try_recv().ok()
                } else {
                    None
                };
            }
            connection.prepare_cached("commit")?.execute([])?;
            for (done, wrote) in answered {
                // The client may have gone; its row is written all the same.
                let _ = done.send(wrote);
            }
        }
        Ok(())
    });
    let app = Arc::new(App { file, writer });
    let router = Router::new()
        .route("/items/{id}", get(read))
        .route("/items", get(list))
        .route("/todos/{owner}", get(todos))
        .route("/notes", post(notes))
        .route("/diary", post(diary))
        .with_state(app);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address.parse()?)?;
        let listener = socket.listen(4_096)?;
        axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| {
                // Without it small answers wait for the peer's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
            }),
            router,
        )
        .await?;
        Ok(())
    })
}
