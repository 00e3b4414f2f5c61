//! Exact decimals, as Postgres' `numeric` keeps them: any number of digits, the scale remembered.

use std::cmp::Ordering;

/// Digits before the point that Postgres allows.
const WHOLE: usize = 131_072;
/// Digits after it.
const SCALE: usize = 16_383;

/// A finite decimal, or `NaN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Decimal digits 0 to 9, most significant first, without leading zeros beyond the scale.
    digits: Vec<u8>,
    /// How many of the digits stand after the point.
    scale: usize,
    nan: bool,
}

impl Decimal {
    /// Reads `[+-]digits[.digits][e[+-]digits]` or `NaN`; none if it is neither or too long.
    pub fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if text.eq_ignore_ascii_case("nan") {
            return Some(Decimal {
                negative: false,
                digits: Vec::new(),
                scale: 0,
                nan: true,
            });
        }
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => {
                let exponent = &rest[at + 1..];
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return None;
                }
                (&rest[..at], exponent.parse::<i64>().ok()?)
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
            return None;
        }
        let mut digits: Vec<u8> = whole
            .bytes()
            .chain(fraction.bytes())
            .map(|byte| byte - b'0')
            .collect();
        let mut scale = i64::try_from(fraction.len()).ok()? - exponent;
        if scale < 0 {
            let zeros = usize::try_from(-scale)
                .ok()
                .filter(|zeros| *zeros <= WHOLE)?;
            digits.extend(std::iter::repeat_n(0, zeros));
            scale = 0;
        }
        let scale = usize::try_from(scale)
            .ok()
            .filter(|scale| *scale <= SCALE)?;
        let decimal = Decimal {
            negative,
            digits,
            scale,
            nan: false,
        }
        .normal();
        (decimal.digits.len().saturating_sub(decimal.scale) <= WHOLE).then_some(decimal)
    }

    /// Whether it is `NaN`.
    pub fn is_nan(&self) -> bool {
        self.nan
    }

    /// Leading zeros go, digits for the scale stay, zero has no sign.
    fn normal(mut self) -> Decimal {
        if self.digits.len() < self.scale {
            let missing = self.scale - self.digits.len();
            self.digits.splice(0..0, std::iter::repeat_n(0, missing));
        }
        let leading = self
            .digits
            .iter()
            .take(self.digits.len() - self.scale)
            .take_while(|digit| **digit == 0)
            .count();
        self.digits.drain(..leading);
        if self.digits.iter().all(|digit| *digit == 0) {
            self.negative = false;
        }
        self
    }

    /// Appends it as Postgres prints it.
    pub fn print(&self, out: &mut String) {
        if self.nan {
            out.push_str("NaN");
            return;
        }
        if self.negative {
            out.push('-');
        }
        let (whole, fraction) = self.digits.split_at(self.digits.len() - self.scale);
        if whole.is_empty() {
            out.push('0');
        }
        out.extend(whole.iter().map(|digit| char::from(digit + b'0')));
        if !fraction.is_empty() {
            out.push('.');
            out.extend(fraction.iter().map(|digit| char::from(digit + b'0')));
        }
    }

    /// By value; the scale does not count, and `NaN` is above all, as in Postgres.
    pub fn compare(&self, other: &Decimal) -> Ordering {
        match (self.nan, other.nan) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Greater,
            (false, true) => return Ordering::Less,
            (false, false) => {}
        }
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }

    fn magnitude(&self, other: &Decimal) -> Ordering {
        let (left, right) = (
            self.digits.len() - self.scale,
            other.digits.len() - other.scale,
        );
        if left != right {
            return left.cmp(&right);
        }
        let length = self.digits.len().max(other.digits.len());
        let digit = |decimal: &Decimal, at: usize| decimal.digits.get(at).copied().unwrap_or(0);
        (0..length)
            .map(|at| digit(self, at).cmp(&digit(other, at)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Rounded half away from zero to `scale` digits after the point, or padded to them.
    pub fn rescale(&self, scale: usize) -> Decimal {
        if self.nan {
            return self.clone();
        }
        let mut out = self.clone();
        if scale >= out.scale {
            out.digits.extend(std::iter::repeat_n(0, scale - out.scale));
            out.scale = scale;
            return out.normal();
        }
        let keep = out.digits.len() - (out.scale - scale);
        let up = out.digits[keep] >= 5;
        out.digits.truncate(keep);
        out.scale = scale;
        if up {
            out.digits = add(&out.digits, &[1]);
        }
        out.normal()
    }

    /// Digits before the point, leading zeros not counted.
    pub fn whole_digits(&self) -> usize {
        self.digits.len() - self.scale
    }

    /// With the other sign.
    pub fn negate(&self) -> Decimal {
        let mut out = self.clone();
        out.negative = !out.negative;
        if out.nan { out } else { out.normal() }
    }

    /// The sum, with the larger scale.
    pub fn plus(&self, other: &Decimal) -> Decimal {
        if self.nan || other.nan {
            return Decimal {
                nan: true,
                negative: false,
                digits: Vec::new(),
                scale: 0,
            };
        }
        let scale = self.scale.max(other.scale);
        let (left, right) = (self.rescale(scale), other.rescale(scale));
        let (negative, digits) = if left.negative == right.negative {
            (left.negative, add(&left.digits, &right.digits))
        } else if left.magnitude(&right).is_ge() {
            (left.negative, subtract(&left.digits, &right.digits))
        } else {
            (right.negative, subtract(&right.digits, &left.digits))
        };
        Decimal {
            negative,
            digits,
            scale,
            nan: false,
        }
        .normal()
    }

    /// The product, with the scales added, as Postgres does up to its limit.
    pub fn times(&self, other: &Decimal) -> Decimal {
        if self.nan || other.nan {
            return Decimal {
                nan: true,
                negative: false,
                digits: Vec::new(),
                scale: 0,
            };
        }
        let mut sums = vec![0_u32; self.digits.len() + other.digits.len()];
        for (i, left) in self.digits.iter().rev().enumerate() {
            let mut carry = 0;
            for (j, right) in other.digits.iter().rev().enumerate() {
                let sum = sums[i + j] + u32::from(*left) * u32::from(*right) + carry;
                sums[i + j] = sum % 10;
                carry = sum / 10;
            }
            let end = i + other.digits.len();
            if carry > 0 {
                sums[end] += carry;
            }
        }
        let digits = sums
            .iter()
            .rev()
            .map(|digit| u8::try_from(*digit % 10).unwrap_or(0))
            .collect();
        let product = Decimal {
            negative: self.negative != other.negative,
            digits,
            scale: self.scale + other.scale,
            nan: false,
        };
        if product.scale > SCALE {
            product.normal().rescale(SCALE)
        } else {
            product.normal()
        }
    }
}

/// Adds digit strings aligned at their ends.
fn add(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(left.len().max(right.len()) + 1);
    let mut carry = 0;
    let (mut left, mut right) = (left.iter().rev(), right.iter().rev());
    loop {
        let sum = match (left.next(), right.next()) {
            (None, None) if carry == 0 => break,
            (a, b) => a.copied().unwrap_or(0) + b.copied().unwrap_or(0) + carry,
        };
        out.push(sum % 10);
        carry = sum / 10;
    }
    out.reverse();
    out
}

/// Subtracts digit strings aligned at their ends; the left one is not the smaller.
fn subtract(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(left.len());
    let mut borrow = 0;
    let mut right = right.iter().rev();
    for digit in left.iter().rev() {
        let take = right.next().copied().unwrap_or(0) + borrow;
        borrow = u8::from(*digit < take);
        out.push(digit + 10 * borrow - take);
    }
    out.reverse();
    out
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
    }
}
