//! Where the copier of the log and whoever lets the log begin anew meet.
//!
//! The log may begin anew only when the copier has taken all of it. Two things see to that:
//! - The copier holds a read transaction at all times (see `tail`), and SQLite does not let a log begin anew that is being read. So nothing
//!   is lost to a copy whatever a checkpoint does.
//! - Under steady load there is always something newer than what the copier read, and the log would only grow. So the writer, between two
//!   groups, asks the copier to take the rest and let go ([`CopySeam::let_go`]), writes the log back, and gives it back
//!   ([`CopySeam::resume`]). That takes as long as reading the last quarter of a second of the log does.
//!
//! Without a copier both calls cost an uncontended lock.

use super::wal::WalPosition;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the copier waits to be given the log back, before it looks for itself what became of it.
const RESUME: Duration = Duration::from_secs(30);

/// The meeting place. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct CopySeam(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    turn: Turn,
    through: Option<WalPosition>,
    /// Frames of the log when it was written back.
    ended_at: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    /// Nobody copies.
    #[default]
    Nobody,
    /// The copier has the log.
    Copier,
    /// The writer asks for it.
    Asked,
    /// The writer has it, and nothing is written until it is given back.
    Writer,
}

impl CopySeam {
    /// How far the copier has taken the log; none if nobody copies.
    pub fn copied_through(&self) -> Option<WalPosition> {
        self.0.state.lock().through
    }

    /// Asks the copier to take what there is and to let go of the log. True: the log may begin anew, and [`CopySeam::resume`] must be
    /// called afterwards; false: it must not, for now, and a checkpoint is of little use. The caller must see to it that nothing is written to the
    /// log from before this call until after `resume`.
    pub fn let_go(&self, wait: Duration) -> bool {
        let mut state = self.0.state.lock();
        if state.turn == Turn::Nobody {
            return true;
        }
        state.turn = Turn::Asked;
        self.0.changed.notify_all();
        let deadline = Instant::now() + wait;
        while state.turn == Turn::Asked {
            if self.0.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        match state.turn {
            Turn::Nobody | Turn::Writer => true,
            _ => {
                state.turn = Turn::Copier;
                false
            }
        }
    }

    /// Gives the log back. `frames` is how many it had when it was written back, the second column of `PRAGMA wal_checkpoint`: the copier's
    /// proof that it had them all.
    pub fn resume(&self, frames: Option<u64>) {
        let mut state = self.0.state.lock();
        if state.turn == Turn::Writer {
            state.turn = Turn::Copier;
            state.ended_at = frames;
            self.0.changed.notify_all();
        }
    }

    /// A copier has come, and holds the log.
    pub(crate) fn attach(&self) {
        self.0.state.lock().turn = Turn::Copier;
    }

    /// The copier goes; the log is nobody's.
    pub(crate) fn detach(&self) {
        let mut state = self.0.state.lock();
        *state = State::default();
        self.0.changed.notify_all();
    }

    pub(crate) fn publish(&self, through: WalPosition) {
        self.0.state.lock().through = Some(through);
    }

    /// Waits to be asked, `wait` at most. True if asked.
    pub(crate) fn wait_asked(&self, wait: Duration) -> bool {
        let mut state = self.0.state.lock();
        if state.turn != Turn::Asked {
            self.0.changed.wait_for(&mut state, wait);
        }
        state.turn == Turn::Asked
    }

    /// The copier can't let go now.
    pub(crate) fn deny(&self) {
        let mut state = self.0.state.lock();
        if state.turn == Turn::Asked {
            state.turn = Turn::Copier;
            self.0.changed.notify_all();
        }
    }

    /// The copier has let go. Waits until the log is given back; says how many frames it had at its end, if that is known.
    pub(crate) fn hand_over(&self) -> Option<u64> {
        let mut state = self.0.state.lock();
        if state.turn != Turn::Asked {
            return None;
        }
        state.turn = Turn::Writer;
        state.ended_at = None;
        self.0.changed.notify_all();
        let deadline = Instant::now() + RESUME;
        while state.turn == Turn::Writer {
            if self.0.changed.wait_until(&mut state, deadline).timed_out() {
                state.turn = Turn::Copier;
                return None;
            }
        }
        state.ended_at.take()
    }
}
