//! What expressions are made of: operators and functions, each with the types it takes and gives.
//!
//! The table is plain text, so that a construct is added in one line. What the embedded engine refuses by name is found by
//! asking it before a run ([`Rules::probe`]), and is tried seldom from then on: a refusal says nothing about the rest of a statement.

use crate::ty::Ty;

/// How an error in the evaluation of its operands may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Never raises an error itself, and evaluates all of its operands.
    Strict,
    /// May raise an error for some operands; used only where both engines must evaluate it.
    Risky,
    /// Need not evaluate all of its operands, so none of them may raise an error.
    Lazy,
}

/// One way to make an expression.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The type it gives; none for a rule that holds for every type.
    pub gives: Option<Ty>,
    /// Its text, with `$` where an operand stands.
    pub shape: &'static str,
    /// Its operands.
    pub takes: Vec<Operand>,
    /// What errors may come of it.
    pub nature: Nature,
    /// Whether the embedded engine refuses it by name.
    pub refused: bool,
}

/// What an operand may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// An expression of a type.
    Of(Ty),
    /// An expression of the type the rule gives.
    Same,
    /// An array of the type the rule gives.
    ArrayOfSame,
    /// A member of the array type the rule gives.
    MemberOfSame,
    /// An expression of some type with `=`, the same for all of these in a rule.
    Comparable,
    /// An array of that type.
    ArrayOfComparable,
    /// An expression of any type.
    Anything,
    /// An expression of any kind of number.
    Number,
    /// One of these texts, as it stands.
    OneOf(&'static [&'static str]),
}

const SMALL: &[&str] = &["0", "1", "2", "3", "5"];
const SIGNED: &[&str] = &["0", "1", "2", "-1", "-2", "7"];
const FACTOR: &[&str] = &["2", "3", "7", "10", "-4"];
const SEPARATORS: &[&str] = &["','", "' '", "'a'", "''", "'ab'", "'|'"];
const PATTERNS: &[&str] = &[
    "'a%'", "'%b'", "'%a%'", "'_'", "'%'", "''", "'x\\%y'", "'A%'", "'a_c'", "'%''%'", "'\\\\%'",
];
const REGEXES: &[&str] = &[
    "'^a'", "'b$'", "'a.c'", "'[a-z]+'", "'^\\d+$'", "'(a|b)c'", "'\\s'", "''",
];
const KEYS: &[&str] = &["'a'", "'b'", "'aa'", "'zz'", "0", "1", "-1"];
const NAMES: &[&str] = &["'a'", "'b'", "'aa'", "'x'", "'zz'"];
const PATHS: &[&str] = &[
    "'{a}'",
    "'{b,c}'",
    "'{b,c,0}'",
    "'{}'",
    "'{1}'",
    "'{b,c,-1}'",
];
const NAME_LISTS: &[&str] = &["array['a', 'b']", "'{a,zz}'", "array['x']"];
const FIELDS: &[&str] = &[
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "epoch",
    "dow",
    "doy",
    "isodow",
    "week",
    "quarter",
    "milliseconds",
    "century",
];
const DATE_FIELDS: &[&str] = &[
    "year", "month", "day", "epoch", "dow", "doy", "week", "quarter",
];
const UNITS: &[&str] = &[
    "'year'",
    "'month'",
    "'day'",
    "'hour'",
    "'minute'",
    "'second'",
    "'week'",
    "'quarter'",
];
const SPANS: &[&str] = &[
    "interval '1 day'",
    "interval '1 month'",
    "interval '2 hours 30 minutes'",
    "interval '-3 days'",
    "interval '1 year'",
    "interval '00:00:01.5'",
    "interval '1 week'",
    "interval '90 minutes'",
];
const HEX: &[&str] = &["'hex'", "'base64'", "'escape'"];
const PICTURES: &[&str] = &[
    "'YYYY-MM-DD'",
    "'HH24:MI:SS'",
    "'DD Mon YYYY'",
    "'Day'",
    "'FMMonth DD'",
    "'YYYY-MM-DD\"T\"HH24:MI:SS.US'",
];

/// Type it gives; shape; operands; nature (`s`trict, `r`isky, `l`azy). Words for operands: see [`operand`].
const TABLE: &[(&str, &str, &str, char)] = &[
    // Anything.
    ("*", "coalesce($, $)", "same same", 'l'),
    ("*", "coalesce($, $, $)", "same same same", 'l'),
    ("*", "case when $ then $ else $ end", "bool same same", 'l'),
    (
        "*",
        "case when $ then $ when $ then $ end",
        "bool same bool same",
        'l',
    ),
    (
        "*",
        "case $ when $ then $ else $ end",
        "comparable comparable same same",
        'l',
    ),
    ("*=", "nullif($, $)", "same same", 's'),
    ("*=", "greatest($, $)", "same same", 'l'),
    ("*=", "least($, $, $)", "same same same", 'l'),
    ("*", "($)[1]", "arrayofsame", 's'),
    ("*", "($)[$]", "arrayofsame signed", 's'),
    // Booleans.
    ("bool", "($ = $)", "comparable comparable", 's'),
    ("bool", "($ <> $)", "comparable comparable", 's'),
    ("bool", "($ < $)", "comparable comparable", 's'),
    ("bool", "($ <= $)", "comparable comparable", 's'),
    ("bool", "($ > $)", "comparable comparable", 's'),
    ("bool", "($ >= $)", "comparable comparable", 's'),
    ("bool", "($ = $)", "number number", 's'),
    ("bool", "($ < $)", "number number", 's'),
    ("bool", "($ >= $)", "number number", 's'),
    ("bool", "($ <> $)", "number number", 's'),
    ("bool", "($ < $)", "date timestamptz", 's'),
    ("bool", "($ >= $)", "timestamp date", 's'),
    ("bool", "($ = $)", "timestamp timestamptz", 's'),
    (
        "bool",
        "($ is distinct from $)",
        "comparable comparable",
        's',
    ),
    (
        "bool",
        "($ is not distinct from $)",
        "comparable comparable",
        's',
    ),
    (
        "bool",
        "($ between $ and $)",
        "comparable comparable comparable",
        'l',
    ),
    (
        "bool",
        "($ not between $ and $)",
        "comparable comparable comparable",
        'l',
    ),
    (
        "bool",
        "($ between symmetric $ and $)",
        "comparable comparable comparable",
        'l',
    ),
    ("bool", "($ is null)", "anything", 's'),
    ("bool", "($ is not null)", "anything", 's'),
    ("bool", "($ is true)", "bool", 's'),
    ("bool", "($ is not true)", "bool", 's'),
    ("bool", "($ is false)", "bool", 's'),
    ("bool", "($ is unknown)", "bool", 's'),
    ("bool", "($ is not unknown)", "bool", 's'),
    ("bool", "(not $)", "bool", 's'),
    ("bool", "($ and $)", "bool bool", 'l'),
    ("bool", "($ or $)", "bool bool", 'l'),
    ("bool", "($ or $ and $)", "bool bool bool", 'l'),
    ("bool", "($ and $ or $)", "bool bool bool", 'l'),
    ("bool", "(not $ or $)", "bool bool", 'l'),
    ("bool", "(not $ and not $)", "bool bool", 'l'),
    (
        "bool",
        "($ in ($, $))",
        "comparable comparable comparable",
        'l',
    ),
    (
        "bool",
        "($ not in ($, $))",
        "comparable comparable comparable",
        'l',
    ),
    ("bool", "($ in ($, null))", "comparable comparable", 'l'),
    (
        "bool",
        "($ not in ($, $, null))",
        "comparable comparable comparable",
        'l',
    ),
    ("bool", "($ = any ($))", "comparable arrayofcomparable", 's'),
    (
        "bool",
        "($ <> all ($))",
        "comparable arrayofcomparable",
        's',
    ),
    (
        "bool",
        "($ = any (array[$, $]))",
        "comparable comparable comparable",
        'l',
    ),
    ("bool", "($ < any ($))", "int4 int4[]", 's'),
    ("bool", "($ >= all ($))", "int4 int4[]", 's'),
    ("bool", "($ like $)", "text pattern", 's'),
    ("bool", "($ not like $)", "text pattern", 's'),
    ("bool", "($ ilike $)", "text pattern", 's'),
    ("bool", "($ like $ escape '!')", "text pattern", 's'),
    ("bool", "($ ~ $)", "text regex", 's'),
    ("bool", "($ !~ $)", "text regex", 's'),
    ("bool", "($ ~* $)", "text regex", 's'),
    ("bool", "($ similar to '(a|b)%')", "text", 's'),
    ("bool", "starts_with($, $)", "text text", 's'),
    ("bool", "($ @> $)", "jsonb jsonb", 's'),
    ("bool", "($ <@ $)", "jsonb jsonb", 's'),
    ("bool", "($ ? $)", "jsonb name", 's'),
    ("bool", "($ ?| $)", "jsonb names", 's'),
    ("bool", "($ ?& $)", "jsonb names", 's'),
    (
        "bool",
        "($ @> $)",
        "arrayofcomparable arrayofcomparable",
        's',
    ),
    (
        "bool",
        "($ <@ $)",
        "arrayofcomparable arrayofcomparable",
        's',
    ),
    (
        "bool",
        "($ && $)",
        "arrayofcomparable arrayofcomparable",
        's',
    ),
    ("bool", "(($)::text)::boolean", "bool", 's'),
    ("bool", "($)::boolean", "int4", 's'),
    ("bool", "($)::boolean", "text", 'r'),
    ("bool", "(($, $) = ($, $))", "int4 text int4 text", 's'),
    ("bool", "(($, $) < ($, $))", "int4 text int4 text", 's'),
    (
        "bool",
        "(($, $) overlaps ($, $))",
        "date date date date",
        's',
    ),
    // Integers.
    ("int2", "($ + $)", "int2 int2", 'r'),
    ("int2", "($ * $)", "int2 int2", 'r'),
    ("int2", "($)::smallint", "int4", 'r'),
    ("int2", "($)::smallint", "text", 'r'),
    ("int2", "abs($)", "int2", 'r'),
    ("int4", "($ + $)", "int4 int4", 'r'),
    ("int4", "($ - $)", "int4 int4", 'r'),
    ("int4", "($ * $)", "int4 int4", 'r'),
    ("int4", "($ / $)", "int4 int4", 'r'),
    ("int4", "($ % $)", "int4 int4", 'r'),
    ("int4", "($ + $)", "int2 int4", 'r'),
    ("int4", "($ + $ * $)", "int4 int4 int4", 'r'),
    ("int4", "(- $)", "int4", 'r'),
    ("int4", "abs($)", "int4", 'r'),
    ("int4", "mod($, $)", "int4 int4", 'r'),
    ("int4", "div($, 2)::integer", "numeric", 'r'),
    ("int4", "($)::integer", "int8", 'r'),
    ("int4", "($)::integer", "numeric", 'r'),
    ("int4", "($)::integer", "float8", 'r'),
    ("int4", "($)::integer", "text", 'r'),
    ("int4", "($ / $)", "int4 factor", 'r'),
    ("int4", "($ % $)", "int4 factor", 's'),
    ("int4", "($)::integer", "int2", 's'),
    ("int4", "($)::integer", "bool", 's'),
    ("int4", "cast($ as integer)", "int2", 's'),
    ("int4", "length($)", "text", 's'),
    ("int4", "char_length($)", "text", 's'),
    ("int4", "octet_length($)", "text", 's'),
    ("int4", "length($)", "bytea", 's'),
    ("int4", "strpos($, $)", "text text", 's'),
    ("int4", "position($ in $)", "text text", 's'),
    ("int4", "ascii($)", "text", 's'),
    ("int4", "cardinality($)", "int4[]", 's'),
    ("int4", "cardinality($)", "text[]", 's'),
    ("int4", "array_length($, 1)", "text[]", 's'),
    ("int4", "array_position($, $)", "text[] text", 's'),
    ("int4", "array_upper($, 1)", "int4[]", 's'),
    ("int4", "jsonb_array_length($)", "jsonb", 'r'),
    ("int4", "($ - $)", "date date", 's'),
    ("int4", "($ # $)", "int4 int4", 's'),
    ("int4", "($ & $)", "int4 int4", 's'),
    ("int4", "($ | $)", "int4 int4", 's'),
    ("int4", "($ << $)", "int4 small", 's'),
    ("int4", "sign($)::integer", "numeric", 'r'),
    ("int8", "($ + $)", "int8 int8", 'r'),
    ("int8", "($ - $)", "int8 int4", 'r'),
    ("int8", "($ * $)", "int8 int8", 'r'),
    ("int8", "($ / $)", "int8 int8", 'r'),
    ("int8", "($ % $)", "int8 factor", 's'),
    ("int8", "abs($)", "int8", 'r'),
    ("int8", "($)::bigint", "numeric", 'r'),
    ("int8", "($)::bigint", "float8", 'r'),
    ("int8", "($)::bigint", "text", 'r'),
    ("int8", "($)::bigint", "int4", 's'),
    ("int8", "($)::bigint", "int2", 's'),
    // Exact numbers.
    ("numeric", "($ + $)", "numeric numeric", 's'),
    ("numeric", "($ - $)", "numeric numeric", 's'),
    ("numeric", "($ * $)", "numeric numeric", 's'),
    ("numeric", "($ + $)", "numeric int4", 's'),
    ("numeric", "($ * $)", "int8 numeric", 's'),
    ("numeric", "($ / $)", "numeric numeric", 'r'),
    ("numeric", "($ / $)", "numeric factor", 's'),
    ("numeric", "($ % $)", "numeric factor", 's'),
    ("numeric", "($ % $)", "numeric numeric", 'r'),
    ("numeric", "(- $)", "numeric", 's'),
    ("numeric", "abs($)", "numeric", 's'),
    ("numeric", "round($)", "numeric", 's'),
    ("numeric", "round($, $)", "numeric signed", 's'),
    ("numeric", "trunc($, $)", "numeric signed", 's'),
    ("numeric", "ceil($)", "numeric", 's'),
    ("numeric", "floor($)", "numeric", 's'),
    ("numeric", "sign($)", "numeric", 's'),
    ("numeric", "power($, $)", "numeric small", 'r'),
    ("numeric", "sqrt($)", "numeric", 'r'),
    ("numeric", "($)::numeric", "int4", 's'),
    ("numeric", "($)::numeric", "int8", 's'),
    ("numeric", "($)::numeric", "float8", 's'),
    ("numeric", "($)::numeric", "text", 'r'),
    ("numeric", "($)::numeric(10, 2)", "numeric", 'r'),
    ("numeric", "($)::numeric(6, 1)", "int4", 'r'),
    ("numeric", "extract($ from $)", "field timestamptz", 's'),
    ("numeric", "extract($ from $)", "field timestamp", 's'),
    ("numeric", "extract($ from $)", "datefield date", 's'),
    ("numeric", "extract(epoch from $)", "interval", 's'),
    ("numeric", "($ ->> 'a')::numeric", "jsonb", 'r'),
    ("numeric", "($)::numeric", "jsonb", 'r'),
    // Floats.
    ("float8", "($ + $)", "float8 int4", 's'),
    ("float8", "($ - $)", "float8 float8", 'r'),
    ("float8", "($ * $)", "float8 float8", 'r'),
    ("float8", "($ / $)", "float8 float8", 'r'),
    ("float8", "($ / $)", "float8 factor", 's'),
    ("float8", "(- $)", "float8", 's'),
    ("float8", "abs($)", "float8", 's'),
    ("float8", "round($)", "float8", 's'),
    ("float8", "floor($)", "float8", 's'),
    ("float8", "ceil($)", "float8", 's'),
    ("float8", "trunc($)", "float8", 's'),
    ("float8", "sqrt(abs($))", "float8", 's'),
    ("float8", "($)::double precision", "int4", 's'),
    ("float8", "($)::double precision", "numeric", 's'),
    ("float8", "($)::double precision", "float4", 's'),
    ("float8", "($)::double precision", "text", 'r'),
    ("float4", "($)::real", "int4", 's'),
    ("float4", "($)::real", "float8", 'r'),
    // Texts.
    ("text", "($ || $)", "text text", 's'),
    ("text", "($ || $)", "text int4", 's'),
    ("text", "($ || $)", "numeric text", 's'),
    ("text", "($ || $)", "text timestamptz", 's'),
    ("text", "($ || $)", "uuid text", 's'),
    ("text", "($)::text", "anything", 's'),
    ("text", "cast($ as text)", "anything", 's'),
    ("text", "($)::varchar(2)", "text", 's'),
    ("text", "($)::varchar(3)", "int4", 's'),
    ("text", "lower($)", "text", 's'),
    ("text", "upper($)", "text", 's'),
    ("text", "initcap($)", "text", 's'),
    ("text", "trim($)", "text", 's'),
    ("text", "btrim($, $)", "text separator", 's'),
    ("text", "ltrim($)", "text", 's'),
    ("text", "rtrim($)", "text", 's'),
    ("text", "trim(leading $ from $)", "separator text", 's'),
    ("text", "left($, $)", "text signed", 's'),
    ("text", "right($, $)", "text signed", 's'),
    ("text", "substr($, $)", "text signed", 's'),
    ("text", "substring($, $, $)", "text signed small", 's'),
    (
        "text",
        "substring($ from $ for $)",
        "text signed small",
        's',
    ),
    ("text", "substring($ from 'a.')", "text", 's'),
    ("text", "replace($, $, $)", "text separator text", 's'),
    ("text", "split_part($, $, 1)", "text separator", 's'),
    ("text", "split_part($, $, $)", "text separator signed", 'r'),
    ("text", "repeat($, $)", "text signed", 's'),
    ("text", "reverse($)", "text", 's'),
    ("text", "lpad($, $, $)", "text small separator", 's'),
    ("text", "rpad($, $)", "text small", 's'),
    ("text", "translate($, 'ab', 'x')", "text", 's'),
    ("text", "overlay($ placing 'zz' from 2)", "text", 's'),
    ("text", "concat($, $, $)", "text anything int4", 's'),
    ("text", "concat_ws($, $, $)", "separator text text", 's'),
    ("text", "format('%s-%s', $, $)", "text int4", 's'),
    ("text", "md5($)", "text", 's'),
    ("text", "quote_literal($)", "text", 's'),
    ("text", "quote_ident($)", "text", 's'),
    ("text", "chr(65 + abs($ % 20))", "int4", 's'),
    ("text", "to_hex($)", "int4", 's'),
    ("text", "to_char($, $)", "timestamptz picture", 's'),
    ("text", "to_char($, 'FM9990.00')", "numeric", 's'),
    ("text", "encode($, $)", "bytea encoding", 's'),
    ("text", "($ ->> $)", "jsonb key", 's'),
    ("text", "($ ->> 'a')", "json", 's'),
    ("text", "($ #>> $)", "jsonb path", 's'),
    ("text", "jsonb_typeof($)", "jsonb", 's'),
    ("text", "array_to_string($, $)", "text[] separator", 's'),
    (
        "text",
        "array_to_string($, $, '*')",
        "int4[] separator",
        's',
    ),
    ("text", "regexp_replace($, $, 'z')", "text regex", 's'),
    ("text", "regexp_replace($, $, 'z', 'g')", "text regex", 's'),
    ("text", "auth.role()", "", 's'),
    ("text", "auth.email()", "", 's'),
    ("text", "(auth.jwt() ->> 'sub')", "", 's'),
    ("text", "(auth.jwt() -> 'app_metadata' ->> 'org')", "", 's'),
    (
        "text",
        "(current_setting('request.jwt.claims', true)::json ->> 'role')",
        "",
        's',
    ),
    // Identities.
    ("uuid", "auth.uid()", "", 's'),
    ("uuid", "(select auth.uid())", "", 's'),
    ("uuid", "($)::uuid", "text", 'r'),
    ("uuid", "(($)::text)::uuid", "uuid", 's'),
    // Times.
    ("timestamptz", "($ + $)", "timestamptz span", 'r'),
    ("timestamptz", "($ - $)", "timestamptz span", 'r'),
    ("timestamptz", "($ + $)", "timestamptz interval", 'r'),
    ("timestamptz", "date_trunc($, $)", "unit timestamptz", 's'),
    ("timestamptz", "($)::timestamptz", "date", 's'),
    ("timestamptz", "($)::timestamptz", "timestamp", 's'),
    ("timestamptz", "($)::timestamptz", "text", 'r'),
    ("timestamptz", "($ at time zone 'utc')", "timestamp", 's'),
    ("timestamptz", "to_timestamp($)", "int4", 's'),
    ("timestamp", "($ at time zone 'UTC')", "timestamptz", 's'),
    ("timestamp", "($)::timestamp", "timestamptz", 's'),
    ("timestamp", "($)::timestamp", "date", 's'),
    ("timestamp", "($ + $)", "timestamp span", 'r'),
    ("timestamp", "($ + $)", "date span", 'r'),
    ("timestamp", "date_trunc($, $)", "unit timestamp", 's'),
    ("timestamp", "($ + $)", "date time", 's'),
    ("date", "($ + $)", "date small", 'r'),
    ("date", "($ - $)", "date small", 'r'),
    ("date", "($)::date", "timestamptz", 's'),
    ("date", "($)::date", "timestamp", 's'),
    ("date", "($)::date", "text", 'r'),
    ("date", "make_date(2024, 2, 1 + $)", "small", 's'),
    ("time", "($)::time", "timestamp", 's'),
    ("time", "($ + $)", "time span", 's'),
    ("interval", "($ - $)", "timestamptz timestamptz", 's'),
    ("interval", "($ - $)", "timestamp timestamp", 's'),
    ("interval", "age($, $)", "timestamp timestamp", 's'),
    ("interval", "($ + $)", "interval span", 's'),
    ("interval", "($ - $)", "interval interval", 's'),
    ("interval", "(- $)", "interval", 's'),
    ("interval", "($ * $)", "interval factor", 's'),
    ("interval", "($ / $)", "interval factor", 's'),
    ("interval", "make_interval(days => $)", "small", 's'),
    ("interval", "justify_hours($)", "interval", 's'),
    ("interval", "justify_days($)", "interval", 's'),
    ("interval", "($ - $)", "time time", 's'),
    ("interval", "($)::interval", "time", 's'),
    // JSON.
    ("jsonb", "($ -> $)", "jsonb key", 's'),
    ("jsonb", "($ #> $)", "jsonb path", 's'),
    ("jsonb", "($ || $)", "jsonb jsonb", 's'),
    ("jsonb", "($ - $)", "jsonb name", 'r'),
    ("jsonb", "($ #- $)", "jsonb path", 'r'),
    ("jsonb", "to_jsonb($)", "anything", 's'),
    (
        "jsonb",
        "jsonb_build_object('k', $, 'a', $)",
        "anything anything",
        's',
    ),
    ("jsonb", "jsonb_build_array($, $)", "anything anything", 's'),
    ("jsonb", "jsonb_set($, '{a}', $)", "jsonb jsonb", 'r'),
    ("jsonb", "jsonb_strip_nulls($)", "jsonb", 's'),
    ("jsonb", "($)::jsonb", "json", 's'),
    ("jsonb", "auth.jwt()", "", 's'),
    ("json", "($ -> $)", "json name", 's'),
    ("json", "($)::json", "jsonb", 's'),
    ("json", "to_json($)", "anything", 's'),
    ("json", "json_build_object('k', $)", "anything", 's'),
    // Arrays.
    ("*[]", "array[$, $]", "member member", 'l'),
    ("*[]", "array[$]", "member", 's'),
    ("*[]", "($ || $)", "same same", 's'),
    ("*[]", "($ || $)", "same member", 's'),
    ("*[]", "array_append($, $)", "same member", 's'),
    ("*[]", "array_prepend($, $)", "member same", 's'),
    ("*[]", "array_cat($, $)", "same same", 's'),
    ("*[]", "array_remove($, $)", "same member", 's'),
    ("*[]", "array_replace($, $, $)", "same member member", 's'),
    ("text[]", "string_to_array($, $)", "text separator", 's'),
    ("text[]", "($)::text[]", "int4[]", 's'),
    ("text[]", "($)::text[]", "uuid[]", 's'),
    ("int4[]", "($)::integer[]", "text[]", 'r'),
    // Bytes.
    ("bytea", "($ || $)", "bytea bytea", 's'),
    ("bytea", "convert_to($, 'UTF8')", "text", 's'),
    ("bytea", "decode($, 'hex')", "text", 'r'),
    ("bytea", "sha256($)", "bytea", 's'),
    // Enums.
    ("mood", "($)::text::mood", "mood", 's'),
    ("mood", "($)::mood", "text", 'r'),
];

/// The table, read.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Default for Rules {
    fn default() -> Rules {
        let mut rules = Vec::new();
        for (gives, shape, takes, nature) in TABLE {
            let nature = match nature {
                's' => Nature::Strict,
                'r' => Nature::Risky,
                _ => Nature::Lazy,
            };
            let takes: Vec<Operand> = takes.split_whitespace().map(operand).collect();
            rules.push(Rule {
                gives: ty(gives),
                shape,
                takes,
                nature,
                refused: false,
            });
            if let Some(rule) = rules.last_mut().filter(|_| *gives == "*[]") {
                rule.gives = Some(Ty::Array(Box::new(Ty::Text)));
                let mut others =
                    [Ty::Int4, Ty::Uuid, Ty::Numeric(None), Ty::Date].map(|item| Rule {
                        gives: Some(Ty::Array(Box::new(item))),
                        ..rule.clone()
                    });
                rules.append(&mut others.as_mut_slice().to_vec());
            }
        }
        Rules { rules }
    }
}

impl Rules {
    /// Those that give this type.
    pub fn giving(&self, wanted: &Ty) -> Vec<&Rule> {
        self.rules
            .iter()
            .filter(|rule| match &rule.gives {
                Some(gives) => gives == wanted,
                None => {
                    let equality = matches!(rule.shape.get(..3), Some("nul" | "gre" | "lea"));
                    !equality || wanted.has_equality()
                }
            })
            .collect()
    }

    /// All of them, to be asked about one by one.
    pub fn each(&mut self) -> &mut [Rule] {
        &mut self.rules
    }

    /// The shapes that are refused.
    pub fn refused(&self) -> Vec<&'static str> {
        let refused = self.rules.iter().filter(|rule| rule.refused);
        refused.map(|rule| rule.shape).collect()
    }
}

fn ty(word: &str) -> Option<Ty> {
    if let Some(item) = word.strip_suffix("[]") {
        return ty(item).map(|item| Ty::Array(Box::new(item)));
    }
    Some(match word {
        "int2" => Ty::Int2,
        "int4" => Ty::Int4,
        "int8" => Ty::Int8,
        "float4" => Ty::Float4,
        "float8" => Ty::Float8,
        "numeric" => Ty::Numeric(None),
        "bool" => Ty::Bool,
        "text" => Ty::Text,
        "uuid" => Ty::Uuid,
        "timestamptz" => Ty::Timestamptz,
        "timestamp" => Ty::Timestamp,
        "date" => Ty::Date,
        "time" => Ty::Time,
        "interval" => Ty::Interval,
        "json" => Ty::Json,
        "jsonb" => Ty::Jsonb,
        "bytea" => Ty::Bytea,
        "mood" => Ty::Mood,
        _ => return None,
    })
}

fn operand(word: &str) -> Operand {
    Operand::OneOf(match word {
        "same" => return Operand::Same,
        "arrayofsame" => return Operand::ArrayOfSame,
        "member" => return Operand::MemberOfSame,
        "comparable" => return Operand::Comparable,
        "arrayofcomparable" => return Operand::ArrayOfComparable,
        "anything" => return Operand::Anything,
        "number" => return Operand::Number,
        "small" => SMALL,
        "signed" => SIGNED,
        "factor" => FACTOR,
        "separator" => SEPARATORS,
        "pattern" => PATTERNS,
        "regex" => REGEXES,
        "key" => KEYS,
        "name" => NAMES,
        "names" => NAME_LISTS,
        "path" => PATHS,
        "field" => FIELDS,
        "datefield" => DATE_FIELDS,
        "unit" => UNITS,
        "span" => SPANS,
        "encoding" => HEX,
        "picture" => PICTURES,
        other => match ty(other) {
            Some(ty) => return Operand::Of(ty),
            None => &["null"],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_table_is_known() {
        for (gives, shape, takes, nature) in TABLE {
            assert!(gives.starts_with('*') || ty(gives).is_some(), "{gives}");
            assert!("srl".contains(*nature), "{shape}");
            assert_eq!(
                shape.matches('$').count(),
                takes.split_whitespace().count(),
                "{shape}"
            );
            for word in takes.split_whitespace() {
                assert_ne!(operand(word), Operand::OneOf(&["null"]), "{word}");
            }
        }
    }
}
