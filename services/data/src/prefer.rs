//! The `Prefer` header (RFC 7240) and its answer, `Preference-Applied`.

use crate::error::RestError;
use crate::query::echo;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, StatusCode};

/// The request header.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The response header.
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What of the changed rows is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// Nothing.
    Minimal,
    /// Where the new row is.
    HeadersOnly,
    /// The rows.
    Representation,
}

/// What happens to an inserted row whose key is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It updates the row there.
    Merge,
    /// It is left out.
    Ignore,
}

/// What a key that a row lacks becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The column's default.
    Default,
    /// Null.
    Null,
}

/// How exactly matching rows are counted. The embedded engine counts exactly in each case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// `exact`
    Exact,
    /// `planned`
    Planned,
    /// `estimated`
    Estimated,
}

/// What a client prefers. The first of equal preferences counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// `return=`
    pub returning: Option<Return>,
    /// `resolution=`
    pub resolution: Option<Resolution>,
    /// `missing=`
    pub missing: Option<Missing>,
    /// `count=`
    pub count: Option<Count>,
    /// `handling=strict`: what isn't understood is an error. `Some(false)` for `lenient`.
    pub strict: Option<bool>,
    /// `max-affected=`, which counts when handling is strict only.
    pub max_affected: Option<u64>,
}

/// Which preferences a request can be shown to have followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// GET and HEAD.
    Read,
    /// POST and PUT.
    Insert,
    /// PATCH.
    Update,
    /// DELETE.
    Delete,
}

impl Prefer {
    /// Reads every `Prefer` header.
    ///
    /// # Errors
    /// PGRST122 for preferences not understood together with `handling=strict`.
    pub fn read(headers: &HeaderMap) -> Result<Prefer, RestError> {
        let mut prefer = Prefer::default();
        if !headers.contains_key(PREFER) {
            return Ok(prefer);
        }
        let mut unknown: Vec<&str> = Vec::new();
        for value in headers.get_all(PREFER) {
            for preference in value
                .to_str()
                .unwrap_or("?")
                .split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty())
            {
                if !prefer.take(preference) {
                    unknown.push(preference);
                }
            }
        }
        if prefer.strict == Some(true) && !unknown.is_empty() {
            return Err(RestError::new(
                StatusCode::BAD_REQUEST,
                "PGRST122",
                "Invalid preferences given with handling=strict",
            )
            .detail(format!(
                "Invalid preferences: {}",
                echo(&unknown.join(", "))
            )));
        }
        Ok(prefer)
    }

    /// Whether the preference is one we know.
    fn take(&mut self, preference: &str) -> bool {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        match (name.trim(), value.trim()) {
            ("return", "minimal") => first(&mut self.returning, Return::Minimal),
            ("return", "headers-only") => first(&mut self.returning, Return::HeadersOnly),
            ("return", "representation") => first(&mut self.returning, Return::Representation),
            ("resolution", "merge-duplicates") => first(&mut self.resolution, Resolution::Merge),
            ("resolution", "ignore-duplicates") => first(&mut self.resolution, Resolution::Ignore),
            ("missing", "default") => first(&mut self.missing, Missing::Default),
            ("missing", "null") => first(&mut self.missing, Missing::Null),
            ("count", "exact") => first(&mut self.count, Count::Exact),
            ("count", "planned") => first(&mut self.count, Count::Planned),
            ("count", "estimated") => first(&mut self.count, Count::Estimated),
            ("handling", "strict") => first(&mut self.strict, true),
            ("handling", "lenient") => first(&mut self.strict, false),
            ("max-affected", number) => match number.parse() {
                Ok(rows) => first(&mut self.max_affected, rows),
                Err(_) => return false,
            },
            // Known, and never followed: a request's transaction ends by its outcome, and answers are in UTC.
            ("tx", "commit" | "rollback") | ("timezone", _) => {}
            _ => return false,
        }
        true
    }

    /// The bound of `max-affected`, which only strict handling may ask for.
    pub fn affected_max(&self) -> Option<u64> {
        self.max_affected.filter(|_| self.strict == Some(true))
    }

    /// `Preference-Applied`, if any preference was followed.
    pub fn applied(&self, applies: Applies) -> Option<HeaderValue> {
        if *self == Prefer::default() {
            return None;
        }
        let mut text = String::new();
        let mut push = |preference: &str| {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(preference);
        };
        if applies == Applies::Insert {
            match self.resolution {
                Some(Resolution::Merge) => push("resolution=merge-duplicates"),
                Some(Resolution::Ignore) => push("resolution=ignore-duplicates"),
                None => {}
            }
        }
        if matches!(applies, Applies::Insert | Applies::Update) {
            match self.missing {
                Some(Missing::Default) => push("missing=default"),
                Some(Missing::Null) => push("missing=null"),
                None => {}
            }
        }
        if applies != Applies::Read {
            match self.returning {
                Some(Return::Minimal) => push("return=minimal"),
                Some(Return::HeadersOnly) => push("return=headers-only"),
                Some(Return::Representation) => push("return=representation"),
                None => {}
            }
        }
        match self.count {
            Some(Count::Exact) => push("count=exact"),
            Some(Count::Planned) => push("count=planned"),
            Some(Count::Estimated) => push("count=estimated"),
            None => {}
        }
        match self.strict {
            Some(true) => push("handling=strict"),
            Some(false) => push("handling=lenient"),
            None => {}
        }
        if matches!(applies, Applies::Update | Applies::Delete)
            && let Some(rows) = self.affected_max()
        {
            push(&format!("max-affected={rows}"));
        }
        HeaderValue::from_str(&text)
            .ok()
            .filter(|_| !text.is_empty())
    }
}

fn first<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&'static str]) -> Result<Prefer, RestError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PREFER, HeaderValue::from_static(value));
        }
        Prefer::read(&headers)
    }

    #[test]
    fn preferences_come_in_any_number_of_headers_and_the_first_counts() {
        let prefer = read(&[
            "return=representation, count=exact",
            "return=minimal,tx=rollback, nonsense",
        ])
        .unwrap();
        assert_eq!(prefer.returning, Some(Return::Representation));
        assert_eq!(prefer.count, Some(Count::Exact));
    }

    #[test]
    fn strict_handling_refuses_what_it_does_not_know() {
        let error = read(&["handling=strict, colour=blue, max-affected=few"]).unwrap_err();
        assert_eq!(error.code(), "PGRST122");
        assert_eq!(
            error.detail_text(),
            Some("Invalid preferences: colour=blue, max-affected=few")
        );
        assert!(read(&["handling=lenient, colour=blue"]).is_ok());
    }

    #[test]
    fn applied_preferences_stand_in_order_and_only_where_they_apply() {
        let prefer = read(&[
            "max-affected=5, handling=strict, count=planned, return=minimal, missing=default, resolution=merge-duplicates",
        ])
        .unwrap();
        let applied = |applies| {
            prefer
                .applied(applies)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(
            applied(Applies::Read).unwrap(),
            "count=planned, handling=strict"
        );
        assert_eq!(
            applied(Applies::Insert).unwrap(),
            "resolution=merge-duplicates, missing=default, return=minimal, count=planned, handling=strict"
        );
        assert_eq!(
            applied(Applies::Update).unwrap(),
            "missing=default, return=minimal, count=planned, handling=strict, max-affected=5"
        );
        assert_eq!(
            read(&["max-affected=5"]).unwrap().applied(Applies::Delete),
            None
        );
        assert_eq!(
            read(&["tx=rollback"]).unwrap().applied(Applies::Insert),
            None
        );
    }
}
