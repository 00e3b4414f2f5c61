//! Queries and documents as Postgres prints them, and what holds of what.

use super::{Config, Document, Mode, Query, holds, read_query};

fn query(text: &str, mode: Mode) -> String {
    match read_query(text, Config::English, mode) {
        Ok(printed) => printed,
        Err(error) => format!("{} {}", error.state, error.message),
    }
}

#[track_caller]
fn document(text: &str, expected: &str) {
    assert_eq!(Document::read(text, Config::English).to_string(), expected);
}

#[test]
fn texts_become_lexemes_with_places() {
    document("The Fat Rats sat", "'fat':2 'rat':3 'sat':4");
    document(
        "a well-known café",
        "'café':5 'known':4 'well':3 'well-known':2",
    );
    document(
        "Mail me.you@example.com, see http://example.com/a/b.html!",
        "'/a/b.html!':6 'example.com':5 'example.com/a/b.html!':4 'mail':1 'me.you@example.com':2 'see':3",
    );
    document(
        "24/7 at -1.5 or 1,000 units, 2nd and/or v1.2",
        "'-1.5':3 '000':6 '1':5 '24/7':1 '2nd':8 'and/or':9 'unit':7 'v1.2':10",
    );
    document("<b>bold</b> &amp; O'Brien", "'bold':1 'brien':3 'o':2");
    assert_eq!(
        Document::read("The Rats", Config::Simple).to_string(),
        "'rats':2 'the':1"
    );
}

#[test]
fn operators_are_read_with_their_precedence() {
    for (text, expected) in [
        ("cat & dog", "'cat' & 'dog'"),
        ("cat | the", "'cat'"),
        ("fat <3> rat", "'fat' <3> 'rat'"),
        ("cat & !(dog | rats)", "'cat' & !( 'dog' | 'rat' )"),
        ("well-known", "'well-known' <-> 'well' <-> 'known'"),
        ("running:*B", "'run':*B"),
        ("'it''s fine':*", "'fine':*"),
        ("fat <-> the <-> rat", "'fat' <2> 'rat'"),
        ("!(a <-> cat)", "!'cat'"),
        ("cat <-> (dog <-> rat)", "'cat' <-> ( 'dog' <-> 'rat' )"),
        ("the", ""),
        ("cat dog", "42601 syntax error in tsquery: \"cat dog\""),
        ("cat &", "42601 no operand in tsquery: \"cat &\""),
        ("(cat", "42601 syntax error in tsquery: \"(cat\""),
        ("cat:x", "42601 syntax error in tsquery: \"cat:x\""),
        ("'cat", "42601 syntax error in tsquery: \"'cat\""),
    ] {
        assert_eq!(query(text, Mode::Operators), expected, "{text}");
    }
    let deep = format!("{}a{}", "(".repeat(500), ")".repeat(500));
    assert!(query(&deep, Mode::Operators).starts_with("54001"));
    let many = "word ".repeat(1_000);
    assert!(query(&many, Mode::Plain).starts_with("54000"));
}

#[test]
fn search_boxes_take_anything() {
    for (text, expected) in [
        ("\"fat rat\" or cat", "'fat' <-> 'rat' | 'cat'"),
        ("cat OR dog -mouse", "'cat' | 'dog' & !'mous'"),
        ("or cat or", "'cat'"),
        ("-\"fat rat\" cat", "!( 'fat' <-> 'rat' ) & 'cat'"),
        ("cat \"unclosed rat", "'cat' & 'unclos' <-> 'rat'"),
        ("order (cat) & ", "'order' & 'cat'"),
        ("--cat", "!!'cat'"),
        ("cat<->dog", "'cat' & !'dog'"),
        ("\"\" - !", ""),
    ] {
        assert_eq!(query(text, Mode::Web), expected, "{text}");
    }
    assert_eq!(query("the fat & rats", Mode::Phrase), "'fat' <-> 'rat'");
    assert_eq!(query("the fat & rats", Mode::Plain), "'fat' & 'rat'");
}

#[test]
fn a_document_has_what_a_query_asks_for() {
    let text = "the fat cat sat on the mat and the rats ran";
    for (asked, expected) in [
        ("cats & mats", true),
        ("cat & dog", false),
        ("fat <-> cat", true),
        ("cat <-> fat", false),
        ("cat <4> mat", true),
        ("fat <-> (cat | dog)", true),
        ("fat <-> !dog", true),
        ("fat <-> !cat", false),
        ("ma:*", true),
        ("ma:* <-> rat", false),
        ("!dog", true),
        ("cat:A", false),
        ("cat:D", true),
    ] {
        let asked_printed = query(asked, Mode::Operators);
        assert_eq!(
            holds(text, Config::English, &asked_printed).ok(),
            Some(expected),
            "{asked}"
        );
    }
    assert_eq!(holds(text, Config::English, "").ok(), Some(false));
}

#[test]
fn what_is_printed_is_read_the_same() {
    for text in [
        "a & 'x y' | !(b <2> c)",
        "'it''s' <-> (b <-> c)",
        "a:*AB & b\\\\c",
    ] {
        let printed = read_query(text, Config::Simple, Mode::Operators).ok();
        let again = printed
            .as_deref()
            .and_then(|printed| Query::printed(printed).ok().flatten())
            .map(|query| query.to_string());
        assert_eq!(again, printed, "{text}");
    }
}

#[test]
fn configurations_are_known_or_refused_by_name() {
    assert_eq!(
        Config::read("pg_catalog.English").ok(),
        Some(Config::English)
    );
    assert_eq!(
        Config::read("german").err().map(|error| error.state),
        Some("0A000".into())
    );
    assert_eq!(
        Config::read("klingon").err().map(|error| error.message),
        Some("text search configuration \"klingon\" does not exist".to_owned())
    );
}
