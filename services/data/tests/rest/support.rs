//! A library of books to ask about, and clients in each role.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;
use pando_db::{Db, Migration};
use pando_kernel::{Caller, Limits, Role, SystemClock};
use pando_net::Deadline;
use pando_telemetry::Registry;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower::ServiceExt;

pub const ANNA: &str = "11111111-1111-4111-8111-111111111111";
pub const BERT: &str = "22222222-2222-4222-8222-222222222222";

pub const SCHEMA: &str = include_str!("schema.sql");

pub struct Rest {
    router: Router,
    db: Db,
    pub metrics: pando_data::Metrics,
    _directory: tempfile::TempDir,
}

impl Rest {
    /// The library, with its books.
    pub async fn open() -> Rest {
        Rest::with(SCHEMA, pando_data::Config::default()).await
    }

    pub async fn with(schema: &str, config: pando_data::Config) -> Rest {
        let directory = tempfile::tempdir().unwrap();
        let mut registry = Registry::default();
        let settings = pando_db::Config {
            directory: directory.path().to_owned(),
            readers: 2,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
        };
        let db = Db::open(settings, &mut registry).unwrap();
        let metrics = pando_data::Metrics::register(&mut registry);
        let router = pando_data::routes(db.clone(), config, metrics.clone()).into_router();
        let rest = Rest {
            router,
            db,
            metrics,
            _directory: directory,
        };
        rest.migrate(&[schema]).await;
        rest
    }

    /// Runs those of the migrations that have not run.
    pub async fn migrate(&self, migrations: &[&str]) {
        let migrations: Vec<Migration> = migrations
            .iter()
            .enumerate()
            .map(|(place, sql)| Migration {
                version: (place + 1).to_string().into(),
                name: "library".into(),
                file: format!("{}_library.sql", place + 1).into(),
                sql: (*sql).to_owned().into(),
            })
            .collect();
        self.db.migrate("test", &migrations).await.unwrap();
    }

    pub fn service(&self) -> Client<'_> {
        Client {
            rest: self,
            caller: Caller::keyed(Role::Service),
        }
    }

    pub fn anon(&self) -> Client<'_> {
        Client {
            rest: self,
            caller: Caller::keyed(Role::Anon),
        }
    }

    pub fn user(&self, id: &str) -> Client<'_> {
        let claims = format!("{{\"sub\":\"{id}\",\"role\":\"authenticated\"}}");
        Client {
            rest: self,
            caller: Caller::with_claims(Role::Authenticated, Some(id), None, &claims),
        }
    }
}

#[derive(Clone)]
pub struct Client<'r> {
    rest: &'r Rest,
    caller: Caller,
}

impl Client<'_> {
    pub fn get(&self, path: &str) -> Ask {
        self.ask(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Ask {
        self.ask(Method::POST, path).body(body)
    }

    pub fn patch(&self, path: &str, body: impl Into<Vec<u8>>) -> Ask {
        self.ask(Method::PATCH, path).body(body)
    }

    pub fn put(&self, path: &str, body: impl Into<Vec<u8>>) -> Ask {
        self.ask(Method::PUT, path).body(body)
    }

    pub fn delete(&self, path: &str) -> Ask {
        self.ask(Method::DELETE, path)
    }

    /// `path` is what follows `/rest/v1`; characters that a URL can't hold are escaped here, as clients do.
    pub fn ask(&self, method: Method, path: &str) -> Ask {
        let mut uri = "/rest/v1".to_owned();
        for byte in path.bytes() {
            match byte {
                b' '
                | b'"'
                | b'<'
                | b'>'
                | b'\\'
                | b'^'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | 0x7f..
                | 0..=0x1f => {
                    uri.push_str(&format!("%{byte:02X}"));
                }
                _ => uri.push(char::from(byte)),
            }
        }
        let request = Request::builder().method(method).uri(uri);
        Ask {
            router: self.rest.router.clone(),
            caller: Arc::new(self.caller.clone()),
            request,
            body: Vec::new(),
        }
    }
}

pub struct Ask {
    router: Router,
    caller: Arc<Caller>,
    request: http::request::Builder,
    body: Vec<u8>,
}

impl Ask {
    pub fn prefer(self, value: &str) -> Self {
        self.header("prefer", value)
    }

    /// Asks for a single object.
    pub fn single(self) -> Self {
        self.header("accept", "application/vnd.pgrst.object+json")
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub async fn send(self) -> Answer {
        let mut request = self.request.body(Body::from(self.body)).unwrap();
        request.extensions_mut().insert(self.caller);
        request
            .extensions_mut()
            .insert(Deadline(Instant::now() + Duration::from_secs(30)));
        let response = self.router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Sends, and expects this status and this very body.
    #[track_caller]
    pub fn expect(self, status: u16, body: &str) -> impl Future<Output = Answer> {
        let at = std::panic::Location::caller();
        async move {
            let answer = self.send().await;
            assert_eq!(
                (answer.status, answer.text.as_str()),
                (status, body),
                "asked at {at}"
            );
            answer
        }
    }

    /// Sends, and expects an error with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> impl Future<Output = Answer> {
        let at = std::panic::Location::caller();
        async move {
            let answer = self.send().await;
            assert_eq!(answer.status, status, "asked at {at}: {}", answer.text);
            assert_eq!(
                answer.json()["code"],
                code,
                "asked at {at}: {}",
                answer.text
            );
            answer
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's text, empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn range(&self) -> &str {
        self.header("content-range")
    }

    pub fn message(&self) -> String {
        self.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub fn details(&self) -> String {
        self.json()["details"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub fn hint(&self) -> String {
        self.json()["hint"].as_str().unwrap_or_default().to_owned()
    }
}
