//! Running a function's text without rows: every statement with the conditions under which it is reached.

use super::fold::{all, either, is_not_true, is_true, known};
use super::raise::{failing, raised};
use super::read::dotted;
use super::{Function, Kind, Returned, Statement, Target, VariableType};
use crate::catalog::{Catalog, Table};
use crate::expr::Expr;
use crate::lower::{Lowering, Named, Operand, Params};
use crate::operation::Operation;
use crate::query::{Body, Query};
use crate::trigger::{Event, Timing};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use crate::value::Value;
use sqlparser::ast;

/// What a function is run for.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub catalog: &'a Catalog,
    pub table: &'a Table,
    pub event: Event,
    pub timing: Timing,
    /// The trigger's name.
    pub trigger: &'a str,
    /// The function's name.
    pub routine: &'a str,
    /// `when (..)`
    pub when: Option<&'a Expr>,
}

/// What is assigned to.
pub(super) enum Place {
    New(String),
    Slot(u32),
}

/// What statements come to, each told the conditions under which it is reached.
pub(super) trait Effects {
    /// Keeps a condition for as long as statements hang on it.
    fn condition(&mut self, path: &[Expr], condition: Expr) -> Result<Expr>;
    fn assign(&mut self, path: &[Expr], place: Place, value: Expr) -> Result<()>;
    fn change(&mut self, path: &[Expr], operation: Operation) -> Result<()>;
    fn perform(&mut self, path: &[Expr], query: Query) -> Result<()>;
    fn raise(&mut self, path: &[Expr], raise: Expr) -> Result<()>;
    fn returned(&mut self, path: &[Expr], returned: Returned) -> Result<()>;
    /// A place for a value of its own.
    fn slot(&mut self, ty: &Type) -> u32;
}

/// Whether statements end the function.
enum Flow {
    Falls,
    Ends,
    EndsIf(Expr),
}

pub(super) struct Run<'a, E> {
    setting: Setting<'a>,
    lowering: Lowering<'a>,
    /// The variables declared, with their places and types.
    variables: Vec<(String, u32, Type)>,
    path: Vec<Expr>,
    pub(super) effects: E,
}

impl<'a, E: Effects> Run<'a, E> {
    pub(super) fn new(setting: Setting<'a>, effects: E) -> Run<'a, E> {
        let columns = || -> Vec<(String, Type)> {
            let columns = setting.table.columns.iter();
            columns
                .map(|column| (column.name.clone(), column.ty.clone()))
                .collect()
        };
        // The columns of the row are never meant by their names alone.
        let source = |alias: &str| Named {
            merged: columns().into_iter().map(|(name, _)| name).collect(),
            ..Named::alias(alias, columns())
        };
        let mut lowering = Lowering::within(setting.catalog, vec![source("new"), source("old")]);
        let text = |text: &str| Expr::Literal {
            value: Value::text(text),
            ty: Type::Text,
        };
        let timing = match setting.timing {
            Timing::Before => "BEFORE",
            Timing::After => "AFTER",
        };
        let variables = [
            ("tg_op", setting.event.word()),
            ("tg_name", setting.trigger),
            ("tg_when", timing),
            ("tg_level", "ROW"),
            ("tg_table_name", setting.table.name.as_str()),
            ("tg_relname", setting.table.name.as_str()),
            ("tg_table_schema", setting.table.schema.as_str()),
        ];
        lowering.params = Params {
            routine: setting.routine.to_owned(),
            params: Vec::new(),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), text(value)))
                .collect(),
        };
        Run {
            setting,
            lowering,
            variables: Vec::new(),
            path: Vec::new(),
            effects,
        }
    }

    pub(super) fn function(&mut self, function: &Function) -> Result<()> {
        if let Some(when) = self.setting.when {
            let kept = self.effects.condition(&[], when.clone())?;
            self.path.push(is_true(kept));
        }
        for variable in &function.variables {
            self.declare(variable)
                .map_err(|trouble| trouble.at(variable.line))?;
        }
        let message = "control reached end of trigger procedure without RETURN";
        match self.statements(&function.body)? {
            Flow::Ends => {}
            Flow::Falls => self.effects.raise(&self.path, failing("2F005", message)?)?,
            Flow::EndsIf(condition) => {
                self.path.push(is_not_true(condition));
                self.effects.raise(&self.path, failing("2F005", message)?)?;
            }
        }
        Ok(())
    }

    fn declare(&mut self, variable: &super::Variable) -> Result<()> {
        let ty = match &variable.ty {
            VariableType::Named(ty) => {
                if let ast::DataType::Custom(name, modifiers) = ty
                    && modifiers.is_empty()
                    && self.lowering.table(name).is_ok()
                {
                    return Err(Trouble::unsupported(
                        format!("{} {name}", variable.name),
                        "declare a variable for each column that is used",
                    ));
                }
                self.lowering.data_type(ty)?
            }
            VariableType::OfColumn(name) => self.type_of(name)?,
        };
        let value = match &variable.value {
            Some(value) => self.lowering.assigned(value, &ty)?,
            None => Expr::Literal {
                value: Value::Null,
                ty: ty.clone(),
            },
        };
        let slot = self.effects.slot(&ty);
        self.effects.assign(&self.path, Place::Slot(slot), value)?;
        self.lowering.params.variables.push((
            variable.name.clone(),
            Expr::Param {
                index: slot,
                ty: ty.clone(),
            },
        ));
        self.variables.push((variable.name.clone(), slot, ty));
        Ok(())
    }

    fn type_of(&self, name: &ast::ObjectName) -> Result<Type> {
        let parts = dotted(name);
        let found = match &parts[..] {
            [table, column] => self
                .setting
                .catalog
                .table("public", table)
                .zip(Some(column)),
            [schema, table, column] => self.setting.catalog.table(schema, table).zip(Some(column)),
            _ => None,
        };
        found
            .and_then(|(table, column)| table.column(column))
            .map(|column| column.ty.clone())
            .ok_or_else(|| {
                Trouble::invalid(
                    format!("{name}%type"),
                    format!("column \"{name}\" does not exist"),
                    "write the type itself",
                )
                .state("42703")
            })
    }

    fn statements(&mut self, statements: &[Statement]) -> Result<Flow> {
        let depth = self.path.len();
        let mut ended: Option<Expr> = None;
        for statement in statements {
            let flow = self
                .statement(&statement.kind)
                .map_err(|trouble| explained(trouble).at(statement.line))?;
            match flow {
                Flow::Falls => {}
                Flow::Ends => {
                    self.path.truncate(depth);
                    return Ok(Flow::Ends);
                }
                Flow::EndsIf(condition) => {
                    self.path.push(is_not_true(condition.clone()));
                    ended = Some(either(ended, condition));
                }
            }
        }
        self.path.truncate(depth);
        Ok(ended.map_or(Flow::Falls, Flow::EndsIf))
    }

    fn statement(&mut self, kind: &Kind) -> Result<Flow> {
        match kind {
            Kind::Nothing => {}
            Kind::Assign { target, value } => {
                let (place, ty) = self.place(target)?;
                let value = self.lowering.assigned(value, &ty)?;
                self.effects.assign(&self.path, place, value)?;
            }
            Kind::SelectInto { targets, query } => self.select_into(targets, query)?,
            Kind::If {
                branches,
                otherwise,
            } => return self.branches(branches, otherwise),
            Kind::Change(statement) => {
                let operation = self.lowering.operation(statement)?.ok_or_else(|| {
                    Trouble::unsupported(statement.to_string(), "insert, update or delete")
                })?;
                if !operation.columns().is_empty() {
                    return Err(Trouble::unsupported(
                        format!("{statement}"),
                        "leave returning out: nobody takes what it gives",
                    ));
                }
                self.effects.change(&self.path, operation)?;
            }
            Kind::Perform(query) => {
                let statement = ast::Statement::Query(query.clone());
                match self.lowering.operation(&statement)? {
                    Some(Operation::Select(query)) => self.effects.perform(&self.path, query)?,
                    Some(call) => self.effects.change(&self.path, call)?,
                    None => {}
                }
            }
            Kind::Raise(raise) => {
                let raise = raised(&mut self.lowering, raise)?;
                self.effects.raise(&self.path, raise)?;
                return Ok(Flow::Ends);
            }
            Kind::Return(returned) => {
                self.effects.returned(&self.path, *returned)?;
                return Ok(Flow::Ends);
            }
        }
        Ok(Flow::Falls)
    }

    fn branches(
        &mut self,
        branches: &[(ast::Expr, Vec<Statement>)],
        otherwise: &[Statement],
    ) -> Result<Flow> {
        let depth = self.path.len();
        let mut ended: Option<Expr> = None;
        let mut always = true;
        // Without a branch that is surely taken, what comes after `else` is the last one.
        let mut decided = false;
        for (condition, statements) in branches {
            let condition = self.lowering.condition(condition)?;
            match known(&condition) {
                Some(Some(true)) => {
                    self.branch(depth, statements, &mut ended, &mut always)?;
                    decided = true;
                    break;
                }
                Some(_) => continue,
                None => {}
            }
            let condition = self.effects.condition(&self.path, condition)?;
            self.path.push(is_true(condition.clone()));
            self.branch(depth, statements, &mut ended, &mut always)?;
            self.path.pop();
            self.path.push(is_not_true(condition));
        }
        if !decided {
            self.branch(depth, otherwise, &mut ended, &mut always)?;
        }
        self.path.truncate(depth);
        Ok(match ended {
            Some(_) if always => Flow::Ends,
            Some(condition) => Flow::EndsIf(condition),
            None => Flow::Falls,
        })
    }

    /// One branch; its way from the beginning of the `if` stands on the path.
    fn branch(
        &mut self,
        depth: usize,
        statements: &[Statement],
        ended: &mut Option<Expr>,
        always: &mut bool,
    ) -> Result<()> {
        let flow = self.statements(statements)?;
        let way = all(&self.path[depth..]);
        match flow {
            Flow::Falls => *always = false,
            Flow::Ends => *ended = Some(either(ended.take(), way)),
            Flow::EndsIf(condition) => {
                *always = false;
                *ended = Some(either(ended.take(), all(&[way, condition])));
            }
        }
        Ok(())
    }

    fn place(&self, target: &Target) -> Result<(Place, Type)> {
        match target {
            Target::New(column) => {
                let known = self.setting.table.column(column).ok_or_else(|| {
                    Trouble::invalid(
                        format!("new.{column}"),
                        format!("record \"new\" has no field \"{column}\""),
                        format!("check the columns of table {}", self.setting.table.name),
                    )
                    .state("42703")
                })?;
                if known.generated.is_some() {
                    return Err(Trouble::unsupported(
                        format!("new.{column} := .."),
                        "the column is generated from others: assign those",
                    ));
                }
                Ok((Place::New(column.clone()), known.ty.clone()))
            }
            Target::Variable(name) => self
                .variables
                .iter()
                .rev()
                .find(|(known, ..)| known == name)
                .map(|(_, slot, ty)| (Place::Slot(*slot), ty.clone()))
                .ok_or_else(|| {
                    Trouble::invalid(
                        name.clone(),
                        format!("\"{name}\" is not a known variable"),
                        "declare it before begin",
                    )
                }),
        }
    }

    /// The first row, or nulls; each target is one of its columns.
    fn select_into(&mut self, targets: &[Target], query: &ast::Query) -> Result<()> {
        let query = self.lowering.query(query)?;
        if query.columns().len() != targets.len() {
            return Err(Trouble::unsupported(
                format!(
                    "select of {} columns into {} targets",
                    query.columns().len(),
                    targets.len()
                ),
                "name a variable for each column",
            ));
        }
        let mut values = Vec::with_capacity(targets.len());
        for (at, target) in targets.iter().enumerate() {
            let (place, ty) = self.place(target)?;
            let scalar = Expr::Scalar(Box::new(self.column_of(&query, at)?));
            let value = self.lowering.assign(Operand::Typed(scalar), &ty)?;
            values.push((place, value));
        }
        for (place, value) in values {
            self.effects.assign(&self.path, place, value)?;
        }
        Ok(())
    }

    /// One column of the first row of a query.
    fn column_of(&self, query: &Query, at: usize) -> Result<Query> {
        let mut one = query.clone();
        let one_select = |body: &mut Body| match body {
            Body::Select(select) if select.distinct == crate::query::Distinct::No => {
                select.columns = vec![select.columns[at].clone()];
                true
            }
            _ => false,
        };
        if query.columns().len() > 1 && !one_select(&mut one.body) {
            return Err(Trouble::unsupported(
                "into of a query that is no plain select",
                "select each column by itself",
            ));
        }
        if one.limit.is_none() {
            one.limit = Some(Expr::Literal {
                value: Value::Int(1),
                ty: Type::Int8,
            });
        }
        Ok(one)
    }
}

/// What plpgsql has and is no column says so.
fn explained(trouble: Trouble) -> Trouble {
    match trouble.construct.as_str() {
        "found" if trouble.state == "42703" => Trouble {
            line: trouble.line,
            ..Trouble::unsupported(
                "found",
                "test whether the variable that was selected into is null, or use exists (..)",
            )
        },
        construct if construct.starts_with("net.http_") || construct.starts_with("pg_notify(") => Trouble {
            advice: "leave it out: nothing is sent from within a write; let a server of yours read the rows and send".to_owned(),
            ..trouble
        },
        "tg_argv" | "tg_nargs" if trouble.state == "42703" => Trouble {
            line: trouble.line,
            ..Trouble::unsupported(
                trouble.construct,
                "write a function for each trigger instead of one that takes arguments",
            )
        },
        _ => trouble,
    }
}
