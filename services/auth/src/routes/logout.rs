//! `POST /logout?scope=global|local|others`.

use super::empty;
use crate::ask::Ask;
use crate::error::AuthError;
use crate::session::Subject;
use crate::store::sessions;
use crate::{Auth, settle};
use axum::response::Response;
use std::sync::Arc;

/// Which sessions end.
#[derive(Clone, Copy)]
enum Scope {
    Global,
    Local,
    Others,
}

/// Ends sessions of who asks; their refresh tokens go with them.
pub async fn logout(auth: Arc<Auth>, ask: Ask) -> Result<Response, AuthError> {
    let subject = Subject::of(&ask)?;
    let scope = match ask.query("scope") {
        None | Some("global") => Scope::Global,
        Some("local") => Scope::Local,
        Some("others") => Scope::Others,
        Some(_) => {
            return Err(AuthError::validation(
                "Unsupported logout scope: use global, local or others",
            ));
        }
    };
    let now = auth.now();
    auth.write(ask.deadline, move |tx| {
        let user = settle!(subject.load(tx, now)?);
        match (scope, subject.session_id) {
            (Scope::Global, _) => sessions::end_of_user(tx, user.id, None)?,
            (Scope::Others, own) => sessions::end_of_user(tx, user.id, own)?,
            (Scope::Local, Some(own)) => sessions::end(tx, own)?,
            (Scope::Local, None) => 0,
        };
        Ok(Ok(()))
    })
    .await?;
    Ok(empty())
}
