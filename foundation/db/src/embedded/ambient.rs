//! What SQLite's triggers ask of the connection, for they take no parameters: who writes and when, and the variables of their functions.
//!
//! Set before each request of the writer, which runs one after the other; the readers have no triggers.

use super::identity::resolve;
use pando_kernel::{Caller, Role, Timestamp};
use pando_sql::{Bind, SqlError, Value};
use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSqlOutput, ValueRef};
use std::sync::Arc;

/// How deep triggers may run within one another: about where Postgres' stack ends.
const DEPTH: usize = 200;

/// The writer's, shared with its connection.
#[derive(Clone, Default)]
pub(crate) struct Ambient(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    caller: Option<Caller>,
    now: Option<Timestamp>,
    /// Whose rights the statement has that runs: the caller's, or those of a function that runs as its owner.
    user: Option<Role>,
    /// One for each function that runs, innermost last.
    frames: Vec<Frame>,
}

struct Frame {
    /// Whose rights it has, if those are not the ones around it.
    user: Option<String>,
    slots: Vec<Value>,
}

impl Ambient {
    /// From here on statements are a caller's; those of a service have none.
    pub(crate) fn set(&self, caller: Option<&Caller>, now: Timestamp) {
        let mut state = self.0.lock();
        state.caller = caller.cloned();
        state.now = Some(now);
        state.user = None;
        state.frames.clear();
    }

    /// From here on statements have the rights of a role.
    pub(crate) fn act_as(&self, role: Role) {
        let mut state = self.0.lock();
        state.user = Some(role);
        state.frames.clear();
    }

    /// Puts its functions on the writing connection.
    pub(crate) fn register(&self, connection: &Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        let state = self.0.clone();
        connection.create_scalar_function("pg_ambient", 1, flags, move |context| {
            let what: String = context.get(0)?;
            Ok(Answer(state.lock().ask(&what)))
        })?;
        let state = self.0.clone();
        connection.create_scalar_function("pg_enter", 2, flags, move |context| {
            let (user, slots): (String, u32) = (context.get(0)?, context.get(1)?);
            state
                .lock()
                .enter(user, slots as usize)
                .map_err(super::connection::carried)?;
            Ok(Answer(Value::Null))
        })?;
        let state = self.0.clone();
        connection.create_scalar_function("pg_leave", 0, flags, move |_| {
            state.lock().frames.pop();
            Ok(Answer(Value::Null))
        })?;
        let state = self.0.clone();
        connection.create_scalar_function("pg_keep", 2, flags, move |context| {
            let slot: u32 = context.get(0)?;
            let value = crate::tx::value(context.get_raw(1));
            if let Some(kept) = state.lock().slot(slot as usize) {
                *kept = value;
            }
            Ok(Answer(Value::Null))
        })?;
        let state = self.0.clone();
        connection.create_scalar_function("pg_slot", 1, flags, move |context| {
            let slot: u32 = context.get(0)?;
            let kept = state.lock().slot(slot as usize).cloned();
            Ok(Answer(kept.unwrap_or(Value::Null)))
        })
    }
}

impl State {
    fn slot(&mut self, slot: usize) -> Option<&mut Value> {
        self.frames.last_mut()?.slots.get_mut(slot)
    }

    fn enter(&mut self, user: String, slots: usize) -> Result<(), SqlError> {
        if self.frames.len() >= DEPTH {
            return Err(too_deep());
        }
        self.frames.push(Frame {
            user: (!user.is_empty()).then_some(user),
            slots: vec![Value::Null; slots],
        });
        Ok(())
    }

    fn ask(&self, what: &str) -> Value {
        if what == "user" {
            let within = self
                .frames
                .iter()
                .rev()
                .find_map(|frame| frame.user.clone());
            let around = || self.user.or(self.caller.as_ref().map(Caller::role));
            return match within {
                Some(user) => user.into(),
                None => Value::text(around().unwrap_or(Role::Service).name()),
            };
        }
        let bind = match what {
            "uid" => Bind::Uid,
            "role" => Bind::Role,
            "email" => Bind::Email,
            "jwt" => Bind::Jwt,
            "now" => Bind::Now,
            "today" => Bind::Today,
            "uuid" => Bind::RandomUuid,
            _ => return Value::Null,
        };
        let Some(now) = self.now else {
            return Value::Null;
        };
        match (&self.caller, &bind) {
            (Some(caller), bind) => resolve(caller, now, bind),
            // A service writes for nobody: who asks is not known, when is.
            (None, Bind::Now | Bind::Today | Bind::RandomUuid) => {
                resolve(&Caller::keyed(Role::Service), now, &bind)
            }
            (None, _) => Value::Null,
        }
    }
}

/// What a trigger that comes to itself again and again ends with.
pub(crate) fn too_deep() -> SqlError {
    SqlError::new("54001", "stack depth limit exceeded")
        .hint("A trigger changes rows whose triggers come to the same again, without end.")
}

/// A value on its way into SQLite.
struct Answer(Value);

impl rusqlite::ToSql for Answer {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match &self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(int) => ValueRef::Integer(*int),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
