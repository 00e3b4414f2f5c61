//! Roots, powers, exponentials and logarithms, at the scales Postgres gives them.
//!
//! Each is worked out with more digits than are wanted, then rounded once.

use super::arithmetic::{SCALE_MAX, SIGNIFICANT, signed};
use super::{Decimal, Natural};
use std::f64::consts::LOG10_E;

/// Digits worked with beyond those wanted.
const GUARD: usize = 12;

/// From here on Postgres takes the exponential function for an overflow, or for nothing below zero. What is near takes a second.
const EXPONENT_MAX: f64 = 6_000.0;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undefined {
    /// Of a negative number: a root or a logarithm.
    Negative,
    /// The logarithm of zero.
    Zero,
    /// More digits than Postgres keeps.
    Overflow,
    /// `0 ^ -1`
    ZeroToNegative,
    /// `(-1) ^ 0.5`
    Complex,
    /// A division by zero: a logarithm to the base 1.
    ByZero,
}

fn scale(wanted: i64, least: &[usize]) -> usize {
    let least = least.iter().copied().max().unwrap_or(0);
    usize::try_from(wanted.max(signed(least)).clamp(0, SCALE_MAX)).unwrap_or(0)
}

/// A float cut to an integer, as C does it.
fn cut(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and NaN is 0")]
    {
        value as i64
    }
}

impl Decimal {
    /// `sqrt`
    pub fn root(&self) -> Result<Decimal, Undefined> {
        if self.negative {
            return Err(Undefined::Negative);
        }
        if !self.is_finite() {
            return Ok(self.clone());
        }
        let (weight, _) = self.head();
        let sweight = if weight >= 0 {
            weight * 2 + 1
        } else {
            1 - (1 - weight * 4) / 2
        };
        let scale = scale(SIGNIFICANT - sweight, &[self.scale]);
        Ok(self.root_at(scale))
    }

    fn root_at(&self, scale: usize) -> Decimal {
        let shift = (scale + 1) * 2;
        let digits = match shift.checked_sub(self.scale) {
            Some(shift) => self.digits.shifted(shift),
            None => self.digits.cut(self.scale - shift).0,
        };
        Decimal::finite(false, digits.root(), scale + 1).rescale(scale)
    }

    /// `exp`
    pub fn exp(&self) -> Result<Decimal, Undefined> {
        if self.is_nan() {
            return Ok(self.clone());
        }
        if !self.is_finite() {
            return Ok(if self.negative {
                Decimal::int(0)
            } else {
                self.clone()
            });
        }
        let value = self.to_f64();
        if value >= EXPONENT_MAX {
            return Err(Undefined::Overflow);
        }
        let weight = (value * LOG10_E).max(-2000.0);
        let scale = scale(SIGNIFICANT - cut(weight), &[self.scale]);
        if value <= -EXPONENT_MAX {
            return Ok(Decimal::finite(false, Natural::default(), scale));
        }
        Ok(self.exp_at(scale))
    }

    /// By its series, of an argument made small by halving and squared back.
    fn exp_at(&self, scale: usize) -> Decimal {
        let weight = self.to_f64() * LOG10_E;
        let whole = usize::try_from(cut(weight).max(0)).unwrap_or(0);
        let mut halvings = 0_u32;
        let mut size = self.to_f64().abs();
        while size > 0.01 && halvings < 64 {
            size /= 2.0;
            halvings += 1;
        }
        let digits = scale + whole + GUARD + halvings as usize;
        let factor = Decimal::finite(
            false,
            Natural::small(2_u64.saturating_pow(halvings.min(63))),
            0,
        );
        let x = self.over_at(&factor, digits);
        let mut sum = Decimal::int(1).rescale(digits);
        let mut term = sum.clone();
        for n in 1_i64.. {
            term = term
                .times(&x)
                .rescale(digits)
                .over_at(&Decimal::int(n), digits);
            if term.is_zero() {
                break;
            }
            sum = sum.plus(&term);
        }
        for _ in 0..halvings {
            sum = sum.times(&sum).rescale(digits);
        }
        sum.rescale(scale)
    }

    /// The decimal weight of the logarithm, as Postgres guesses it.
    fn ln_weight(&self) -> i64 {
        if self.negative || self.is_zero() {
            return 0;
        }
        let near = |low: &str, high: &str| {
            let bound = |text| Decimal::parse(text).unwrap_or_else(Decimal::nan);
            self.compare(&bound(low)).is_ge() && self.compare(&bound(high)).is_le()
        };
        if near("0.9", "1.1") {
            let off = self.minus(&Decimal::int(1));
            if off.is_zero() {
                return 0;
            }
            let (weight, first) = off.head();
            return weight * 4 + i64::from(first.max(1).ilog10());
        }
        let (weight, first) = self.head();
        let digits = self.digits.digits();
        let count = first.max(1).ilog10() as usize + 1;
        let (mut head, mut power) = (f64::from(first), weight * 4);
        if digits.trim_end_matches('0').len() > count {
            let next: String = digits
                .bytes()
                .chain(std::iter::repeat(b'0'))
                .skip(count)
                .take(4)
                .map(char::from)
                .collect();
            head = head * 10_000.0 + next.parse::<f64>().unwrap_or(0.0);
            power -= 4;
        }
        let ln = head.ln() + power as f64 * std::f64::consts::LN_10;
        cut(ln.abs().log10())
    }

    fn log_argument(&self) -> Result<(), Undefined> {
        match () {
            () if self.negative => Err(Undefined::Negative),
            () if self.is_zero() => Err(Undefined::Zero),
            () => Ok(()),
        }
    }

    /// `ln`
    pub fn ln(&self) -> Result<Decimal, Undefined> {
        if self.is_nan() {
            return Ok(self.clone());
        }
        self.log_argument()?;
        if !self.is_finite() {
            return Ok(self.clone());
        }
        Ok(self.ln_at(scale(SIGNIFICANT - self.ln_weight(), &[self.scale])))
    }

    /// By the series of the inverse hyperbolic tangent, of an argument brought near to 1 by taking roots.
    fn ln_at(&self, scale: usize) -> Decimal {
        let one = Decimal::int(1);
        let point = self.digits.length().abs_diff(self.scale);
        let digits = scale + GUARD + 8 + point;
        let mut x = self.rescale(digits.max(self.scale));
        let mut roots = 0_u32;
        let bound = |text| Decimal::parse(text).unwrap_or_else(Decimal::nan);
        let (low, high) = (bound("0.9"), bound("1.1"));
        while x.compare(&low).is_lt() || x.compare(&high).is_gt() {
            x = x.root_at(digits + 8);
            roots += 1;
        }
        let digits = digits + 8;
        let ratio = x.minus(&one).over_at(&x.plus(&one), digits);
        let square = ratio.times(&ratio).rescale(digits);
        let mut power = ratio.clone();
        let mut sum = ratio;
        for n in (3_i64..).step_by(2) {
            power = power.times(&square).rescale(digits);
            let term = power.over_at(&Decimal::int(n), digits);
            if term.is_zero() {
                break;
            }
            sum = sum.plus(&term);
        }
        let factor = Natural::small(2_u64.saturating_pow(roots.min(62) + 1));
        sum.times(&Decimal::finite(false, factor, 0)).rescale(scale)
    }

    /// `log(base, self)`
    pub fn log(&self, base: &Decimal) -> Result<Decimal, Undefined> {
        if self.is_nan() || base.is_nan() {
            return Ok(Decimal::nan());
        }
        base.log_argument()?;
        self.log_argument()?;
        if base.is_finite() && base.compare(&Decimal::int(1)).is_eq() {
            return Err(Undefined::ByZero);
        }
        match (self.is_finite(), base.is_finite()) {
            (false, false) => return Ok(Decimal::nan()),
            (false, true) => return Ok(Decimal::infinity(base.compare(&Decimal::int(1)).is_lt())),
            (true, false) => return Ok(Decimal::int(0)),
            (true, true) => {}
        }
        let (num_weight, base_weight) = (self.ln_weight(), base.ln_weight());
        let weight = num_weight - base_weight;
        let scale = scale(SIGNIFICANT - weight, &[base.scale, self.scale]);
        let digits = |own: i64| {
            usize::try_from((signed(scale) + weight.abs() - own).max(0) + 24).unwrap_or(0)
        };
        let (num, base) = (
            self.ln_at(digits(num_weight)),
            base.ln_at(digits(base_weight)),
        );
        if base.is_zero() {
            return Err(Undefined::ByZero);
        }
        Ok(num.over_at(&base, scale))
    }

    /// `^`
    pub fn power(&self, exponent: &Decimal) -> Result<Decimal, Undefined> {
        let one = Decimal::int(1);
        if self.is_nan() {
            return Ok(if exponent.is_zero() {
                one
            } else {
                Decimal::nan()
            });
        }
        if exponent.is_nan() {
            return Ok(if self.compare(&one).is_eq() {
                one
            } else {
                Decimal::nan()
            });
        }
        if self.is_zero() && exponent.negative {
            return Err(Undefined::ZeroToNegative);
        }
        let integral = exponent.truncate(0).compare(exponent).is_eq();
        if self.negative && exponent.is_finite() && !integral {
            return Err(Undefined::Complex);
        }
        if !self.is_finite() || !exponent.is_finite() {
            return Ok(self.power_special(exponent, integral));
        }
        if integral && let Some(int) = exponent.to_i64().and_then(|int| i32::try_from(int).ok()) {
            return self.power_int(i64::from(int));
        }
        if self.is_zero() {
            return Ok(Decimal::finite(false, Natural::default(), 16));
        }
        let negative = self.negative && exponent.is_odd();
        let base = self.abs();
        let rough = base.ln_at(20).times(exponent).to_f64();
        if rough >= EXPONENT_MAX {
            return Err(Undefined::Overflow);
        }
        let weight = rough * LOG10_E;
        if weight + 1.0 < -1000.0 {
            return Ok(Decimal::finite(false, Natural::default(), 1000));
        }
        let scale = scale(SIGNIFICANT - cut(weight), &[base.scale, exponent.scale]);
        let whole = usize::try_from(cut(weight).max(0)).unwrap_or(0);
        let digits = scale + whole + exponent.whole_digits() + GUARD;
        let result = base
            .ln_at(digits)
            .times(exponent)
            .rescale(digits)
            .exp_at(scale);
        Ok(if negative { result.negate() } else { result })
    }

    fn is_odd(&self) -> bool {
        self.digits.cut(self.scale).0.is_odd()
    }

    fn power_special(&self, exponent: &Decimal, integral: bool) -> Decimal {
        let one = Decimal::int(1);
        if exponent.is_zero() || self.compare(&one).is_eq() {
            return one;
        }
        if exponent.is_finite() {
            // An infinity to a finite power.
            return match (exponent.negative, self.negative) {
                (true, _) => Decimal::int(0),
                (false, true) => Decimal::infinity(integral && exponent.is_odd()),
                (false, false) => Decimal::infinity(false),
            };
        }
        if self.is_finite() && self.abs().compare(&one).is_eq() {
            return one;
        }
        let grows = !self.is_finite() || self.abs().compare(&one).is_gt();
        if grows == exponent.negative {
            Decimal::int(0)
        } else {
            Decimal::infinity(false)
        }
    }

    fn power_int(&self, exponent: i64) -> Result<Decimal, Undefined> {
        let weight = if self.is_zero() {
            0.0
        } else {
            let digits = self.digits.digits();
            let head = &digits[..digits.len().min(16)];
            let power = signed(digits.len() - head.len()) - signed(self.scale);
            exponent as f64 * (head.parse::<f64>().unwrap_or(1.0).log10() + power as f64)
        };
        if weight > signed(super::WHOLE) as f64 {
            return Err(Undefined::Overflow);
        }
        let scale = scale(SIGNIFICANT, &[self.scale]);
        if weight + 10.0 < -(signed(scale) as f64) {
            return Ok(Decimal::finite(false, Natural::default(), scale));
        }
        // Exact, unless that would be too long: then with all the digits the result shows, and some more.
        let whole = usize::try_from(cut(weight.abs())).unwrap_or(0);
        let digits = scale + whole + GUARD + 10;
        let mut result = Decimal::int(1);
        let mut square = self.clone();
        let mut left = exponent.unsigned_abs();
        while left > 0 {
            if left % 2 == 1 {
                result = result.times(&square).shortened(digits);
            }
            left /= 2;
            if left > 0 {
                square = square.times(&square).shortened(digits);
            }
        }
        if exponent < 0 {
            return Ok(Decimal::int(1).over_at(&result, scale));
        }
        Ok(result.rescale(scale))
    }

    /// Rounded to so many significant digits, if it has more.
    fn shortened(self, digits: usize) -> Decimal {
        match self.digits.length().checked_sub(digits) {
            Some(extra @ 1..) if self.scale >= extra => self.rescale(self.scale - extra),
            _ => self,
        }
    }
}
