//! A mapped page of the file that can't be read ends the process, as every error of the disk under a mapping does (SIGBUS); here it says why.
//!
//! Quick reads look at the file through the memory it is mapped into. Nothing is lost: what was acknowledged is in the file or in its log.
#![expect(unsafe_code, reason = "a signal handler is installed by a C function")]

use super::fatal::STATUS;
use std::path::Path;
use std::sync::OnceLock;

/// What is said. Made before, for a handler may not allocate.
static TEXT: OnceLock<Vec<u8>> = OnceLock::new();

/// Has a failed read of the mapped file told on standard error.
pub(crate) fn watch(file: &Path) {
    let text = format!(
        "pando: the disk could not read the database {} (SIGBUS). Everything acknowledged before is as safe as the disk is. Look for its \
         errors in the system's log, then start again\n",
        file.display()
    );
    if TEXT.set(text.into_bytes()).is_err() {
        return;
    }
    // SAFETY: the action is zeroed but for a handler of the type that these flags ask for; the handler calls nothing that may not be
    // called in one.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handle as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESETHAND;
        if libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) != 0 {
            tracing::warn!(
                "a read of the mapped database that fails will end the process without a word"
            );
        }
    }
}

extern "C" fn handle(_: libc::c_int) {
    if let Some(text) = TEXT.get() {
        // SAFETY: the bytes live as long as the process.
        unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
    }
    // SAFETY: it ends the process, and runs nothing of it.
    unsafe { libc::_exit(STATUS) }
}
