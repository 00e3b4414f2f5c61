//! One keep-alive HTTP/1.1 connection that does as little as a client can, so that one core of it outruns one core of any server measured here.

use anyhow::{Context as _, Result, bail};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection and what was read from it.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Connects with Nagle's algorithm off, as every HTTP client does.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; 64 * 1024],
            filled: 0,
        })
    }

    /// Sends one rendered request and reads its whole answer, of which only the status is kept.
    pub async fn send(&mut self, request: &[u8]) -> Result<u16> {
        self.exchange(request, None).await
    }

    /// Sends one rendered request and gives back the answer's body as well.
    pub async fn fetch(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>)> {
        let mut body = Vec::new();
        let status = self.exchange(request, Some(&mut body)).await?;
        Ok((status, body))
    }

    async fn exchange(&mut self, request: &[u8], mut keep: Option<&mut Vec<u8>>) -> Result<u16> {
        self.stream.write_all(request).await?;
        let head = loop {
            if let Some(end) = find(&self.buffer[..self.filled], b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await?;
        };
        let text = std::str::from_utf8(&self.buffer[..head]).context("a head that is not text")?;
        let status: u16 = text.get(9..12).context("a short status line")?.parse()?;
        let length = header(text, "content-length")
            .map(str::parse::<usize>)
            .transpose()?;
        let chunked =
            header(text, "transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
        let bytes = match length {
            Some(length) => {
                let whole = head + length;
                if self.buffer.len() < whole {
                    self.buffer.resize(whole, 0);
                }
                while self.filled < whole {
                    self.fill().await?;
                }
                if let Some(body) = keep.as_mut() {
                    body.extend_from_slice(&self.buffer[head..whole]);
                }
                whole
            }
            None if chunked => self.chunks(head, keep).await?,
            None if status == 204 || status == 304 => head,
            None => bail!("an answer without framing: {text}"),
        };
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
        Ok(status)
    }

    /// Reads a chunked body that starts at `at`; gives the offset just after it.
    async fn chunks(&mut self, mut at: usize, mut keep: Option<&mut Vec<u8>>) -> Result<usize> {
        loop {
            let line = loop {
                if let Some(end) = find(&self.buffer[at..self.filled], b"\r\n") {
                    break at + end;
                }
                self.fill().await?;
            };
            let size = std::str::from_utf8(&self.buffer[at..line])?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or("").trim(), 16)?;
            let end = line + 2 + size + 2;
            if self.buffer.len() < end {
                self.buffer.resize(end, 0);
            }
            while self.filled < end {
                self.fill().await?;
            }
            if let Some(body) = keep.as_mut() {
                body.extend_from_slice(&self.buffer[line + 2..line + 2 + size]);
            }
            at = end;
            if size == 0 {
                return Ok(at);
            }
        }
    }

    async fn fill(&mut self) -> Result<()> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = self.stream.read(&mut self.buffer[self.filled..]).await?;
        if read == 0 {
            bail!("the server closed the connection");
        }
        self.filled += read;
        Ok(())
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Renders a request. `headers` are complete lines without their ends.
pub fn render(method: &str, target: &str, headers: &[String], body: Option<&str>) -> Vec<u8> {
    let mut out = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n");
    for line in headers {
        out.push_str(line);
        out.push_str("\r\n");
    }
    if let Some(body) = body {
        out.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
    } else {
        out.push_str("\r\n");
    }
    out.into_bytes()
}
