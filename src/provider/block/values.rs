//! The checks of single values, in the provider block and elsewhere.
//!
//! Messages quote no value that may be a secret: no environment variable, into which anything may have been pasted, and
//! no long value.

use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::SecretString;

use crate::tencent::{Credentials, Endpoint, InvalidEndpoint, RateScope, Region, SdkAppId, UnknownRegion, UserSig};
use crate::terraform::Number;

/// Up to more attempts than any timeout leaves time for.
pub(super) const RETRIES: RangeInclusive<u32> = 0..=100;
/// Pacing has a resolution of a millisecond.
pub(super) const REQUESTS_PER_SECOND: RangeInclusive<u32> = 1..=1000;
/// In characters. SecretKeys have 64, UserSigs some 200.
const LONGEST_QUOTED: usize = 24;
/// The timeouts of operations and of single requests.
pub(in crate::provider) const TIMEOUTS: Durations =
    Durations { shortest: "1ms", longest: "24h", such_as: "\"500ms\", \"30s\" or \"2m\"" };

/// Where a value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::provider) enum Source {
    /// In the configuration.
    Argument,
    /// In this environment variable.
    Variable(&'static str),
}

impl Source {
    /// Returns the subject of a sentence about the value: `argument`, or the variable.
    fn subject(self, argument: impl Into<String>) -> String {
        match self {
            Self::Argument => argument.into(),
            Self::Variable(name) => format!("The environment variable {name}"),
        }
    }

    /// Checks that nothing surrounds a value, such as the quotation marks of a file that no shell has read. Shows the value if
    /// its core is `harmless`.
    fn check_ends(self, argument: &str, text: &str, harmless: impl Fn(&str) -> bool) -> Result<(), String> {
        let is_quoted =
            text.len() > 1 && ['"', '\''].iter().any(|mark| text.starts_with(*mark) && text.ends_with(*mark));
        let what = match text.strip_suffix('\r') {
            Some(rest) if rest.trim() == rest => "ends with a carriage return, as a line of a Windows file does",
            _ if text.trim() != text => "begins or ends with white space, such as a trailing newline",
            _ if is_quoted => "has quotation marks around it",
            _ => return Ok(()),
        };
        let advice = match self {
            _ if is_quoted => "remove them",
            Self::Argument => "trimspace() removes it",
            Self::Variable(_) => "remove it",
        };
        let core = text.trim().trim_matches(['"', '\'']);
        let shown = if harmless(core) { format!(" It is {text:?}.") } else { String::new() };
        Err(format!("{} {what}: {advice}.{shown}", self.subject(argument)))
    }
}

/// Tells that any value may be a secret.
fn secret(_: &str) -> bool {
    false
}

/// Returns a text, unless it is too long to be shown.
fn shown(text: &str) -> Option<&str> {
    (text.chars().count() <= LONGEST_QUOTED).then_some(text)
}

/// Quotes a text, unless it is too long to be shown.
pub(super) fn quoted(text: &str) -> String {
    shown(text).map_or_else(|| "The value".to_owned(), |text| format!("{text:?}"))
}

/// Reads an SDKAppID, a number as Terraform or a person writes it.
pub(in crate::provider) fn sdk_app_id(text: &str, source: Source) -> Result<SdkAppId, String> {
    source.check_ends("The SDKAppID", text, |core| core.parse::<SdkAppId>().is_ok())?;
    text.parse().map_err(|error| {
        let subject = source.subject(shown(text).unwrap_or("The value"));
        format!("{subject} is not an SDKAppID: {error}. The Tencent RTC console shows it.")
    })
}

pub(in crate::provider) fn secret_key(text: &str, source: Source) -> Result<SecretString, String> {
    const NAME: &str = "The SecretKey";
    if text.is_empty() {
        return Err(format!("{NAME} is empty. The Tencent RTC console shows it under Basic Information."));
    }
    source.check_ends(NAME, text, secret)?;
    if text.contains(char::is_whitespace) {
        let subject = source.subject(NAME);
        return Err(format!("{subject} contains white space: check that nothing else was copied with it."));
    }
    Ok(text.to_owned().into())
}

pub(super) fn user_sig(text: &str, source: Source) -> Result<Credentials, String> {
    const NAME: &str = "The UserSig";
    source.check_ends(NAME, text, secret)?;
    let user_sig = UserSig::from(text.to_owned());
    user_sig.claims().map_err(|error| {
        format!("{} cannot be used: {error}. Check that it was copied whole.", source.subject(NAME))
    })?;
    Ok(Credentials::UserSig(user_sig))
}

pub(in crate::provider) fn identifier(text: &str, source: Source) -> Result<String, String> {
    if !text.trim().is_empty() {
        source.check_ends("The identifier", text, secret)?;
    }
    if text.is_empty() || text.contains(char::is_whitespace) {
        let subject = source.subject("The identifier");
        let advice = "It is the app administrator account that calls are made as.";
        return Err(format!("{subject} is empty or contains white space. {advice}"));
    }
    Ok(text.to_owned())
}

pub(super) fn region(text: &str, source: Source) -> Result<Region, String> {
    source.check_ends("The region", text, |core| core.parse::<Region>().is_ok())?;
    text.parse().map_err(|error: UnknownRegion| {
        let question = error.meant.map(|region| format!(" Did you mean \"{}\"?", region.name())).unwrap_or_default();
        format!("{} is not a region: {error}.{question}", source.subject(quoted(text)))
    })
}

pub(super) fn endpoint(text: &str, source: Source) -> Result<Endpoint, String> {
    const NAME: &str = "The endpoint";
    source.check_ends(NAME, text, secret)?;
    text.parse().map_err(|error: InvalidEndpoint| format!("{} cannot be used: {error}.", source.subject(NAME)))
}

pub(super) fn rate_scope(text: &str) -> Result<RateScope, String> {
    let named = RateScope::ALL.into_iter().find(|scope| scope.name() == text);
    named.ok_or_else(|| {
        let [endpoint, application] = RateScope::ALL.map(RateScope::name);
        format!("{} is neither {endpoint:?} nor {application:?}.", quoted(text))
    })
}

/// Reads a whole number in a range.
pub(super) fn whole_number(number: &Number, range: RangeInclusive<u32>) -> Result<u32, String> {
    let whole = number.as_u64().and_then(|number| u32::try_from(number).ok()).filter(|whole| range.contains(whole));
    whole.ok_or_else(|| format!("{number} is not a whole number from {} to {}.", range.start(), range.end()))
}

/// The durations that an argument accepts, as a person writes them.
pub(in crate::provider) struct Durations {
    pub(in crate::provider) shortest: &'static str,
    pub(in crate::provider) longest: &'static str,
    pub(in crate::provider) such_as: &'static str,
}

impl Durations {
    pub(in crate::provider) fn read(&self, text: &str) -> Result<Duration, String> {
        let Self { shortest, longest, such_as } = self;
        let subject = quoted(text);
        let reason = match parse(text) {
            Some(duration) if self.contains(duration) => return Ok(duration),
            Some(_) => format!("{subject} is not a duration from {shortest:?} to {longest:?}."),
            None => format!("{subject} is not a duration. Write a number with a unit, such as {such_as}."),
        };
        let meant: Vec<_> = self.meant_by(text).iter().map(|meant| format!("{meant:?}")).collect();
        let question = if meant.is_empty() { String::new() } else { format!(" Did you mean {}?", meant.join(" or ")) };
        Err(reason + &question)
    }

    fn contains(&self, duration: Duration) -> bool {
        let bound = |text| humantime::parse_duration(text).expect("a duration");
        (bound(self.shortest)..=bound(self.longest)).contains(&duration)
    }

    /// Guesses the durations that a text means: in seconds, with a unit in lower case, or of months with 30 days.
    fn meant_by(&self, text: &str) -> Vec<String> {
        let months = humantime::parse_duration(text).map(|duration| duration.as_secs() / MONTH.as_secs());
        let seconds = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{text}s"));
        let days = months.ok().filter(|_| is_of_the_calendar(text)).map(|months| format!("{}d", months * 30));
        let guesses = [seconds, Some(text.to_lowercase()), days].into_iter().flatten();
        guesses.filter(|guess| parse(guess).is_some_and(|duration| self.contains(duration))).collect()
    }
}

/// The length of a month for [`humantime`].
const MONTH: Duration = Duration::from_secs(2_630_016);

/// Reads a duration. One of months or years has no fixed length, and `M` would be a month where `m` is a minute.
fn parse(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|_| !is_of_the_calendar(text))
}

fn is_of_the_calendar(text: &str) -> bool {
    let mut units = text.split(|char: char| !char.is_alphabetic());
    units.any(|unit| unit == "M" || unit.starts_with("month") || unit.starts_with('y'))
}

#[cfg(test)]
mod tests {
    use super::Source::{Argument, Variable};
    use super::*;

    #[test]
    fn a_timeout_needs_a_unit_and_has_bounds() {
        for (text, millis) in [("1m30s", 90_000), ("1.5h", 5_400_000), ("1ms", 1), ("24h", 86_400_000)] {
            assert_eq!(TIMEOUTS.read(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["", "10", "-1s", "soon", "0s", "25h", "99999999999999999999y"] {
            assert!(TIMEOUTS.read(text).expect_err(text).contains(&format!("{text:?}")), "{text}");
        }
    }

    #[test]
    fn a_duration_that_is_written_wrong_is_answered_with_the_correction() {
        let lifetimes = Durations { shortest: "1s", longest: "180d", such_as: "\"1h\" or \"30d\"" };
        let with_unit = "Write a number with a unit, such as \"1h\" or \"30d\".";
        for (text, meant) in [
            ("1M", " Did you mean \"1m\" or \"30d\"?"),
            ("2 months", " Did you mean \"60d\"?"),
            ("1H", " Did you mean \"1h\"?"),
            ("30 Days", " Did you mean \"30 days\"?"),
            ("3600", " Did you mean \"3600s\"?"),
            ("1y", ""),
            ("1h30", ""),
            ("-1h", ""),
            ("99999999999999999999", ""),
        ] {
            assert_eq!(lifetimes.read(text), Err(format!("{text:?} is not a duration. {with_unit}{meant}")));
        }
        let too_long = "\"30d\" is not a duration from \"1ms\" to \"24h\".";
        assert_eq!(TIMEOUTS.read("30d"), Err(too_long.to_owned()));
        let minutes = TIMEOUTS.read("5M").expect_err("months");
        assert!(minutes.ends_with(" Did you mean \"5m\"?"), "{minutes}");
        let long = TIMEOUTS.read(&"tok3n".repeat(10)).expect_err("no duration");
        assert!(long.starts_with("The value is not a duration."), "{long}");
    }

    #[test]
    fn messages_quote_no_value_that_may_be_a_secret() {
        let key = "tok3n-".repeat(10);
        for said in [
            region(&key, Argument).expect_err("long"),
            region("tok3n", Variable("TENCENT_REGION")).expect_err("a variable"),
            sdk_app_id("tok3n", Variable("TENCENT_SDK_APP_ID")).expect_err("a variable"),
            identifier("tok3n tok3n", Variable("TENCENT_IDENTIFIER")).expect_err("a variable"),
            endpoint("tok3n", Variable("TENCENT_ENDPOINT")).expect_err("a variable"),
            user_sig("tok3n", Variable("TENCENT_USER_SIG")).expect_err("a variable"),
            secret_key("tok3n tok3n", Variable("TENCENT_SECRET_KEY")).expect_err("a variable"),
        ] {
            assert!(!said.contains("tok3n"), "{said}");
            assert!(said.starts_with("The value is") || said.starts_with("The environment variable"), "{said}");
        }
    }

    #[test]
    fn surrounding_white_space_is_reported() {
        for text in ["tok3n\n", " tok3n", "tok3n\r\n"] {
            for said in [
                secret_key(text, Argument).expect_err(text),
                user_sig(text, Argument).expect_err(text),
                endpoint(text, Argument).expect_err(text),
            ] {
                assert!(said.ends_with("such as a trailing newline: trimspace() removes it."), "{said}");
            }
            let said = secret_key(text, Variable("TENCENT_SECRET_KEY")).expect_err(text);
            assert!(said.starts_with("The environment variable TENCENT_SECRET_KEY begins or ends"), "{said}");
            assert!(said.ends_with(": remove it."), "{said}");
        }
    }

    #[test]
    fn a_value_with_something_around_it_is_shown_unless_it_may_be_a_secret() {
        let region_variable = Variable("TENCENT_REGION");
        for (text, what) in [
            ("singapore\r", "ends with a carriage return, as a line of a Windows file does: remove it."),
            ("singapore ", "begins or ends with white space, such as a trailing newline: remove it."),
            ("\"singapore\"", "has quotation marks around it: remove them."),
            ("'singapore'", "has quotation marks around it: remove them."),
        ] {
            let expected = format!("The environment variable TENCENT_REGION {what} It is {text:?}.");
            assert_eq!(region(text, region_variable), Err(expected));
            let id = text.replace("singapore", "1400000001");
            let said = sdk_app_id(&id, Variable("TENCENT_SDK_APP_ID")).expect_err(&id);
            assert!(said.ends_with(&format!("{what} It is {id:?}.")), "{said}");
            let key = text.replace("singapore", "tok3n");
            for said in [
                secret_key(&key, Variable("TENCENT_SECRET_KEY")).expect_err(&key),
                user_sig(&key, Variable("TENCENT_USER_SIG")).expect_err(&key),
                identifier(&key, Variable("TENCENT_IDENTIFIER")).expect_err(&key),
                endpoint(&key, Variable("TENCENT_ENDPOINT")).expect_err(&key),
                region(&key, region_variable).expect_err(&key),
            ] {
                assert!(said.ends_with(what) && !said.contains("tok3n"), "{said}");
            }
        }
        assert_eq!(
            secret_key("\"tok3n\"", Argument).expect_err("quoted"),
            "The SecretKey has quotation marks around it: remove them."
        );
    }

    #[test]
    fn an_invalid_region_or_endpoint_is_answered_with_the_correction() {
        let regions =
            "\"china\", \"singapore\", \"seoul\", \"frankfurt\", \"silicon_valley\", \"jakarta\" and \"tokyo\".";
        for (text, meant) in [("sg", " Did you mean \"singapore\"?"), ("mars", "")] {
            let expected = format!("{text:?} is not a region: the regions are {regions}{meant}");
            assert_eq!(region(text, Argument), Err(expected));
        }
        for (text, expected) in [
            ("https://gateway.example.com:99999", "its port is not a number from 1 to 65535."),
            ("gateway.example.com:8443", "it has no scheme: write https:// before the host"),
        ] {
            let said = endpoint(text, Argument).expect_err(text);
            assert!(said.starts_with(&format!("The endpoint cannot be used: {expected}")), "{said}");
        }
    }
}
