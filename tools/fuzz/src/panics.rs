//! Panics of the thread that fuzzes, also those that somebody caught on the way: SQLite's callbacks do.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    /// Where and with what this thread panicked; none while it is not watched.
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs a function and gives the panics that happened in it, with where.
pub(crate) fn listen<T>(work: impl FnOnce() -> T) -> (Option<T>, Vec<String>) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let heard = HEARD.with_borrow_mut(|heard| match heard {
                Some(heard) => {
                    heard.push(info.to_string().replace('\n', " "));
                    true
                }
                None => false,
            });
            if !heard {
                before(info);
            }
        }));
    });
    HEARD.set(Some(Vec::new()));
    let done = panic::catch_unwind(panic::AssertUnwindSafe(work));
    let heard = HEARD.take().unwrap_or_default();
    (done.ok(), heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_heard_even_when_it_was_caught() {
        let (done, heard) = listen(|| {
            let _ = panic::catch_unwind(|| panic!("quietly"));
            1
        });
        assert_eq!(done, Some(1));
        assert!(heard[0].contains("quietly"), "{heard:?}");
    }
}
