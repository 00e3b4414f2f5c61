//! What must be in the database, by the ledger alone.

use crate::ledger::Settled;
use crate::operation::{Change, Content, Operation, Outcome, Session, Verb};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the ledger says of one data directory.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Rows that are there.
    pub rows: BTreeMap<i64, Content>,
    /// Ids whose deletion was acknowledged and that were not written since.
    pub deleted: HashSet<i64>,
    /// Writes of which nobody knows, to be found whole or not at all.
    pub unknown: Vec<Vec<Change>>,
    /// The last refusal of each row, to be told where one was done all the same.
    pub refusals: HashMap<i64, (Verb, u16)>,
    /// Marks that are there.
    pub marks: HashSet<String>,
    /// Marks of which nobody knows, each request's together.
    pub unknown_marks: Vec<Vec<String>>,
    /// Sessions by user, with the tokens their client holds.
    pub sessions: BTreeMap<String, Session>,
    /// Addresses with an account.
    pub emails: HashMap<String, String>,
    /// Addresses of which nobody knows whether they have one.
    pub unknown_emails: Vec<String>,
    /// How many operations were acknowledged, refused or never sent, and unknown.
    pub acknowledged: u64,
    /// Refused or never sent.
    pub refused: u64,
    /// Not answered.
    pub unanswered: u64,
}

impl Model {
    /// Takes in what came of an operation.
    pub fn take(&mut self, settled: Settled) {
        let Settled { operation, outcome } = settled;
        match &outcome {
            Outcome::Done | Outcome::Granted(_) => self.acknowledged += 1,
            Outcome::Refused(_) | Outcome::NotSent => self.refused += 1,
            Outcome::Unknown(_) => self.unanswered += 1,
        }
        match (operation, outcome) {
            (Operation::Write { verb, changes }, Outcome::Refused(status)) => {
                for change in changes {
                    self.refusals.insert(change.id, (verb, status));
                }
            }
            (_, Outcome::Refused(_) | Outcome::NotSent) => {}
            (Operation::Write { changes, .. }, Outcome::Unknown(_)) => self.unknown.push(changes),
            (Operation::Write { changes, .. }, _) => self.apply(&changes),
            (Operation::Mark(marks), Outcome::Unknown(_)) => self.unknown_marks.push(marks),
            (Operation::Mark(marks), _) => self.marks.extend(marks),
            (Operation::SignUp { email }, Outcome::Granted(session)) => {
                if let Some(email) = email {
                    self.emails.insert(email, session.user.clone());
                }
                self.sessions.insert(session.user.clone(), session);
            }
            (Operation::SignUp { email }, _) => self.unknown_emails.extend(email),
            (Operation::Refresh { user, .. }, Outcome::Granted(session)) => {
                self.sessions.insert(user, session);
            }
            // The token in hand is the active one or its parent; both are to work.
            (Operation::Refresh { .. }, _) => {}
        }
    }

    /// Whether it is known of every write what became of it.
    pub fn is_settled(&self) -> bool {
        self.unknown.is_empty() && self.unknown_marks.is_empty()
    }

    /// Changes that are known to have been made.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match &change.after {
                Some(content) => {
                    self.rows.insert(change.id, content.clone());
                    self.deleted.remove(&change.id);
                }
                None => {
                    self.rows.remove(&change.id);
                    self.deleted.insert(change.id);
                }
            }
        }
    }
}
