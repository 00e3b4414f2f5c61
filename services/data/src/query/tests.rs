//! Tables of query strings and what they mean, printed in a notation of the tests' own.

use super::*;
use pando_plan::request::{JsonKey, Quantifier};
use std::fmt::Write;

fn show(query: &Query) -> String {
    let mut out = String::new();
    show_node(&query.node, &mut out);
    if !query.inputs.is_empty() {
        let inputs: Vec<String> = query
            .inputs
            .iter()
            .map(|input| match input {
                Input::Text(text) => format!("{text:?}"),
                Input::List(list) => format!("{list:?}"),
                Input::Json(json) => json.clone(),
                Input::Rows(rows) => rows.to_string(),
            })
            .collect();
        write!(out, " with {}", inputs.join("; ")).unwrap();
    }
    for (name, rows) in [("limit", query.limit), ("offset", query.offset)] {
        if let Some(rows) = rows {
            write!(out, " {name} {rows}").unwrap();
        }
    }
    out
}

fn show_node(node: &Node, out: &mut String) {
    let items: Vec<String> = node.items.iter().map(show_item).collect();
    out.push_str(&items.join(", "));
    for (n, filter) in node.filters.iter().enumerate() {
        write!(
            out,
            " {} {}",
            if n == 0 { "where" } else { "and" },
            show_filter(filter)
        )
        .unwrap();
    }
    for (n, order) in node.order.iter().enumerate() {
        out.push_str(if n == 0 { " order " } else { ", " });
        if let Some(relation) = &order.relation {
            write!(out, "{relation}/").unwrap();
        }
        out.push_str(&show_path(&order.path));
        if order.descending {
            out.push_str(" desc");
        }
        match order.nulls_first {
            Some(true) => out.push_str(" nulls first"),
            Some(false) => out.push_str(" nulls last"),
            None => {}
        }
    }
    for (name, slot) in [("limit", node.limit), ("offset", node.offset)] {
        if let Some(slot) = slot {
            write!(out, " {name} ${}", slot.0).unwrap();
        }
    }
}

fn show_item(item: &Item) -> String {
    match item {
        Item::Star => "*".to_owned(),
        Item::Column { alias, path, cast } => {
            let mut text = show_path(path);
            if let Some(cast) = cast {
                text = format!("cast({text}, {cast})");
            }
            if let Some(alias) = alias {
                text = format!("{text} as {alias}");
            }
            text
        }
        Item::Embed(embed) => {
            let mut text = String::new();
            text.push_str(if embed.spread { "spread " } else { "" });
            text.push_str(if embed.inner { "inner " } else { "" });
            text.push_str(&embed.relation);
            if let Some(hint) = &embed.hint {
                write!(text, " via {hint}").unwrap();
            }
            if let Some(alias) = &embed.alias {
                write!(text, " as {alias}").unwrap();
            }
            text.push_str(" {");
            show_node(&embed.node, &mut text);
            text.push('}');
            text
        }
    }
}

fn show_path(path: &Path) -> String {
    let mut text = format!("<{}>", path.column);
    for step in &path.steps {
        text.push_str(if step.text { "->>" } else { "->" });
        match &step.key {
            JsonKey::Name(name) => write!(text, "'{name}'").unwrap(),
            JsonKey::Index(index) => write!(text, "{index}").unwrap(),
        }
    }
    text
}

fn show_filter(filter: &Filter) -> String {
    match filter {
        Filter::Compare {
            path,
            negated,
            test,
        } => {
            let not = if *negated { "not " } else { "" };
            let path = show_path(path);
            match test {
                Test::Op(op, slot) => format!("{not}{path} {op:?} ${}", slot.0),
                Test::Quantified(op, Quantifier::Any, slot) => {
                    format!("{not}{path} {op:?} any ${}", slot.0)
                }
                Test::Quantified(op, Quantifier::All, slot) => {
                    format!("{not}{path} {op:?} all ${}", slot.0)
                }
                Test::In(slot) => format!("{not}{path} In ${}", slot.0),
                Test::Is(is) => format!("{not}{path} Is {is:?}"),
                Test::Search {
                    mode,
                    config,
                    query,
                } => format!("{not}{path} {mode:?} {config:?} ${}", query.0),
            }
        }
        Filter::Group {
            negated,
            any,
            filters,
        } => {
            let filters: Vec<String> = filters.iter().map(show_filter).collect();
            let not = if *negated { "not " } else { "" };
            format!("{not}({})", filters.join(if *any { " | " } else { " & " }))
        }
        Filter::Embedded { name, present } => {
            format!("{} {name}", if *present { "some" } else { "no" })
        }
    }
}

fn check(cases: &[(&str, &str)]) {
    for (raw, expected) in cases {
        match parse(raw, 8) {
            Ok(query) => assert_eq!(&show(&query), expected, "{raw}"),
            Err(error) => panic!("{raw}: {error:?}"),
        }
    }
}

fn refused(raw: &str) -> QueryError {
    match parse(raw, 8) {
        Ok(query) => panic!("{raw} was read as {}", show(&query)),
        Err(error) => error,
    }
}

#[test]
fn select_reads_columns_renames_casts_and_json_paths() {
    check(&[
        ("", "*"),
        ("select=", ""),
        ("select=*", "*"),
        ("select=id,name", "<id>, <name>"),
        ("select=id, name", "<id>, <name>"),
        ("select=id,%20name", "<id>, <name>"),
        ("select=title:name", "<name> as title"),
        ("select=id::text", "cast(<id>, text)"),
        ("select=key:id::text", "cast(<id>, text) as key"),
        (
            "select=price::numeric(10,2),tags::text[]",
            "cast(<price>, numeric(10,2)), cast(<tags>, text[])",
        ),
        (
            "select=at::timestamp with time zone",
            "cast(<at>, timestamp with time zone)",
        ),
        ("select=data->a->>b", "<data>->'a'->>'b'"),
        ("select=data->0->>-1", "<data>->0->>-1"),
        (
            "select=data->0x,data->%22a-%3Eb%22",
            "<data>->'0x', <data>->'a->b'",
        ),
        ("select=x:data->a::int", "cast(<data>->'a', int) as x"),
        ("select=%22odd,name%22,a%20b", "<odd,name>, <a b>"),
        ("select=%22say%20%5C%22hi%5C%22%22", "<say \"hi\">"),
        ("select=with-dash,na%C3%AFve", "<with-dash>, <naïve>"),
        ("select=Caf%C3%A9:%22%E2%98%95%22", "<☕> as Café"),
    ]);
}

#[test]
fn select_reads_embedded_resources() {
    check(&[
        ("select=id,author(name)", "<id>, author {<name>}"),
        (
            "select=*,author:users!posts_author_fkey!inner(*)",
            "*, inner users via posts_author_fkey as author {*}",
        ),
        (
            "select=users!inner!posts_author_fkey(*)",
            "inner users via posts_author_fkey {*}",
        ),
        ("select=users!left(*)", "users {*}"),
        (
            "select=id,...author(name,age)",
            "<id>, spread author {<name>, <age>}",
        ),
        (
            "select=...author!hint!inner(name)",
            "spread inner author via hint {<name>}",
        ),
        ("select=a(b(c(d)))", "a {b {c {<d>}}}"),
        ("select=a()", "a {}"),
        ("select=a( b , c(d) )", "a {<b>, c {<d>}}"),
        ("select=%22a table%22(id)", "a table {<id>}"),
    ]);
}

#[test]
fn filters_read_every_operator() {
    check(&[
        ("id=eq.5", "* where <id> Eq $0 with \"5\""),
        ("id=not.eq.5", "* where not <id> Eq $0 with \"5\""),
        (
            "a=gt.1&a=lte.9",
            "* where <a> Gt $0 and <a> Lte $1 with \"1\"; \"9\"",
        ),
        (
            "a=neq.1&b=gte.2&c=lt.3",
            "* where <a> Neq $0 and <b> Gte $1 and <c> Lt $2 with \"1\"; \"2\"; \"3\"",
        ),
        ("name=like.*x*", "* where <name> Like $0 with \"%x%\""),
        ("name=ilike.A%25", "* where <name> Ilike $0 with \"A%\""),
        ("name=match.%5Ea", "* where <name> Match $0 with \"^a\""),
        ("name=imatch.a", "* where <name> Imatch $0 with \"a\""),
        (
            "name=isdistinct.a",
            "* where <name> IsDistinct $0 with \"a\"",
        ),
        ("tags=cs.{a,b}", "* where <tags> Contains $0 with \"{a,b}\""),
        (
            "tags=cd.{a}&tags=ov.{b}",
            "* where <tags> ContainedIn $0 and <tags> Overlaps $1 with \"{a}\"; \"{b}\"",
        ),
        ("a=eq(any).{1,2}", "* where <a> Eq any $0 with \"{1,2}\""),
        (
            "a=like(all).{a*,*b}",
            "* where <a> Like all $0 with \"{a%,%b}\"",
        ),
        (
            "a=is.null&b=is.NOT_NULL",
            "* where <a> Is Null and <b> Is NotNull",
        ),
        (
            "a=is.true&b=is.False&c=not.is.unknown",
            "* where <a> Is True and <b> Is False and not <c> Is Unknown",
        ),
        ("data->>k=eq.v", "* where <data>->>'k' Eq $0 with \"v\""),
        ("data->a->0=eq.1", "* where <data>->'a'->0 Eq $0 with \"1\""),
        ("%22a.b%22=eq.1", "* where <a.b> Eq $0 with \"1\""),
        ("a=eq.", "* where <a> Eq $0 with \"\""),
        (
            "a=eq.x.y,z)&b=eq.%26",
            "* where <a> Eq $0 and <b> Eq $1 with \"x.y,z)\"; \"&\"",
        ),
        ("a=eq.one+two", "* where <a> Eq $0 with \"one two\""),
        (
            "a=eq.'; drop table x --",
            "* where <a> Eq $0 with \"'; drop table x --\"",
        ),
    ]);
}

#[test]
fn lists_read_quotes_and_commas() {
    check(&[
        ("a=in.(1,2,3)", r#"* where <a> In $0 with ["1", "2", "3"]"#),
        ("a=in.()", "* where <a> In $0 with []"),
        (
            r#"a=in.("x,y",z)"#,
            r#"* where <a> In $0 with ["x,y", "z"]"#,
        ),
        (
            r#"a=in.("a\"b","c\\d")"#,
            r#"* where <a> In $0 with ["a\"b", "c\\d"]"#,
        ),
        (r#"a=in.("")"#, r#"* where <a> In $0 with [""]"#),
        (
            r#"a=not.in.(a b, "c")"#,
            r#"* where not <a> In $0 with ["a b", "c"]"#,
        ),
        (
            r#"a=in.(5" pipe,x)"#,
            r#"* where <a> In $0 with ["5\" pipe", "x"]"#,
        ),
    ]);
}

#[test]
fn logic_trees_nest() {
    check(&[
        (
            "or=(a.eq.1,b.gt.2)",
            "* where (<a> Eq $0 | <b> Gt $1) with \"1\"; \"2\"",
        ),
        (
            "and=(a.eq.1, b.gt.2)",
            "* where (<a> Eq $0 & <b> Gt $1) with \"1\"; \"2\"",
        ),
        (
            "not.or=(a.is.null,b.in.(1,2))",
            r#"* where not (<a> Is Null | <b> In $0) with ["1", "2"]"#,
        ),
        (
            "or=(a.eq.1,and(b.eq.2,not.or(c.eq.3,d.not.eq.4)))",
            "* where (<a> Eq $0 | (<b> Eq $1 & not (<c> Eq $2 | not <d> Eq $3))) with \"1\"; \"2\"; \"3\"; \"4\"",
        ),
        (
            r#"or=(a.eq."x,y)",b.eq.z)"#,
            r#"* where (<a> Eq $0 | <b> Eq $1) with "x,y)"; "z""#,
        ),
        (
            "or=(t.cs.{a,b},a.eq.1)",
            "* where (<t> Contains $0 | <a> Eq $1) with \"{a,b}\"; \"1\"",
        ),
        (
            r#"or=(d.cs.{"k":{"a":"}"}},a.eq.1)"#,
            r#"* where (<d> Contains $0 | <a> Eq $1) with "{\"k\":{\"a\":\"}\"}}"; "1""#,
        ),
        (
            "or=(d->>k.eq.1,a.like(any).{a,b})",
            "* where (<d>->>'k' Eq $0 | <a> Like any $1) with \"1\"; \"{a,b}\"",
        ),
        // Columns may be called as the words of the grammar.
        (
            "or=(and.eq.1,or.eq.2,not.eq.3)",
            "* where (<and> Eq $0 | <or> Eq $1 | <not> Eq $2) with \"1\"; \"2\"; \"3\"",
        ),
        (
            "a=eq.1&or=(b.eq.2,c.eq.3)",
            "* where <a> Eq $0 and (<b> Eq $1 | <c> Eq $2) with \"1\"; \"2\"; \"3\"",
        ),
        (
            "or=(at.gt.2024-01-01T00:00:00.5Z,b.eq.x.y)",
            "* where (<at> Gt $0 | <b> Eq $1) with \"2024-01-01T00:00:00.5Z\"; \"x.y\"",
        ),
    ]);
}

#[test]
fn embedded_levels_have_their_own_filters_orders_and_pages() {
    check(&[
        (
            "select=posts(id)&posts.id=eq.1",
            "posts {<id> where <id> Eq $0} with \"1\"",
        ),
        (
            "posts.id=eq.1&select=posts(id)",
            "posts {<id> where <id> Eq $0} with \"1\"",
        ),
        (
            "select=p:posts(id)&p.id=eq.1",
            "posts as p {<id> where <id> Eq $0} with \"1\"",
        ),
        (
            "select=a(b(c))&a.b.c=gt.1",
            "a {b {<c> where <c> Gt $0}} with \"1\"",
        ),
        (
            "select=a(b)&a.or=(b.eq.1,b.eq.2)",
            "a {<b> where (<b> Eq $0 | <b> Eq $1)} with \"1\"; \"2\"",
        ),
        (
            "select=a(b)&a.not.and=(b.eq.1)",
            "a {<b> where not (<b> Eq $0)} with \"1\"",
        ),
        (
            "select=a(b)&a.order=b.desc&a.limit=2&a.offset=4&limit=10&offset=3",
            "a {<b> order <b> desc limit $0 offset $1} with 2; 4 limit 10 offset 3",
        ),
        ("select=*,a(b)&a=is.null", "*, a {<b>} where no a"),
        ("select=*,a(b)&a=not.is.null", "*, a {<b>} where some a"),
        (
            "select=*,x:a(b)&or=(x.not.is.null,c.is.null)",
            "*, a as x {<b>} where (some x | <c> Is Null)",
        ),
        ("select=a(b(c))&a.b=is.not_null", "a {b {<c>} where some b}"),
        // Only the name in the answer counts.
        (
            "select=*,x:a(b)&a=is.null",
            "*, a as x {<b>} where <a> Is Null",
        ),
    ]);
}

#[test]
fn orders_read_directions_nulls_and_related_columns() {
    check(&[
        ("order=a", "* order <a>"),
        (
            "order=a.asc,b.desc.nullslast",
            "* order <a>, <b> desc nulls last",
        ),
        ("order=a.nullsfirst", "* order <a> nulls first"),
        ("order=d->>k.desc", "* order <d>->>'k' desc"),
        (
            "select=*,rel(x)&order=rel(x).desc,a",
            "*, rel {<x>} order rel/<x> desc, <a>",
        ),
        ("order=%22a.desc%22.asc", "* order <a.desc>"),
    ]);
}

#[test]
fn payload_columns_and_conflict_targets_are_lists_of_names() {
    let query = parse(r#"columns="a","b c",a&on_conflict=x,y"#, 8).unwrap();
    assert_eq!(query.columns, Some(vec!["a".to_owned(), "b c".to_owned()]));
    assert_eq!(query.on_conflict, ["x", "y"]);
}

#[test]
fn the_key_in_the_query_string_is_not_a_filter() {
    check(&[(
        "apikey=sb_publishable_x&id=eq.1",
        "* where <id> Eq $0 with \"1\"",
    )]);
}

#[test]
fn equal_shapes_are_equal_whatever_the_values() {
    let one = parse("id=eq.1&or=(a.in.(1,2),b.gt.x)&select=*,p(*)&p.limit=3", 8).unwrap();
    let two = parse(
        "id=eq.999&or=(a.in.(5),b.gt.yy)&select=*,p(*)&p.limit=77",
        8,
    )
    .unwrap();
    assert_eq!(one.node, two.node);
    assert_ne!(one.inputs, two.inputs);
    let three = parse("id=neq.1&or=(a.in.(1,2),b.gt.x)&select=*,p(*)&p.limit=3", 8).unwrap();
    assert_ne!(one.node, three.node);
}

#[test]
fn the_root_page_becomes_inputs() {
    let mut query = parse("id=eq.1&limit=5", 8).unwrap();
    query.set_page(Some(5), 0);
    assert_eq!(
        show(&query),
        "* where <id> Eq $0 limit $1 with \"1\"; 5 limit 5"
    );
    let mut query = parse("", 8).unwrap();
    query.set_page(None, 7);
    assert_eq!(show(&query), "* offset $0 with 7");
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (raw, message, detail) in [
        (
            "select=id,,name",
            "\"failed to parse select parameter (id,,name)\" (line 1, column 4)",
            "unexpected \",\" expecting a field name (\"*\", a column or an embedded resource)",
        ),
        (
            "select=a(b",
            "\"failed to parse select parameter (a(b)\" (line 1, column 4)",
            "unexpected end of input expecting \",\" or \")\"",
        ),
        (
            "select=a)",
            "\"failed to parse select parameter (a))\" (line 1, column 2)",
            "unexpected \")\" expecting",
        ),
        (
            "select=a!x!y(b)",
            "\"failed to parse select parameter (a!x!y(b))\"",
            "at most one hint",
        ),
        (
            "select=a!inner",
            "\"failed to parse select parameter (a!inner)\"",
            "expecting \"(\"",
        ),
        (
            "select=%22a",
            "\"failed to parse select parameter (\"a)\" (line 1, column 1)",
            "unexpected '\"' expecting a quoted",
        ),
        (
            "select=a->",
            "\"failed to parse select parameter (a->)\" (line 1, column 4)",
            "a JSON key or an array index",
        ),
        (
            "id=eqq.1",
            "\"failed to parse filter (eqq.1)\" (line 1, column 1)",
            "unexpected \"e\" expecting \"not\"",
        ),
        (
            "id=5",
            "\"failed to parse filter (5)\" (line 1, column 1)",
            "unexpected \"5\" expecting \"not\" or an operator",
        ),
        (
            "id=eq",
            "\"failed to parse filter (eq)\" (line 1, column 3)",
            "unexpected end of input expecting \".\"",
        ),
        (
            "id=neq(any).{1}",
            "\"failed to parse filter (neq(any).{1})\" (line 1, column 4)",
            "expecting \".\"",
        ),
        (
            "id=is.5",
            "\"failed to parse filter (is.5)\" (line 1, column 4)",
            "null, not_null, true, false or unknown",
        ),
        (
            "id=in.1,2",
            "\"failed to parse filter (in.1,2)\" (line 1, column 4)",
            "expecting \"(\"",
        ),
        (
            "id=in.(1,2",
            "\"failed to parse filter (in.(1,2)\" (line 1, column 8)",
            "end of input",
        ),
        (
            "id=in.(1)x",
            "\"failed to parse filter (in.(1)x)\" (line 1, column 7)",
            "the end of the filter",
        ),
        (
            "or=a.eq.1",
            "\"failed to parse logic tree (a.eq.1)\" (line 1, column 1)",
            "expecting \"(\"",
        ),
        (
            "or=()",
            "\"failed to parse logic tree (())\" (line 1, column 2)",
            "a column name",
        ),
        (
            "or=(a.eq.1",
            "\"failed to parse logic tree ((a.eq.1)\" (line 1, column 8)",
            "\",\" or \")\"",
        ),
        (
            "or=(a.eq.1)x",
            "\"failed to parse logic tree ((a.eq.1)x)\" (line 1, column 9)",
            "the end of the logic tree",
        ),
        (
            "order=a.down",
            "\"failed to parse order (a.down)\" (line 1, column 2)",
            "\".desc\"",
        ),
        (
            "order=",
            "\"failed to parse order ()\" (line 1, column 1)",
            "a column name",
        ),
        (
            "limit=ten",
            "\"failed to parse limit (ten)\" (line 1, column 1)",
            "a number of rows",
        ),
        (
            "offset=99999999999999999999",
            "\"failed to parse offset",
            "a number of rows",
        ),
        (
            "a..b=eq.1",
            "\"failed to parse filter (a..b)\" (line 1, column 3)",
            "a column name",
        ),
        (
            "=eq.1",
            "\"failed to parse filter ()\" (line 1, column 1)",
            "a column name",
        ),
        (
            "columns=a,,b",
            "\"failed to parse columns parameter (a,,b)\" (line 1, column 3)",
            "a column name",
        ),
        (
            "a=eq.%FF",
            "the query string is not valid UTF-8",
            "found in (eq.%FF)",
        ),
    ] {
        let error = refused(raw);
        assert_eq!(error.code, "PGRST100", "{raw}");
        assert!(
            error.message.starts_with(message),
            "{raw}: {}",
            error.message
        );
        assert!(
            error.detail.as_deref().unwrap_or_default().contains(detail),
            "{raw}: {:?}",
            error.detail
        );
    }
}

#[test]
fn a_forgotten_operator_gets_a_hint() {
    assert_eq!(
        refused("id=5").hint.as_deref(),
        Some("Write a filter as id=eq.5")
    );
}

#[test]
fn refusals_have_their_own_codes() {
    for (raw, code) in [
        ("limit=-1", "PGRST103"),
        ("select=a(b)&a.offset=-2", "PGRST103"),
        ("posts.id=eq.1", "PGRST108"),
        ("posts.order=id", "PGRST108"),
        ("select=a(b)&a.c.d=eq.1", "PGRST108"),
        ("select=count()", "PGRST123"),
        ("select=amount.sum()", "PGRST123"),
        ("select=total:amount.sum()::text,id", "PGRST123"),
        ("a=adj.[1,2]", "PGRST127"),
        ("or=(a.sl.[1,2],b.eq.1)", "PGRST127"),
        ("a=eq.x%00y", "22021"),
    ] {
        assert_eq!(refused(raw).code, code, "{raw}");
    }
}

#[test]
fn nesting_and_numbers_of_terms_are_bounded() {
    let deep = format!("select={}x{}", "a(".repeat(9), ")".repeat(9));
    assert!(refused(&deep).message.contains("more than 8 levels"));
    let endless = format!("select={}", "a(".repeat(10_000));
    assert_eq!(refused(&endless).code, "PGRST100");
    let logic = format!("or={}a.eq.1{}", "(and".repeat(10_000), ")".repeat(10_000));
    assert!(refused(&logic).detail.unwrap().contains("16 levels"));
    let wide = format!("select={}", vec!["a"; 501].join(","));
    assert!(refused(&wide).message.contains("at most 500"));
    let filters = vec!["a=eq.1"; 501].join("&");
    assert!(refused(&filters).message.contains("at most 500"));
    let steps = format!("select=a{}", "->b".repeat(33));
    assert!(refused(&steps).detail.unwrap().contains("32 steps"));
    assert!(
        refused(&format!("select={}", "a!".repeat(5_000)))
            .message
            .len()
            < 300
    );
}

#[test]
fn any_text_is_read_or_refused_without_a_panic() {
    use proptest::prelude::*;
    let pieces = proptest::collection::vec(
        prop::sample::select(vec![
            "select=", "a", "\"", "\\", "(", ")", ",", ".", "->", "->>", "::", ":", "!", "inner",
            "...", "*", "&", "or=", "and", "not.", "eq.", "in.", "is.", "null", "{", "}", "order=",
            "desc", "limit=", "1", "-", "%", "%FF", "%00", "é", "+", " ", "(any)",
        ]),
        0..40,
    );
    proptest!(|(pieces in pieces)| {
        let text = pieces.concat();
        if let Err(error) = parse(&text, 8) {
            prop_assert!(error.message.len() < 1_200);
        }
    });
}
