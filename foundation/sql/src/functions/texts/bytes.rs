//! `bytea`: its functions, its texts and the digests.

use super::{negative_length, size};
use crate::error::SqlError;
use crate::functions::registry::{Row, strict};
use crate::functions::{int, text};
use crate::value::Value;
use md5::{Digest, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};
use std::sync::Arc;

fn bytes(value: &Value) -> Arc<[u8]> {
    match value {
        Value::Blob(bytes) => bytes.clone(),
        other => text(other).as_bytes().into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn md5(a: &[Value]) -> Result<Value, SqlError> {
    Ok(hex(&Md5::digest(bytes(&a[0]))).into())
}

fn blob(bytes: impl Into<Arc<[u8]>>) -> Result<Value, SqlError> {
    Ok(Value::Blob(bytes.into()))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With a line break after each 76 characters, as MIME has it.
fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (index, chunk) in bytes.chunks(3).enumerate() {
        if index > 0 && index % 19 == 0 {
            out.push('\n');
        }
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = (at(0) << 16) | (at(1) << 8) | at(2);
        for part in 0..4 {
            if part > chunk.len() {
                out.push('=');
            } else {
                let index = (group >> (18 - 6 * part)) & 63;
                out.push(char::from(ALPHABET[index as usize]));
            }
        }
    }
    out
}

fn unbase64(text: &str) -> Result<Vec<u8>, SqlError> {
    let mut out = Vec::new();
    let (mut group, mut count, mut padding) = (0_u32, 0, 0);
    for c in text
        .chars()
        .filter(|c| !matches!(c, ' ' | '\n' | '\r' | '\t'))
    {
        if c == '=' {
            if count < 2 {
                return Err(SqlError::new(
                    "22023",
                    "unexpected \"=\" while decoding base64 sequence",
                ));
            }
            padding += 1;
            group <<= 6;
            count += 1;
        } else {
            let index = ALPHABET
                .iter()
                .position(|known| char::from(*known) == c)
                .filter(|_| padding == 0)
                .ok_or_else(|| {
                    SqlError::new(
                        "22023",
                        format!("invalid symbol \"{c}\" found while decoding base64 sequence"),
                    )
                })?;
            group = (group << 6) | u32::try_from(index).unwrap_or(0);
            count += 1;
        }
        if count == 4 {
            let [_, first, second, third] = group.to_be_bytes();
            out.extend(&[first, second, third][..3 - padding.min(2)]);
            (group, count) = (0, 0);
        }
    }
    if count != 0 {
        return Err(SqlError::new("22023", "invalid base64 end sequence")
            .hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(out)
}

fn unhex(text: &str) -> Result<Vec<u8>, SqlError> {
    let digits = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '\n' | '\r' | '\t'))
        .map(|c| {
            c.to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
                .ok_or_else(|| {
                    SqlError::new("22023", format!("invalid hexadecimal digit: \"{c}\""))
                })
        })
        .collect::<Result<Vec<u8>, _>>()?;
    if digits.len() % 2 == 1 {
        return Err(SqlError::new(
            "22023",
            "invalid hexadecimal data: odd number of digits",
        ));
    }
    Ok(digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect())
}

fn encode(a: &[Value]) -> Result<Value, SqlError> {
    let (bytes, form) = (bytes(&a[0]), text(&a[1]));
    Ok(match form.to_ascii_lowercase().as_str() {
        "hex" => hex(&bytes).into(),
        "base64" => base64(&bytes).into(),
        "escape" => {
            let mut out = String::new();
            for byte in bytes.iter() {
                match byte {
                    b'\\' => out.push_str("\\\\"),
                    0 | 128.. => out.push_str(&format!("\\{byte:03o}")),
                    byte => out.push(char::from(*byte)),
                }
            }
            out.into()
        }
        _ => {
            return Err(SqlError::new(
                "22023",
                format!("unrecognized encoding: \"{form}\""),
            ));
        }
    })
}

fn decode(a: &[Value]) -> Result<Value, SqlError> {
    let (text, form) = (text(&a[0]), text(&a[1]));
    match form.to_ascii_lowercase().as_str() {
        "hex" => blob(unhex(&text)?),
        "base64" => blob(unbase64(&text)?),
        "escape" => crate::types::input::escaped(&text),
        _ => Err(SqlError::new(
            "22023",
            format!("unrecognized encoding: \"{form}\""),
        )),
    }
}

/// The part from a place on, counted from 1.
fn part(a: &[Value]) -> Result<Value, SqlError> {
    let (whole, start) = (bytes(&a[0]), int(&a[1]));
    let end = match a.get(2) {
        Some(length) if int(length) < 0 => return Err(negative_length()),
        Some(length) => start.saturating_add(int(length)),
        None => i64::MAX,
    };
    let clamp = |at: i64| usize::try_from(at - 1).unwrap_or(0).min(whole.len());
    let (start, end) = (clamp(start), clamp(end));
    blob(&whole[start..end.max(start)])
}

fn find(a: &[Value]) -> Result<Value, SqlError> {
    let (whole, part) = (bytes(&a[0]), bytes(&a[1]));
    if part.is_empty() {
        return Ok(Value::Int(1));
    }
    Ok(size(
        whole
            .windows(part.len())
            .position(|window| *window == *part)
            .map_or(0, |at| at + 1),
    ))
}

fn index(at: i64, length: usize) -> Result<usize, SqlError> {
    usize::try_from(at)
        .ok()
        .filter(|index| *index < length)
        .ok_or_else(|| {
            let last = i64::try_from(length).unwrap_or(i64::MAX) - 1;
            SqlError::new("2202E", format!("index {at} out of valid range, 0..{last}"))
        })
}

fn utf8_only(name: &Value) -> Result<(), SqlError> {
    let name = text(name);
    if ["utf8", "utf-8", "unicode"].contains(&&*name.to_ascii_lowercase()) {
        return Ok(());
    }
    Err(SqlError::new(
        "0A000",
        format!("the encoding \"{name}\" is not available on the embedded engine"),
    )
    .hint("Use UTF8."))
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        strict("||(bytea, bytea) bytea", |a| {
            blob([bytes(&a[0]), bytes(&a[1])].concat())
        }),
        strict("length(bytea) int4", |a| Ok(size(bytes(&a[0]).len()))),
        strict("octet_length(bytea) int4", |a| Ok(size(bytes(&a[0]).len()))),
        strict("bit_length(bytea) int4", |a| {
            Ok(size(bytes(&a[0]).len() * 8))
        }),
        strict("bit_count(bytea) int8", |a| {
            Ok(Value::Int(
                bytes(&a[0])
                    .iter()
                    .map(|byte| i64::from(byte.count_ones()))
                    .sum(),
            ))
        }),
        strict("substring(bytea, int4) bytea", part),
        strict("substring(bytea, int4, int4) bytea", part),
        strict("substr(bytea, int4) bytea", part),
        strict("substr(bytea, int4, int4) bytea", part),
        strict("position(bytea, bytea) int4", find),
        strict("get_byte(bytea, int4) int4", |a| {
            let whole = bytes(&a[0]);
            Ok(Value::Int(i64::from(
                whole[index(int(&a[1]), whole.len())?],
            )))
        }),
        strict("set_byte(bytea, int4, int4) bytea", |a| {
            let mut whole = bytes(&a[0]).to_vec();
            let at = index(int(&a[1]), whole.len())?;
            whole[at] = u8::try_from(int(&a[2]).rem_euclid(256)).unwrap_or(0);
            blob(whole)
        }),
        strict("encode(bytea, text) text", encode),
        strict("decode(text, text) bytea", decode),
        strict("md5(text) text", md5),
        strict("md5(bytea) text", md5),
        strict("sha224(bytea) bytea", |a| {
            blob(Sha224::digest(bytes(&a[0])).to_vec())
        }),
        strict("sha256(bytea) bytea", |a| {
            blob(Sha256::digest(bytes(&a[0])).to_vec())
        }),
        strict("sha384(bytea) bytea", |a| {
            blob(Sha384::digest(bytes(&a[0])).to_vec())
        }),
        strict("sha512(bytea) bytea", |a| {
            blob(Sha512::digest(bytes(&a[0])).to_vec())
        }),
        strict("convert_to(text, text) bytea", |a| {
            utf8_only(&a[1])?;
            blob(text(&a[0]).as_bytes())
        }),
        strict("convert_from(bytea, text) text", |a| {
            utf8_only(&a[1])?;
            let bytes = bytes(&a[0]);
            match std::str::from_utf8(&bytes) {
                Ok(text) if !text.contains('\0') => Ok(Value::text(text)),
                _ => Err(SqlError::new(
                    "22021",
                    "invalid byte sequence for encoding \"UTF8\"",
                )),
            }
        }),
    ]
}
