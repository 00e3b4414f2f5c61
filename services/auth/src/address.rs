//! Addresses of mail and numbers of phones: checked, and brought to the one form in which they are compared.

use crate::error::AuthError;

/// A checked address in lower case. The accepted form is the one browsers accept in a field for it
/// (WHATWG HTML, "valid e-mail address").
pub fn email(text: &str) -> Result<String, AuthError> {
    if text.is_empty() {
        return Err(AuthError::validation("An email address is required"));
    }
    if text.len() > 255 {
        return Err(AuthError::validation("An email address is too long"));
    }
    if !is_email(text) {
        return Err(AuthError::validation(
            "Unable to validate email address: invalid format",
        ));
    }
    Ok(text.to_ascii_lowercase())
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_ok = (1..=64).contains(&local.len())
        && local
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte));
    local_ok
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// A number in E.164 form, kept without its plus sign.
pub fn phone(text: &str) -> Result<String, AuthError> {
    let digits: String = text
        .chars()
        .filter(|char| !matches!(char, ' ' | '+'))
        .collect();
    let fits = (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits {
        Ok(digits)
    } else {
        Err(AuthError::validation(
            "Invalid phone number format (E.164 required)",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lower_cased_and_nonsense_is_refused() {
        for (text, expected) in [
            ("Ada@Example.COM", Some("ada@example.com")),
            ("a+tag@x.co", Some("a+tag@x.co")),
            ("root@localhost", Some("root@localhost")),
            ("", None),
            ("a", None),
            ("@x.io", None),
            ("a@", None),
            ("a@b@c.io", None),
            ("a b@c.io", None),
            ("a@-x.io", None),
            ("a@x..io", None),
            ("a\r\nBcc: b@x.io", None),
            ("a@x.io\0", None),
            ("ä@x.io", None),
        ] {
            assert_eq!(email(text).ok().as_deref(), expected, "{text:?}");
        }
        assert!(email(&format!("{}@x.io", "a".repeat(65))).is_err());
        assert!(email(&format!("a@{}", "x.".repeat(200))).is_err());
    }

    #[test]
    fn phones_are_digits_without_a_plus() {
        for (text, expected) in [
            ("+1 415 555 0100", Some("14155550100")),
            ("4915112345678", Some("4915112345678")),
            ("0151", None),
            ("abc", None),
        ] {
            assert_eq!(phone(text).ok().as_deref(), expected, "{text:?}");
        }
    }
}
