//! Types as short texts: how a statement tells a function of ours what its arguments are, because SQLite's values do not say it.

use super::{EnumType, Type};
use std::sync::Arc;

impl Type {
    /// A text that [`tags`] reads back.
    pub(crate) fn tag(&self, out: &mut String) {
        let code = match self {
            Type::Int2 => 'h',
            Type::Int4 => 'i',
            Type::Int8 => 'l',
            Type::Float4 => 'f',
            Type::Float8 => 'd',
            Type::Numeric(None) => 'n',
            Type::Bool => 'b',
            Type::Text => 't',
            Type::Varchar(None) => 'v',
            Type::Uuid => 'u',
            Type::Timestamptz => 'z',
            Type::Timestamp => 's',
            Type::Date => 'D',
            Type::Time => 'T',
            Type::Interval => 'I',
            Type::Json => 'j',
            Type::Jsonb => 'J',
            Type::Bytea => 'x',
            Type::Numeric(Some((precision, scale))) => {
                out.push_str(&format!("N{precision},{scale};"));
                return;
            }
            Type::Varchar(Some(limit)) => {
                out.push_str(&format!("V{limit};"));
                return;
            }
            Type::Char(length) => {
                out.push_str(&format!("C{length};"));
                return;
            }
            Type::Array(item) => {
                out.push('[');
                return item.tag(out);
            }
            Type::Enum(labels) => {
                let parts: Vec<&str> = [labels.schema.as_str(), labels.name.as_str()]
                    .into_iter()
                    .chain(labels.labels.iter().map(String::as_str))
                    .collect();
                let parts = serde_json::to_string(&parts).unwrap_or_default();
                out.push_str(&format!("e{};{parts}", parts.len()));
                return;
            }
        };
        out.push(code);
    }
}

/// The types a text names, one after the other. What is no tag ends the list: only our own renderer writes them.
pub(crate) fn tags(mut text: &str) -> Vec<Type> {
    let mut types = Vec::new();
    while let Some((ty, rest)) = first(text) {
        types.push(ty);
        text = rest;
    }
    types
}

fn first(text: &str) -> Option<(Type, &str)> {
    let rest = text.get(1..)?;
    let ty = match text.as_bytes().first()? {
        b'h' => Type::Int2,
        b'i' => Type::Int4,
        b'l' => Type::Int8,
        b'f' => Type::Float4,
        b'd' => Type::Float8,
        b'n' => Type::Numeric(None),
        b'b' => Type::Bool,
        b't' => Type::Text,
        b'v' => Type::Varchar(None),
        b'u' => Type::Uuid,
        b'z' => Type::Timestamptz,
        b's' => Type::Timestamp,
        b'D' => Type::Date,
        b'T' => Type::Time,
        b'I' => Type::Interval,
        b'j' => Type::Json,
        b'J' => Type::Jsonb,
        b'x' => Type::Bytea,
        b'[' => {
            let (item, rest) = first(rest)?;
            return Some((Type::Array(Box::new(item)), rest));
        }
        code => {
            let (size, rest) = rest.split_once(';')?;
            match code {
                b'N' => {
                    let (precision, scale) = size.split_once(',')?;
                    let size = (precision.parse().ok()?, scale.parse().ok()?);
                    return Some((Type::Numeric(Some(size)), rest));
                }
                b'V' => return Some((Type::Varchar(Some(size.parse().ok()?)), rest)),
                b'C' => return Some((Type::Char(size.parse().ok()?), rest)),
                b'e' => {
                    let (parts, rest) = rest.split_at_checked(size.parse().ok()?)?;
                    let mut parts = serde_json::from_str::<Vec<String>>(parts).ok()?.into_iter();
                    let labels = EnumType {
                        schema: parts.next()?,
                        name: parts.next()?,
                        labels: parts.collect(),
                    };
                    return Some((Type::Enum(Arc::new(labels)), rest));
                }
                _ => return None,
            }
        }
    };
    Some((ty, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_read_back() {
        let labels = EnumType {
            schema: "public".into(),
            name: "mood".into(),
            labels: vec!["so;so".into(), "good".into()],
        };
        let types = vec![
            Type::Int4,
            Type::Numeric(Some((10, 2))),
            Type::Array(Box::new(Type::Char(3))),
            Type::Enum(Arc::new(labels)),
            Type::Varchar(Some(5)),
            Type::Timestamptz,
        ];
        let mut text = String::new();
        types.iter().for_each(|ty| ty.tag(&mut text));
        assert_eq!(tags(&text), types);
    }
}
