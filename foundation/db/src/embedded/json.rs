//! Rows written as JSON while they are stepped over, byte for byte as Postgres' `row_to_json` writes values.

use pando_plan::OutColumn;
use pando_sql::functions::{float_json, float4_json};
use pando_sql::statement::JsonOut;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use std::io::Write;

/// Appends a row as an object; the first of `columns` is the row's column number `first`.
pub(crate) fn write_row(
    row: &Row<'_>,
    first: usize,
    columns: &[OutColumn],
    out: &mut Vec<u8>,
) -> rusqlite::Result<()> {
    out.push(b'{');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.key.as_bytes());
        write_value(row.get_ref(first + index)?, column.out, out);
    }
    out.push(b'}');
    Ok(())
}

/// Appends a value.
pub(crate) fn write_value(value: ValueRef<'_>, form: JsonOut, out: &mut Vec<u8>) {
    match (value, form) {
        (ValueRef::Null, _) => out.extend_from_slice(b"null"),
        (ValueRef::Integer(int), JsonOut::Bool) => {
            out.extend_from_slice(if int == 0 { b"false" } else { b"true" })
        }
        // SQLite keeps a whole float as an integer, and does not always change it back.
        (ValueRef::Integer(int), JsonOut::Float | JsonOut::Float4) => {
            #[expect(clippy::cast_precision_loss, reason = "it was a float before")]
            write_value(ValueRef::Real(int as f64), form, out);
        }
        (ValueRef::Integer(int), _) => {
            // Writing to a Vec can't fail.
            let _ = write!(out, "{int}");
        }
        (ValueRef::Real(real), JsonOut::Float4) => {
            out.extend_from_slice(float4_json(real).as_bytes());
        }
        (ValueRef::Real(real), _) => out.extend_from_slice(float_json(real).as_bytes()),
        (ValueRef::Text(text), JsonOut::Raw) => {
            // The numerics that are no JSON numbers are words: NaN and the infinities.
            match text {
                b"NaN" | b"Infinity" | b"-Infinity" => write_text(text, out),
                _ => out.extend_from_slice(text),
            }
        }
        (ValueRef::Text(text), _) => write_text(text, out),
        (ValueRef::Blob(bytes), _) => {
            out.extend_from_slice(b"\"\\\\x");
            for byte in bytes {
                let _ = write!(out, "{byte:02x}");
            }
            out.push(b'"');
        }
    }
}

/// Appends a JSON string; runs that need no escape are copied whole.
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut copied = 0;
    for (index, byte) in text.iter().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0x08 => b"\\b",
            0x0c => b"\\f",
            0x00..0x20 => b"",
            _ => continue,
        };
        out.extend_from_slice(&text[copied..index]);
        copied = index + 1;
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.extend_from_slice(escape);
        }
    }
    out.extend_from_slice(&text[copied..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{JsonOut, ValueRef, write_value};

    #[test]
    fn values_are_written_as_postgres_writes_them() {
        for (value, form, text) in [
            (ValueRef::Null, JsonOut::Text, "null"),
            (ValueRef::Integer(1), JsonOut::Bool, "true"),
            (
                ValueRef::Integer(i64::MIN),
                JsonOut::Int,
                "-9223372036854775808",
            ),
            (ValueRef::Real(1.0), JsonOut::Float, "1"),
            (
                ValueRef::Integer(16_777_216),
                JsonOut::Float4,
                "1.6777216e+07",
            ),
            (ValueRef::Real(0.1), JsonOut::Float, "0.1"),
            (ValueRef::Real(-0.0), JsonOut::Float, "-0"),
            (ValueRef::Real(1e15), JsonOut::Float, "1e+15"),
            (
                ValueRef::Real(123_456_789_012_345.0),
                JsonOut::Float,
                "123456789012345",
            ),
            (ValueRef::Real(0.000_012_5), JsonOut::Float, "1.25e-05"),
            (ValueRef::Real(1.5e300), JsonOut::Float, "1.5e+300"),
            (ValueRef::Real(1e15), JsonOut::Float4, "1e+15"),
            (
                ValueRef::Real(16_777_216.0),
                JsonOut::Float4,
                "1.6777216e+07",
            ),
            (ValueRef::Real(123_456.0), JsonOut::Float4, "123456"),
            (
                ValueRef::Real(f64::INFINITY),
                JsonOut::Float4,
                "\"Infinity\"",
            ),
            (ValueRef::Real(f64::NAN), JsonOut::Float, "\"NaN\""),
            (
                ValueRef::Real(f64::NEG_INFINITY),
                JsonOut::Float,
                "\"-Infinity\"",
            ),
            (ValueRef::Text(b"10.50"), JsonOut::Raw, "10.50"),
            (ValueRef::Text(b"NaN"), JsonOut::Raw, "\"NaN\""),
            (
                ValueRef::Text("a\"\\\n\u{1}é/".as_bytes()),
                JsonOut::Text,
                "\"a\\\"\\\\\\n\\u0001é/\"",
            ),
            (
                ValueRef::Blob(&[0xc0, 0xde]),
                JsonOut::Bytes,
                "\"\\\\xc0de\"",
            ),
        ] {
            let mut out = Vec::new();
            write_value(value, form, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
