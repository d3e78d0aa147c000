//! SDKAppIDs, the numbers of applications.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The number of an application: 1 to 4294967295, such as 1400000001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SdkAppId(NonZeroU32);

/// The error for a number or a text that is not an SDKAppID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an SDKAppID is a whole number from 1 to 4294967295, such as 1400000001")]
pub struct InvalidSdkAppId;

impl TryFrom<u64> for SdkAppId {
    type Error = InvalidSdkAppId;

    fn try_from(number: u64) -> Result<Self, InvalidSdkAppId> {
        u32::try_from(number).ok().and_then(NonZeroU32::new).map(Self).ok_or(InvalidSdkAppId)
    }
}

impl FromStr for SdkAppId {
    type Err = InvalidSdkAppId;

    fn from_str(text: &str) -> Result<Self, InvalidSdkAppId> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number: u64 = digits.then(|| text.parse().ok()).flatten().ok_or(InvalidSdkAppId)?;
        Self::try_from(number)
    }
}

impl From<SdkAppId> for u64 {
    fn from(id: SdkAppId) -> Self {
        id.0.get().into()
    }
}

impl fmt::Display for SdkAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sdk_app_id_is_a_whole_number_in_range() {
        for (text, valid) in [
            ("1", true),
            ("1400000001", true),
            ("4294967295", true),
            ("4294967296", false),
            ("0", false),
            ("", false),
            ("+1", false),
            ("-1", false),
            (" 1", false),
            ("1.0", false),
            ("99999999999999999999", false),
        ] {
            assert_eq!(text.parse::<SdkAppId>().is_ok(), valid, "{text:?}");
        }
    }
}
