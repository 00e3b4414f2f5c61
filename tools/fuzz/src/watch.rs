//! Bounds that can't be unwound: the time and the memory of one input, and the stack.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest that one input may take. Generous, because the machine has other things to do: what hangs does so for longer.
const TIME: Duration = Duration::from_secs(30);
/// What the process may hold beyond what it held at first, bytes.
const MEMORY_BYTES: u64 = 1_500 << 20;
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(50);

/// The input being run, and since when.
type Running = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

/// Watches over inputs, one after the other. One that takes too long or too much ends the process, because nothing else would end it.
///
/// The input in hand also stands in a file, for when the stack overflows.
pub struct Watch {
    current: Running,
    path: PathBuf,
    file: Option<File>,
}

impl Watch {
    /// Begins to watch.
    pub fn start(target: &'static str) -> Watch {
        let current: Running = Arc::default();
        let watched = Arc::downgrade(&current);
        let before = resident_bytes();
        std::thread::spawn(move || {
            while let Some(current) = watched.upgrade() {
                let current = current.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((began, input)) = &*current {
                    let held = resident_bytes().saturating_sub(before);
                    let broken = if began.elapsed() > TIME {
                        format!("it took longer than {} s", TIME.as_secs())
                    } else if held > MEMORY_BYTES {
                        format!("it took {} MiB", held >> 20)
                    } else {
                        String::new()
                    };
                    if !broken.is_empty() {
                        eprintln!("{target}: {broken}: {}", show(input));
                        std::process::exit(101);
                    }
                }
                drop(current);
                std::thread::sleep(EVERY);
            }
        });
        let path = std::env::temp_dir().join(format!("pando-fuzz-{target}-{}", std::process::id()));
        Watch {
            current,
            file: File::create(&path).ok(),
            path,
        }
    }

    /// Where the input in hand stands, if the process is killed.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Runs an input under watch.
    pub fn over<T>(&mut self, input: &[u8], work: impl FnOnce() -> T) -> T {
        if let Some(file) = &mut self.file {
            // Only somebody who looks for a crash misses it.
            let _ = file.rewind();
            let _ = file.set_len(0);
            let _ = file.write_all(input);
        }
        self.set(Some((Instant::now(), input.to_vec())));
        let done = work();
        self.set(None);
        done
    }

    fn set(&self, to: Option<(Instant, Vec<u8>)>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What the process holds in memory; 0 where the system does not say.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0);
    pages * 4_096
}

/// An input in one line, as Rust writes bytes.
pub(crate) fn show(input: &[u8]) -> String {
    match std::str::from_utf8(input) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("b\"{}\"", input.escape_ascii()),
    }
}
