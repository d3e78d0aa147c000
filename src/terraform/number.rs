//! Terraform's numbers, exact at any size.

use std::fmt;
use std::str::FromStr;

/// A number of arbitrary precision. Each numeric value has one representation, so numbers are equal no matter how they
/// were written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(Repr);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Repr {
    Signed(i64),
    /// Above `i64::MAX`.
    Unsigned(u64),
    /// The bits of a binary floating-point number that is not an integer of the variants above.
    Float(u64),
    /// Plain decimal notation, for a number that the variants above cannot hold exactly.
    Decimal(String),
}

/// The error for text or a float that is not a number in Terraform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not decimal notation.
    #[error("not a number in decimal notation")]
    Syntax,
    /// An exponent beyond ±4096.
    #[error("an exponent beyond ±{MAX_EXPONENT}")]
    Exponent,
    /// Not a number (NaN) or infinite.
    #[error("not a finite number")]
    NotFinite,
}

/// The largest decimal exponent to accept. Terraform computes with 512 bits of precision (some 154 digits). The limit
/// keeps a hostile `1e999999999` from being written out.
const MAX_EXPONENT: i32 = 4096;

impl Number {
    /// Returns the number as a `u64` if it fits.
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Repr::Signed(n) => u64::try_from(n).ok(),
            Repr::Unsigned(n) => Some(n),
            Repr::Float(_) | Repr::Decimal(_) => None,
        }
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Self {
        Self(Repr::Signed(n))
    }
}

impl From<u64> for Number {
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or(Self(Repr::Unsigned(n)), Self::from)
    }
}

impl TryFrom<f64> for Number {
    type Error = NumberError;

    fn try_from(f: f64) -> Result<Self, NumberError> {
        if !f.is_finite() {
            return Err(NumberError::NotFinite);
        }
        if f.fract() == 0.0 {
            // Exact: `f` has no fractional part, and `{:.0}` writes all of its digits.
            if let Some(integer) = integer(&format!("{f:.0}")) {
                return Ok(integer);
            }
        }
        Ok(Self(Repr::Float(f.to_bits())))
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads decimal notation with an optional exponent.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let plain = plain_decimal(text)?;
        if let Some(integer) = integer(&plain) {
            return Ok(integer);
        }
        match plain.parse::<f64>() {
            Ok(f) if f.is_finite() && plain_decimal(&format!("{f:.1074}"))? == plain => Self::try_from(f),
            _ => Ok(Self(Repr::Decimal(plain))),
        }
    }
}

fn integer(text: &str) -> Option<Number> {
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}

/// Rewrites decimal notation without exponent, superfluous zeros, plus sign or negative zero.
fn plain_decimal(text: &str) -> Result<String, NumberError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| NumberError::Syntax)?),
        None => (unsigned, 0),
    };
    if exponent.unsigned_abs() > MAX_EXPONENT.unsigned_abs() {
        return Err(NumberError::Exponent);
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError::Syntax);
    }
    // The position of the decimal point in `digits`, and the number of zeros missing on either side of it.
    let point = i32::try_from(whole.len()).map_err(|_| NumberError::Exponent)? + exponent;
    let left = usize::try_from(-point).unwrap_or(0);
    let right = usize::try_from(point).unwrap_or(0).saturating_sub(digits.len());
    let digits = format!("{}{digits}{}", "0".repeat(left), "0".repeat(right));
    let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));

    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let mut plain = String::with_capacity(digits.len() + 3);
    if negative && !(whole.is_empty() && fraction.is_empty()) {
        plain.push('-');
    }
    plain.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(fraction);
    }
    Ok(plain)
}

/// Writes every digit in plain decimal notation.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Signed(n) => n.fmt(f),
            Repr::Unsigned(n) => n.fmt(f),
            Repr::Float(bits) => {
                let exact = format!("{:.1074}", f64::from_bits(*bits));
                f.write_str(exact.trim_end_matches('0').trim_end_matches('.'))
            }
            Repr::Decimal(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        text.parse().expect(text)
    }

    #[test]
    fn one_value_has_one_representation() {
        for (a, b) in [
            ("1", "1.0"),
            ("1", "+1"),
            ("100", "1e2"),
            ("0", "-0.00"),
            ("0.5", "5e-1"),
            ("-12.5", "-0125E-1"),
            ("18446744073709551615", "18446744073709551615.0"),
            ("1e30", "1000000000000000000000000000000"),
        ] {
            assert_eq!(number(a), number(b), "{a} and {b}");
        }
        assert_ne!(number("0.1"), Number::try_from(0.1).expect("finite"), "a binary float is not one tenth");
        assert_eq!(number("0.5"), Number::try_from(0.5).expect("finite"));
        assert_eq!(Number::from(7u64), Number::from(7i64));
    }

    #[test]
    fn writes_every_digit() {
        for text in ["0", "-1", "18446744073709551615", "0.5", "0.1", "123456789012345678901234567890.000000001"] {
            assert_eq!(number(text).to_string(), text);
        }
    }

    #[test]
    fn refuses_invalid_numbers() {
        for text in ["", "-", ".", "1e", "e5", "0x10", "1_000", "NaN", "inf", "1.2.3", "--1", "１"] {
            assert_eq!(text.parse::<Number>(), Err(NumberError::Syntax), "{text}");
        }
        assert_eq!("1e5000".parse::<Number>(), Err(NumberError::Exponent));
        assert_eq!(Number::try_from(f64::NAN), Err(NumberError::NotFinite));
        assert_eq!(Number::try_from(f64::INFINITY), Err(NumberError::NotFinite));
    }

    pub(crate) fn any_number() -> impl Strategy<Value = Number> {
        prop_oneof![
            any::<i64>().prop_map(Number::from),
            any::<u64>().prop_map(Number::from),
            any::<f64>().prop_filter_map("finite", |f| Number::try_from(f).ok()),
            "-?[0-9]{1,40}(\\.[0-9]{1,40})?(e-?[0-9]{1,2})?".prop_map(|text| number(&text)),
        ]
    }

    proptest! {
        #[test]
        fn display_round_trips(n in any_number()) {
            prop_assert_eq!(number(&n.to_string()), n);
        }

        #[test]
        fn parsing_any_text_never_panics(text in ".{0,40}") {
            let _ = text.parse::<Number>();
        }
    }
}
