//! A strict mail relay (RFC 5321, RFC 4954): it takes a letter only from who signs in and follows the protocol, and keeps
//! it as a file, where [`crate::mail`] finds it.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// The relay's only account.
pub const USER: &str = "notes";
/// Its password.
pub const PASSWORD: &str = "a-password-for-the-relay";

/// A relay on a port of its own. Its thread ends with the process.
pub struct Relay {
    address: SocketAddr,
    folder: TempDir,
    broken: Arc<Mutex<Vec<String>>>,
}

struct Session {
    folder: PathBuf,
    number: Arc<AtomicUsize>,
    /// How long it thinks before it takes a letter.
    pause: Duration,
}

impl Relay {
    /// Starts one that thinks for `pause` before it takes a letter.
    pub fn start(pause: Duration) -> Result<Relay> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listen for mail")?;
        let folder = tempfile::tempdir().context("make a folder for the letters")?;
        let relay = Relay {
            address: listener.local_addr()?,
            folder,
            broken: Arc::default(),
        };
        let (path, broken) = (relay.folder.path().to_owned(), Arc::clone(&relay.broken));
        let number = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let session = Session {
                    folder: path.clone(),
                    number: Arc::clone(&number),
                    pause,
                };
                let broken = Arc::clone(&broken);
                std::thread::spawn(move || {
                    if let Err(error) = session.speak(stream) {
                        let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
                        broken.push(format!("{error:#}"));
                    }
                });
            }
        });
        Ok(relay)
    }

    /// Its URL, with the account.
    pub fn url(&self) -> String {
        format!("smtp://{USER}:{PASSWORD}@{}", self.address)
    }

    /// Where the letters are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What of the protocol was not followed.
    pub fn broken(&self) -> Vec<String> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        broken.clone()
    }
}

impl Session {
    fn speak(&self, mut stream: TcpStream) -> Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?);
        let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes());
        say("220 relay.example ESMTP")?;
        let (mut signed_in, mut from, mut to) = (false, false, false);
        loop {
            let line = match read(&mut lines)? {
                Some(line) => line,
                None => return Ok(()),
            };
            let verb = line.to_ascii_uppercase();
            if verb.starts_with("EHLO ") {
                say("250-relay.example")?;
                say("250 AUTH PLAIN")?;
            } else if let Some(given) = line.strip_prefix("AUTH PLAIN ") {
                signed_in = STANDARD.decode(given)? == format!("\0{USER}\0{PASSWORD}").as_bytes();
                say(if signed_in { "235 welcome" } else { "535 no" })?;
            } else if verb.starts_with("MAIL FROM:<") && signed_in {
                from = true;
                say("250 go on")?;
            } else if verb.starts_with("RCPT TO:<") && from {
                to = true;
                say("250 go on")?;
            } else if verb == "DATA" && to {
                say("354 end with a dot")?;
                let mut letter = String::new();
                while let Some(line) = read(&mut lines)?.filter(|line| line != ".") {
                    letter.push_str(line.strip_prefix('.').unwrap_or(&line));
                    letter.push_str("\r\n");
                }
                std::thread::sleep(self.pause);
                let number = self.number.fetch_add(1, Ordering::Relaxed);
                // Named at once, so that nobody reads half a letter.
                let part = self.folder.join(format!("{number:06}.part"));
                fs::write(&part, letter)?;
                fs::rename(&part, part.with_extension("eml"))?;
                (from, to) = (false, false);
                say("250 taken")?;
            } else if verb == "QUIT" {
                say("221 bye")?;
                return Ok(());
            } else if verb == "NOOP" || verb == "RSET" {
                say("250 fine")?;
            } else {
                say("503 not now")?;
                bail!("{line:?} was out of place");
            }
        }
    }
}

/// A line without its end, which has to be CRLF. None at the end of the connection.
fn read(lines: &mut impl BufRead) -> Result<Option<String>> {
    let mut line = String::new();
    if lines.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let line = line.strip_suffix("\r\n").context("end a line with CRLF")?;
    Ok(Some(line.to_owned()))
}
