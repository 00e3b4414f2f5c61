//! SQLite's errors as SQL errors with a SQLSTATE.

use super::connection::PART;
use super::fatal;
use pando_sql::SqlError;
use rusqlite::ErrorCode;

/// What a registered SQL function puts before `state:message`, so that its error passes through SQLite whole.
const CARRIED: &str = "PGERR:";

/// An error of the engine; broken constraints are explained elsewhere (see `violation`). A sync that failed does not come back (see `fatal`).
pub(crate) fn sql_error(error: rusqlite::Error) -> SqlError {
    fatal::check(&error);
    let rusqlite::Error::SqliteFailure(failure, message) = &error else {
        return SqlError::new("XX000", error.to_string());
    };
    if let Some((state, text)) = message
        .as_deref()
        .and_then(|message| message.split_once(CARRIED))
        .and_then(|(_, rest)| rest.split_once(':'))
    {
        let mut parts = text.split(PART);
        let mut carried = SqlError::new("XX000", parts.next().unwrap_or_default());
        carried.state = state.to_owned().into();
        let mut option = || parts.next().filter(|part| !part.is_empty());
        carried.detail = option().map(str::to_owned);
        carried.hint = option().map(str::to_owned);
        return carried;
    }
    if message
        .as_deref()
        .is_some_and(|message| message.contains("too many levels of trigger recursion"))
    {
        return super::ambient::too_deep();
    }
    if failure.code == ErrorCode::ConstraintViolation {
        return violated(
            failure.extended_code,
            message.as_deref().unwrap_or_default(),
        );
    }
    match failure.code {
        ErrorCode::OperationInterrupted => {
            SqlError::new("57014", "canceling statement due to statement timeout")
        }
        ErrorCode::DiskFull => SqlError::new(
            "53100",
            "could not extend the database: no space left on device",
        ),
        ErrorCode::SystemIoFailure => SqlError::new("58030", format!("the disk failed: {error}")),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            SqlError::new("XX001", format!("the database file is damaged: {error}"))
                .hint("Run `pando doctor`, and restore a backup if it says so.")
        }
        ErrorCode::OutOfMemory => SqlError::new("53200", "out of memory"),
        ErrorCode::TooBig => SqlError::new("54000", "value or statement is too large"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            SqlError::new("55P03", "the database is locked")
        }
        ErrorCode::ReadOnly => {
            SqlError::new("25006", "cannot execute a write in a read-only transaction")
        }
        _ => SqlError::new("XX000", error.to_string()),
    }
}

/// A constraint broken by hand-written SQL, in SQLite's words with Postgres' state.
fn violated(code: i32, message: &str) -> SqlError {
    use rusqlite::ffi;
    let state = match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => "23505",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "23503",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "23502",
        ffi::SQLITE_CONSTRAINT_CHECK => "23514",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "22P02",
        _ => "23000",
    };
    SqlError::new(state, message)
}
