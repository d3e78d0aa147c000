//! The versions of the REST API, and what differs between them.

use std::num::NonZeroU32;

/// A version of the REST API. Each has its own hosts, paths, answers, error codes and rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// The API for the calls of old versions of TUICallKit, which an application starts with `call()` or `groupCall()`.
    V1,
    /// The API for everything else.
    V4,
}

impl ApiVersion {
    /// All versions.
    pub const ALL: [Self; 2] = [Self::V1, Self::V4];

    /// Returns the segment that names the version in paths.
    pub fn path_segment(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V4 => "v4",
        }
    }

    /// Returns the most attempts per second for each of the calls, whatever [`Settings`](super::Settings) say; `None` if
    /// only they count.
    pub fn most_per_second(self) -> Option<NonZeroU32> {
        match self {
            Self::V1 => NonZeroU32::new(10),
            Self::V4 => None,
        }
    }
}
