//! `alter column .. type`: what holds the column's type is read again, or refuses.

use crate::catalog::Table;
use crate::error::SqlError;
use crate::expr::Expr;
use crate::lower::{Lowering, Operand, castable, same};
use crate::migrate::Migration;
use crate::migrate::reference::{mentions, refers, shown};
use crate::parse::expression;
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;

impl Migration {
    pub(super) fn alter_type(
        &mut self,
        table: &Table,
        at: usize,
        data_type: &ast::DataType,
        using: Option<&ast::Expr>,
    ) -> Result<()> {
        let ty = Lowering::bare(&self.catalog).data_type(data_type)?;
        self.retype(table, at, &ty, using)
    }

    /// Gives a column another type.
    pub(in crate::migrate) fn retype(
        &mut self,
        table: &Table,
        at: usize,
        ty: &Type,
        using: Option<&ast::Expr>,
    ) -> Result<()> {
        let known = &table.columns[at];
        let name = known.name.as_str();
        let from = known.ty.clone();
        let value = match using {
            Some(using) => {
                let value = Lowering::over(&self.catalog, table).value(using)?;
                self.assigned(value, ty).map_err(|_| {
                    Trouble::sql(
                        "42804",
                        format!(
                            "result of USING clause for column \"{name}\" cannot be cast automatically to type {}",
                            ty.base_name()
                        ),
                    )
                })?
            }
            None => {
                let column = Expr::Column {
                    level: 0,
                    source: 0,
                    name: name.to_owned(),
                    ty: from.clone(),
                };
                self.assigned(column, ty).map_err(|_| {
                    Trouble::from(
                        SqlError::new(
                            "42804",
                            format!(
                                "column \"{name}\" cannot be cast automatically to type {}",
                                ty.base_name()
                            ),
                        )
                        .hint(format!(
                            "You might need to specify \"USING {name}::{}\".",
                            ty.name()
                        )),
                    )
                })?
            }
        };
        if let Some(view) = self.views_on(table, name).first() {
            return Err(SqlError::new(
                "0A000",
                "cannot alter type of a column used by a view or rule",
            )
            .detail(format!(
                "rule _RETURN on view {} depends on column \"{name}\"",
                view.file_name()
            ))
            .hint("drop the view, change the type, create it again")
            .into());
        }
        if let Some((key, policy)) = self.policies_on(table, name).first() {
            return Err(SqlError::new(
                "0A000",
                "cannot alter type of a column used in a policy definition",
            )
            .detail(format!(
                "policy {policy} on table {} depends on column \"{name}\"",
                shown(key)
            ))
            .hint("drop the policy, change the type, create it again")
            .into());
        }
        if let Some(other) = table.columns.iter().find(|other| {
            other
                .generated
                .as_ref()
                .is_some_and(|expr| mentions(expr, name))
        }) {
            return Err(SqlError::new(
                "0A000",
                "cannot alter type of a column used by a generated column",
            )
            .detail(format!(
                "Column \"{name}\" is used by generated column \"{}\".",
                other.name
            ))
            .into());
        }
        let mut changed = table.clone();
        changed.columns[at].ty = ty.clone();
        if let Some(default) = known.default.clone()
            && known.identity.is_none()
        {
            let default = self.assigned(default, ty).map_err(|_| {
                Trouble::sql(
                    "42804",
                    format!(
                        "default for column \"{name}\" cannot be cast automatically to type {}",
                        ty.base_name()
                    ),
                )
            })?;
            changed.columns[at].default = Some(default);
        }
        if let Some(expr) = known.generated.clone() {
            changed.columns[at].generated = Some(self.assigned(expr, ty)?);
        }
        if known.identity.is_some() {
            if !matches!(ty, Type::Int2 | Type::Int4 | Type::Int8) {
                return Err(Trouble::sql(
                    "22023",
                    "identity column type must be smallint, integer, or bigint",
                ));
            }
            if let Some(sequence) = self.identity_sequence(table, name) {
                self.retype_sequence(&sequence, ty)?;
            }
        }
        self.reread(&mut changed, name, &from, ty)?;
        self.still_comparable(&changed, name)?;
        self.rebuild_with(table, changed, &[(name.to_owned(), value)])
    }

    /// An expression as a value for a column of another type, if it converts on assignment.
    fn assigned(&self, expr: Expr, ty: &Type) -> Result<Expr> {
        let from = expr.ty();
        if from != *ty && !castable(&from, ty) {
            return Err(Trouble::sql("42846", "no cast"));
        }
        let moment = |ty: &Type| matches!(ty, Type::Timestamptz | Type::Timestamp | Type::Date);
        let json = |ty: &Type| matches!(ty, Type::Json | Type::Jsonb);
        if moment(&from) && moment(ty) || json(&from) && json(ty) {
            return Ok(Expr::Cast {
                expr: Box::new(expr),
                ty: ty.clone(),
            });
        }
        Lowering::bare(&self.catalog).assign(Operand::Typed(expr), ty)
    }

    /// Reads the checks and indexes that name the column again.
    fn reread(&self, table: &mut Table, name: &str, from: &Type, ty: &Type) -> Result<()> {
        let over = table.clone();
        // Where the stored form stays, so do the expressions.
        let alike = same(from, ty);
        let read = |expr: &mut Expr, source: &Option<String>, condition: bool| -> Result<()> {
            if !mentions(expr, name) {
                return Ok(());
            }
            match (&mut *expr, source) {
                (
                    Expr::Column {
                        name: column,
                        ty: known,
                        ..
                    },
                    _,
                ) if column == name => *known = ty.clone(),
                (_, Some(source)) => {
                    let parsed = expression(source)?;
                    let mut lowering = Lowering::over(&self.catalog, &over);
                    *expr = if condition {
                        lowering.condition(&parsed)?
                    } else {
                        lowering.value(&parsed)?
                    };
                }
                (_, None) if alike => retyped(expr, name, ty),
                (_, None) => {
                    return Err(Trouble::unsupported(
                        format!("type of column {name}, which a renamed check or index names"),
                        "drop that, change the type, create it again",
                    ));
                }
            }
            Ok(())
        };
        for check in &mut table.checks {
            read(&mut check.expr, &check.source, true)?;
        }
        for index in &mut table.indexes {
            for part in &mut index.parts {
                read(&mut part.expr, &part.source, false)?;
            }
            if let Some(predicate) = &mut index.predicate {
                read(predicate, &index.predicate_source, true)?;
            }
        }
        Ok(())
    }

    /// Foreign keys compare like with like.
    fn still_comparable(&self, table: &Table, name: &str) -> Result<()> {
        let refused = |key: &str, left: (&str, &Type), right: (&str, &Type)| -> Trouble {
            SqlError::new(
                "42804",
                format!("foreign key constraint \"{key}\" cannot be implemented"),
            )
            .detail(format!(
                "Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.",
                left.0,
                right.0,
                left.1.base_name(),
                right.1.base_name()
            ))
            .into()
        };
        for other in self.catalog.tables.values() {
            let itself = other.name == table.name && other.schema == table.schema;
            for key in &other.foreign_keys {
                let target = if refers(key, table) {
                    Some(table)
                } else {
                    self.catalog
                        .table(&key.foreign_schema, &key.foreign_table)
                        .map(|target| &**target)
                };
                let Some(target) = target.filter(|_| itself || refers(key, table)) else {
                    continue;
                };
                for (mine, theirs) in key.columns.iter().zip(&key.foreign_columns) {
                    let holder = if itself { table } else { other };
                    let (Some(left), Some(right)) = (holder.column(mine), target.column(theirs))
                    else {
                        continue;
                    };
                    let touched =
                        (itself && mine == name) || (refers(key, table) && theirs == name);
                    if touched && !same(&left.ty, &right.ty) {
                        return Err(refused(&key.name, (mine, &left.ty), (theirs, &right.ty)));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The column goes by another type in an expression.
fn retyped(expr: &mut Expr, column: &str, to: &Type) {
    expr.walk_mut(&mut Vec::new(), &mut |_, part| {
        if let Expr::Column { name, ty, .. } = part
            && name == column
        {
            *ty = to.clone();
        }
    });
}
