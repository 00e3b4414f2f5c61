//! A server that speaks S3 and that nobody here wrote: moto, from PyPI, in an environment of its own in the test cache.

use crate::cache;
use anyhow::{Context, Result, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

const VERSION: &str = "5.2.5";
/// Python starts slowly on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// A running server with one empty bucket.
pub struct Bucket {
    child: Child,
    address: SocketAddr,
}

impl Bucket {
    /// Whether the runner said that Python is not to be had here, so that tests which need a bucket say so and pass over.
    pub fn is_absent() -> bool {
        env::var_os("PANDO_TEST_WITHOUT_BUCKET").is_some()
    }

    /// Starts one, installing it first if this is the first run. Safe to call from many processes at once.
    pub fn start() -> Result<Bucket> {
        let program = installed()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start moto_server")?;
        let mut bucket = Bucket { child, address };
        let began = Instant::now();
        loop {
            if bucket.make().is_ok() {
                return Ok(bucket);
            }
            if let Some(status) = bucket.child.try_wait()? {
                bail!("moto_server ended with {status}");
            }
            if began.elapsed() > START_DEADLINE {
                bail!("moto_server did not get ready");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn make(&self) -> Result<()> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let host = self.address;
        write!(
            stream,
            "PUT /copies HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if !answer.starts_with("HTTP/1.1 200") {
            bail!("no bucket was made: {answer}");
        }
        Ok(())
    }

    /// The bucket's URL.
    pub fn url(&self) -> &'static str {
        "s3://copies/app"
    }

    /// Lines of `pando.toml` that let a server in.
    pub fn config(&self) -> String {
        format!(
            "[s3]\nendpoint = \"http://{}\"\naccess_key_id = \"tester\"\nsecret_access_key = \"not-shown-anywhere\"\n",
            self.address
        )
    }

    /// Stops answering, without closing anything (SIGSTOP).
    pub fn pause(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Answers again.
    pub fn go_on(&self) -> Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, name: &str) -> Result<()> {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([name, &id]).status()?;
        if !status.success() {
            bail!("{name} could not be sent");
        }
        Ok(())
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // Nobody is left to tell if this fails.
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The server's program. The environment is filled beside its place and moved there when it is whole; its scripts name the place they were
/// made in, so the program is run as a module of the environment's Python.
fn installed() -> Result<PathBuf> {
    let cache = cache::folder()?;
    let folder = cache.join(format!("moto-{VERSION}"));
    let program = folder.join("moto_server");
    if program.is_file() {
        return Ok(program);
    }
    let filling = tempfile::Builder::new()
        .prefix("moto-")
        .tempdir_in(&cache)?;
    let modules = filling.path().join("modules");
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--root-user-action=ignore",
            "--target",
        ])
        .arg(&modules)
        .arg(format!("moto[server]=={VERSION}"))
        .stdin(Stdio::null())
        .output()
        .context("run python3 -m pip")?;
    if !output.status.success() {
        bail!(
            "pip install moto failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let script = format!(
        "#!/bin/sh\nPYTHONPATH='{}' exec python3 -c 'import sys; from moto.server import main; main(sys.argv[1:])' \"$@\"\n",
        folder.join("modules").display()
    );
    write_program(&filling.path().join("moto_server"), &script)?;
    match fs::rename(filling.path(), &folder) {
        Ok(()) => {
            let _moved_away = filling.keep();
        }
        Err(_) if program.is_file() => {}
        Err(error) => {
            return Err(error).with_context(|| format!("move moto to {}", folder.display()));
        }
    }
    Ok(program)
}

fn write_program(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
