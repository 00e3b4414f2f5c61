//! JSON payloads, in one pass: keys are compared in place, cells are borrowed.

use super::{Bounds, COLUMNS_MAX, Payload, invalid};
use crate::error::RestError;
use crate::query::echo;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;

pub(super) fn read<'a>(
    text: &'a str,
    columns: Option<Vec<String>>,
    bounds: Bounds,
) -> Result<Payload<'a>, RestError> {
    if depth(text) > bounds.depth_max {
        return Err(too_much(format!(
            "JSON is nested more than {} levels deep",
            bounds.depth_max
        )));
    }
    let mut reader = Reader {
        fixed: columns.is_some(),
        payload: Payload {
            columns: columns.unwrap_or_default(),
            ..Payload::default()
        },
        places: None,
        rows_max: bounds.rows_max,
        fault: None,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = deserializer
        .deserialize_any(&mut reader)
        .and_then(|()| deserializer.end());
    match (read, reader.fault) {
        (_, Some(fault)) => Err(fault),
        (Err(error), None) => Err(invalid("Empty or invalid json").detail(error.to_string())),
        (Ok(()), None) => Ok(reader.payload),
    }
}

fn too_much(message: String) -> RestError {
    RestError::new(http::StatusCode::BAD_REQUEST, "54000", message)
}

/// The deepest nesting of arrays and objects, counted without parsing.
fn depth(text: &str) -> usize {
    let (mut now, mut deepest, mut quoted) = (0_usize, 0_usize, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if quoted => {
                bytes.next();
            }
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct Reader<'a> {
    /// The columns are given by the request, not by the first row.
    fixed: bool,
    payload: Payload<'a>,
    /// Where each column stands; made when a row has its keys in another order.
    places: Option<HashMap<String, usize>>,
    rows_max: usize,
    /// Why reading stopped, when it isn't the JSON's syntax.
    fault: Option<RestError>,
}

impl<'de> Visitor<'de> for &mut Reader<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        self.payload.single = true;
        self.row(map)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut rows: S) -> Result<(), S::Error> {
        while rows.next_element_seed(Row(&mut *self))?.is_some() {}
        Ok(())
    }
}

/// One member of the array.
struct Row<'r, 'a>(&'r mut Reader<'a>);

impl<'de> DeserializeSeed<'de> for Row<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<(), M::Error> {
        self.0.row(map)
    }
}

impl<'a> Reader<'a> {
    fn row<M: MapAccess<'a>>(&mut self, map: M) -> Result<(), M::Error> {
        if self.payload.rows == self.rows_max {
            let message = format!("a payload has at most {} rows", self.rows_max);
            return Err(self.stop(too_much(message).hint("Send the rows in several requests.")));
        }
        let names_columns = self.payload.rows == 0 && !self.fixed;
        if names_columns {
            self.first_row(map)?
        } else {
            self.next_row(map)?
        }
        self.payload.rows += 1;
        Ok(())
    }

    fn stop<E: serde::de::Error>(&mut self, fault: RestError) -> E {
        self.fault = Some(fault);
        E::custom("stopped")
    }

    /// Its keys are the columns.
    fn first_row<M: MapAccess<'a>>(&mut self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let cell = map.next_value::<&'a RawValue>()?;
            match self
                .payload
                .columns
                .iter()
                .position(|column| *column == key)
            {
                // As in jsonb, the last of equal keys counts.
                Some(place) => self.payload.cells[place] = Some(cell),
                None if self.payload.columns.len() == COLUMNS_MAX => {
                    return Err(self.stop(too_much(format!(
                        "a payload has at most {COLUMNS_MAX} columns"
                    ))));
                }
                None => {
                    self.payload.columns.push(key);
                    self.payload.cells.push(Some(cell));
                }
            }
        }
        Ok(())
    }

    fn next_row<M: MapAccess<'a>>(&mut self, mut map: M) -> Result<(), M::Error> {
        let width = self.payload.columns.len();
        let start = self.payload.cells.len();
        self.payload.cells.resize(start + width, None);
        let (mut expected, mut found) = (0, 0);
        while let Some(place) = map.next_key_seed(Key {
            columns: &self.payload.columns,
            places: &mut self.places,
            expected,
        })? {
            match place {
                Place::Column(place) => {
                    let cell = &mut self.payload.cells[start + place];
                    found += usize::from(cell.is_none());
                    *cell = Some(map.next_value::<&'a RawValue>()?);
                    expected = place + 1;
                }
                Place::Elsewhere(_) if self.fixed => {
                    map.next_value::<IgnoredAny>()?;
                }
                Place::Elsewhere(key) => {
                    let fault = invalid("All object keys must match").detail(format!(
                        "Row {} has the key '{}', the first row has not.",
                        self.payload.rows + 1,
                        echo(&key)
                    ));
                    return Err(self.stop(fault));
                }
            }
        }
        if found < width && !self.fixed {
            let missing = (0..width)
                .find(|place| self.payload.cells[start + place].is_none())
                .unwrap_or(0);
            let fault = invalid("All object keys must match").detail(format!(
                "Row {} lacks the key '{}' of the first row.",
                self.payload.rows + 1,
                echo(&self.payload.columns[missing])
            ));
            return Err(self.stop(fault));
        }
        Ok(())
    }
}

/// Finds a key among the columns; rows mostly repeat the order of the first.
struct Key<'r> {
    columns: &'r [String],
    places: &'r mut Option<HashMap<String, usize>>,
    expected: usize,
}

enum Place {
    Column(usize),
    Elsewhere(String),
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Place;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Place, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Place;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Place, E> {
        if self
            .columns
            .get(self.expected)
            .is_some_and(|column| column == key)
        {
            return Ok(Place::Column(self.expected));
        }
        let columns = self.columns;
        let places = self.places.get_or_insert_with(|| {
            columns
                .iter()
                .enumerate()
                .map(|(place, column)| (column.clone(), place))
                .collect()
        });
        Ok(places.get(key).map_or_else(
            || Place::Elsewhere(key.to_owned()),
            |place| Place::Column(*place),
        ))
    }
}
