//! Where the sequences stand. They are counted in memory and never rolled back: a number is given once, and gaps are what failed
//! writes leave, as in Postgres.
//!
//! What moved is written to `"pando.sequences"` in the transaction that commits the rows, so a row and its number are durable together.

use super::error::sql_error;
use pando_sql::render::{CURRENT_VALUE, LAST_VALUE, NEXT_VALUE, SET_VALUE};
use pando_sql::{FORGET_SEQUENCE, RENAME_SEQUENCE, SqlError};
use parking_lot::Mutex;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, params};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Where one sequence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counter {
    last: i64,
    /// Whether `last` has been given.
    called: bool,
}

/// The numbers a sequence has, as its calls carry them.
#[derive(Clone, Copy)]
struct Numbers {
    start: i64,
    increment: i64,
    min: i64,
    max: i64,
    cycle: bool,
}

#[derive(Clone, Default)]
struct State {
    counters: HashMap<String, Counter>,
    /// Those that differ from what the file says.
    moved: BTreeSet<String>,
    /// What this request was given: `currval`.
    given: HashMap<String, i64>,
    /// The sequence asked last: `lastval`.
    last: Option<String>,
}

/// The sequences of a file. Clones are the same ones.
#[derive(Clone, Default)]
pub(crate) struct Sequences(Arc<Mutex<State>>);

/// Where all sequences stood at one moment.
pub(crate) struct Standing(State);

impl Sequences {
    /// Reads where they stand, and makes the functions that count known to the connection.
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Sequences> {
        let sequences = Sequences::default();
        {
            let mut statement =
                connection.prepare("SELECT name, last, called FROM \"pando.sequences\"")?;
            let rows = statement.query_map([], |row| {
                let (last, called) = (row.get(1)?, row.get(2)?);
                Ok((row.get(0)?, Counter { last, called }))
            })?;
            sequences.0.lock().counters = rows.collect::<rusqlite::Result<_>>()?;
        }
        sequences.register(connection)?;
        Ok(sequences)
    }

    /// Writes what moved. Once the transaction is committed, [`settle`](Self::settle) says so.
    pub(crate) fn flush(&self, connection: &Connection) -> Result<(), SqlError> {
        let state = self.0.lock();
        if state.moved.is_empty() {
            return Ok(());
        }
        let write = || -> rusqlite::Result<()> {
            for name in &state.moved {
                match state.counters.get(name) {
                    Some(counter) => connection
                        .prepare_cached(
                            "INSERT INTO \"pando.sequences\" (name, last, called) VALUES (?1, ?2, ?3) \
                             ON CONFLICT (name) DO UPDATE SET last = excluded.last, called = excluded.called",
                        )?
                        .execute(params![name, counter.last, counter.called])?,
                    None => connection
                        .prepare_cached("DELETE FROM \"pando.sequences\" WHERE name = ?1")?
                        .execute([name])?,
                };
            }
            Ok(())
        };
        write().map_err(sql_error)
    }

    /// What was flushed is durable.
    pub(crate) fn settle(&self) {
        self.0.lock().moved.clear();
    }

    /// A new request begins: it has been given nothing.
    pub(crate) fn begin(&self) {
        let mut state = self.0.lock();
        if state.last.take().is_some() {
            state.given.clear();
        }
    }

    /// Where they stand now, to come back to.
    pub(crate) fn standing(&self) -> Standing {
        Standing(self.0.lock().clone())
    }

    /// Forgets all since: the migration that made or moved them did not happen.
    pub(crate) fn restore(&self, standing: Standing) {
        *self.0.lock() = standing.0;
    }

    fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        for arity in [1, 6] {
            let this = self.clone();
            connection.create_scalar_function(NEXT_VALUE, arity, flags, move |context| {
                let numbers = if context.len() == 1 {
                    Numbers {
                        start: 1,
                        increment: 1,
                        min: 1,
                        max: i64::MAX,
                        cycle: false,
                    }
                } else {
                    Numbers {
                        start: context.get(1)?,
                        increment: context.get(2)?,
                        min: context.get(3)?,
                        max: context.get(4)?,
                        cycle: context.get(5)?,
                    }
                };
                carried(this.next(name(context)?, numbers))
            })?;
        }
        let this = self.clone();
        connection.create_scalar_function(CURRENT_VALUE, 1, flags, move |context| {
            carried(this.current(name(context)?))
        })?;
        let this = self.clone();
        connection.create_scalar_function(LAST_VALUE, 0, flags, move |_| carried(this.last()))?;
        let this = self.clone();
        connection.create_scalar_function(SET_VALUE, 5, flags, move |context| {
            let (Some(last), Some(called)) = (
                context.get::<Option<i64>>(1)?,
                context.get::<Option<bool>>(2)?,
            ) else {
                return Ok(None);
            };
            let range = (context.get(3)?, context.get(4)?);
            carried(this.set(name(context)?, Counter { last, called }, range)).map(Some)
        })?;
        let this = self.clone();
        connection.create_scalar_function(FORGET_SEQUENCE, 1, flags, move |context| {
            let mut state = this.0.lock();
            let name = name(context)?;
            if state.counters.remove(name).is_some() {
                state.moved.insert(name.to_owned());
            }
            Ok(true)
        })?;
        let this = self.clone();
        connection.create_scalar_function(RENAME_SEQUENCE, 2, flags, move |context| {
            let mut state = this.0.lock();
            let (old, new) = (name(context)?, context.get::<String>(1)?);
            if let Some(counter) = state.counters.remove(old) {
                state.counters.insert(new.clone(), counter);
                state.moved.extend([old.to_owned(), new]);
            }
            Ok(true)
        })
    }

    fn next(&self, name: &str, numbers: Numbers) -> Result<i64, SqlError> {
        let mut state = self.0.lock();
        let state = &mut *state;
        let next = match state.counters.get(name) {
            None => numbers.start,
            Some(Counter {
                last,
                called: false,
            }) => *last,
            Some(Counter { last, .. }) => {
                let next = last
                    .checked_add(numbers.increment)
                    .filter(|next| (numbers.min..=numbers.max).contains(next));
                let up = numbers.increment > 0;
                match next {
                    Some(next) => next,
                    None if numbers.cycle && up => numbers.min,
                    None if numbers.cycle => numbers.max,
                    None => {
                        let shown = name.rsplit('.').next().unwrap_or(name);
                        let (which, limit) = if up {
                            ("maximum", numbers.max)
                        } else {
                            ("minimum", numbers.min)
                        };
                        return Err(SqlError::new(
                            "2200H",
                            format!(
                                "nextval: reached {which} value of sequence \"{shown}\" ({limit})"
                            ),
                        ));
                    }
                }
            }
        };
        let counter = Counter {
            last: next,
            called: true,
        };
        // Names are made once: most numbers come from a sequence that gave one before.
        match state.counters.get_mut(name) {
            Some(known) => *known = counter,
            None => {
                state.counters.insert(name.to_owned(), counter);
            }
        }
        if !state.moved.contains(name) {
            state.moved.insert(name.to_owned());
        }
        match state.given.get_mut(name) {
            Some(given) => *given = next,
            None => {
                state.given.insert(name.to_owned(), next);
            }
        }
        if state.last.as_deref() != Some(name) {
            state.last = Some(name.to_owned());
        }
        Ok(next)
    }

    fn current(&self, name: &str) -> Result<i64, SqlError> {
        self.0.lock().given.get(name).copied().ok_or_else(|| {
            let shown = name.rsplit('.').next().unwrap_or(name);
            SqlError::new(
                "55000",
                format!("currval of sequence \"{shown}\" is not yet defined in this session"),
            )
        })
    }

    fn last(&self) -> Result<i64, SqlError> {
        let state = self.0.lock();
        state
            .last
            .as_ref()
            .and_then(|name| state.given.get(name))
            .copied()
            .ok_or_else(|| SqlError::new("55000", "lastval is not yet defined in this session"))
    }

    fn set(&self, name: &str, counter: Counter, (min, max): (i64, i64)) -> Result<i64, SqlError> {
        if !(min..=max).contains(&counter.last) {
            let shown = name.rsplit('.').next().unwrap_or(name);
            return Err(SqlError::new(
                "22003",
                format!(
                    "setval: value {} is out of bounds for sequence \"{shown}\" ({min}..{max})",
                    counter.last
                ),
            ));
        }
        let mut state = self.0.lock();
        state.counters.insert(name.to_owned(), counter);
        state.moved.insert(name.to_owned());
        if counter.called && state.given.contains_key(name) {
            state.given.insert(name.to_owned(), counter.last);
        }
        Ok(counter.last)
    }
}

/// Makes the functions that count known to a connection that only reads: there they are refused.
pub(crate) fn refuse(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    for (function, name) in [
        (NEXT_VALUE, "nextval"),
        (SET_VALUE, "setval"),
        (CURRENT_VALUE, "currval"),
        (LAST_VALUE, "lastval"),
    ] {
        connection.create_scalar_function(function, -1, flags, move |_| {
            let error = match name {
                "lastval" | "currval" => SqlError::new(
                    "55000",
                    format!("{name} is not yet defined in this session"),
                ),
                _ => SqlError::new(
                    "25006",
                    format!("cannot execute {name}() in a read-only transaction"),
                ),
            };
            carried::<i64>(Err(error))
        })?;
    }
    Ok(())
}

fn name<'a>(context: &'a Context<'_>) -> rusqlite::Result<&'a str> {
    Ok(context.get_raw(0).as_str()?)
}

/// An error on its way through SQLite.
fn carried<T>(result: Result<T, SqlError>) -> rusqlite::Result<T> {
    result.map_err(|error| {
        rusqlite::Error::UserFunctionError(
            format!("PGERR:{}:{}", error.state, error.message).into(),
        )
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn bed() -> (Connection, Sequences) {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(super::super::migrator::SEQUENCES)
            .unwrap();
        let sequences = Sequences::load(&connection).unwrap();
        (connection, sequences)
    }

    fn ask(connection: &Connection, sql: &str) -> Result<Option<i64>, String> {
        connection
            .query_row(&format!("select {sql}"), [], |row| row.get(0))
            .map_err(|error| sql_error(error).message)
    }

    #[test]
    fn numbers_go_up_down_and_around() {
        let (connection, _) = bed();
        for (sql, number) in [
            ("pando_nextval('a')", Ok(Some(1))),
            ("pando_nextval('a')", Ok(Some(2))),
            ("pando_nextval('s', 1, 1, 1, 2, 0)", Ok(Some(1))),
            ("pando_nextval('s', 1, 1, 1, 2, 0)", Ok(Some(2))),
            (
                "pando_nextval('s', 1, 1, 1, 2, 0)",
                Err("nextval: reached maximum value of sequence \"s\" (2)"),
            ),
            ("pando_nextval('s', 1, 1, 1, 2, 1)", Ok(Some(1))),
            ("pando_nextval('x.d', -1, -1, -2, -1, 0)", Ok(Some(-1))),
            ("pando_nextval('x.d', -1, -1, -2, -1, 0)", Ok(Some(-2))),
            (
                "pando_nextval('x.d', -1, -1, -2, -1, 0)",
                Err("nextval: reached minimum value of sequence \"d\" (-2)"),
            ),
            ("pando_nextval('x.d', -1, -1, -2, -1, 1)", Ok(Some(-1))),
            ("pando_currval('a')", Ok(Some(2))),
            ("pando_lastval()", Ok(Some(-1))),
            (
                "pando_currval('b')",
                Err("currval of sequence \"b\" is not yet defined in this session"),
            ),
            ("pando_setval('a', 10, 1, 1, 99)", Ok(Some(10))),
            ("pando_nextval('a')", Ok(Some(11))),
            ("pando_setval('a', 10, 0, 1, 99)", Ok(Some(10))),
            ("pando_nextval('a')", Ok(Some(10))),
            ("pando_setval('a', null, 1, 1, 99)", Ok(None)),
            (
                "pando_setval('a', 0, 1, 1, 99)",
                Err("setval: value 0 is out of bounds for sequence \"a\" (1..99)"),
            ),
        ] {
            assert_eq!(
                ask(&connection, sql),
                number.map_err(str::to_owned),
                "{sql}"
            );
        }
    }

    #[test]
    fn where_they_stand_is_written_with_the_transaction_and_never_goes_back() {
        let (connection, sequences) = bed();
        let next = || ask(&connection, "pando_nextval('a')").unwrap().unwrap();
        connection.execute_batch("begin").unwrap();
        assert_eq!(next(), 1);
        connection.execute_batch("rollback").unwrap();
        connection.execute_batch("begin").unwrap();
        assert_eq!(next(), 2, "a number is not given again");
        sequences.flush(&connection).unwrap();
        connection.execute_batch("commit").unwrap();
        sequences.settle();
        let again = Sequences::load(&connection).unwrap();
        assert_eq!(next(), 3);
        let standing = again.standing();
        ask(&connection, "pando_sequence_rename('a', 'b')").unwrap();
        assert_eq!(ask(&connection, "pando_nextval('b')"), Ok(Some(4)));
        assert_eq!(next(), 1);
        again.restore(standing);
        assert_eq!(next(), 4);
        ask(&connection, "pando_sequence_forget('a')").unwrap();
        again.flush(&connection).unwrap();
        Sequences::load(&connection).unwrap();
        assert_eq!(next(), 1);
    }
}
