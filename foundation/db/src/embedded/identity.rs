//! The parameters of a statement that come from the caller and the moment.

use pando_kernel::{Caller, Timestamp};
use pando_sql::{Bind, Type, Value};
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    email: Option<String>,
}

/// What `bind` stands for when `caller` asks at `now`. Inputs, rows and constants are not its affair.
pub(crate) fn resolve(caller: &Caller, now: Timestamp, bind: &Bind) -> Value {
    match bind {
        Bind::Uid => caller
            .subject()
            .map_or(Value::Null, |subject| Value::Text(subject.clone())),
        Bind::Role => Value::text(caller.role().name()),
        Bind::Email => serde_json::from_str::<Claims>(caller.claims())
            .ok()
            .and_then(|claims| claims.email)
            .into(),
        // As jsonb writes it, so that it compares and prints as any other.
        Bind::Jwt => Type::Jsonb
            .read_text(caller.claims())
            .unwrap_or_else(|_| Value::Text(caller.claims().clone())),
        Bind::Now => now.to_string().into(),
        Bind::Today => now.to_string()[..10].into(),
        Bind::RandomUuid => uuid::Uuid::new_v4()
            .hyphenated()
            .encode_lower(&mut uuid::Uuid::encode_buffer())[..]
            .into(),
        Bind::Const(value) => value.clone(),
        Bind::Input(_) | Bind::Row(_) => Value::Null,
    }
}
