//! Which overload is meant: Postgres' rules for functions and operators (PostgreSQL docs 10.2 and 10.3).

use super::registry::{Builtin, Kind, overloads};
use crate::types::Type;
use crate::types::conversion::{Category, When};

/// An overload chosen.
pub(crate) struct Resolved {
    pub function: Builtin,
    /// What each argument becomes; none for those that stay what they are.
    pub args: Vec<Option<Type>>,
    pub result: Type,
}

/// Why none was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Missing,
    Ambiguous,
    /// Only literals where any type may stand.
    Undetermined,
}

struct Candidate {
    function: Builtin,
    slots: Vec<Kind>,
}

/// Chooses among the overloads of `name`. An argument without a type is a literal in quotes, or null.
pub(crate) fn resolve(
    name: &str,
    args: &[Option<Type>],
    operator: bool,
) -> Result<Resolved, Fault> {
    let known: Vec<Option<Type>> = args
        .iter()
        .map(|arg| arg.as_ref().map(Type::base))
        .collect();
    let all: Vec<Candidate> = overloads(name)
        .filter_map(|function| {
            slots(function, args.len()).map(|slots| Candidate { function, slots })
        })
        .collect();
    if let Some(exact) = exactly(&all, &known, operator) {
        return settle(exact, &known);
    }
    let mut left: Vec<&Candidate> = all
        .iter()
        .filter(|candidate| candidate.takes(&known))
        .collect();
    if left.len() > 1 {
        // Those that take the most arguments as they are.
        keep_best(&mut left, |candidate| {
            candidate.count(&known, |slot, ty| *slot == Kind::Exactly(ty.clone()))
        });
    }
    if left.len() > 1 {
        // Those that take the most as they are, or as the preferred type of their category.
        keep_best(&mut left, |candidate| {
            candidate.count(&known, |slot, ty| match slot {
                Kind::Exactly(slot) => {
                    slot == ty || (slot.preferred() && slot.category() == ty.category())
                }
                _ => false,
            })
        });
    }
    if left.len() > 1 {
        left = by_unknowns(left, &known);
    }
    match left[..] {
        [] => Err(Fault::Missing),
        [chosen] => settle(chosen, &known),
        _ => Err(Fault::Ambiguous),
    }
}

fn slots(function: Builtin, count: usize) -> Option<Vec<Kind>> {
    let entry = function.entry();
    let mut slots = entry.args.clone();
    if entry.variadic {
        let last = slots.pop()?;
        let each = match last {
            Kind::Exactly(Type::Array(item)) => Kind::Exactly(*item),
            other => other,
        };
        if count <= slots.len() {
            return None;
        }
        slots.resize(count, each);
    }
    (slots.len() == count).then_some(slots)
}

fn exactly<'a>(
    all: &'a [Candidate],
    known: &[Option<Type>],
    operator: bool,
) -> Option<&'a Candidate> {
    let mut wanted = known.to_vec();
    // A literal beside a value is taken to be of its type, if there is such an operator.
    if operator && let [left, right] = &mut wanted[..] {
        match (&left, &right) {
            (Some(ty), None) => *right = Some(ty.clone()),
            (None, Some(ty)) => *left = Some(ty.clone()),
            _ => {}
        }
    }
    all.iter().find(|candidate| {
        candidate
            .slots
            .iter()
            .zip(&wanted)
            .all(|(slot, ty)| matches!((slot, ty), (Kind::Exactly(slot), Some(ty)) if slot == ty))
    })
}

impl Candidate {
    fn takes(&self, known: &[Option<Type>]) -> bool {
        let each = self.slots.iter().zip(known).all(|(slot, ty)| match ty {
            None => true,
            Some(ty) => match slot {
                Kind::Exactly(slot) => ty.conversion(slot) == Some(When::Implicit),
                Kind::Array | Kind::CompatibleArray => matches!(ty, Type::Array(_)),
                Kind::NonArray => !matches!(ty, Type::Array(_)),
                Kind::Enum => matches!(ty, Type::Enum(_)),
                _ => true,
            },
        });
        each && !matches!(settle(self, known), Err(Fault::Missing))
    }

    fn count(&self, known: &[Option<Type>], counts: impl Fn(&Kind, &Type) -> bool) -> usize {
        self.slots
            .iter()
            .zip(known)
            .filter(|(slot, ty)| ty.as_ref().is_some_and(|ty| counts(slot, ty)))
            .count()
    }
}

fn keep_best(left: &mut Vec<&Candidate>, score: impl Fn(&Candidate) -> usize) {
    let best = left
        .iter()
        .map(|candidate| score(candidate))
        .max()
        .unwrap_or(0);
    left.retain(|candidate| score(candidate) == best);
}

/// What literals are taken for: text where a candidate takes text, else the category all candidates share.
fn by_unknowns<'a>(left: Vec<&'a Candidate>, known: &[Option<Type>]) -> Vec<&'a Candidate> {
    let mut narrowed = left.clone();
    let mut settled = true;
    for at in (0..known.len()).filter(|at| known[*at].is_none()) {
        let categories: Vec<Option<Category>> = left
            .iter()
            .map(|candidate| match &candidate.slots[at] {
                Kind::Exactly(ty) => Some(ty.category()),
                _ => None,
            })
            .collect();
        let chosen = if categories.contains(&Some(Category::Text)) {
            Some(Category::Text)
        } else if categories.windows(2).all(|pair| pair[0] == pair[1]) {
            categories[0]
        } else {
            settled = false;
            break;
        };
        let preferred = left
            .iter()
            .any(|candidate| matches!(&candidate.slots[at], Kind::Exactly(ty) if Some(ty.category()) == chosen && ty.preferred()));
        narrowed.retain(|candidate| match &candidate.slots[at] {
            Kind::Exactly(ty) => Some(ty.category()) == chosen && (!preferred || ty.preferred()),
            _ => chosen.is_none(),
        });
    }
    let left = if settled && !narrowed.is_empty() {
        narrowed
    } else {
        left
    };
    if left.len() <= 1 {
        return left;
    }
    // If all that is known is of one type, so may the literals be.
    let mut types = known.iter().flatten();
    let Some(first) = types.next() else {
        return left;
    };
    if known.iter().all(Option::is_some) || types.any(|ty| ty != first) {
        return left;
    }
    let supposed = vec![Some(first.clone()); known.len()];
    let alike: Vec<&Candidate> = left
        .iter()
        .copied()
        .filter(|candidate| candidate.takes(&supposed))
        .collect();
    if alike.len() == 1 { alike } else { left }
}

/// What the polymorphic parameters are.
fn settle(candidate: &Candidate, known: &[Option<Type>]) -> Result<Resolved, Fault> {
    let mut element: Option<Type> = None;
    let mut common: Option<Type> = None;
    let pairs = || candidate.slots.iter().zip(known);
    for (slot, ty) in pairs() {
        let Some(ty) = ty else { continue };
        let item = match (slot, ty) {
            (Kind::Array | Kind::CompatibleArray, Type::Array(item)) => (**item).clone(),
            (Kind::Array | Kind::CompatibleArray, _) => return Err(Fault::Missing),
            _ => ty.clone(),
        };
        match slot {
            Kind::Element | Kind::NonArray | Kind::Array | Kind::Enum => {
                if element.as_ref().is_some_and(|known| *known != item) {
                    return Err(Fault::Missing);
                }
                element = Some(item);
            }
            Kind::Compatible | Kind::CompatibleArray => {
                common = Some(match common {
                    None => item,
                    Some(known) => known.common_with(&item).ok_or(Fault::Missing)?,
                });
            }
            _ => {}
        }
    }
    let polymorphic = candidate.slots.iter().any(|slot| {
        matches!(
            slot,
            Kind::Element | Kind::NonArray | Kind::Array | Kind::Enum
        )
    });
    if polymorphic && element.is_none() {
        return Err(Fault::Undetermined);
    }
    let element = element.unwrap_or(Type::Text);
    let common = common.unwrap_or(Type::Text);
    let concrete = |kind: &Kind| match kind {
        Kind::Exactly(ty) => Some(ty.clone()),
        Kind::Element | Kind::NonArray | Kind::Enum => Some(element.clone()),
        Kind::Array => Some(Type::Array(Box::new(element.clone()))),
        Kind::Compatible => Some(common.clone()),
        Kind::CompatibleArray => Some(Type::Array(Box::new(common.clone()))),
        Kind::Any => None,
    };
    let args = pairs()
        .map(|(slot, ty)| match (slot, ty) {
            // A literal for anything at all is text.
            (Kind::Any, None) => Some(Type::Text),
            _ => concrete(slot),
        })
        .collect();
    let result = concrete(&candidate.function.entry().result).unwrap_or(Type::Text);
    Ok(Resolved {
        function: candidate.function,
        args,
        result,
    })
}
