//! How much work is in hand: requests in flight by class, each with the same bound.
//!
//! A class is a service's reads or its changes. So sign-ins that wait for a hash and writes that wait for the disk leave
//! reads their room, and the other way round.

use crate::routes::is_under;
use http::Method;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The classes and what is in flight of each.
pub(crate) struct Admission {
    in_flight_max: usize,
    /// Reads and changes by service; the last are of no service.
    services: Vec<(&'static str, [AtomicUsize; 2])>,
}

/// A request that was let in. It counts as long as this lives.
pub(crate) struct Admitted<'a>(&'a AtomicUsize);

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    /// With a bound for each class, for services with these prefixes.
    pub fn new(in_flight_max: usize, prefixes: impl Iterator<Item = &'static str>) -> Admission {
        Admission {
            in_flight_max,
            services: prefixes
                .filter(|prefix| !prefix.is_empty())
                .chain([""])
                .map(|prefix| (prefix, Default::default()))
                .collect(),
        }
    }

    /// Lets a request in, unless its class is full.
    pub fn enter(&self, method: &Method, path: &str) -> Option<Admitted<'_>> {
        let (_, classes) = self
            .services
            .iter()
            .find(|(prefix, _)| prefix.is_empty() || is_under(path, prefix))?;
        let class = &classes[usize::from(!method.is_safe())];
        let before = class.fetch_add(1, Ordering::Relaxed);
        let admitted = Admitted(class);
        (before < self.in_flight_max).then_some(admitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_class_leaves_the_others_their_room() {
        let admission = Admission::new(1, ["/a/v1", "/b/v1"].into_iter());
        let enter = |method: Method, path: &str| admission.enter(&method, path);
        let held = enter(Method::POST, "/a/v1/x");
        assert!(held.is_some());
        assert!(enter(Method::PATCH, "/a/v1/y").is_none());
        assert!(enter(Method::GET, "/a/v1/x").is_some());
        assert!(enter(Method::POST, "/b/v1/x").is_some());
        assert!(enter(Method::POST, "/a/v1x").is_some(), "of no service");
        drop(held);
        assert!(enter(Method::POST, "/a/v1/x").is_some());
    }
}
