//! A text's parts, as Postgres' default parser finds them: words, compounds with hyphens, numbers, addresses, paths. Tags, entities and
//! the names of protocols are passed over.
//!
//! Which characters are letters and digits is Unicode's say, as in a database of any locale but C.

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// As written.
    pub(super) text: &'a str,
    pub(super) kind: Kind,
}

/// What a part is, as far as dictionaries care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, perhaps with hyphens: a word of a language.
    Letters,
    /// Anything with digits or signs.
    Other,
}

/// Bytes of a word; longer ones are passed over.
const WORD_BYTES_MAX: usize = 2_046;

/// The parts of a text in order.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    // Whether nothing stands between this place and the part before.
    let mut fresh = true;
    while at < text.len() {
        let rest = &text[at..];
        let taken = if fresh { relative(rest) } else { None };
        if let Some(length) = taken {
            found.push(Word {
                text: &rest[..length],
                kind: Kind::Other,
            });
            at += length;
            continue;
        }
        let length = step(rest, &mut found);
        // What is between parts is one character at a time, and never a letter or a digit.
        fresh = length > rest.chars().next().map_or(0, char::len_utf8)
            || rest.starts_with(char::is_alphanumeric);
        at += length;
    }
    found.retain(|word| word.text.len() <= WORD_BYTES_MAX);
    found
}

/// Takes one part, or one character between parts; says how long it was.
fn step<'a>(rest: &'a str, found: &mut Vec<Word<'a>>) -> usize {
    let Some(first) = rest.chars().next() else {
        return 0;
    };
    let other = |length: usize| Word {
        text: &rest[..length],
        kind: Kind::Other,
    };
    let skipped = match first {
        '<' => tag(rest),
        '&' => entity(rest),
        _ => None,
    };
    if let Some(length) = skipped {
        return length;
    }
    if let Some(length) = number(rest) {
        found.push(other(length));
        return length;
    }
    if first == '/' {
        let length = path(&rest[1..]);
        if length > 0 {
            found.push(other(length + 1));
            return length + 1;
        }
        return 1;
    }
    if let Some(length) = email(rest) {
        found.push(other(length));
        return length;
    }
    if !first.is_alphanumeric() {
        return first.len_utf8();
    }
    if let Some(length) = protocol(rest) {
        return length;
    }
    if let Some(length) = url(rest, found) {
        return length;
    }
    let length = file(rest);
    if length > 0 {
        found.push(other(length));
        return length;
    }
    compound(rest, found)
}

/// The length of what a condition holds for, at the start.
fn run(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c: char| !holds(c)).unwrap_or(text.len())
}

fn alphanumerics(text: &str) -> usize {
    run(text, char::is_alphanumeric)
}

fn digits(text: &str) -> usize {
    run(text, |c| c.is_ascii_digit())
}

/// `<b>`, `</b>`, `<!-- .. -->`
fn tag(rest: &str) -> Option<usize> {
    if rest.starts_with("<!--") {
        return rest.find("-->").map(|end| end + 3);
    }
    let next = rest[1..].chars().next()?;
    if !(next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')) {
        return None;
    }
    let mut quote = None;
    for (at, c) in rest.char_indices().skip(1) {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return Some(at + 1),
            (None, '<') => return None,
            (None, _) => {}
        }
    }
    None
}

/// `&amp;`, `&#38;`, `&#x26;`
fn entity(rest: &str) -> Option<usize> {
    let body = &rest[1..];
    let length = match body.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hex) => 2 + some(run(hex, |c| c.is_ascii_hexdigit()))?,
            None => 1 + some(digits(number))?,
        },
        None if body.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            run(body, |c| c.is_ascii_alphanumeric())
        }
        None => return None,
    };
    body[length..].starts_with(';').then_some(length + 2)
}

fn some(length: usize) -> Option<usize> {
    (length > 0).then_some(length)
}

/// `../a`, `./a`, `~/a`, `..`: only right after another part, or at the start.
fn relative(rest: &str) -> Option<usize> {
    for start in ["../", "./", "~/"] {
        if let Some(after) = rest.strip_prefix(start) {
            return some(path(after)).map(|length| start.len() + length);
        }
    }
    let after = rest.strip_prefix("..")?;
    let ends = after.is_empty() || after.starts_with(char::is_whitespace);
    ends.then_some(2)
}

/// `12`, `-12`, `1.5`, `1e5`, `1.2.3`; not what goes on as a word, an address or a path.
fn number(rest: &str) -> Option<usize> {
    let signed = usize::from(rest.starts_with(['-', '+']));
    let body = &rest[signed..];
    let whole = some(digits(body))?;
    let mut length = whole;
    let mut groups = 1;
    while body[length..].starts_with('.') {
        let more = digits(&body[length + 1..]);
        if more == 0 {
            break;
        }
        length += 1 + more;
        groups += 1;
    }
    if groups > 2 && signed > 0 {
        // A version has no sign: what has one ends at its second dot.
        let fraction = digits(&body[whole + 1..]);
        length = whole + 1 + fraction;
        groups = 2;
    }
    if groups <= 2
        && let Some(exponent) = body[length..].strip_prefix(['e', 'E'])
    {
        let sign = usize::from(exponent.starts_with(['-', '+']));
        let power = digits(&exponent[sign..]);
        let ends = !exponent[sign + power..].starts_with(char::is_alphanumeric);
        if power > 0 && ends {
            return Some(signed + length + 1 + sign + power);
        }
    }
    let after = &body[length..];
    if groups == 1 && signed == 0 {
        // `2nd`, `1/2`, `123.abc`: longer than a number.
        let goes_on = after.starts_with(char::is_alphanumeric)
            || email(rest).is_some()
            || file(rest) > length
            || host(rest) > length;
        if goes_on {
            return None;
        }
    }
    Some(signed + length)
}

/// `me@example.com`
fn email(rest: &str) -> Option<usize> {
    let local = run(rest, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
    });
    let starts = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if local == 0 || !starts || rest[..local].ends_with(['.', '-']) {
        return None;
    }
    let domain = rest[local..].strip_prefix('@')?;
    Some(local + 1 + some(host(domain))?)
}

/// `http://`
fn protocol(rest: &str) -> Option<usize> {
    let name = some(run(rest, |c| c.is_ascii_alphabetic()))?;
    rest[name..].starts_with("://").then_some(name + 3)
}

/// The length of `example.com`: names between dots, the last one of at least two letters.
fn host(rest: &str) -> usize {
    let mut best = 0;
    let mut at = 0;
    loop {
        let label = run(&rest[at..], |c| {
            c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
        });
        let label = rest[at..at + label].trim_end_matches(['-', '_']).len();
        if label == 0 || !rest[at..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return best;
        }
        let letters = run(&rest[at..], |c| c.is_ascii_alphabetic());
        let ends = !rest[at + letters..].starts_with(|c: char| c.is_alphanumeric());
        if at > 0 && letters >= 2 && ends {
            best = at + letters;
        }
        at += label;
        if !rest[at..].starts_with('.') {
            return best;
        }
        at += 1;
    }
}

/// An address without its protocol: as a whole, its host, and its path.
fn url<'a>(rest: &'a str, found: &mut Vec<Word<'a>>) -> Option<usize> {
    let name = some(host(rest))?;
    let port = match rest[name..].strip_prefix(':') {
        Some(port) => digits(port).checked_add(1).filter(|length| *length > 1),
        None => None,
    };
    let host = name + port.unwrap_or(0);
    let other = |text| Word {
        text,
        kind: Kind::Other,
    };
    let path = if rest[host..].starts_with('/') {
        run(&rest[host..], |c| {
            c.is_ascii_graphic()
                && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
        })
    } else {
        0
    };
    if path > 1 {
        found.push(other(&rest[..host + path]));
        found.push(other(&rest[..host]));
        found.push(other(&rest[host..host + path]));
        return Some(host + path);
    }
    // `a.bc-d` is a host and a word; `a.bc.d` is longer as a file.
    if port.is_none() && file(rest) > host && !rest[host..].starts_with(['-', '_']) {
        return None;
    }
    found.push(other(&rest[..host]));
    Some(host)
}

/// The length of `and/or`, `v1.2`, `usr/local`: names with dots or slashes between them.
fn file(rest: &str) -> usize {
    let length = path(rest);
    let name = run(rest, |c| c.is_ascii_alphanumeric());
    if rest[..length].contains(['.', '/']) && name > 0 {
        length
    } else {
        0
    }
}

/// The length of a path without its first slash; a dot or slash at its end is not part of it.
fn path(rest: &str) -> usize {
    let mut at = 0;
    loop {
        let name = run(&rest[at..], |c| {
            c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
        });
        let name = rest[at..at + name].trim_end_matches('-').len();
        if name == 0 || !rest[at..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return at.saturating_sub(1);
        }
        // A hyphen before the first dot or slash makes a compound, not a path.
        let name = if at == 0 {
            rest[..name].find('-').unwrap_or(name)
        } else {
            name
        };
        at += name;
        if !rest[at..].starts_with(['.', '/']) {
            return at;
        }
        at += 1;
    }
}

/// A word, or several with hyphens between them: the whole, then each.
fn compound<'a>(rest: &'a str, found: &mut Vec<Word<'a>>) -> usize {
    let mut parts = vec![alphanumerics(rest)];
    let mut length = parts[0];
    if has_letter(&rest[..length]) {
        while let Some(after) = rest[length..].strip_prefix('-') {
            let part = alphanumerics(after);
            if !has_letter(&after[..part]) {
                break;
            }
            parts.push(part);
            length += 1 + part;
        }
    }
    let word = |text: &'a str| Word {
        text,
        kind: if text.contains(|c: char| c.is_numeric()) {
            Kind::Other
        } else {
            Kind::Letters
        },
    };
    if parts.len() > 1 {
        found.push(word(&rest[..length]));
    }
    let mut at = 0;
    for part in parts {
        found.push(word(&rest[at..at + part]));
        at += part + 1;
    }
    length
}

fn has_letter(text: &str) -> bool {
    text.contains(char::is_alphabetic)
}
