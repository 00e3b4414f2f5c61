//! Where a mail's link may lead: the app's own address, or one that configuration allows. Never anywhere else.

/// Addresses a link may lead to.
#[derive(Clone, Debug)]
pub struct AllowList {
    site_url: String,
    patterns: Vec<String>,
}

impl AllowList {
    /// The app's address and the patterns allowed besides. `*` stands for a run without `.` and `/`, `**` for any run.
    pub fn new(site_url: &str, patterns: &[String]) -> AllowList {
        AllowList {
            site_url: site_url.to_owned(),
            patterns: patterns.to_vec(),
        }
    }

    /// The wanted target if it is allowed, else the app's address.
    pub fn choose<'a>(&'a self, wanted: Option<&'a str>) -> &'a str {
        match wanted {
            Some(url) if self.allows(url) => url,
            _ => &self.site_url,
        }
    }

    fn allows(&self, url: &str) -> bool {
        let Some(origin) = origin_of(url) else {
            return false;
        };
        if origin_of(&self.site_url).is_some_and(|site| site.eq_ignore_ascii_case(origin)) {
            return true;
        }
        let bare = url.split('#').next().unwrap_or(url);
        self.patterns
            .iter()
            .any(|pattern| matches(pattern.as_bytes(), bare.as_bytes()))
    }
}

/// `scheme://host:port` of a URL. None for what browsers read in more than one way: other characters than printable
/// ASCII, a backslash, a user name before the host; and for `javascript:` and its like, which have no `//`.
fn origin_of(url: &str) -> Option<&str> {
    if url.len() > 2_048
        || !url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\\"<>".contains(&byte))
    {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let scheme_ok = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !["javascript", "data", "vbscript", "file", "blob"]
            .iter()
            .any(|bad| scheme.eq_ignore_ascii_case(bad));
    let authority = rest.split(['/', '?', '#']).next()?;
    let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if !scheme_ok || authority.contains('@') || (http && authority.is_empty()) {
        return None;
    }
    Some(&url[..scheme.len() + 3 + authority.len()])
}

/// Glob matching in which `*` stops at `.` and `/`. Runs in the product of both lengths at worst.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        if pattern[at] == b'*' {
            let any = pattern.get(at + 1) == Some(&b'*');
            for index in 1..=text.len() {
                let passes = any || !b"./".contains(&text[index - 1]);
                reached[index] |= reached[index - 1] && passes;
            }
            at += if any { 2 } else { 1 };
        } else {
            for index in (1..=text.len()).rev() {
                reached[index] = reached[index - 1] && text[index - 1] == pattern[at];
            }
            reached[0] = false;
            at += 1;
        }
    }
    reached[text.len()]
}

/// `url` with `pairs` in its fragment, replacing the one it had.
pub fn with_fragment(url: &str, pairs: &[(&str, &str)]) -> String {
    let bare = url.split('#').next().unwrap_or(url);
    format!("{bare}#{}", encode(pairs))
}

/// `url` with `pairs` added to its query.
pub fn with_query(url: &str, pairs: &[(&str, &str)]) -> String {
    let (bare, fragment) = url
        .split_once('#')
        .map_or((url, None), |(bare, fragment)| (bare, Some(fragment)));
    let joint = if bare.contains('?') { '&' } else { '?' };
    let mut out = format!("{bare}{joint}{}", encode(pairs));
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(fragment);
    }
    out
}

/// `application/x-www-form-urlencoded`.
pub fn encode(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (index, (key, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        encode_into(&mut out, key);
        out.push('=');
        encode_into(&mut out, value);
    }
    out
}

fn encode_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_app_or_to_what_is_allowed() {
        let list = AllowList::new(
            "https://app.example.com/start",
            &[
                "notes://callback".into(),
                "https://*.preview.dev/**".into(),
                "http://localhost:*/auth".into(),
            ],
        );
        for (url, allowed) in [
            ("https://app.example.com/welcome?x=1#y", true),
            ("HTTPS://APP.EXAMPLE.COM/welcome", true),
            ("https://app.example.com.evil.io/", false),
            ("https://app.example.com@evil.io/", false),
            ("https://app.example.com\\@evil.io/", false),
            ("https://app.example.com:444/", false),
            ("http://app.example.com/", false),
            ("//app.example.com/", false),
            ("javascript:alert(1)", false),
            ("javascript://app.example.com/%0aalert(1)", false),
            ("notes://callback", true),
            ("notes://callback#x", true),
            ("notes://callback/other", false),
            ("https://a.preview.dev/x/y", true),
            ("https://a.b.preview.dev/x", false),
            ("https://preview.dev/x", false),
            ("http://localhost:3000/auth", true),
            ("http://localhost:3000/auth/deep", false),
            ("https://app.example.com/a\r\nset-cookie: x", false),
            ("", false),
        ] {
            let chosen = list.choose(Some(url));
            assert_eq!(chosen == url, allowed, "{url}");
            if !allowed {
                assert_eq!(chosen, "https://app.example.com/start");
            }
        }
        assert_eq!(list.choose(None), "https://app.example.com/start");
    }

    #[test]
    fn values_are_escaped_where_they_are_added() {
        assert_eq!(
            with_fragment("notes://x#old", &[("a", "1 2"), ("b", "&#")]),
            "notes://x#a=1+2&b=%26%23"
        );
        assert_eq!(
            with_query("https://x.io/?q=1#f", &[("code", "a/b")]),
            "https://x.io/?q=1&code=a%2Fb#f"
        );
        assert_eq!(
            with_query("https://x.io/", &[("code", "c")]),
            "https://x.io/?code=c"
        );
    }
}
