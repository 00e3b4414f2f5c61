//! Bugs put in on purpose, to see that the oracle finds them. Compiled for the oracle alone (feature `planted`): an executable
//! that is built without it has neither the switch nor the bugs.

use std::sync::atomic::{AtomicU8, Ordering};

/// A bug that was made elsewhere, and must not be made here unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bug {
    /// `a or b` beside a restrictive policy is read as `a or (b and restrictive)`.
    OrMisassociated = 1,
    /// A restrictive policy is one more permissive one.
    RestrictiveAsPermissive,
    /// A sub-select sees rows past the policies of its tables.
    SubSelectUnprotected,
    /// A numeric passes through a float where it is read.
    NumericThroughFloat,
    /// A null in what `not in` looks at is passed over.
    NotInOverlooksNull,
}

/// All of them.
pub const BUGS: &[Bug] = &[
    Bug::OrMisassociated,
    Bug::RestrictiveAsPermissive,
    Bug::SubSelectUnprotected,
    Bug::NumericThroughFloat,
    Bug::NotInOverlooksNull,
];

static PLANTED: AtomicU8 = AtomicU8::new(0);

/// Plants one bug, or none, for all that is rendered and read from now on.
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(0, |bug| bug as u8), Ordering::SeqCst);
}

/// Whether this bug is planted.
pub(crate) fn planted(bug: Bug) -> bool {
    PLANTED.load(Ordering::SeqCst) == bug as u8
}
