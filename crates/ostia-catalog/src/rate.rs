//! What one unit costs, as an exact decimal: a whole number of femto-units (10^-15) of the currency.
//!
//! The cheapest price in the sources is 10^-9 dollars a token, the longest have 11 digits behind that point, and the largest
//! fits with room to spare. Whole numbers multiply without rounding; a library's decimal type has a limited mantissa, and would
//! round silently.

use std::fmt;

/// Digits behind the point.
pub(crate) const DIGITS: u32 = 15;

/// Femto-units of a currency for one token, second, page, ... At most 18,446 of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(pub u64);

/// Why a text is no rate: it is not a decimal number of at least 0, or too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARate(pub String);

impl fmt::Display for NotARate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no price: write a decimal number of at least 0, like 0.0375", self.0)
    }
}

impl std::error::Error for NotARate {}

impl Rate {
    /// Reads a price for `quantity` units (a million tokens, a thousand searches, one image): `0.0375`, `3.75e-8`.
    ///
    /// Digits behind the fifteenth of one unit are rounded, half to even: an hour's price divided by 3,600 has no end.
    ///
    /// # Errors
    /// It is no decimal number of at least 0, or more than a rate can hold.
    pub fn parse(text: &str, quantity: u64) -> Result<Rate, NotARate> {
        read(text.trim(), quantity).ok_or_else(|| NotARate(text.to_owned()))
    }

    /// The price of `quantity` units as a decimal number, in full.
    pub fn text(self, quantity: u64) -> String {
        decimal(u128::from(self.0) * u128::from(quantity), DIGITS)
    }
}

fn read(text: &str, quantity: u64) -> Option<Rate> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = whole.bytes().chain(behind.bytes());
    if whole.is_empty() || !digits.clone().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut number: u128 = 0;
    for digit in digits {
        number = number.checked_mul(10)?.checked_add(u128::from(digit - b'0'))?;
    }
    let shift = i32::try_from(DIGITS).ok()? + exponent - i32::try_from(behind.len()).ok()?;
    let power = 10_u128.checked_pow(shift.unsigned_abs())?;
    let (numerator, divisor) = match shift < 0 {
        true => (number, power.checked_mul(u128::from(quantity))?),
        false => (number.checked_mul(power)?, u128::from(quantity)),
    };
    u64::try_from(divide(numerator, divisor)).ok().map(Rate)
}

/// Rounded to a whole number, half to even.
pub(crate) fn divide(numerator: u128, divisor: u128) -> u128 {
    let (quotient, rest) = (numerator / divisor, numerator % divisor);
    // Compared without doubling, which could overflow.
    let up = match rest.cmp(&(divisor - rest)) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => quotient % 2,
        std::cmp::Ordering::Greater => 1,
    };
    quotient + up
}

/// `number` divided by 10^`digits`, without zeros at its end.
pub(crate) fn decimal(number: u128, digits: u32) -> String {
    let power = 10_u128.pow(digits);
    let (whole, rest) = (number / power, number % power);
    if rest == 0 {
        return whole.to_string();
    }
    let behind = format!("{rest:0width$}", width = digits as usize);
    format!("{whole}.{}", behind.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact() {
        let check = |text: &str, quantity: u64, femto: u64, back: &str| {
            let rate = Rate::parse(text, quantity).unwrap();
            assert_eq!((rate.0, rate.text(quantity).as_str()), (femto, back), "{text} for {quantity}");
        };
        check("2.5", 1_000_000, 2_500_000_000, "2.5");
        check("0.0375", 1_000_000, 37_500_000, "0.0375");
        check("3.75e-8", 1, 37_500_000, "0.0000000375");
        check("4e-07", 1, 400_000_000, "0.0000004");
        check("10", 1000, 10_000_000_000_000, "10");
        check("0", 1, 0, "0");
        check("1E2", 1, 100_000_000_000_000_000, "100");
        // Half to even, and a third of a femto-dollar is none.
        check("0.0000000000000005", 1, 0, "0");
        check("0.0000000000000015", 1, 2, "0.000000000000002");
        check("4.8", 3600, 1_333_333_333_333, "4.7999999999988");
    }

    #[test]
    fn what_is_no_rate() {
        for text in ["", ".", "-1", "+1", "1,5", "x", "1e", "nan", "1e99", "99999", "1.2.3", "0x10"] {
            assert_eq!(Rate::parse(text, 1), Err(NotARate(text.to_owned())), "{text}");
        }
    }
}
