//! Natural numbers of any length: limbs of nine decimal digits, the least first, no zeros at the end.

use std::cmp::Ordering;

const BASE: u64 = 1_000_000_000;
/// Decimal digits in a limb.
const DIGITS: usize = 9;

/// A natural number.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Natural(Vec<u32>);

/// The remainder of a division by the base, which fits a limb.
fn low(value: u64) -> u32 {
    u32::try_from(value % BASE).unwrap_or(0)
}

impl Natural {
    pub fn small(value: u64) -> Natural {
        Natural(vec![
            low(value),
            low(value / BASE),
            low(value / BASE / BASE),
        ])
        .normal()
    }

    /// Digits 0 to 9 in ASCII, the most significant first.
    pub fn from_digits(digits: &[u8]) -> Natural {
        let limbs = digits
            .rchunks(DIGITS)
            .map(|chunk| {
                chunk
                    .iter()
                    .fold(0, |limb, digit| limb * 10 + u32::from(digit - b'0'))
            })
            .collect();
        Natural(limbs).normal()
    }

    /// Its decimal digits, none for zero.
    pub fn digits(&self) -> String {
        let mut out = String::with_capacity(self.0.len() * DIGITS);
        for (index, limb) in self.0.iter().rev().enumerate() {
            if index == 0 {
                out.push_str(&limb.to_string());
            } else {
                out.push_str(&format!("{limb:09}"));
            }
        }
        out
    }

    fn normal(mut self) -> Natural {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    pub fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    pub fn is_odd(&self) -> bool {
        self.0.first().is_some_and(|limb| limb % 2 == 1)
    }

    /// How many decimal digits it has; none for zero.
    pub fn length(&self) -> usize {
        self.0.last().map_or(0, |top| {
            (self.0.len() - 1) * DIGITS + 1 + top.ilog10() as usize
        })
    }

    /// If it fits.
    pub fn to_u64(&self) -> Option<u64> {
        self.0.iter().rev().try_fold(0_u64, |value, limb| {
            value.checked_mul(BASE)?.checked_add(u64::from(*limb))
        })
    }

    pub fn compare(&self, other: &Natural) -> Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    pub fn plus(&self, other: &Natural) -> Natural {
        let mut out = Vec::with_capacity(self.0.len().max(other.0.len()) + 1);
        let mut carry = 0;
        for at in 0..self.0.len().max(other.0.len()) {
            let sum = carry + u64::from(self.limb(at)) + u64::from(other.limb(at));
            out.push(low(sum));
            carry = sum / BASE;
        }
        out.push(low(carry));
        Natural(out).normal()
    }

    /// The difference; `other` is not the greater.
    pub fn minus(&self, other: &Natural) -> Natural {
        let mut out = Vec::with_capacity(self.0.len());
        let mut borrow = 0;
        for at in 0..self.0.len() {
            let take = u64::from(other.limb(at)) + borrow;
            let have = u64::from(self.limb(at));
            borrow = u64::from(have < take);
            out.push(low(have + borrow * BASE - take));
        }
        Natural(out).normal()
    }

    fn limb(&self, at: usize) -> u32 {
        self.0.get(at).copied().unwrap_or(0)
    }

    pub fn times(&self, other: &Natural) -> Natural {
        let mut out = vec![0_u32; self.0.len() + other.0.len() + 1];
        for (i, left) in self.0.iter().enumerate() {
            let mut carry = 0_u64;
            for (j, right) in other.0.iter().enumerate() {
                let sum = u64::from(out[i + j]) + u64::from(*left) * u64::from(*right) + carry;
                out[i + j] = low(sum);
                carry = sum / BASE;
            }
            out[i + other.0.len()] = low(carry);
        }
        Natural(out).normal()
    }

    pub fn times_small(&self, factor: u32) -> Natural {
        self.times(&Natural::small(u64::from(factor)))
    }

    /// Times ten to the `power`.
    pub fn shifted(&self, power: usize) -> Natural {
        if self.is_zero() {
            return Natural::default();
        }
        let mut limbs = vec![0; power / DIGITS];
        limbs.extend(&self.0);
        let shifted = Natural(limbs);
        match power % DIGITS {
            0 => shifted,
            rest => shifted.times_small(10_u32.pow(u32::try_from(rest).unwrap_or(0))),
        }
    }

    /// Without its last `count` digits, and whether the first of those is 5 or more.
    pub fn cut(&self, count: usize) -> (Natural, bool) {
        if count == 0 {
            return (self.clone(), false);
        }
        let digits = self.digits();
        match digits.len().checked_sub(count) {
            Some(keep) => (
                Natural::from_digits(&digits.as_bytes()[..keep]),
                digits.as_bytes()[keep] >= b'5',
            ),
            None => (Natural::default(), false),
        }
    }

    /// Quotient and remainder (Knuth, volume 2, algorithm D). `by` is not zero.
    pub fn divide(&self, by: &Natural) -> (Natural, Natural) {
        if self.compare(by).is_lt() {
            return (Natural::default(), self.clone());
        }
        if let [only] = by.0[..] {
            let only = u64::from(only);
            let mut rest = 0;
            let mut out = vec![0; self.0.len()];
            for (at, limb) in self.0.iter().enumerate().rev() {
                let value = rest * BASE + u64::from(*limb);
                out[at] = low(value / only);
                rest = value % only;
            }
            return (Natural(out).normal(), Natural::small(rest));
        }
        // Scaled so that the divisor's first limb is at least half the base, which keeps the guesses near.
        let top = by.0.last().copied().unwrap_or(1);
        let scale = u32::try_from(BASE / (u64::from(top) + 1)).unwrap_or(1);
        let divisor = by.times_small(scale);
        let mut rest = self.times_small(scale).0;
        rest.resize(self.0.len() + 1, 0);
        let size = divisor.0.len();
        let first = u64::from(divisor.0[size - 1]);
        let second = u64::from(divisor.0[size - 2]);
        let mut out = vec![0; rest.len() - size];
        for at in (0..out.len()).rev() {
            let head = u64::from(rest[at + size]) * BASE + u64::from(rest[at + size - 1]);
            let mut guess = head / first;
            let mut left = head % first;
            while guess >= BASE
                || u128::from(guess) * u128::from(second)
                    > u128::from(left) * u128::from(BASE) + u128::from(rest[at + size - 2])
            {
                guess -= 1;
                left += first;
                if left >= BASE {
                    break;
                }
            }
            let mut borrow = 0_u64;
            for (index, limb) in divisor.0.iter().enumerate() {
                let take = guess * u64::from(*limb) + borrow;
                let have = u64::from(rest[at + index]);
                let short = take.saturating_sub(have).div_ceil(BASE);
                rest[at + index] = low(have + short * BASE - take);
                borrow = short;
            }
            let have = u64::from(rest[at + size]);
            if have < borrow {
                // The guess was one too high: the divisor is added back.
                guess -= 1;
                let mut carry = 0;
                for (index, limb) in divisor.0.iter().enumerate() {
                    let sum = u64::from(rest[at + index]) + u64::from(*limb) + carry;
                    rest[at + index] = low(sum);
                    carry = sum / BASE;
                }
                rest[at + size] = low(have + BASE - borrow + carry);
            } else {
                rest[at + size] = low(have - borrow);
            }
            out[at] = low(guess);
        }
        rest.truncate(size);
        let rest = Natural(rest).normal();
        let (rest, _) = rest.divide(&Natural::small(u64::from(scale)));
        (Natural(out).normal(), rest)
    }

    /// The greatest natural whose square is not greater (Newton's method, from above).
    pub fn root(&self) -> Natural {
        if self.is_zero() {
            return Natural::default();
        }
        let mut guess = Natural::small(1).shifted(self.length().div_ceil(2));
        loop {
            let (quotient, _) = self.divide(&guess);
            let (next, _) = guess.plus(&quotient).divide(&Natural::small(2));
            if next.compare(&guess).is_ge() {
                return guess;
            }
            guess = next;
        }
    }
}
