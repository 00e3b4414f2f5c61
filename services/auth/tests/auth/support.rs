//! The service behind the server's own door, on a real database, under a clock that moves when told to.

use pando_auth::{Auth, Config, Mail};
use pando_db::Db;
use pando_kernel::{Clock, Limits, TestClock, Timestamp};
use pando_keys::{Keys, ShownKeys};
use pando_net::{HttpMetrics, NetConfig};
use pando_telemetry::Registry;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

pub const SITE: &str = "https://app.example.com/welcome";
pub const PASSWORD: &str = "correct horse";

pub struct App {
    pub clock: TestClock,
    pub keys: ShownKeys,
    pub db: Db,
    pub auth: Arc<Auth>,
    address: SocketAddr,
    mail: PathBuf,
    _directory: tempfile::TempDir,
    _stop: oneshot::Sender<()>,
}

impl App {
    /// As it is without a relay: new accounts are confirmed at once.
    pub async fn open() -> App {
        App::with(|_| {}).await
    }

    /// New accounts must be confirmed.
    pub async fn confirming() -> App {
        App::with(|config| config.autoconfirm = Some(false)).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> App {
        let directory = tempfile::tempdir().unwrap();
        let clock = TestClock::at(Timestamp::from_seconds(1_750_000_000));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let mut registry = Registry::default();
        let settings = pando_db::Config {
            directory: directory.path().join("data"),
            readers: 2,
            limits: Limits::default(),
            clock: Arc::clone(&shared),
        };
        let db = Db::open(settings, &mut registry).unwrap();
        db.migrate("auth", pando_auth::migrations()).await.unwrap();
        let signer = Keys::ephemeral(Arc::clone(&shared)).unwrap();
        let mail = directory.path().join("mail");
        let mut config = Config::new(
            SITE,
            "http://api.example.com/auth/v1",
            Mail::Folder { path: mail.clone() },
        );
        config.redirect_allow = vec!["notes://callback".into()];
        change(&mut config);
        let auth = Auth::start(
            db.clone(),
            Arc::clone(&signer),
            config,
            shared,
            &mut registry,
        )
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let net = NetConfig {
            limits: Limits::default(),
            tls: None,
            trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
            drain_notice: Duration::ZERO,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = pando_net::serve(
            listener,
            vec![pando_auth::routes(&auth)],
            Arc::clone(&signer),
            net,
            HttpMetrics::register(&mut registry),
            async move {
                let _gone = stopped.await;
            },
        );
        tokio::spawn(async move { serving.await.unwrap() });
        App {
            clock,
            keys: signer.shown(),
            db,
            auth,
            address,
            mail,
            _directory: directory,
            _stop: stop,
        }
    }

    /// A request with the publishable key.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask {
            app: self,
            method: method.into(),
            path: path.into(),
            body: None,
            headers: vec![
                ("apikey".into(), self.keys.publishable.clone()),
                ("x-supabase-api-version".into(), "2024-01-01".into()),
            ],
        }
    }

    pub fn post(&self, path: &str, body: Value) -> Ask<'_> {
        self.ask("POST", path).json(body)
    }

    /// A request with the secret key.
    pub fn admin(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask(method, path)
            .header("apikey", &self.keys.secret.clone())
    }

    pub async fn sign_up(&self, email: &str) -> Value {
        self.post("/signup", json!({"email": email, "password": PASSWORD}))
            .ok()
            .await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.post(
            "/token?grant_type=password",
            json!({"email": email, "password": password}),
        )
        .send()
        .await
    }

    pub async fn refresh(&self, token: &Value) -> Answer {
        self.post(
            "/token?grant_type=refresh_token",
            json!({"refresh_token": token}),
        )
        .send()
        .await
    }

    pub async fn user(&self, session: &Value) -> Answer {
        self.ask("GET", "/user").bearer(session).send().await
    }

    /// The newest letter to an address once there are `count` of them: its link and its digits.
    pub async fn letter(&self, to: &str, count: usize) -> Letter {
        let give_up = Instant::now() + Duration::from_secs(10);
        loop {
            let letters = self.letters(to);
            if letters.len() >= count {
                return letters.into_iter().next_back().unwrap();
            }
            assert!(
                Instant::now() < give_up,
                "{} letters to {to}, not {count}",
                letters.len()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn letters(&self, to: &str) -> Vec<Letter> {
        let Ok(entries) = std::fs::read_dir(&self.mail) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
        files.sort();
        let texts = files
            .iter()
            .map(|path| std::fs::read_to_string(path).unwrap());
        texts
            .filter(|text| text.contains(&format!("To: {to}")))
            .map(|text| Letter::read(&text))
            .collect()
    }
}

/// What a letter carries.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Path and query of its link, after `/auth/v1`.
    pub link: String,
    pub token: String,
    pub digits: String,
}

impl Letter {
    fn read(text: &str) -> Letter {
        let plain = text.split("Content-Type: text/html").next().unwrap();
        // Quoted-printable folds long lines with `=` at their end and writes `=` as `=3D`.
        let plain = plain.replace("=\r\n", "").replace("=3D", "=");
        let link = plain
            .split("http://api.example.com/auth/v1")
            .nth(1)
            .unwrap();
        let link = link.split_whitespace().next().unwrap().to_owned();
        let token = link
            .split("token=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned();
        let digits = plain
            .split("code: ")
            .nth(1)
            .unwrap()
            .chars()
            .take(6)
            .collect();
        Letter {
            link,
            token,
            digits,
        }
    }
}

pub struct Ask<'a> {
    app: &'a App,
    method: String,
    path: String,
    body: Option<Vec<u8>>,
    headers: Vec<(String, String)>,
}

impl Ask<'_> {
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body.to_string().into_bytes());
        self
    }

    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        let mut ask = self.without(name);
        ask.headers.push((name.into(), value.into()));
        ask
    }

    pub fn from(self, address: &str) -> Self {
        self.header("x-forwarded-for", address)
    }

    pub fn bearer(self, session: &Value) -> Self {
        let token = session["access_token"].as_str().unwrap();
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The body of an answer that must be a success.
    pub async fn ok(self) -> Value {
        let answer = self.send().await;
        assert!(answer.status < 300, "{}: {}", answer.status, answer.text);
        answer.json()
    }

    pub async fn send(self) -> Answer {
        let body = self.body.unwrap_or_default();
        let mut request = format!(
            "{} /auth/v1{} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n",
            self.method, self.path
        );
        for (name, value) in &self.headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let mut stream = TcpStream::connect(self.app.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        // A server that refuses early may close while the body is still being sent.
        let _refused_early = stream.write_all(&body).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        Answer::read(&bytes)
    }
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub text: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> Answer {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap_or((line, "")));
        let headers = headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Answer {
            status,
            headers,
            text: body.to_owned(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Status and code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (
            self.status,
            self.json()["code"].as_str().unwrap_or_default().to_owned(),
        )
    }

    /// The pairs behind `#` in a redirect's target.
    pub fn fragment(&self) -> Vec<(String, String)> {
        let target = self.header("location").unwrap();
        let pairs = target.split_once('#').unwrap().1.split('&');
        pairs
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    }

    pub fn fragment_value(&self, name: &str) -> Value {
        self.fragment()
            .into_iter()
            .find(|(key, _)| key == name)
            .map_or(Value::Null, |(_, value)| Value::String(value))
    }
}

/// The claims of a session's access token.
pub fn claims(session: &Value) -> Value {
    use base64::Engine as _;
    let payload = session["access_token"]
        .as_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    serde_json::from_slice(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(payload)
            .unwrap(),
    )
    .unwrap()
}

pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
