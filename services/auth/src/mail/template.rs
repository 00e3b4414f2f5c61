//! The letters themselves: short, plain and HTML, each with a link and six digits.

use pando_kernel::{Secret, UserId};

/// A letter to one account.
pub struct Letter {
    /// The account, for the log.
    pub user_id: UserId,
    /// The recipient.
    pub to: String,
    /// The subject, which also names the kind of letter in the log.
    pub subject: &'static str,
    /// The plain part.
    pub plain: String,
    /// The HTML part.
    pub html: String,
}

/// What a letter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Prove the address of a new account.
    Signup,
    /// An account was made for you.
    Invite,
    /// Choose a new password.
    Recovery,
    /// Sign in without a password.
    MagicLink,
    /// Agree to a change of address.
    EmailChange,
}

impl Occasion {
    /// The `type` of the letter's link.
    pub fn link_type(self) -> &'static str {
        match self {
            Occasion::Signup => "signup",
            Occasion::Invite => "invite",
            Occasion::Recovery => "recovery",
            Occasion::MagicLink => "magiclink",
            Occasion::EmailChange => "email_change",
        }
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Occasion::Signup => (
                "Confirm your email address",
                "Follow this link to confirm your address:",
                "Confirm your address",
            ),
            Occasion::Invite => (
                "You have been invited",
                "Follow this link to accept the invitation:",
                "Accept the invitation",
            ),
            Occasion::Recovery => (
                "Reset your password",
                "Follow this link to choose a new password:",
                "Choose a new password",
            ),
            Occasion::MagicLink => (
                "Your sign-in link",
                "Follow this link to sign in:",
                "Sign in",
            ),
            Occasion::EmailChange => (
                "Confirm your new email address",
                "Follow this link to confirm the change of your address:",
                "Confirm the change",
            ),
        }
    }
}

/// Writes a letter.
pub fn write(
    occasion: Occasion,
    user_id: UserId,
    to: &str,
    link: &str,
    digits: &Secret<String>,
) -> Letter {
    let (subject, sentence, button) = occasion.words();
    let digits = digits.expose();
    let plain = format!(
        "{sentence}\n\n{link}\n\nOr enter this code: {digits}\n\nIf you did not ask for this, you can ignore this mail.\n"
    );
    let html = format!(
        "<!doctype html><html><body style=\"font-family:sans-serif\"><p>{sentence}</p>\
         <p><a href=\"{}\">{button}</a></p><p>Or enter this code: <strong>{digits}</strong></p>\
         <p>If you did not ask for this, you can ignore this mail.</p></body></html>",
        escape(link)
    );
    Letter {
        user_id,
        to: to.to_owned(),
        subject,
        plain,
        html,
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_letter_has_its_link_in_both_parts_and_escapes_it_in_html() {
        let digits = Secret::new("123456".to_owned());
        let letter = write(
            Occasion::Recovery,
            UserId(Uuid::nil()),
            "a@x.io",
            "https://x.io/?a=1&b=\"",
            &digits,
        );
        assert!(letter.plain.contains("https://x.io/?a=1&b=\"") && letter.plain.contains("123456"));
        assert!(
            letter
                .html
                .contains("href=\"https://x.io/?a=1&amp;b=&quot;\"")
                && letter.html.contains("123456")
        );
    }
}
