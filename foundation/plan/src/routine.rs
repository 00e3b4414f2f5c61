//! Which function a call means, after PostgREST's rules: by its name and the names of its arguments.

use crate::error::PlanError;
use crate::near::nearest;
use pando_sql::routine::{Returns, Routine};
use pando_sql::{Catalog, Type};
use std::sync::Arc;

/// How arguments came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// By name in the query string.
    Query,
    /// By name in a JSON body, or the body as it is.
    Json,
    /// By name in a form.
    Form,
    /// The body as it is, as text.
    Text,
    /// The body as it is, as bytes.
    Bytes,
}

/// A function, and whether it takes the body as it is.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The function.
    pub routine: &'a Arc<Routine>,
    /// Its one parameter has no name and takes the whole body.
    pub whole: bool,
}

/// Finds the function of an exposed schema that takes arguments of these names.
///
/// # Errors
/// PGRST202 if there is none, PGRST203 if there are several.
pub fn find_routine<'a>(
    catalog: &'a Catalog,
    schema: &str,
    name: &str,
    names: &[&str],
    passed: Passed,
) -> Result<Found<'a>, PlanError> {
    let overloads: Vec<&Arc<Routine>> = overloads(catalog, schema, name).collect();
    let by_name: Vec<&&Arc<Routine>> = overloads
        .iter()
        .filter(|routine| takes(routine, names, passed))
        .collect();
    let by_body: Vec<&&Arc<Routine>> = overloads
        .iter()
        .filter(|routine| takes_body(routine, passed))
        .collect();
    match (&by_name[..], &by_body[..]) {
        ([routine], _) => Ok(Found {
            routine,
            whole: false,
        }),
        ([], [routine]) => Ok(Found {
            routine,
            whole: true,
        }),
        ([], []) => {
            let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            names.sort_unstable();
            Err(PlanError::UnknownRoutine {
                near: near(catalog, schema, name, &names, &overloads, passed),
                schema: schema.to_owned(),
                name: name.to_owned(),
                names,
                passed,
            })
        }
        ([], several) | (several, _) => Err(PlanError::AmbiguousRoutine {
            candidates: several
                .iter()
                .map(|routine| {
                    let params: Vec<String> = routine
                        .params
                        .iter()
                        .map(|param| {
                            let name = param.name.as_deref().unwrap_or_default();
                            format!("{name} => {}", param.ty.name())
                        })
                        .collect();
                    format!("{}.{}({})", routine.schema, routine.name, params.join(", "))
                })
                .collect(),
        }),
    }
}

/// The functions of one name that can be called.
pub fn overloads<'a>(
    catalog: &'a Catalog,
    schema: &str,
    name: &str,
) -> impl Iterator<Item = &'a Arc<Routine>> {
    catalog
        .routines
        .get(&(schema.to_owned(), name.to_owned()))
        .into_iter()
        .flatten()
        .filter(|routine| routine.returns != Returns::Trigger)
}

/// The functions of a schema that can be called: those of triggers can't.
pub fn callable<'a>(catalog: &'a Catalog, schema: &str) -> impl Iterator<Item = &'a Arc<Routine>> {
    catalog
        .routines
        .iter()
        .filter(move |((of, _), _)| of == schema)
        .flat_map(|(_, routines)| routines)
        .filter(|routine| routine.returns != Returns::Trigger)
}

/// Whether a function takes the body as it is.
pub fn takes_body(routine: &Routine, passed: Passed) -> bool {
    let [param] = &routine.params[..] else {
        return false;
    };
    param.name.is_none()
        && matches!(
            (passed, &param.ty),
            (Passed::Json, Type::Json | Type::Jsonb)
                | (Passed::Text, Type::Text)
                | (Passed::Bytes, Type::Bytea)
        )
}

/// Whether every argument has its parameter, and every parameter its argument or a default.
fn takes(routine: &Routine, names: &[&str], passed: Passed) -> bool {
    if matches!(passed, Passed::Text | Passed::Bytes) {
        return false;
    }
    let known = |name: &&str| {
        routine
            .params
            .iter()
            .any(|param| param.name.as_deref() == Some(*name))
    };
    names.iter().all(known)
        && routine.params.iter().all(|param| {
            param.default.is_some()
                || param
                    .name
                    .as_deref()
                    .is_some_and(|name| names.contains(&name))
        })
}

fn near(
    catalog: &Catalog,
    schema: &str,
    name: &str,
    names: &[String],
    overloads: &[&Arc<Routine>],
    passed: Passed,
) -> Option<String> {
    if matches!(passed, Passed::Text | Passed::Bytes) {
        return None;
    }
    if overloads.is_empty() {
        let known = callable(catalog, schema).map(|routine| routine.name.as_str());
        return nearest(name, known).map(str::to_owned);
    }
    // The overload that shares most with what was given.
    let shared = |routine: &Routine| {
        let params = routine
            .params
            .iter()
            .filter_map(|param| param.name.as_deref());
        let (mut hits, mut count) = (0_usize, 0_usize);
        for param in params {
            count += 1;
            hits += usize::from(
                names.iter().any(|name| name == param)
                    || nearest(param, names.iter().map(String::as_str)).is_some(),
            );
        }
        (hits, usize::MAX - count.abs_diff(names.len()))
    };
    let best = overloads.iter().max_by_key(|routine| shared(routine))?;
    let mut params: Vec<&str> = best
        .params
        .iter()
        .map(|param| param.name.as_deref().unwrap_or_default())
        .collect();
    params.sort_unstable();
    Some(format!("{name}({})", params.join(", ")))
}
