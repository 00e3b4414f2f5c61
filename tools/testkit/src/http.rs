//! A small blocking HTTP/1.1 client: one connection, no retries, no cleverness.
//!
//! A test that keeps a ledger must know exactly which requests were answered, so nothing here sends twice.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, chunks joined.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// Speaks to one server. Keeps its connection between requests and opens another one after a failure.
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    headers: Vec<(String, String)>,
    timeout: Duration,
}

impl Client {
    /// A client of the server at `address`; connects at the first request. A read waits 30 s at most.
    pub fn new(address: SocketAddr) -> Client {
        Client {
            address,
            connection: None,
            headers: Vec::new(),
            timeout: Duration::from_secs(30),
        }
    }

    /// The same, sending this header with every request.
    pub fn with(mut self, name: &str, value: &str) -> Client {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends `apikey`, and the token (or, without one, nothing more).
    pub fn keyed(self, apikey: &str, token: Option<&str>) -> Client {
        let client = self.with("apikey", apikey);
        match token {
            Some(token) => client.with("authorization", &format!("Bearer {token}")),
            None => client,
        }
    }

    /// GET.
    pub fn get(&mut self, path: &str) -> Result<Response> {
        self.send("GET", path, &[], None)
    }

    /// POST of a JSON value.
    pub fn post(&mut self, path: &str, body: &Value) -> Result<Response> {
        self.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            Some(body.to_string().as_bytes()),
        )
    }

    /// Any request. `content-length` is added when there is a body.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Response> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        let own = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        self.send_raw(&bytes, method == "HEAD")
    }

    /// Writes these very bytes and reads one answer. An answer sent before the request was read whole counts too.
    pub fn send_raw(&mut self, request: &[u8], head: bool) -> Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => BufReader::new(connect(self.address, self.timeout)?),
        };
        let written = connection.get_mut().write_all(request);
        let response = match (read_response(&mut connection, head), written) {
            (Ok(response), _) => response,
            (Err(_), Err(error)) => return Err(error).context("send the request"),
            (Err(error), Ok(())) => return Err(error),
        };
        if response.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

fn connect(address: SocketAddr, timeout: Duration) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).context("connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    Ok(stream)
}

fn read_response(from: &mut BufReader<TcpStream>, head: bool) -> Result<Response> {
    loop {
        let status_line = read_line(from)?;
        let status: u16 = status_line
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| status_line.strip_prefix("HTTP/1.0 "))
            .and_then(|rest| rest.get(..3))
            .and_then(|code| code.parse().ok())
            .with_context(|| format!("read a status line in {status_line:?}"))?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(from)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line
                .split_once(':')
                .with_context(|| format!("read a header in {line:?}"))?;
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        if status == 100 {
            continue;
        }
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        if head || status == 204 || status == 304 {
            return Ok(response);
        }
        if response
            .header("transfer-encoding")
            .is_some_and(|value| value.contains("chunked"))
        {
            read_chunks(from, &mut response.body)?;
        } else if let Some(length) = response.header("content-length") {
            let length: usize = length.parse().context("read content-length")?;
            response.body.resize(length, 0);
            from.read_exact(&mut response.body)
                .context("read the body")?;
        } else {
            from.read_to_end(&mut response.body)
                .context("read the body")?;
        }
        return Ok(response);
    }
}

fn read_chunks(from: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Result<()> {
    loop {
        let line = read_line(from)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16)
            .with_context(|| format!("read a chunk size in {line:?}"))?;
        let start = body.len();
        body.resize(start + size, 0);
        from.read_exact(&mut body[start..])
            .context("read a chunk")?;
        let end = read_line(from)?;
        if size == 0 {
            return Ok(());
        }
        if !end.is_empty() {
            bail!("a chunk is longer than it says");
        }
    }
}

fn read_line(from: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)
        .context("read the head of the answer")?;
    if line.pop() != Some(b'\n') {
        bail!("the connection ended before the answer did");
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).context("read the head of the answer")
}
