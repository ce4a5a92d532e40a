//! Sums of money, exact to 10^-18 of their currency.

use std::fmt;

use crate::rate::{decimal, divide};

/// Digits behind the point: three more than a rate has, for a region's factor in thousandths.
const DIGITS: u32 = 18;

/// A currency by its three letters (ISO 4217).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency of all rows that say no other.
    pub const USD: Currency = Currency(*b"USD");

    /// Three capital letters.
    pub fn parse(text: &str) -> Option<Currency> {
        let letters: [u8; 3] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Currency(letters))
    }

    /// Its letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

crate::as_text::as_text!(Currency, Currency::to_string, Currency::parse);

/// An amount. Nothing is rounded in it; [`Money::rounded`] rounds, for whoever shows or bills it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    /// In which currency.
    pub currency: Currency,
    /// 10^-18 of it.
    pub atto: u128,
}

impl Default for Currency {
    fn default() -> Currency {
        Currency::USD
    }
}

impl Money {
    /// Nothing.
    pub const fn zero(currency: Currency) -> Money {
        Money { currency, atto: 0 }
    }

    /// The sum; none of two currencies, and none that does not fit.
    pub fn checked_add(self, other: Money) -> Option<Money> {
        if self.currency != other.currency {
            return None;
        }
        Some(Money { currency: self.currency, atto: self.atto.checked_add(other.atto)? })
    }

    /// The amount as a decimal number with at most `digits` digits behind the point: rounded once, half to even.
    pub fn rounded(&self, digits: u32) -> String {
        let digits = digits.min(DIGITS);
        decimal(divide(self.atto, 10_u128.pow(DIGITS - digits)), digits)
    }

    /// The amount as a floating number: for comparing and for charts, not for sums.
    pub fn to_f64(&self) -> f64 {
        self.atto as f64 / 1e18
    }
}

/// In full: `USD 0.00125`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, decimal(self.atto, DIGITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_rounded_once_and_half_to_even() {
        let check = |atto: u128, digits: u32, expected: &str| {
            assert_eq!(Money { currency: Currency::USD, atto }.rounded(digits), expected, "{atto} {digits}");
        };
        check(1_250_000_000_000_000, 5, "0.00125");
        check(1_250_000_000_000_000, 4, "0.0012");
        check(1_350_000_000_000_000, 4, "0.0014");
        check(1_250_000_000_000_001, 4, "0.0013");
        check(0, 2, "0");
        check(u128::MAX, 0, "340282366920938463463");
        check(7, 18, "0.000000000000000007");
        check(7, 99, "0.000000000000000007");
    }

    #[test]
    fn currencies_do_not_mix() {
        let euro = Money { currency: Currency::parse("EUR").unwrap(), atto: 1 };
        let dollar = Money { currency: Currency::USD, atto: 2 };
        assert_eq!(euro.checked_add(dollar), None);
        assert_eq!(dollar.checked_add(dollar).unwrap().atto, 4);
        assert_eq!(Money { atto: u128::MAX, ..dollar }.checked_add(dollar), None);
        assert_eq!(Currency::parse("usd"), None);
        assert_eq!(dollar.to_string(), "USD 0.000000000000000002");
    }
}
