//! Printing. Whoever reads our output may stop reading (`pando config explain | head`), which is no failure.

use std::io::{self, Write};

/// Prints to standard output.
pub fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a line to standard error. If even that is closed, nobody is there to be told.
pub fn complain(text: &str) {
    let _nobody_there = writeln!(io::stderr().lock(), "{text}");
}
