//! Mail over SMTP, to a relay that is strict about it.

use pando_testkit::smtp::{PASSWORD, Relay};
use pando_testkit::{Pando, Setup, mail};
use serde_json::json;
use std::time::Duration;

fn start(relay: &Relay) -> Pando {
    Setup::new()
        .variable("PANDO_SMTP_URL", &relay.url())
        .variable("PANDO_SMTP_FROM", "Notes <hello@notes.example>")
        .start()
        .unwrap()
}

#[test]
fn a_letter_goes_through_the_relay_and_its_link_confirms_the_address() {
    let relay = Relay::start(Duration::ZERO).unwrap();
    let pando = start(&relay);
    let keys = pando.keys().unwrap();
    let mut app = pando.client().keyed(&keys.publishable, None);
    let account = json!({"email": "ada@example.com", "password": "correct horse battery"});
    let signed_up = app.post("/auth/v1/signup", &account).unwrap();
    assert_eq!(signed_up.status, 200, "{}", signed_up.text());
    assert!(
        signed_up.json().get("access_token").is_none(),
        "with a relay addresses are confirmed first"
    );
    let sign_in = "/auth/v1/token?grant_type=password";
    let refused = app.post(sign_in, &account).unwrap();
    assert_eq!(
        refused.header("x-sb-error-code"),
        Some("email_not_confirmed")
    );

    let letter = mail::wait_for(relay.folder(), "ada@example.com", 0).unwrap();
    let (head, body) = letter.split_once("\r\n\r\n").unwrap();
    for line in [
        "From: Notes <hello@notes.example>",
        "Date: ",
        "Message-ID: ",
    ] {
        assert!(head.contains(line), "{line} is missing in\n{head}");
    }
    let body = body.replace("=\r\n", "").replace("=3D", "=");
    let at = body.find("/auth/v1/verify?").unwrap();
    let link: String = body[at..]
        .chars()
        .take_while(|c| !c.is_whitespace() && !"\"<".contains(*c))
        .collect();
    assert_eq!(pando.client().get(&link).unwrap().status, 303, "{link}");
    assert_eq!(app.post(sign_in, &account).unwrap().status, 200);

    assert_eq!(relay.broken(), Vec::<String>::new());
    for text in [pando.log(), pando.printed()] {
        assert!(
            !text.contains(PASSWORD) && !text.contains("is written to"),
            "{text}"
        );
    }
}

#[test]
fn a_letter_that_waits_is_sent_before_the_server_ends() {
    let relay = Relay::start(Duration::from_millis(700)).unwrap();
    let mut pando = start(&relay);
    let keys = pando.keys().unwrap();
    let mut app = pando.client().keyed(&keys.publishable, None);
    let account = json!({"email": "late@example.com", "password": "correct horse battery"});
    assert_eq!(app.post("/auth/v1/signup", &account).unwrap().status, 200);
    pando.request_stop().unwrap();
    assert!(pando.wait().unwrap().success());
    assert_eq!(
        mail::all(relay.folder(), "late@example.com").unwrap().len(),
        1
    );
}

#[test]
fn a_relay_that_refuses_us_fails_no_sign_up_and_is_told_in_the_log() {
    let relay = Relay::start(Duration::ZERO).unwrap();
    let refusing = relay.url().replace(PASSWORD, "not-the-password");
    let pando = Setup::new()
        .variable("PANDO_SMTP_URL", &refusing)
        .variable("PANDO_SMTP_FROM", "hello@notes.example")
        .start()
        .unwrap();
    let keys = pando.keys().unwrap();
    let account = json!({"email": "ada@example.com", "password": "correct horse battery"});
    let mut app = pando.client().keyed(&keys.publishable, None);
    assert_eq!(app.post("/auth/v1/signup", &account).unwrap().status, 200);
    let told = (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        pando.log().contains("a mail was not sent")
    });
    assert!(told, "{}", pando.log());
    assert!(!pando.log().contains("ada@example.com"), "{}", pando.log());
}
