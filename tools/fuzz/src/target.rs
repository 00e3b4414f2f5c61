//! What is fuzzed: a function of a text that makes promises.

use crate::literals::Literals;
use crate::rest::Rest;
use crate::seen::Seen;
use crate::sql::Sql;

/// All targets.
pub const NAMES: &[&str] = &["sql", "literals", "rest"];

/// Something that reads arbitrary bytes.
pub trait Target {
    /// Words its grammar knows, which mutations insert.
    fn words(&self) -> &'static [&'static str];

    /// Reads an input and says what it saw. It never panics, and its time and memory are bounded.
    ///
    /// Errors: the promise that was broken.
    fn run(&mut self, input: &[u8], seen: &mut Seen) -> Result<(), String>;
}

/// The target of a name, as new.
///
/// # Panics
/// If there is no such target, or its own schema does not run.
pub fn make(name: &str) -> Box<dyn Target> {
    match name {
        "sql" => Box::new(Sql::new()),
        "literals" => Box::new(Literals::new()),
        "rest" => Box::new(Rest::new()),
        other => panic!("there is no target {other:?}; there are {NAMES:?}"),
    }
}
