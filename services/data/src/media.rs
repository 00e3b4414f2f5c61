//! What the client accepts, and answers written as that.

use crate::error::RestError;
use crate::query::echo;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON array of objects.
    Array,
    /// One object; another number of rows is an error.
    Object,
    /// CSV with a header.
    Csv,
}

/// An answer's media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// How rows are written.
    pub form: Form,
    /// The vendor's type for arrays, not plain JSON.
    vendor: bool,
    /// Members that are null are left out, at every depth.
    pub nulls_stripped: bool,
}

impl Media {
    const JSON: Media = Media {
        form: Form::Array,
        vendor: false,
        nulls_stripped: false,
    };

    /// The best that both sides know.
    ///
    /// # Errors
    /// PGRST107 when there is none.
    pub fn read(headers: &HeaderMap) -> Result<Media, RestError> {
        let Some(accept) = headers.get(header::ACCEPT) else {
            return Ok(Media::JSON);
        };
        let accept = accept.to_str().unwrap_or("");
        if matches!(accept, "*/*" | "application/json") {
            return Ok(Media::JSON);
        }
        let mut best: Option<(u16, Media)> = None;
        for range in accept.split(',') {
            let Some((quality, media)) = parse(range) else {
                continue;
            };
            if best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, media));
            }
        }
        match best {
            Some((quality, media)) if quality > 0 => Ok(media),
            _ => Err(RestError::new(
                StatusCode::NOT_ACCEPTABLE,
                "PGRST107",
                format!("None of these media types are available: {}", echo(accept)),
            )),
        }
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match (self.form, self.vendor, self.nulls_stripped) {
            (Form::Array, true, true) => {
                "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"
            }
            (Form::Array, true, false) => "application/vnd.pgrst.array+json; charset=utf-8",
            (Form::Array, false, _) => "application/json; charset=utf-8",
            (Form::Object, _, true) => {
                "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"
            }
            (Form::Object, _, false) => "application/vnd.pgrst.object+json; charset=utf-8",
            (Form::Csv, ..) => "text/csv; charset=utf-8",
        })
    }

    /// One object of the same kind.
    pub fn single(self) -> Media {
        Media {
            form: Form::Object,
            ..self
        }
    }

    /// Writes a JSON array of `rows` objects in this form. Plain JSON passes as it is.
    ///
    /// # Errors
    /// PGRST116 when one object is wanted and there is another number of rows.
    pub fn write(
        self,
        body: Bytes,
        rows: u64,
        columns: impl Iterator<Item: AsRef<str>>,
    ) -> Result<Bytes, RestError> {
        match self.form {
            Form::Array if self.nulls_stripped => strip_nulls(&body),
            Form::Array => Ok(body),
            Form::Csv => write_csv(&body, columns),
            Form::Object if rows != 1 => Err(RestError::new(
                StatusCode::NOT_ACCEPTABLE,
                "PGRST116",
                "Cannot coerce the result to a single JSON object",
            )
            .detail(format!("The result contains {rows} rows"))),
            Form::Object => {
                let object = body.slice(1..body.len() - 1);
                if self.nulls_stripped {
                    strip_nulls(&object)
                } else {
                    Ok(object)
                }
            }
        }
    }
}

/// One member of `Accept` that we can write, with its quality in thousandths.
fn parse(range: &str) -> Option<(u16, Media)> {
    let mut parts = range.split(';').map(str::trim);
    let form = match parts.next()?.to_ascii_lowercase().as_str() {
        "*/*" | "application/*" | "application/json" => Media::JSON,
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Media {
            vendor: true,
            ..Media::JSON
        },
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Media {
            form: Form::Object,
            vendor: true,
            nulls_stripped: false,
        },
        "text/csv" => Media {
            form: Form::Csv,
            vendor: false,
            nulls_stripped: false,
        },
        _ => return None,
    };
    let (mut quality, mut media) = (1_000, form);
    for parameter in parts {
        if let Some(text) = parameter.strip_prefix("q=") {
            quality = (text.parse::<f32>().unwrap_or(1.0).clamp(0.0, 1.0) * 1_000.0) as u16;
        } else if parameter == "nulls=stripped" && media.vendor {
            media.nulls_stripped = true;
        }
    }
    Some((quality, media))
}

fn strip_nulls(json: &[u8]) -> Result<Bytes, RestError> {
    let mut out = String::with_capacity(json.len());
    serde_json::Deserializer::from_slice(json)
        .deserialize_any(Strip(&mut out))
        .map_err(RestError::internal)?;
    Ok(Bytes::from(out))
}

/// Copies JSON without the members that are null. Scalars are copied as they stand.
struct Strip<'o>(&'o mut String);

impl<'de> DeserializeSeed<'de> for Strip<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
        let text = raw.get();
        if text.starts_with(['{', '[']) {
            let mut inner = serde_json::Deserializer::from_str(text);
            return inner
                .deserialize_any(self)
                .map_err(serde::de::Error::custom);
        }
        self.0.push_str(text);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Strip<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        self.0.push('{');
        let start = self.0.len();
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            if value.get() == "null" {
                continue;
            }
            if self.0.len() > start {
                self.0.push(',');
            }
            self.0.push_str(&serde_json::Value::from(key).to_string());
            self.0.push(':');
            Strip(self.0)
                .deserialize(value)
                .map_err(serde::de::Error::custom)?;
        }
        self.0.push('}');
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<(), S::Error> {
        self.0.push('[');
        let start = self.0.len();
        while let Some(value) = seq.next_element::<&'de RawValue>()? {
            if self.0.len() > start {
                self.0.push(',');
            }
            Strip(self.0)
                .deserialize(value)
                .map_err(serde::de::Error::custom)?;
        }
        self.0.push(']');
        Ok(())
    }
}

fn write_csv(json: &[u8], columns: impl Iterator<Item: AsRef<str>>) -> Result<Bytes, RestError> {
    let mut out = String::with_capacity(json.len());
    for (place, column) in columns.enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_cell(&mut out, column.as_ref());
    }
    let rows: Vec<CsvRow> = serde_json::from_slice(json).map_err(RestError::internal)?;
    for row in rows {
        out.push('\n');
        out.push_str(&row.0);
    }
    Ok(Bytes::from(out))
}

/// An object's values as a line of CSV, as Postgres prints a row's: null is nothing, booleans are `t` and `f`.
struct CsvRow(String);

impl<'de> serde::Deserialize<'de> for CsvRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CsvRow, D::Error> {
        struct Row;
        impl<'de> Visitor<'de> for Row {
            type Value = CsvRow;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<CsvRow, M::Error> {
                let mut line = String::new();
                let mut first = true;
                while let Some((_, value)) =
                    map.next_entry::<serde::de::IgnoredAny, &'de RawValue>()?
                {
                    if !std::mem::take(&mut first) {
                        line.push(',');
                    }
                    match value.get() {
                        "null" => {}
                        "true" => line.push('t'),
                        "false" => line.push('f'),
                        text if text.starts_with('"') => {
                            let text: String =
                                serde_json::from_str(text).map_err(serde::de::Error::custom)?;
                            push_cell(&mut line, &text);
                        }
                        text => push_cell(&mut line, text),
                    }
                }
                Ok(CsvRow(line))
            }
        }
        deserializer.deserialize_map(Row)
    }
}

/// A cell, quoted where a reader would otherwise see something else (RFC 4180).
fn push_cell(line: &mut String, text: &str) {
    let plain = !text.is_empty() && !text.contains([',', '"', '\n', '\r']) && text.trim() == text;
    if plain {
        line.push_str(text);
        return;
    }
    line.push('"');
    for (place, piece) in text.split('"').enumerate() {
        if place > 0 {
            line.push_str("\"\"");
        }
        line.push_str(piece);
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(accept: &str) -> Result<Media, RestError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        Media::read(&headers)
    }

    fn write(accept: &str, body: &str, rows: u64) -> Result<String, RestError> {
        let body =
            read(accept)?.write(Bytes::from(body.to_owned()), rows, ["a", "b"].into_iter())?;
        Ok(String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn the_best_known_type_is_chosen() {
        for (accept, content_type) in [
            ("*/*", "application/json; charset=utf-8"),
            (
                "text/html,application/xhtml+xml,*/*;q=0.8",
                "application/json; charset=utf-8",
            ),
            (
                "application/vnd.pgrst.object+json",
                "application/vnd.pgrst.object+json; charset=utf-8",
            ),
            (
                "application/json;q=0.5, text/csv",
                "text/csv; charset=utf-8",
            ),
            (
                "application/vnd.pgrst.array+json;nulls=stripped",
                "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
            ),
        ] {
            assert_eq!(
                read(accept).unwrap().content_type(),
                content_type,
                "{accept}"
            );
        }
        for accept in [
            "image/png",
            "application/geo+json",
            "",
            "application/json;q=0",
        ] {
            let error = read(accept).unwrap_err();
            assert_eq!(
                (error.code(), error.status().as_u16()),
                ("PGRST107", 406),
                "{accept}"
            );
        }
    }

    #[test]
    fn one_object_needs_one_row() {
        let object = "application/vnd.pgrst.object+json";
        assert_eq!(
            write(object, r#"[{"a":1,"b":null}]"#, 1).unwrap(),
            r#"{"a":1,"b":null}"#
        );
        for rows in [0, 2] {
            let error = write(object, "[]", rows).unwrap_err();
            assert_eq!((error.code(), error.status().as_u16()), ("PGRST116", 406));
            assert_eq!(
                error.detail_text(),
                Some(&*format!("The result contains {rows} rows"))
            );
        }
    }

    #[test]
    fn nulls_are_stripped_at_every_depth_and_numbers_stay() {
        let json =
            r#"[{"a":1.10,"b":null,"c":{"d":null,"e":[null,{"f":null}]},"g\"":"n\u00fcll"}]"#;
        let expected = r#"[{"a":1.10,"c":{"e":[null,{}]},"g\"":"n\u00fcll"}]"#;
        assert_eq!(
            write("application/vnd.pgrst.array+json;nulls=stripped", json, 1).unwrap(),
            expected
        );
    }

    #[test]
    fn csv_has_a_header_and_quotes_where_needed() {
        let json = r#"[{"a":"x,\"y\"","b":null},{"a":true,"b":12.50},{"a":"","b":{"k":[1,2]}}]"#;
        assert_eq!(
            write("text/csv", json, 3).unwrap(),
            "a,b\n\"x,\"\"y\"\"\",\nt,12.50\n\"\",\"{\"\"k\"\":[1,2]}\""
        );
        assert_eq!(write("text/csv", "[]", 0).unwrap(), "a,b");
    }
}
