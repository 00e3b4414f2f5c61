//! Type names: as Postgres prints them, and as clients and migrations write them.

use crate::catalog::Catalog;
use crate::types::Type;

impl Type {
    /// The name as Postgres' `format_type` prints it: `timestamp with time zone`, `numeric(10,2)`, `text[]`.
    pub fn name(&self) -> String {
        match self {
            Type::Numeric(Some((precision, scale))) => format!("numeric({precision},{scale})"),
            Type::Varchar(Some(limit)) => format!("character varying({limit})"),
            Type::Char(length) => format!("character({length})"),
            Type::Array(item) => format!("{}[]", item.name()),
            _ => self.base_name(),
        }
    }

    /// The name without its size.
    pub fn base_name(&self) -> String {
        match self {
            Type::Int2 => "smallint",
            Type::Int4 => "integer",
            Type::Int8 => "bigint",
            Type::Float4 => "real",
            Type::Float8 => "double precision",
            Type::Numeric(_) => "numeric",
            Type::Bool => "boolean",
            Type::Text => "text",
            Type::Varchar(_) => "character varying",
            Type::Char(_) => "character",
            Type::Uuid => "uuid",
            Type::Timestamptz => "timestamp with time zone",
            Type::Timestamp => "timestamp without time zone",
            Type::Date => "date",
            Type::Time => "time without time zone",
            Type::Interval => "interval",
            Type::Json => "json",
            Type::Jsonb => "jsonb",
            Type::Bytea => "bytea",
            Type::Enum(labels) => {
                return if labels.schema == "public" {
                    labels.name.clone()
                } else {
                    format!("{}.{}", labels.schema, labels.name)
                };
            }
            Type::Array(item) => return format!("{}[]", item.base_name()),
        }
        .to_owned()
    }

    /// The type a name means, in any of the spellings Postgres knows; none for unknown names and sizes that make no sense.
    pub fn parse_name(catalog: &Catalog, text: &str) -> Option<Type> {
        let text = text.trim();
        if let Some(item) = text.strip_suffix("[]") {
            return Some(Type::Array(Box::new(Type::parse_name(catalog, item)?)));
        }
        if let Some(ty) = Type::builtin(text) {
            return Some(ty);
        }
        let (schema, name) = text.split_once('.').unwrap_or(("public", text));
        let unquoted = |part: &str| {
            part.strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .unwrap_or(part)
                .to_owned()
        };
        let labels = catalog.enums.get(&(unquoted(schema), unquoted(name)))?;
        Some(Type::Enum(labels.clone()))
    }

    /// As [`parse_name`](Self::parse_name), for the types Postgres brings along.
    pub fn builtin(text: &str) -> Option<Type> {
        let text = text.trim();
        if let Some(item) = text.strip_suffix("[]") {
            return Some(Type::Array(Box::new(Type::builtin(item)?)));
        }
        let (base, size) = match text.strip_suffix(')') {
            Some(rest) => {
                let (base, size) = rest.split_once('(')?;
                let size = size
                    .split(',')
                    .map(|part| part.trim().parse::<i32>().ok())
                    .collect::<Option<Vec<i32>>>()?;
                (base.trim(), size)
            }
            None => (text, Vec::new()),
        };
        let lower = base.to_ascii_lowercase();
        let unsized_only = |ty: Type| size.is_empty().then_some(ty);
        let length = || match size[..] {
            [] => Some(None),
            [length] if (1..=10_485_760).contains(&length) => {
                Some(Some(u32::try_from(length).ok()?))
            }
            _ => None,
        };
        match lower.as_str() {
            "smallint" | "int2" => unsized_only(Type::Int2),
            "integer" | "int" | "int4" => unsized_only(Type::Int4),
            "bigint" | "int8" => unsized_only(Type::Int8),
            "real" | "float4" => unsized_only(Type::Float4),
            "double precision" | "float8" | "float" => unsized_only(Type::Float8),
            "numeric" | "decimal" => match size[..] {
                [] => Some(Type::Numeric(None)),
                [precision] if (1..=1000).contains(&precision) => {
                    Some(Type::Numeric(Some((u16::try_from(precision).ok()?, 0))))
                }
                [precision, scale]
                    if (1..=1000).contains(&precision) && (-1000..=1000).contains(&scale) =>
                {
                    Some(Type::Numeric(Some((
                        u16::try_from(precision).ok()?,
                        i16::try_from(scale).ok()?,
                    ))))
                }
                _ => None,
            },
            "boolean" | "bool" => unsized_only(Type::Bool),
            "text" => unsized_only(Type::Text),
            "character varying" | "varchar" => Some(Type::Varchar(length()?)),
            "character" | "char" | "bpchar" => Some(Type::Char(length()?.unwrap_or(1))),
            "uuid" => unsized_only(Type::Uuid),
            "timestamp with time zone" | "timestamptz" => unsized_only(Type::Timestamptz),
            "timestamp without time zone" | "timestamp" => unsized_only(Type::Timestamp),
            "date" => unsized_only(Type::Date),
            "time without time zone" | "time" => unsized_only(Type::Time),
            "json" => unsized_only(Type::Json),
            "jsonb" => unsized_only(Type::Jsonb),
            "bytea" => unsized_only(Type::Bytea),
            "interval" => unsized_only(Type::Interval),
            _ => None,
        }
    }
}
