//! Exact decimals, as Postgres' `numeric` keeps them: any number of digits, the scale remembered.

mod arithmetic;
mod natural;
mod powers;

pub use powers::Undefined;

use natural::Natural;
use std::cmp::Ordering;

/// Digits before the point that Postgres allows.
const WHOLE: usize = 131_072;
/// Digits after it.
const SCALE: usize = 16_383;

/// A decimal, `NaN`, or an infinity.
#[derive(Clone, Debug)]
pub struct Decimal {
    kind: Kind,
    negative: bool,
    /// The digits without their point.
    digits: Natural,
    /// How many of the digits stand after the point.
    scale: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Finite,
    Infinite,
    NaN,
}

/// Why a text is no decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is none.
    Syntax,
    /// It has more digits than Postgres keeps.
    Overflow,
}

/// By value: the scale does not count.
impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.compare(other).is_eq()
    }
}

impl Eq for Decimal {}

impl Decimal {
    fn special(kind: Kind, negative: bool) -> Decimal {
        Decimal {
            kind,
            negative,
            digits: Natural::default(),
            scale: 0,
        }
    }

    /// `NaN`
    pub fn nan() -> Decimal {
        Decimal::special(Kind::NaN, false)
    }

    fn infinity(negative: bool) -> Decimal {
        Decimal::special(Kind::Infinite, negative)
    }

    fn finite(negative: bool, digits: Natural, scale: usize) -> Decimal {
        Decimal {
            kind: Kind::Finite,
            negative: negative && !digits.is_zero(),
            digits,
            scale,
        }
    }

    /// Reads `[+-]digits[.digits][e[+-]digits]`, `NaN` or an infinity.
    pub fn parse(text: &str) -> Option<Decimal> {
        Decimal::read(text).ok()
    }

    /// As [`parse`](Self::parse), saying why not.
    pub fn read(text: &str) -> Result<Decimal, Fault> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if text.eq_ignore_ascii_case("nan") {
            return Ok(Decimal::nan());
        }
        let (negative, rest) = match text.as_bytes().first().ok_or(Fault::Syntax)? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity") {
            return Ok(Decimal::infinity(negative));
        }
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => {
                let exponent = &rest[at + 1..];
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(Fault::Syntax);
                }
                let exponent = exponent.parse::<i64>().map_err(|_| Fault::Syntax)?;
                if exponent.abs() >= i64::from(i32::MAX / 2) {
                    return Err(Fault::Syntax);
                }
                (&rest[..at], exponent)
            }
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.len() + fraction.len() == 0
            || !whole
                .bytes()
                .chain(fraction.bytes())
                .all(|byte| byte.is_ascii_digit())
        {
            return Err(Fault::Syntax);
        }
        let digits = if fraction.is_empty() {
            Natural::from_digits(whole.as_bytes())
        } else {
            Natural::from_digits([whole, fraction].concat().as_bytes())
        };
        let scale = i64::try_from(fraction.len()).unwrap_or(i64::MAX) - exponent;
        let Ok(scale) = usize::try_from(scale) else {
            let zeros = usize::try_from(-scale).unwrap_or(usize::MAX);
            if !digits.is_zero() && zeros > WHOLE {
                return Err(Fault::Overflow);
            }
            return Decimal::finite(negative, digits.shifted(zeros.min(WHOLE)), 0).checked();
        };
        if scale > SCALE {
            return Err(Fault::Overflow);
        }
        Decimal::finite(negative, digits, scale).checked()
    }

    /// Whether Postgres could keep it.
    fn checked(self) -> Result<Decimal, Fault> {
        if self.whole_digits() > WHOLE {
            Err(Fault::Overflow)
        } else {
            Ok(self)
        }
    }

    /// An integer.
    pub fn int(value: i64) -> Decimal {
        Decimal::finite(value < 0, Natural::small(value.unsigned_abs()), 0)
    }

    /// Whether it is `NaN`.
    pub fn is_nan(&self) -> bool {
        self.kind == Kind::NaN
    }

    /// Whether it is a number, not `NaN` and not infinite.
    pub fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.is_finite() && self.digits.is_zero()
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Digits after the point.
    pub fn scale(&self) -> usize {
        self.scale
    }

    /// Appends it as Postgres prints it.
    pub fn print(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        match self.kind {
            Kind::NaN => return out.push_str("NaN"),
            Kind::Infinite => return out.push_str("Infinity"),
            Kind::Finite => {}
        }
        let digits = self.digits.digits();
        match digits.len().checked_sub(self.scale) {
            None | Some(0) => out.push('0'),
            Some(whole) => out.push_str(&digits[..whole]),
        }
        if self.scale > 0 {
            out.push('.');
            let zeros = self.scale.saturating_sub(digits.len());
            out.extend(std::iter::repeat_n('0', zeros));
            out.push_str(&digits[digits.len().saturating_sub(self.scale)..]);
        }
    }

    /// By value; the scale does not count, and `NaN` is above all, as in Postgres.
    pub fn compare(&self, other: &Decimal) -> Ordering {
        let rank = |decimal: &Decimal| match (decimal.kind, decimal.negative) {
            (Kind::Infinite, true) => 0,
            (Kind::Finite, _) => 1,
            (Kind::Infinite, false) => 2,
            (Kind::NaN, _) => 3,
        };
        if !self.is_finite() || !other.is_finite() {
            return rank(self).cmp(&rank(other));
        }
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }

    fn magnitude(&self, other: &Decimal) -> Ordering {
        if self.scale == other.scale {
            return self.digits.compare(&other.digits);
        }
        if self.digits.is_zero() || other.digits.is_zero() {
            return other.digits.is_zero().cmp(&self.digits.is_zero());
        }
        let point = |decimal: &Decimal| (decimal.digits.length() + SCALE * 2) - decimal.scale;
        point(self).cmp(&point(other)).then_with(|| {
            let scale = self.scale.max(other.scale);
            self.aligned(scale).compare(&other.aligned(scale))
        })
    }

    /// The digits at a scale that is not smaller than its own.
    fn aligned(&self, scale: usize) -> Natural {
        self.digits.shifted(scale - self.scale)
    }

    /// Rounded half away from zero to `scale` digits after the point, or padded to them.
    pub fn rescale(&self, scale: usize) -> Decimal {
        if !self.is_finite() {
            return self.clone();
        }
        if scale >= self.scale {
            return Decimal::finite(self.negative, self.aligned(scale), scale);
        }
        let (kept, up) = self.digits.cut(self.scale - scale);
        let kept = if up {
            kept.plus(&Natural::small(1))
        } else {
            kept
        };
        Decimal::finite(self.negative, kept, scale)
    }

    /// Digits before the point, leading zeros not counted.
    pub fn whole_digits(&self) -> usize {
        self.digits.length().saturating_sub(self.scale)
    }

    /// Whether it has more digits than Postgres keeps.
    pub fn is_too_long(&self) -> bool {
        self.whole_digits() > WHOLE
    }

    /// Where the first digit stands: 1 for 1 to 9, 0 for tenths.
    pub fn point(&self) -> i64 {
        arithmetic::signed(self.digits.length()) - arithmetic::signed(self.scale)
    }

    /// With the other sign.
    pub fn negate(&self) -> Decimal {
        let mut out = self.clone();
        out.negative = !out.negative && !out.is_zero() && !out.is_nan();
        out
    }

    /// As an integer, if it is one that fits.
    pub fn to_i64(&self) -> Option<i64> {
        if !self.is_finite() {
            return None;
        }
        let (whole, _) = self.digits.cut(self.scale);
        let value = i128::from(whole.to_u64()?);
        i64::try_from(if self.negative { -value } else { value }).ok()
    }

    /// The nearest float; infinite if there is none.
    pub fn to_f64(&self) -> f64 {
        let mut text = String::new();
        self.print(&mut text);
        text.parse().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(decimal: &Decimal) -> String {
        let mut out = String::new();
        decimal.print(&mut out);
        out
    }

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect(text)
    }

    #[test]
    fn what_is_read_is_printed_as_postgres_prints_it() {
        for (text, printed) in [
            ("1", "1"),
            ("001.50", "1.50"),
            ("-0.0", "0.0"),
            ("1e3", "1000"),
            ("1.5e-3", "0.0015"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-12.30", "-12.30"),
            ("nan", "NaN"),
            ("-inf", "-Infinity"),
            ("0.1e1", "1"),
            (
                "12345678901234567890.123456789012345678901",
                "12345678901234567890.123456789012345678901",
            ),
        ] {
            assert_eq!(shown(&decimal(text)), printed, "{text}");
        }
        for text in [
            "", "-", "1.2.3", "1e", "e1", "0x10", "1e999999", "--1", "1 2",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        for (text, scale, printed) in [
            ("1.005", 2, "1.01"),
            ("-1.005", 2, "-1.01"),
            ("9.995", 2, "10.00"),
            ("0.4", 0, "0"),
            ("0.5", 0, "1"),
            ("1", 2, "1.00"),
            ("99.99", 0, "100"),
            ("0.001", 1, "0.0"),
        ] {
            assert_eq!(
                shown(&decimal(text).rescale(scale)),
                printed,
                "{text} to {scale}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn arithmetic_agrees_with_integers(left in -1_000_000_000_000_i128..1_000_000_000_000, right in -1_000_000_000_000_i128..1_000_000_000_000) {
            let (a, b) = (decimal(&left.to_string()), decimal(&right.to_string()));
            proptest::prop_assert_eq!(shown(&a.plus(&b)), (left + right).to_string());
            proptest::prop_assert_eq!(shown(&a.plus(&b.negate())), (left - right).to_string());
            proptest::prop_assert_eq!(shown(&a.times(&b)), (left * right).to_string());
            proptest::prop_assert_eq!(a.compare(&b), left.cmp(&right));
        }

        #[test]
        fn a_quotient_and_its_remainder_make_the_dividend(left in "[1-9][0-9]{0,60}", right in "[1-9][0-9]{0,40}") {
            let (a, b) = (decimal(&left), decimal(&right));
            let quotient = a.quotient(&b).expect("not zero");
            let rest = a.remainder(&b).expect("not zero");
            proptest::prop_assert!(rest.compare(&b).is_lt());
            proptest::prop_assert_eq!(shown(&quotient.times(&b).plus(&rest)), left);
        }
    }
}
