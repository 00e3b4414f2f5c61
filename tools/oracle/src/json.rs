//! JSON texts made comparable: what Postgres and we write differently and a client reads alike.

/// The text without blanks between its tokens, with the escapes of its strings written in one way. Numbers stay as they are.
pub fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\n' | '\r' | '\t' => {}
            '"' => {
                out.push('"');
                string(&mut chars, &mut out);
                out.push('"');
            }
            other => out.push(other),
        }
    }
    out
}

fn string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    while let Some(c) = chars.next() {
        match c {
            '"' => return,
            '\\' => match chars.next() {
                Some('u') => {
                    let unit = hex(chars);
                    let mut units = vec![unit];
                    if (0xd800..0xdc00).contains(&unit) {
                        let mut ahead = chars.clone();
                        if ahead.next() == Some('\\') && ahead.next() == Some('u') {
                            chars.nth(1);
                            units.push(hex(chars));
                        }
                    }
                    for c in char::decode_utf16(units) {
                        push(c.unwrap_or(char::REPLACEMENT_CHARACTER), out);
                    }
                }
                Some('n') => push('\n', out),
                Some('r') => push('\r', out),
                Some('t') => push('\t', out),
                Some('b') => push('\u{8}', out),
                Some('f') => push('\u{c}', out),
                Some(other) => push(other, out),
                None => return,
            },
            other => push(other, out),
        }
    }
}

fn hex(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> u16 {
    let digits: String = chars.take(4).collect();
    u16::from_str_radix(&digits, 16).unwrap_or(0)
}

fn push(c: char, out: &mut String) {
    match c {
        '"' | '\\' => {
            out.push('\\');
            out.push(c);
        }
        c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
        c => out.push(c),
    }
}

/// The members of an array, each canonical.
pub fn members(array: &str) -> Vec<String> {
    let text = canonical(array);
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(&text);
    let mut found = Vec::new();
    let (mut depth, mut quoted, mut escaped, mut start) = (0_i32, false, false, 0);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(inner[start..at].to_owned());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inner.is_empty() {
        found.push(inner[start..].to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_alike_is_alike() {
        assert_eq!(
            canonical("{\"a\" : [1.50, \"x \\u00e9\\n\\/\"]}"),
            "{\"a\":[1.50,\"x é\\u000a/\"]}"
        );
        assert_eq!(canonical("\"\\ud83d\\ude00\""), "\"😀\"");
    }

    #[test]
    fn members_are_split_where_they_end() {
        assert_eq!(
            members(" [{\"a\": \"],\\\"[\"} ,\n [1, 2], 3] "),
            ["{\"a\":\"],\\\"[\"}", "[1,2]", "3"]
        );
        assert!(members("[]").is_empty());
    }
}
