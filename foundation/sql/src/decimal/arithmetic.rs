//! Sums, products and quotients, with the scales Postgres gives their results.

use super::{Decimal, Kind, Natural, SCALE};

/// Significant digits a quotient or a root has at least.
pub(super) const SIGNIFICANT: i64 = 16;
/// The most digits after the point such a result is given.
pub(super) const SCALE_MAX: i64 = 1_000;

/// A division by zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByZero;

impl Decimal {
    /// The sum, with the larger scale.
    pub fn plus(&self, other: &Decimal) -> Decimal {
        match (self.kind, other.kind) {
            (Kind::Finite, Kind::Finite) => {}
            (Kind::NaN, _) | (_, Kind::NaN) => return Decimal::nan(),
            (Kind::Infinite, Kind::Infinite) if self.negative != other.negative => {
                return Decimal::nan();
            }
            (Kind::Infinite, _) => return self.clone(),
            (_, Kind::Infinite) => return other.clone(),
        }
        let scale = self.scale.max(other.scale);
        let (left, right) = (self.aligned(scale), other.aligned(scale));
        if self.negative == other.negative {
            Decimal::finite(self.negative, left.plus(&right), scale)
        } else if left.compare(&right).is_ge() {
            Decimal::finite(self.negative, left.minus(&right), scale)
        } else {
            Decimal::finite(other.negative, right.minus(&left), scale)
        }
    }

    /// The difference.
    pub fn minus(&self, other: &Decimal) -> Decimal {
        self.plus(&other.negate())
    }

    /// The product, with the scales added, as Postgres does up to its limit.
    pub fn times(&self, other: &Decimal) -> Decimal {
        let negative = self.negative != other.negative;
        match (self.kind, other.kind) {
            (Kind::Finite, Kind::Finite) => {}
            (Kind::NaN, _) | (_, Kind::NaN) => return Decimal::nan(),
            _ if self.is_zero() || other.is_zero() => return Decimal::nan(),
            _ => return Decimal::infinity(negative),
        }
        let digits = self.digits.times(&other.digits);
        let product = Decimal::finite(negative, digits, self.scale + other.scale);
        if product.scale > SCALE {
            product.rescale(SCALE)
        } else {
            product
        }
    }

    /// The place of the first group of four digits, and that group: Postgres' scales follow from them.
    pub(super) fn head(&self) -> (i64, u32) {
        let digits = self.digits.digits();
        if digits.is_empty() {
            return (0, 0);
        }
        let point = signed(digits.len()) - signed(self.scale);
        let weight = (point + 3).div_euclid(4) - 1;
        let count = usize::try_from(point - weight * 4).unwrap_or(1);
        let group: String = digits
            .bytes()
            .chain(std::iter::repeat(b'0'))
            .take(count)
            .map(char::from)
            .collect();
        (weight, group.parse().unwrap_or(0))
    }

    /// The quotient, with at least sixteen significant digits.
    pub fn over(&self, other: &Decimal) -> Result<Decimal, ByZero> {
        if let Some(special) = self.over_special(other)? {
            return Ok(special);
        }
        let ((weight, first), (by_weight, by_first)) = (self.head(), other.head());
        let weight = weight - by_weight - i64::from(first <= by_first);
        let scale = (SIGNIFICANT - weight * 4)
            .max(signed(self.scale))
            .max(signed(other.scale))
            .clamp(0, SCALE_MAX);
        Ok(self.over_at(other, usize::try_from(scale).unwrap_or(0)))
    }

    fn over_special(&self, other: &Decimal) -> Result<Option<Decimal>, ByZero> {
        Ok(match (self.kind, other.kind) {
            (Kind::NaN, _) | (_, Kind::NaN) => Some(Decimal::nan()),
            (Kind::Infinite, Kind::Infinite) => Some(Decimal::nan()),
            (_, Kind::Finite) if other.is_zero() => return Err(ByZero),
            (Kind::Infinite, Kind::Finite) => {
                Some(Decimal::infinity(self.negative != other.negative))
            }
            (Kind::Finite, Kind::Infinite) => Some(Decimal::int(0)),
            (Kind::Finite, Kind::Finite) => None,
        })
    }

    /// The quotient rounded to a scale. Both are finite, and `other` is not zero.
    pub(super) fn over_at(&self, other: &Decimal, scale: usize) -> Decimal {
        // One digit more than wanted decides how it is rounded.
        let (quotient, _) = self.divided(other, scale + 1);
        Decimal::finite(self.negative != other.negative, quotient, scale + 1).rescale(scale)
    }

    /// The digits of the quotient cut at a scale.
    fn divided(&self, other: &Decimal, scale: usize) -> (Natural, Natural) {
        let (dividend, divisor) = match (scale + other.scale).checked_sub(self.scale) {
            Some(shift) => (self.digits.shifted(shift), other.digits.clone()),
            None => {
                let shift = self.scale - scale - other.scale;
                (self.digits.clone(), other.digits.shifted(shift))
            }
        };
        dividend.divide(&divisor)
    }

    /// `div`: the quotient cut to an integer.
    pub fn quotient(&self, other: &Decimal) -> Result<Decimal, ByZero> {
        if let Some(special) = self.over_special(other)? {
            return Ok(special);
        }
        let (quotient, _) = self.divided(other, 0);
        Ok(Decimal::finite(
            self.negative != other.negative,
            quotient,
            0,
        ))
    }

    /// `%`: with the sign of the dividend.
    pub fn remainder(&self, other: &Decimal) -> Result<Decimal, ByZero> {
        match (self.kind, other.kind) {
            (Kind::NaN, _) | (_, Kind::NaN) => return Ok(Decimal::nan()),
            (_, Kind::Finite) if other.is_zero() => return Err(ByZero),
            (Kind::Infinite, _) => return Ok(Decimal::nan()),
            (Kind::Finite, Kind::Infinite) => return Ok(self.clone()),
            (Kind::Finite, Kind::Finite) => {}
        }
        let scale = self.scale.max(other.scale);
        let (_, rest) = self.aligned(scale).divide(&other.aligned(scale));
        Ok(Decimal::finite(self.negative, rest, scale))
    }

    /// Cut to a scale, toward zero.
    pub fn truncate(&self, scale: usize) -> Decimal {
        if !self.is_finite() || scale >= self.scale {
            return self.rescale(scale);
        }
        let (kept, _) = self.digits.cut(self.scale - scale);
        Decimal::finite(self.negative, kept, scale)
    }

    /// `round` and `trunc` to a place that may stand before the point.
    pub fn to_place(&self, place: i64, cut: bool) -> Decimal {
        if !self.is_finite() {
            return self.clone();
        }
        let place = place.clamp(-signed(super::WHOLE) - 1, signed(SCALE));
        if let Ok(scale) = usize::try_from(place) {
            return if cut {
                self.truncate(scale)
            } else {
                self.rescale(scale)
            };
        }
        let zeros = usize::try_from(-place).unwrap_or(0);
        let (kept, up) = self.digits.cut(self.scale + zeros);
        let kept = if up && !cut {
            kept.plus(&Natural::small(1))
        } else {
            kept
        };
        Decimal::finite(self.negative, kept.shifted(zeros), 0)
    }

    /// The next integer toward `-Infinity`.
    pub fn floor(&self) -> Decimal {
        let cut = self.truncate(0);
        if self.is_finite() && self.negative && cut.compare(self).is_ne() {
            return cut.minus(&Decimal::int(1));
        }
        cut
    }

    /// The next integer toward `Infinity`.
    pub fn ceil(&self) -> Decimal {
        self.negate().floor().negate()
    }

    /// The same without its sign.
    pub fn abs(&self) -> Decimal {
        if self.negative {
            self.negate()
        } else {
            self.clone()
        }
    }

    /// The least scale that loses nothing.
    pub fn min_scale(&self) -> usize {
        let digits = self.digits.digits();
        let zeros = digits.len() - digits.trim_end_matches('0').len();
        if digits.is_empty() {
            0
        } else {
            self.scale.saturating_sub(zeros)
        }
    }
}

pub(super) fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
