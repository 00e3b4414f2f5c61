//! `from`: tables, views, sub-selects, names of a `with` and functions that give rows, joined.

use super::query::renamed;
use super::scope::columns;
use super::{Lowering, Named, fold, object};
use crate::catalog::Table;
use crate::expr::{Expr, Function};
use crate::query::{Join, Of, Source};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;
use std::sync::Arc;

impl Lowering<'_> {
    /// The sources of a select; they are named on the innermost level from here on.
    pub(super) fn sources(&mut self, from: &[ast::TableWithJoins]) -> Result<Vec<Source>> {
        let mut sources = Vec::new();
        for item in from {
            self.source(&item.relation, &mut sources)?;
            for join in &item.joins {
                self.join(join, &mut sources, from.len() > 1)?;
            }
        }
        Ok(sources)
    }

    fn join(
        &mut self,
        written: &ast::Join,
        sources: &mut Vec<Source>,
        several: bool,
    ) -> Result<()> {
        use ast::JoinOperator as J;
        let (kind, constraint) = match &written.join_operator {
            J::Join(constraint) | J::Inner(constraint) | J::CrossJoin(constraint) => {
                (Join::Inner, constraint)
            }
            J::Left(constraint) | J::LeftOuter(constraint) => (Join::Left, constraint),
            J::Right(constraint) | J::RightOuter(constraint) => (Join::Right, constraint),
            J::FullOuter(constraint) => (Join::Full, constraint),
            _ => {
                return Err(Trouble::unsupported(
                    written.to_string(),
                    "use join, left join, right join, full join or cross join",
                ));
            }
        };
        if several && matches!(kind, Join::Right | Join::Full) {
            return Err(Trouble::unsupported(
                "right or full join beside a comma",
                "write cross join for the comma",
            ));
        }
        let left = self.top().sources.len();
        self.source(&written.relation, sources)?;
        let on = match constraint {
            ast::JoinConstraint::On(expr) => Some(self.condition(expr)?),
            ast::JoinConstraint::None => None,
            ast::JoinConstraint::Using(names) => {
                let names = names
                    .iter()
                    .map(|name| match object(name) {
                        Some((None, name)) => Ok(name),
                        _ => Err(Trouble::unsupported(written.to_string(), "name columns")),
                    })
                    .collect::<Result<Vec<_>>>()?;
                self.merge(&names, left, kind)?
            }
            ast::JoinConstraint::Natural => {
                let known: Vec<String> = self.top().sources[..left]
                    .iter()
                    .flat_map(|source| source.columns.iter().map(|(name, _)| name.clone()))
                    .collect();
                let names: Vec<String> = self.top().sources[left]
                    .columns
                    .iter()
                    .map(|(name, _)| name.clone())
                    .filter(|name| known.contains(name))
                    .collect();
                self.merge(&names, left, kind)?
            }
            other => {
                return Err(Trouble::unsupported(
                    format!("{other:?}"),
                    "join with on or using",
                ));
            }
        };
        if let Some(source) = sources.last_mut() {
            source.join = kind;
            source.on = on;
        }
        Ok(())
    }

    /// `using (..)`: the columns are equal, and one by their bare name.
    fn merge(&mut self, names: &[String], right: usize, kind: Join) -> Result<Option<Expr>> {
        if matches!(kind, Join::Right | Join::Full) {
            return Err(Trouble::unsupported(
                "right or full join with using",
                "write on, and name the columns by their tables",
            ));
        }
        let mut all: Option<Expr> = None;
        for name in names {
            let mut found = None;
            for (index, source) in self.top().sources[..right].iter().enumerate() {
                if source.merged.contains(name) {
                    continue;
                }
                if let Some(ty) = source.column(name) {
                    if found.is_some() {
                        return Err(Trouble::invalid(
                            name.clone(),
                            format!(
                                "common column name \"{name}\" appears more than once in left table"
                            ),
                            "join with on",
                        )
                        .state("42702"));
                    }
                    found = Some((index, ty.clone()));
                }
            }
            let theirs = self.top().sources[right].column(name).cloned();
            let (Some((index, ty)), Some(theirs)) = (found, theirs) else {
                return Err(Trouble::invalid(
                    name.clone(),
                    format!("column \"{name}\" specified in USING clause does not exist"),
                    "check the name",
                )
                .state("42703"));
            };
            let column = |source: usize, ty: Type| {
                super::Operand::Typed(Expr::Column {
                    level: 0,
                    source: u32::try_from(source).unwrap_or(u32::MAX),
                    name: name.clone(),
                    ty,
                })
            };
            let (a, b) = self.unify(column(index, ty), column(right, theirs), "=")?;
            let equal = super::call(Function::Eq, vec![a, b], Type::Bool);
            all = Some(match all {
                None => equal,
                Some(all) => super::call(Function::And, vec![all, equal], Type::Bool),
            });
            self.top_mut().sources[right].merged.push(name.clone());
        }
        Ok(all)
    }

    fn top(&self) -> &super::Level {
        // A select pushes its level before it reads its sources.
        self.levels.last().unwrap_or(&EMPTY)
    }

    pub(super) fn top_mut(&mut self) -> &mut super::Level {
        if self.levels.is_empty() {
            self.levels.push(super::Level::default());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn source(&mut self, factor: &ast::TableFactor, sources: &mut Vec<Source>) -> Result<()> {
        let (of, named) = self.factor(factor)?;
        self.named_once(&named.alias)?;
        sources.push(Source {
            of,
            join: Join::Inner,
            on: None,
        });
        self.top_mut().sources.push(named);
        Ok(())
    }

    /// A source's name may stand once.
    fn named_once(&self, alias: &str) -> Result<()> {
        if self.top().sources.iter().any(|known| known.alias == alias) {
            return Err(Trouble::invalid(
                alias,
                format!("table name \"{alias}\" specified more than once"),
                "give one of them an alias",
            )
            .state("42712"));
        }
        Ok(())
    }

    fn factor(&mut self, factor: &ast::TableFactor) -> Result<(Of, Named)> {
        let refused = |advice: &str| Err(Trouble::unsupported(factor.to_string(), advice));
        match factor {
            ast::TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                ..
            } if with_hints.is_empty() && partitions.is_empty() => {
                self.relation(name, alias.as_ref())
            }
            ast::TableFactor::Table {
                name,
                alias,
                args: Some(args),
                with_ordinality,
                sample: None,
                ..
            } => self.rows_of(name, &args.args, *with_ordinality, alias.as_ref()),
            ast::TableFactor::Function {
                name,
                args,
                with_ordinality,
                alias,
                ..
            } => self.rows_of(name, args, *with_ordinality, alias.as_ref()),
            ast::TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset: false,
                with_ordinality,
                ..
            } => {
                let [array] = &array_exprs[..] else {
                    return refused("unnest one array at a time");
                };
                let arg = ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(array.clone()));
                let name = ast::ObjectName::from(vec![ast::Ident::new("unnest")]);
                self.rows_of(&name, &[arg], *with_ordinality, alias.as_ref())
            }
            ast::TableFactor::Derived {
                lateral: false,
                subquery,
                alias,
                sample: None,
            } => {
                // A sub-select in `from` does not see its siblings.
                let level = self.levels.pop();
                let query = self.query(subquery);
                self.levels.extend(level);
                let query = query?;
                let Some(alias) = alias else {
                    return Err(Trouble::invalid(
                        factor.to_string(),
                        "subquery in FROM must have an alias",
                        "write (..) as a name",
                    ));
                };
                let name = fold(&alias.name);
                let given = given_names(alias);
                let mut query = query;
                let columns = renamed(query.columns(), &given, &name)?;
                if !given.is_empty() || !matches!(query.body, crate::query::Body::Select(_)) {
                    self.wrap(&mut query);
                    if let crate::query::Body::Select(select) = &mut query.body {
                        for (output, (name, _)) in select.columns.iter_mut().zip(&columns) {
                            name.clone_into(&mut output.name);
                        }
                    }
                }
                Ok((Of::Query(Box::new(query)), Named::alias(name, columns)))
            }
            ast::TableFactor::Derived { lateral: true, .. } => {
                refused("write the sub-select where its value is wanted, or join the tables")
            }
            ast::TableFactor::NestedJoin { .. } => {
                refused("write the joins without parentheses, or as a sub-select with an alias")
            }
            _ => refused("select from a table, a view, a sub-select or a function"),
        }
    }

    /// A name of a `with` around, or a table or view.
    fn relation(
        &mut self,
        name: &ast::ObjectName,
        alias: Option<&ast::TableAlias>,
    ) -> Result<(Of, Named)> {
        let plain = object(name);
        let cte = plain.as_ref().and_then(|(schema, name)| {
            let mut known = self.ctes.iter().rev();
            schema
                .is_none()
                .then(|| known.find(|(known, _)| known == name))
                .flatten()
        });
        let (of, mut named) = match cte {
            Some((name, columns)) => (
                Of::Cte { name: name.clone() },
                Named::alias(name.clone(), columns.clone()),
            ),
            None => {
                let table = self.table(name)?;
                let of = Of::Table {
                    schema: table.schema.clone(),
                    name: table.name.clone(),
                };
                (of, Named::table(&table))
            }
        };
        let Some(alias) = alias else {
            return Ok((of, named));
        };
        let given = given_names(alias);
        named.alias = fold(&alias.name);
        named.schema = None;
        if given.is_empty() {
            return Ok((of, named));
        }
        // Other names for its columns are those of a sub-select over it.
        let outputs = named.columns.iter().enumerate().map(|(at, (name, ty))| {
            let column = Expr::Column {
                level: 0,
                source: 0,
                name: name.clone(),
                ty: ty.clone(),
            };
            crate::query::Output {
                name: given.get(at).unwrap_or(name).clone(),
                expr: column,
            }
        });
        let query = crate::query::Query::select(crate::query::Select {
            columns: outputs.collect(),
            from: vec![Source {
                of,
                join: Join::Inner,
                on: None,
            }],
            ..crate::query::Select::default()
        });
        named.columns = renamed(named.columns, &given, &named.alias)?;
        Ok((Of::Query(Box::new(query)), named))
    }

    /// A table or view by the name a statement gives it.
    pub(crate) fn table(&self, name: &ast::ObjectName) -> Result<Arc<Table>> {
        let Some((schema, table)) = object(name) else {
            return Err(Trouble::unsupported(
                name.to_string(),
                "name a table as schema.table",
            ));
        };
        let schema = schema.unwrap_or_else(|| "public".to_owned());
        self.catalog.table(&schema, &table).cloned().ok_or_else(|| {
            let known = self
                .catalog
                .tables
                .keys()
                .filter(|(other, _)| *other == schema)
                .map(|(_, name)| name.as_str());
            let advice = super::nearest(&table, known).map_or_else(
                || crate::migrate::advice::of_schema(&schema).to_owned(),
                |near| format!("perhaps you meant \"{near}\""),
            );
            Trouble::invalid(
                name.to_string(),
                format!("relation \"{name}\" does not exist"),
                advice,
            )
            .state("42P01")
        })
    }

    /// A function in `from`.
    fn rows_of(
        &mut self,
        name: &ast::ObjectName,
        args: &[ast::FunctionArg],
        ordinality: bool,
        alias: Option<&ast::TableAlias>,
    ) -> Result<(Of, Named)> {
        let (of, mut columns) = self.row_function(name, args, ordinality)?;
        let plain = object(name).map_or_else(|| name.to_string(), |(_, name)| name);
        let (known, given) = match alias {
            Some(alias) => (fold(&alias.name), given_names(alias)),
            None => (plain, Vec::new()),
        };
        // A function of one column gives it its alias, as in Postgres.
        if given.is_empty() && alias.is_some() && columns.len() == 1 + usize::from(ordinality) {
            let one = match &of {
                Of::Rows { .. } => true,
                Of::Routine { routine, .. } => {
                    self.catalog.routine(routine).is_some_and(|routine| {
                        matches!(routine.returns, crate::routine::Returns::Scalar(_))
                    })
                }
                _ => false,
            };
            if one {
                known.clone_into(&mut columns[0].0);
            }
        }
        let columns = renamed(columns, &given, &known)?;
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let of = match of {
            Of::Rows {
                function,
                args,
                ordinality,
                ..
            } => Of::Rows {
                function,
                args,
                columns: names,
                ordinality,
            },
            Of::Routine { routine, args, .. } => Of::Routine {
                routine,
                args,
                columns: names,
            },
            other => other,
        };
        Ok((of, Named::alias(known, columns)))
    }

    /// Columns of a table as a source of rows to be changed.
    pub(super) fn target(&self, table: &Table, alias: Option<String>) -> Named {
        match alias {
            Some(alias) => Named::alias(alias, columns(table)),
            None => Named::table(table),
        }
    }
}

static EMPTY: super::Level = super::Level {
    sources: Vec::new(),
};

fn given_names(alias: &ast::TableAlias) -> Vec<String> {
    alias
        .columns
        .iter()
        .map(|column| fold(&column.name))
        .collect()
}
