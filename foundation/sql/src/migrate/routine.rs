//! `create function`, `alter function`, `drop function`: functions in SQL, and those of triggers.

use super::{Migration, Source, named};
use crate::catalog::Table;
use crate::expr::Expr;
use crate::lower::{Lowering, Params, fold, object};
use crate::operation::Operation;
use crate::parse::split;
use crate::routine::{Body, Param, Returns, Routine, RoutineId, Volatility};
use crate::trouble::{Result, Trouble};
use crate::types::Type;
use sqlparser::ast;
use std::sync::Arc;

/// What a function's `returns` comes to.
struct Gives {
    returns: Returns,
    set: bool,
}

impl Migration {
    pub(super) fn create_function(
        &mut self,
        create: &ast::CreateFunction,
        source: &Source,
    ) -> Result<()> {
        let (schema, name) = named(&create.name)?;
        let language = create
            .language
            .as_ref()
            .map_or_else(|| "sql".to_owned(), fold);
        for setting in &create.set_params {
            let setting = setting.name.to_string().to_lowercase();
            // Names in a body are those of the migration's own schemas wherever it is called from.
            if setting != "search_path" {
                return Err(Trouble::unsupported(
                    format!("set {setting} on function {name}"),
                    "leave it out",
                ));
            }
        }
        let (params, out) = self.params(create.args.as_deref().unwrap_or_default())?;
        let gives = self.gives(create.return_type.as_ref(), &name, out)?;
        let trigger = matches!(gives.returns, Returns::Trigger);
        let body = match (language.as_str(), trigger) {
            ("sql", false) => {
                let lowered = self.sql_body(create, source, &name, &params, &gives)?;
                Body::Sql(lowered)
            }
            ("plpgsql", true) => {
                let (text, line) = body_text(create, source)?;
                crate::plpgsql::read(&text)
                    .map_err(|trouble| super::trigger::at_line(line, trouble))?;
                Body::Trigger { text, line }
            }
            ("plpgsql", false) => {
                return Err(Trouble::unsupported(
                    format!("function {name} in plpgsql"),
                    "write it in language sql, or put its steps into the app; plpgsql is for triggers here",
                ));
            }
            (language, _) => {
                return Err(Trouble::unsupported(
                    format!("function {name} in {language}"),
                    "write it in language sql, or put it into the app",
                ));
            }
        };
        let routine = Routine {
            schema: schema.clone(),
            name: name.clone(),
            params,
            returns: gives.returns,
            set: gives.set,
            volatility: match create.behavior {
                Some(ast::FunctionBehavior::Immutable) => Volatility::Immutable,
                Some(ast::FunctionBehavior::Stable) => Volatility::Stable,
                _ => Volatility::Volatile,
            },
            strict: matches!(
                create.called_on_null,
                Some(
                    ast::FunctionCalledOnNull::Strict
                        | ast::FunctionCalledOnNull::ReturnsNullOnNullInput
                )
            ),
            definer: matches!(create.security, Some(ast::FunctionSecurity::Definer)),
            body,
            source: source.text(),
            revoked: Vec::new(),
        };
        self.keep(routine, create.or_replace)
    }

    /// Puts a function beside those of its name, or in the place of the same one.
    fn keep(&mut self, mut routine: Routine, replace: bool) -> Result<()> {
        let key = (routine.schema.clone(), routine.name.clone());
        let id = routine.id();
        self.rewritten.push(id.clone());
        let known = self.catalog.routines.entry(key.clone()).or_default();
        match known.iter().position(|known| known.id() == id) {
            None => known.push(Arc::new(routine)),
            Some(_) if !replace => {
                return Err(Trouble::invalid(
                    routine.name.clone(),
                    format!(
                        "function \"{}\" already exists with same argument types",
                        routine.name
                    ),
                    "write create or replace function",
                )
                .state("42723"));
            }
            Some(at) => {
                let old = &known[at];
                if old.returns != routine.returns || old.set != routine.set {
                    return Err(Trouble::invalid(
                        routine.name.clone(),
                        "cannot change return type of existing function",
                        "drop the function first",
                    )
                    .state("42P13"));
                }
                routine.revoked.clone_from(&old.revoked);
                known[at] = Arc::new(routine);
            }
        }
        self.init_routine_privileges(&key);
        Ok(())
    }

    /// The parameters, and the columns that `out` and `returns table` name.
    #[expect(clippy::type_complexity, reason = "two lists of one declaration")]
    fn params(
        &self,
        args: &[ast::OperateFunctionArg],
    ) -> Result<(Vec<Param>, Vec<(String, Type)>)> {
        let mut params: Vec<Param> = Vec::new();
        let mut out = Vec::new();
        for arg in args {
            let lowering = Lowering::bare(&self.catalog);
            let name = arg.name.as_ref().map(fold);
            if let ast::DataType::Custom(of, modifiers) = &arg.data_type
                && modifiers.is_empty()
                && lowering.table(of).is_ok()
            {
                return Err(Trouble::unsupported(
                    format!("parameter of row type {of}"),
                    "take the columns it needs, or select them in a view",
                ));
            }
            let ty = lowering.data_type(&arg.data_type)?;
            match arg.mode {
                None | Some(ast::ArgMode::In | ast::ArgMode::InOut) => {
                    let default = arg
                        .default_expr
                        .as_ref()
                        .map(|default| Lowering::bare(&self.catalog).assigned(default, &ty))
                        .transpose()?;
                    if default.is_none() && params.last().is_some_and(|last| last.default.is_some())
                    {
                        return Err(Trouble::invalid(
                            arg.to_string(),
                            "input parameters after one with a default value must also have defaults",
                            "give it a default",
                        )
                        .state("42P13"));
                    }
                    if name.is_some() && params.iter().any(|known| known.name == name) {
                        return Err(Trouble::invalid(
                            arg.to_string(),
                            format!(
                                "parameter name \"{}\" used more than once",
                                name.unwrap_or_default()
                            ),
                            "choose another name",
                        )
                        .state("42P13"));
                    }
                    params.push(Param {
                        name: name.clone(),
                        ty: ty.clone(),
                        default,
                    });
                }
                Some(ast::ArgMode::Out) => {}
                Some(ast::ArgMode::Variadic) => {
                    return Err(Trouble::unsupported(arg.to_string(), "take an array"));
                }
            }
            if matches!(arg.mode, Some(ast::ArgMode::Out | ast::ArgMode::InOut)) {
                let place = out.len() + 1;
                out.push((name.unwrap_or_else(|| format!("column{place}")), ty));
            }
        }
        Ok((params, out))
    }

    fn gives(
        &self,
        written: Option<&ast::FunctionReturnType>,
        name: &str,
        out: Vec<(String, Type)>,
    ) -> Result<Gives> {
        let (data_type, set) = match written {
            None => {
                return match &out[..] {
                    [] => Err(Trouble::invalid(
                        name,
                        "function result type must be specified",
                        "write returns ..",
                    )
                    .state("42P13")),
                    [(_, ty)] => Ok(Gives {
                        returns: Returns::Scalar(ty.clone()),
                        set: false,
                    }),
                    _ => Ok(Gives {
                        returns: Returns::Row {
                            columns: out,
                            table: None,
                        },
                        set: false,
                    }),
                };
            }
            Some(ast::FunctionReturnType::DataType(data_type)) => (data_type, false),
            Some(ast::FunctionReturnType::SetOf(data_type)) => (data_type, true),
        };
        if let ast::DataType::Table(columns) = data_type {
            let columns = columns
                .iter()
                .flatten()
                .map(|column| {
                    let ty = Lowering::bare(&self.catalog).data_type(&column.data_type)?;
                    Ok((fold(&column.name), ty))
                })
                .collect::<Result<Vec<_>>>()?;
            return Ok(Gives {
                returns: match &columns[..] {
                    [(_, ty)] => Returns::Row {
                        columns: vec![(columns[0].0.clone(), ty.clone())],
                        table: None,
                    },
                    _ => Returns::Row {
                        columns,
                        table: None,
                    },
                },
                set: true,
            });
        }
        let word = data_type.to_string().to_lowercase();
        let returns = match word.as_str() {
            "void" => Returns::Void,
            "trigger" => Returns::Trigger,
            "record" if !out.is_empty() => Returns::Row {
                columns: out,
                table: None,
            },
            "record" => {
                return Err(Trouble::unsupported(
                    format!("function {name} returning record"),
                    "write returns table (..)",
                ));
            }
            _ => match self.row_type(data_type) {
                Some(table) => Returns::Row {
                    columns: table
                        .columns
                        .iter()
                        .map(|column| (column.name.clone(), column.ty.clone()))
                        .collect(),
                    table: Some((table.schema.clone(), table.name.clone())),
                },
                None => Returns::Scalar(Lowering::bare(&self.catalog).data_type(data_type)?),
            },
        };
        Ok(Gives { returns, set })
    }

    /// The table or view whose rows a type is.
    fn row_type(&self, data_type: &ast::DataType) -> Option<Arc<Table>> {
        let ast::DataType::Custom(name, modifiers) = data_type else {
            return None;
        };
        if !modifiers.is_empty() {
            return None;
        }
        let (schema, name) = object(name)?;
        self.catalog
            .table(&schema.unwrap_or_else(|| "public".to_owned()), &name)
            .cloned()
    }

    fn sql_body(
        &self,
        create: &ast::CreateFunction,
        source: &Source,
        name: &str,
        params: &[Param],
        gives: &Gives,
    ) -> Result<Vec<Operation>> {
        let lowering = || {
            let mut lowering = Lowering::bare(&self.catalog);
            lowering.params = Params {
                routine: name.to_owned(),
                params: params
                    .iter()
                    .map(|param| (param.name.clone(), param.ty.clone()))
                    .collect(),
                variables: Vec::new(),
            };
            lowering
        };
        let unsupported = |text: String| {
            Trouble::unsupported(
                text,
                "a function in SQL may select, insert, update and delete",
            )
        };
        let mut operations = Vec::new();
        match &create.function_body {
            Some(ast::CreateFunctionBody::Return(expr)) => {
                let value = lowering().value(expr)?;
                let select = crate::query::Select {
                    columns: vec![crate::query::Output {
                        name: name.to_owned(),
                        expr: value,
                    }],
                    ..crate::query::Select::default()
                };
                operations.push(Operation::Select(crate::query::Query::select(select)));
            }
            Some(ast::CreateFunctionBody::BeginAtomic(block)) => {
                for statement in &block.statements {
                    let operation = lowering()
                        .operation(statement)?
                        .ok_or_else(|| unsupported(statement.to_string()))?;
                    operations.push(operation);
                }
            }
            _ => {
                let (text, line) = body_text(create, source)?;
                for inner in split(&text)? {
                    let place = |trouble: Trouble| {
                        let at = trouble.line.unwrap_or(inner.line);
                        Trouble {
                            line: Some(line + at - 1),
                            ..trouble
                        }
                    };
                    let statement = inner.statement().map_err(place)?;
                    let operation = lowering()
                        .operation(&statement)
                        .map_err(place)?
                        .ok_or_else(|| place(unsupported(inner.text())))?;
                    operations.push(operation);
                }
            }
        }
        self.check_result(name, &mut operations, gives)?;
        Ok(operations)
    }

    /// The last statement gives what the function says it returns.
    fn check_result(&self, name: &str, operations: &mut [Operation], gives: &Gives) -> Result<()> {
        let wanted: Vec<Type> = match &gives.returns {
            Returns::Void | Returns::Trigger => return Ok(()),
            Returns::Scalar(ty) => vec![ty.clone()],
            Returns::Row { columns, .. } => columns.iter().map(|(_, ty)| ty.clone()).collect(),
        };
        let mismatch = |why: String| {
            Err(Trouble::invalid(
                name,
                format!("return type mismatch in function declared to return {why}"),
                "let its last statement give the columns that it returns",
            )
            .state("42P13"))
        };
        let shown = wanted.iter().map(Type::name).collect::<Vec<_>>().join(", ");
        let Some(last) = operations.last_mut() else {
            return mismatch(shown);
        };
        let given = last.columns();
        if given.len() != wanted.len() {
            return mismatch(shown);
        }
        for (at, ty) in wanted.iter().enumerate() {
            if given[at].1 == *ty {
                continue;
            }
            match last {
                Operation::Select(query) => {
                    let assigned =
                        Lowering::bare(&self.catalog).assign_column(query, at, ty, false);
                    if assigned.is_err() {
                        return mismatch(shown);
                    }
                }
                _ if crate::lower::same(&given[at].1, ty) => {}
                _ => return mismatch(shown),
            }
        }
        Ok(())
    }

    /// `drop function`
    pub(super) fn drop_function(&mut self, drop: &ast::DropFunction) -> Result<()> {
        let cascade = matches!(drop.drop_behavior, Some(ast::DropBehavior::Cascade));
        for desc in &drop.func_desc {
            let Some(id) = self.routine_named(&desc.name, desc.args.as_deref())? else {
                if drop.if_exists {
                    continue;
                }
                return Err(Trouble::invalid(
                    desc.to_string(),
                    format!("function {desc} does not exist"),
                    "check the name and the types of its parameters",
                )
                .state("42883"));
            };
            self.drop_routine(&id, cascade)?;
        }
        Ok(())
    }

    fn drop_routine(&mut self, id: &RoutineId, cascade: bool) -> Result<()> {
        if let Some(user) = self.caller_of(id) {
            if !cascade {
                return Err(Trouble::invalid(
                    id.name.clone(),
                    format!("{user} depends on function {}", id.name),
                    "drop that first",
                )
                .state("2BP01"));
            }
            return Err(Trouble::unsupported(
                format!("drop function {} cascade", id.name),
                format!("drop {user} first"),
            ));
        }
        let key = (id.schema.clone(), id.name.clone());
        if let Some(known) = self.catalog.routines.get_mut(&key) {
            known.retain(|routine| routine.id() != *id);
            if known.is_empty() {
                self.catalog.routines.remove(&key);
                self.catalog.routine_privileges.remove(&key);
            }
        }
        Ok(())
    }

    /// What calls a function and is checked by Postgres: a policy, a default, a check, an index, a view.
    fn caller_of(&self, id: &RoutineId) -> Option<String> {
        let calls = |expr: &Expr| {
            let mut found = false;
            expr.walk(0, &mut |_, expr| {
                found |= matches!(expr, Expr::Apply { routine, .. } if routine == id);
            });
            let mut from = false;
            expr.each_source(&mut |source| {
                from |= matches!(&source.of, crate::query::Of::Routine { routine, .. } if routine == id);
            });
            found || from
        };
        for table in self.catalog.tables.values() {
            if let Some(trigger) = table.triggers.iter().find(|trigger| trigger.routine == *id) {
                return Some(format!("trigger {} on table {}", trigger.name, table.name));
            }
            for policy in &table.policies {
                if policy.using.iter().chain(&policy.check).any(calls) {
                    return Some(format!("policy {} on table {}", policy.name, table.name));
                }
            }
            let columns = table
                .columns
                .iter()
                .flat_map(|column| column.default.iter().chain(&column.generated));
            let checks = table.checks.iter().map(|check| &check.expr);
            if columns.chain(checks).any(calls) {
                return Some(format!("table {}", table.name));
            }
            if let Some(view) = &table.view {
                let mut found = false;
                view.query.walk(0, &mut |_, expr| {
                    found |= matches!(expr, Expr::Apply { routine, .. } if routine == id);
                });
                view.query.each_source(&mut |source| {
                    found |= matches!(&source.of, crate::query::Of::Routine { routine, .. } if routine == id);
                });
                if found {
                    return Some(format!("view {}", table.name));
                }
            }
        }
        None
    }

    /// The function a statement names, by its parameters if they are given, else the only one of its name.
    pub(super) fn routine_named(
        &self,
        name: &ast::ObjectName,
        args: Option<&[ast::OperateFunctionArg]>,
    ) -> Result<Option<RoutineId>> {
        let key = named(name)?;
        let Some(known) = self.catalog.routines.get(&key) else {
            return Ok(None);
        };
        match args {
            Some(args) => {
                let params = args
                    .iter()
                    .filter(|arg| !matches!(arg.mode, Some(ast::ArgMode::Out)))
                    .map(|arg| {
                        let ty = Lowering::bare(&self.catalog).data_type(&arg.data_type)?;
                        Ok(ty.name())
                    })
                    .collect::<Result<Vec<_>>>()?;
                Ok(known
                    .iter()
                    .map(|routine| routine.id())
                    .find(|id| id.params == params))
            }
            None => match &known[..] {
                [one] => Ok(Some(one.id())),
                _ => Err(Trouble::invalid(
                    name.to_string(),
                    format!("function name \"{name}\" is not unique"),
                    "write the types of its parameters",
                )
                .state("42725")),
            },
        }
    }

    /// `alter function .. owner to, rename to, set search_path, security definer`: read by its words.
    pub(super) fn alter_function(&mut self, source: &Source) -> Result<()> {
        let text = source.text();
        let lower = text.to_lowercase();
        let accepted = [" owner to ", " set search_path", " reset search_path"]
            .iter()
            .any(|part| lower.contains(part));
        if accepted {
            return Ok(());
        }
        Err(Trouble::unsupported(
            text,
            "create it again with create or replace function",
        ))
    }
}

/// The text between the quotes, and the line it starts on.
fn body_text(create: &ast::CreateFunction, source: &Source) -> Result<(String, u64)> {
    let body = match &create.function_body {
        Some(
            ast::CreateFunctionBody::AsBeforeOptions { body, .. }
            | ast::CreateFunctionBody::AsAfterOptions(body),
        ) => body,
        _ => {
            return Err(Trouble::unsupported(
                source.text(),
                "write its body in $$ .. $$",
            ));
        }
    };
    let ast::Expr::Value(value) = body else {
        return Err(Trouble::unsupported(
            body.to_string(),
            "write its body in $$ .. $$",
        ));
    };
    let text = value.value.clone().into_string().unwrap_or_default();
    Ok((text, value.span.start.line.max(1)))
}
