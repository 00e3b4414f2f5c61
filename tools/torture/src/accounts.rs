//! Accounts and sessions through the public API: sign-up, refresh, and the proof that a session is alive.

use crate::ledger::Book;
use crate::operation::{Operation, Outcome, PASSWORD, Session};
use anyhow::Result;
use pando_testkit::{Client, Response};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Signs people up and keeps their sessions going; each operation is in the ledger.
pub struct Accounts {
    client: Client,
    address: SocketAddr,
    publishable: String,
    book: Book,
}

impl Accounts {
    /// With a book of its own.
    pub fn new(address: SocketAddr, publishable: &str, book: Book) -> Accounts {
        Accounts {
            client: Client::new(address).keyed(publishable, None),
            address,
            publishable: publishable.to_owned(),
            book,
        }
    }

    /// A new account, anonymous without an address.
    pub fn sign_up(&mut self, email: Option<String>) -> Result<Outcome> {
        let body = match &email {
            Some(email) => json!({"email": email, "password": PASSWORD}),
            None => json!({}),
        };
        let number = self.book.intend(&Operation::SignUp { email })?;
        let answer = self.client.post("/auth/v1/signup", &body);
        let outcome = granted(answer);
        self.book.settle(number, &outcome)?;
        Ok(outcome)
    }

    /// The next tokens for the one that is held.
    pub fn refresh(&mut self, session: &Session) -> Result<Outcome> {
        let number = self.book.intend(&Operation::Refresh {
            user: session.user.clone(),
            token: session.refresh.clone(),
        })?;
        let outcome = granted(self.ask_refresh(&session.refresh));
        self.book.settle(number, &outcome)?;
        Ok(outcome)
    }

    /// Asks with the token that was used for the session at hand once more, as a phone does that lost the answer: the answer
    /// is to be the same. Says what else it was.
    pub fn ask_again(&mut self, parent: &str, session: &Session) -> Option<String> {
        let answer = self.ask_refresh(parent).ok()?;
        let again = answer.json();
        match answer.status {
            200 if again["refresh_token"] == session.refresh => None,
            // Overloaded or out of room; it promises nothing.
            500.. => None,
            status => Some(format!(
                "the parent of {}'s token was answered {status} and another successor: {again}",
                session.user
            )),
        }
    }

    fn ask_refresh(&mut self, token: &str) -> Result<Response> {
        let path = "/auth/v1/token?grant_type=refresh_token";
        self.client.post(path, &json!({"refresh_token": token}))
    }

    /// Whether a session is alive: its refresh token is taken, and the access token then answered is one of the user.
    pub fn prove(&mut self, session: &Session) -> Result<Result<Session, String>> {
        let answer = self.ask_refresh(&session.refresh)?;
        if answer.status != 200 {
            return Ok(Err(format!(
                "the session of {} is lost: {} {}",
                session.user,
                answer.status,
                answer.text()
            )));
        }
        let Some(next) = session_in(&answer.json()) else {
            return Ok(Err(format!("no session in {}", answer.text())));
        };
        let mut client =
            Client::new(self.address).keyed(&self.publishable, Some(next.access.as_str()));
        let user = client.get("/auth/v1/user")?;
        if user.status != 200 || user.json()["id"] != session.user.as_str() {
            return Ok(Err(format!(
                "the access token of {} is answered {} {}",
                session.user,
                user.status,
                user.text()
            )));
        }
        Ok(Ok(next))
    }

    /// An account nobody knows of is there, and its password signs in, or it is not there at all, and can be made.
    pub fn settle_account(&mut self, email: &str) -> Result<Result<Session, String>> {
        let credentials = json!({"email": email, "password": PASSWORD});
        let path = "/auth/v1/token?grant_type=password";
        let signed_in = self.client.post(path, &credentials)?;
        let answer = if signed_in.status == 200 {
            signed_in
        } else {
            self.client.post("/auth/v1/signup", &credentials)?
        };
        Ok(session_in(&answer.json()).ok_or_else(|| {
            format!(
                "{email} can neither sign in nor sign up: {} {}",
                answer.status,
                answer.text()
            )
        }))
    }

    /// Ends the book.
    pub fn close(&mut self) -> Result<()> {
        self.book.flush()
    }
}

fn granted(answer: Result<Response>) -> Outcome {
    match answer {
        Ok(answer) if answer.status == 200 => match session_in(&answer.json()) {
            Some(session) => Outcome::Granted(session),
            None => Outcome::Unknown(format!("no session in {}", answer.text())),
        },
        other => crate::clients::outcome(&other),
    }
}

fn session_in(answer: &Value) -> Option<Session> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Session {
        user: text(&answer["user"]["id"])?,
        refresh: text(&answer["refresh_token"])?,
        access: text(&answer["access_token"])?,
    })
}
