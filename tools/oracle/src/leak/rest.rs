//! REST, asked in process: the service's own router over the database of a case.

use crate::engine::Who;
use crate::on_embedded::{OnEmbedded, caller};
use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use pando_net::Deadline;
use pando_telemetry::Registry;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower::ServiceExt as _;

/// The router, made once for a database.
pub struct Rest {
    router: Router,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The verb.
    pub method: Method,
    /// What follows `/rest/v1`, as it is meant; what a URL can't hold is escaped when it is sent.
    pub path: String,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// What comes back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All headers, each in a line.
    pub headers: String,
    /// The body.
    pub body: String,
}

impl Rest {
    /// Over the tables that are there now.
    pub fn over(engine: &OnEmbedded) -> Rest {
        let metrics = pando_data::Metrics::register(&mut Registry::default());
        let config = pando_data::Config::default();
        Rest {
            router: pando_data::routes(engine.db().clone(), config, metrics).into_router(),
        }
    }

    /// Asks as somebody.
    pub fn send(&self, engine: &OnEmbedded, who: &Who, ask: &Ask) -> Result<Answer> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(escaped(&ask.path));
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let mut request = request
            .body(Body::from(ask.body.clone()))
            .with_context(|| format!("ask {ask}"))?;
        request.extensions_mut().insert(Arc::new(caller(who)));
        let deadline = Instant::now() + Duration::from_secs(30);
        request.extensions_mut().insert(Deadline(deadline));
        let router = self.router.clone();
        engine.block_on(async move {
            let response = match router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (parts, body) = response.into_parts();
            let body = body.collect().await.context("read the answer")?.to_bytes();
            let headers = parts
                .headers
                .iter()
                .map(|(name, value)| {
                    format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
                })
                .collect();
            Ok(Answer {
                status: parts.status.as_u16(),
                headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        })
    }
}

impl Answer {
    /// The total of `content-range`, if it has one.
    pub fn total(&self) -> Option<usize> {
        let range = self
            .headers
            .lines()
            .find_map(|line| line.strip_prefix("content-range: "))?;
        range.split_once('/')?.1.parse().ok()
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        for (name, value) in &self.headers {
            write!(f, " [{name}: {value}]")?;
        }
        if self.body.is_empty() {
            Ok(())
        } else {
            write!(f, " {}", self.body)
        }
    }
}

fn escaped(path: &str) -> String {
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
            | b'%'
            | 0x7f..
            | 0..=0x1f => uri.push_str(&format!("%{byte:02X}")),
            _ => uri.push(char::from(byte)),
        }
    }
    uri
}
