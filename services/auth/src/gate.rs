//! One limit applied to one request: made before the write, passed inside it.

use crate::ask::Ask;
use crate::error::AuthError;
use crate::limit::Limit;
use crate::store::attempts;
use crate::token::limit_key;
use crate::{Auth, Settled};
use pando_db::Tx;
use pando_kernel::Timestamp;
use pando_sql::SqlError;

/// A limit on a key.
#[derive(Clone, Debug)]
pub struct Gate {
    key: String,
    limit: Limit,
    now: Timestamp,
    mail: bool,
}

impl Gate {
    /// Counts the event, or refuses it.
    pub fn pass(&self, tx: &Tx<'_>) -> Settled<()> {
        Ok(
            attempts::charge(tx, &self.key, self.limit, self.now)?.map_err(|seconds| {
                if self.mail {
                    AuthError::too_many_mails(seconds)
                } else {
                    AuthError::too_many_requests(seconds)
                }
            }),
        )
    }

    /// Takes the event back: it turned out to be a good one.
    pub fn refund(&self, tx: &Tx<'_>) -> Result<(), SqlError> {
        attempts::refund(tx, &self.key, self.limit)
    }
}

/// Counts an event at each gate, or refuses it at the first that is full.
pub fn pass_all(tx: &Tx<'_>, gates: &[Gate]) -> Settled<()> {
    for gate in gates {
        if let Err(refusal) = gate.pass(tx)? {
            return Ok(Err(refusal));
        }
    }
    Ok(Ok(()))
}

impl Auth {
    /// A limit on requests, by anything that names an account or an address.
    pub(crate) fn gate(&self, scope: &str, subject: &str, limit: Limit) -> Gate {
        Gate {
            key: limit_key(&*self.keys, scope, subject),
            limit,
            now: self.now(),
            mail: false,
        }
    }

    /// The limits on asking for a mail of some kind to `address`.
    pub(crate) fn mail_gates(&self, ask: &Ask, kind: &str, address: &str) -> Vec<Gate> {
        let limits = &self.config.limits;
        let mut gates = vec![
            self.gate(&format!("mail.{kind}"), address, limits.mail_by_account),
            self.gate("mail.from", &ask.network, limits.mail_by_address),
        ];
        for gate in &mut gates {
            gate.mail = true;
        }
        gates
    }
}
