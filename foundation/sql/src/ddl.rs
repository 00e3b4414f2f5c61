//! Tables and indexes as SQLite keeps them. Defaults, identity and policies stay in the catalog; constraints are in the file as well, so
//! that no program can write what the schema forbids.

use crate::catalog::{Action, Catalog, Column, ForeignKey, Index, IndexPart, Key, Table};
use crate::error::SqlError;
use crate::expr::Expr;
use crate::render::render_ddl;
use crate::statement::Statement;
use crate::types::Type;

/// The name of the check that keeps a column to its type; no constraint of the team's may start with it.
pub const TYPE_CHECK: &str = "pando_type_";

/// The column that is SQLite's own row id: an integer that alone is the primary key.
pub fn rowid_key(table: &Table) -> Option<&Column> {
    let [name] = &table.primary_key.as_ref()?.columns[..] else {
        return None;
    };
    table
        .column(name)
        .filter(|column| matches!(column.ty, Type::Int2 | Type::Int4 | Type::Int8))
}

/// `create table` under another name than its own, for rebuilding.
pub(crate) fn create_table(
    catalog: &Catalog,
    table: &Table,
    file_name: &str,
) -> Result<Statement, SqlError> {
    let mut out = Statement::new();
    out.push("CREATE TABLE ").ident(file_name).push(" (");
    let rowid = rowid_key(table).map(|column| column.name.as_str());
    for (index, column) in table.columns.iter().enumerate() {
        if index > 0 {
            out.push(", ");
        }
        out.ident(&column.name).push(" ").push(storage(&column.ty));
        if rowid == Some(column.name.as_str()) {
            out.push(" PRIMARY KEY");
            continue;
        }
        if let Some(collation) = column.ty.collation() {
            out.push(" COLLATE ").push(collation);
        }
        if let Some(generated) = &column.generated {
            out.push(" GENERATED ALWAYS AS (");
            render_ddl(catalog, generated, &mut out)?;
            out.push(") STORED");
        }
        if column.not_null {
            out.push(" NOT NULL");
        }
    }
    if let (Some(key), None) = (&table.primary_key, rowid) {
        out.push(", CONSTRAINT ")
            .ident(&key.name)
            .push(" PRIMARY KEY (");
        names(&key.columns, &mut out);
        out.push(")");
    }
    for key in &table.uniques {
        out.push(", CONSTRAINT ").ident(&key.name).push(" UNIQUE (");
        names(&key.columns, &mut out);
        out.push(")");
    }
    for column in &table.columns {
        type_check(column, &mut out);
    }
    for check in &table.checks {
        out.push(", CONSTRAINT ")
            .ident(&check.name)
            .push(" CHECK (");
        render_ddl(catalog, &check.expr, &mut out)?;
        out.push(")");
    }
    for key in &table.foreign_keys {
        out.push(", CONSTRAINT ")
            .ident(&key.name)
            .push(" FOREIGN KEY (");
        names(&key.columns, &mut out);
        out.push(") REFERENCES ")
            .ident(&Catalog::file_name(&key.foreign_schema, &key.foreign_table))
            .push(" (");
        names(&key.foreign_columns, &mut out);
        out.push(")")
            .push(action(" ON DELETE ", key.on_delete))
            .push(action_name(key.on_delete));
        out.push(action(" ON UPDATE ", key.on_update))
            .push(action_name(key.on_update));
        if key.deferred {
            out.push(" DEFERRABLE INITIALLY DEFERRED");
        }
    }
    for key in table.foreign_keys.iter().filter(|key| key.match_full) {
        match_full(key, &mut out);
    }
    out.push(") STRICT");
    Ok(out)
}

/// What follows the name of a unique index that looks at rows with nulls only: such rows never meet in the first one.
const NULLS: &str = " (nulls)";

/// The name of the constraint or index that a name of the file belongs to.
pub fn index_of_file_name(name: &str) -> &str {
    let name = name.strip_suffix(NULLS).unwrap_or(name);
    name.rsplit('.').next().unwrap_or(name)
}

/// The indexes of a table by their names in the file, but for those its keys bring along. Index names live in one space in SQLite, so
/// those of other schemas carry theirs.
pub(crate) fn indexes(
    catalog: &Catalog,
    table: &Table,
) -> Result<Vec<(String, Statement)>, SqlError> {
    let mut all = Vec::new();
    for index in &table.indexes {
        let name = index_file_name(table, index);
        all.push((name.clone(), create_index(catalog, table, index, &name)?));
        if index.unique && index.nulls_equal {
            let name = format!("{name}{NULLS}");
            let sql = nulls_index(
                catalog,
                table,
                &index.parts,
                index.predicate.as_ref(),
                &name,
            )?;
            all.push((name, sql));
        }
    }
    for key in table.uniques.iter().filter(|key| key.nulls_equal) {
        let name = format!("{}{NULLS}", Catalog::file_name(&table.schema, &key.name));
        let sql = nulls_index(catalog, table, &key_parts(table, key), None, &name)?;
        all.push((name, sql));
    }
    Ok(all)
}

/// The columns of a key, as an index has them.
pub(crate) fn key_parts(table: &Table, key: &Key) -> Vec<IndexPart> {
    key.columns
        .iter()
        .filter_map(|name| table.column(name))
        .map(|column| IndexPart {
            expr: Expr::Column {
                level: 0,
                source: 0,
                name: column.name.clone(),
                ty: column.ty.clone(),
            },
            source: None,
            descending: false,
        })
        .collect()
}

fn nulls_index(
    catalog: &Catalog,
    table: &Table,
    parts: &[IndexPart],
    predicate: Option<&Expr>,
    name: &str,
) -> Result<Statement, SqlError> {
    let mut out = Statement::new();
    out.push("CREATE UNIQUE INDEX ")
        .ident(name)
        .push(" ON ")
        .ident(&table.file_name())
        .push(" ")
        .push(&nulls_target(catalog, parts, predicate)?);
    Ok(out)
}

/// `(..) where ..` of the index in which two rows with nulls in the same places meet: each null stands for a value its column never has.
pub(crate) fn nulls_target(
    catalog: &Catalog,
    parts: &[IndexPart],
    predicate: Option<&Expr>,
) -> Result<String, SqlError> {
    let mut out = Statement::new();
    out.push("(");
    for (at, part) in parts.iter().enumerate() {
        out.push(if at > 0 { ", ifnull(" } else { "ifnull(" });
        render_ddl(catalog, &part.expr, &mut out)?;
        let bytes = matches!(part.expr.ty(), Type::Bytea);
        out.push(if bytes { ", 0)" } else { ", x'')" });
        if matches!(part.expr.ty(), Type::Numeric(_)) {
            out.push(" COLLATE pg_numeric");
        }
    }
    out.push(") WHERE (");
    for (at, part) in parts.iter().enumerate() {
        out.push(if at > 0 { " OR " } else { "" });
        render_ddl(catalog, &part.expr, &mut out)?;
        out.push(" IS NULL");
    }
    out.push(")");
    if let Some(predicate) = predicate {
        out.push(" AND ");
        render_ddl(catalog, predicate, &mut out)?;
    }
    Ok(out.sql)
}

fn create_index(
    catalog: &Catalog,
    table: &Table,
    index: &Index,
    name: &str,
) -> Result<Statement, SqlError> {
    let mut out = Statement::new();
    out.push(if index.unique {
        "CREATE UNIQUE INDEX "
    } else {
        "CREATE INDEX "
    });
    out.ident(name)
        .push(" ON ")
        .ident(&table.file_name())
        .push(" (");
    for (at, part) in index.parts.iter().enumerate() {
        if at > 0 {
            out.push(", ");
        }
        render_ddl(catalog, &part.expr, &mut out)?;
        if part.descending {
            out.push(" DESC");
        }
    }
    out.push(")");
    if let Some(predicate) = &index.predicate {
        out.push(" WHERE ");
        render_ddl(catalog, predicate, &mut out)?;
    }
    Ok(out)
}

/// The name of an index in the file.
fn index_file_name(table: &Table, index: &Index) -> String {
    Catalog::file_name(&table.schema, &index.name)
}

fn names(columns: &[String], out: &mut Statement) {
    for (index, name) in columns.iter().enumerate() {
        if index > 0 {
            out.push(", ");
        }
        out.ident(name);
    }
}

pub(crate) fn storage(ty: &Type) -> &'static str {
    match ty {
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Bool => "INTEGER",
        Type::Float4 | Type::Float8 => "REAL",
        Type::Bytea => "BLOB",
        _ => "TEXT",
    }
}

/// Whether a column can be appended to a table as it is: it is null in all rows, and needs neither check nor collation.
pub(crate) fn plain(column: &Column) -> bool {
    !column.not_null
        && column.generated.is_none()
        && !matches!(
            column.ty,
            Type::Int2 | Type::Int4 | Type::Bool | Type::Varchar(Some(_)) | Type::Enum(_)
        )
        && column.ty.collation().is_none()
}

/// The name of the check that stands for `match full`; the rest of it is the constraint's.
pub const MATCH_FULL: &str = "pando_full_";

fn match_full(key: &ForeignKey, out: &mut Statement) {
    out.push(", CONSTRAINT ")
        .ident(&format!("{MATCH_FULL}{}", key.name))
        .push(" CHECK ((");
    for (joint, test) in [(" AND ", " IS NULL"), (" AND ", " IS NOT NULL")] {
        for (index, name) in key.columns.iter().enumerate() {
            out.push(if index > 0 { joint } else { "" })
                .ident(name)
                .push(test);
        }
        out.push(if test == " IS NULL" { ") OR (" } else { "))" });
    }
}

fn type_check(column: &Column, out: &mut Statement) {
    let mut check = |write: &dyn Fn(&mut Statement)| {
        out.push(", CONSTRAINT ")
            .ident(&format!("{TYPE_CHECK}{}", column.name))
            .push(" CHECK (");
        write(out);
        out.push(")");
    };
    match &column.ty {
        Type::Int2 => check(&|out| {
            out.ident(&column.name).push(" BETWEEN -32768 AND 32767");
        }),
        Type::Int4 => check(&|out| {
            out.ident(&column.name)
                .push(" BETWEEN -2147483648 AND 2147483647");
        }),
        Type::Bool => check(&|out| {
            out.ident(&column.name).push(" IN (0, 1)");
        }),
        Type::Varchar(Some(limit)) => check(&|out| {
            out.push("length(")
                .ident(&column.name)
                .push(&format!(") <= {limit}"));
        }),
        Type::Enum(labels) => check(&|out| {
            out.ident(&column.name).push(" IN (");
            for (index, label) in labels.labels.iter().enumerate() {
                if index > 0 {
                    out.push(", ");
                }
                out.push("'").push(&label.replace('\'', "''")).push("'");
            }
            out.push(")");
        }),
        _ => {}
    }
}

fn action(when: &'static str, action: Action) -> &'static str {
    if action == Action::NoAction { "" } else { when }
}

fn action_name(action: Action) -> &'static str {
    match action {
        Action::NoAction => "",
        Action::Restrict => "RESTRICT",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    }
}
