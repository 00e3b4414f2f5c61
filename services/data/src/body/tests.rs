use super::*;

const BOUNDS: Bounds = Bounds {
    depth_max: 64,
    rows_max: 1_000,
};

fn show(payload: &Payload<'_>) -> String {
    let rows: Vec<String> = payload
        .rows()
        .map(|row| {
            let cells: Vec<&str> = row
                .iter()
                .map(|cell| cell.map_or("-", |raw| raw.get()))
                .collect();
            cells.join("|")
        })
        .collect();
    format!("{}: {}", payload.columns.join(","), rows.join("; "))
}

fn check(text: &str, columns: Option<&[&str]>, expected: &str) {
    let columns = columns.map(|columns| columns.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(
        show(&read(text, columns, BOUNDS).unwrap()),
        expected,
        "{text}"
    );
}

fn refused(text: &str) -> RestError {
    read(text, None, BOUNDS).unwrap_err()
}

#[test]
fn objects_and_arrays_become_columns_and_cells() {
    check(r#"{"a":1,"b":"x"}"#, None, r#"a,b: 1|"x""#);
    check(r#"[{"a":1,"b":2},{"b":4,"a":3}]"#, None, "a,b: 1|2; 3|4");
    check(r#"[{"a":{"x":[1,2]}}]"#, None, r#"a: {"x":[1,2]}"#);
    check("[]", None, ": ");
    check("{}", None, ": ");
    check("[{},{}]", None, ": ; ");
    check(r#"{"a\u0062":null}"#, None, "ab: null");
    check(r#"{"a":1,"b":2,"a":3}"#, None, "a,b: 3|2");
    assert!(read("{}", None, BOUNDS).unwrap().single);
    assert_eq!(read("[{},{}]", None, BOUNDS).unwrap().rows, 2);
}

#[test]
fn numbers_keep_their_digits() {
    check(
        r#"{"n":12345678901234567890.123456789012345678901234567890,"m":1e400}"#,
        None,
        "n,m: 12345678901234567890.123456789012345678901234567890|1e400",
    );
}

#[test]
fn given_columns_leave_others_out_and_may_be_absent() {
    check(
        r#"[{"a":1,"z":9},{"b":2}]"#,
        Some(&["a", "b"]),
        "a,b: 1|-; -|2",
    );
    check(r#"{"z":1}"#, Some(&["a"]), "a: -");
}

#[test]
fn rows_with_other_keys_are_refused() {
    for (text, detail) in [
        (
            r#"[{"a":1},{"b":1}]"#,
            "Row 2 has the key 'b', the first row has not.",
        ),
        (
            r#"[{"a":1,"b":2},{"a":1}]"#,
            "Row 2 lacks the key 'b' of the first row.",
        ),
        (
            r#"[{"a":1},{"a":2},{"a":1,"c":2}]"#,
            "Row 3 has the key 'c', the first row has not.",
        ),
    ] {
        let error = refused(text);
        assert_eq!(error.code(), "PGRST102");
        assert_eq!(error.message(), "All object keys must match");
        assert_eq!(error.detail_text(), Some(detail));
    }
}

#[test]
fn malformed_bodies_are_refused() {
    for text in [
        "",
        " ",
        "{",
        "[{]",
        r#"{"a":}"#,
        "nul",
        "1",
        r#""x""#,
        "[1]",
        "[[{}]]",
        "{} {}",
        r#"{"a":1}x"#,
        "null",
    ] {
        let error = refused(text);
        assert_eq!(
            (error.code(), error.message()),
            ("PGRST102", "Empty or invalid json"),
            "{text}"
        );
    }
    assert_eq!(
        as_json(None, b"{\"a\":\"\xff\"}").unwrap_err().message(),
        "The body is not valid UTF-8"
    );
    let image = HeaderValue::from_static("image/png");
    assert_eq!(
        as_json(Some(&image), b"x").unwrap_err().message(),
        "Content-Type not acceptable: image/png"
    );
}

#[test]
fn depth_rows_and_columns_are_bounded() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
    assert_eq!(refused(&deep).code(), "54000");
    let fits = format!("{{\"a\":{}{}}}", "[".repeat(63), "]".repeat(63));
    assert!(read(&fits, None, BOUNDS).is_ok());
    let endless = "[".repeat(1_000_000);
    assert_eq!(refused(&endless).code(), "54000");
    let brackets_in_text = format!("{{\"a\":\"{}\\\"[[\"}}", "[".repeat(100));
    assert!(read(&brackets_in_text, None, BOUNDS).is_ok());
    let long = format!("[{}]", vec!["{}"; 1_001].join(","));
    assert_eq!(refused(&long).message(), "a payload has at most 1000 rows");
    let wide: Vec<String> = (0..1_601).map(|n| format!("\"c{n}\":1")).collect();
    assert_eq!(
        refused(&format!("{{{}}}", wide.join(","))).message(),
        "a payload has at most 1600 columns"
    );
}

#[test]
fn csv_and_forms_are_read_as_json_is() {
    let csv = HeaderValue::from_static("text/csv; charset=utf-8");
    let json = as_json(
        Some(&csv),
        "a,\"b \"\"x\"\"\"\r\n1,\"two\nlines, one\"\r\nNULL,\"NULL\"\n\n".as_bytes(),
    )
    .unwrap();
    assert_eq!(
        json,
        r#"[{"a":"1","b \"x\"":"two\nlines, one"},{"a":null,"b \"x\"":"NULL"}]"#
    );
    assert_eq!(as_json(Some(&csv), b"").unwrap(), "[]");
    for broken in ["a,b\n1\n", "a\n\"1", "a\n\"1\"x\n"] {
        assert_eq!(
            as_json(Some(&csv), broken.as_bytes()).unwrap_err().code(),
            "PGRST102"
        );
    }
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    assert_eq!(
        as_json(Some(&form), b"a=1&b=x+y%26z&c").unwrap(),
        r#"{"a":"1","b":"x y&z","c":""}"#
    );
}
