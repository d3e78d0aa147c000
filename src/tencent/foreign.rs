//! Text from outside, as it may be shown.

use std::fmt::{self, Write as _};

use super::callback_url::CallbackUrl;

/// Text that someone else wrote, such as Tencent's `ErrorInfo`. `Display` escapes and cuts it as [`shown`] does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignText(String);

impl<T: Into<String>> From<T> for ForeignText {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for ForeignText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.beginning(LONGEST))
    }
}

impl ForeignText {
    /// Returns whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Masks these secrets.
    #[must_use]
    pub(super) fn masking(self, secrets: &[&str]) -> Self {
        let secrets = secrets.iter().filter(|secret| !secret.is_empty());
        Self(secrets.fold(self.0, |text, secret| text.replace(secret, "***")))
    }

    /// Hides everything from the first of these texts on, which are in lower case; the case in the text does not matter.
    #[must_use]
    pub(super) fn hiding_from(mut self, texts: &[&str]) -> Self {
        let lower = self.0.to_ascii_lowercase();
        if let Some(at) = texts.iter().filter_map(|text| lower.find(text)).min() {
            self.0.replace_range(at.., "***");
        }
        self
    }

    /// Masks every URL, up to the next white space, like a secret URL.
    #[must_use]
    pub(super) fn masking_urls(self) -> Self {
        Self(CallbackUrl::mask_all(&self.0))
    }

    /// Returns the first `length` characters, escaped.
    pub(super) fn beginning(&self, length: usize) -> String {
        let mut shown = String::new();
        let mut chars = self.0.chars();
        for c in chars.by_ref().take(length) {
            let code = u32::from(c);
            let _ = match c {
                '\n' => shown.write_str("\\n"),
                '\r' => shown.write_str("\\r"),
                '\t' => shown.write_str("\\t"),
                c if is_printable(c) => shown.write_char(c),
                '\0'..='\x7f' => write!(shown, "\\x{code:02x}"),
                '\u{80}'..='\u{ffff}' => write!(shown, "\\u{code:04x}"),
                _ => write!(shown, "\\U{code:08x}"),
            };
        }
        if chars.next().is_some() {
            shown.push('…');
        }
        shown
    }
}

/// The most characters of a text from outside that are shown.
const LONGEST: usize = 300;

/// Makes text from outside fit for a terminal: escapes what is not printable as Terraform does in values, such as line
/// breaks, control characters and marks that change the direction of the text, and cuts a long text.
pub fn shown(text: &str) -> String {
    ForeignText::from(text).to_string()
}

fn is_printable(c: char) -> bool {
    // `escape_debug` escapes a combining mark only at the beginning of a text.
    matches!(c, '"' | '\'') || format!(" {c}").escape_debug().nth(1) == Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_a_cursor_or_turns_the_text() {
        for (text, expected) in [
            ("plain \"text\", it's 100 % fine\\", "plain \"text\", it's 100 % fine\\"),
            ("中文, e\u{301}, 🙂", "中文, e\u{301}, 🙂"),
            ("a\r\nb\tc", r"a\r\nb\tc"),
            ("\x1b[2J\x07\0\x7f", r"\x1b[2J\x07\x00\x7f"),
            ("\u{9b}2J\u{85}", r"\u009b2J\u0085"),
            ("\u{202e}\u{2066}\u{200f}\u{61c}", r"\u202e\u2066\u200f\u061c"),
            ("\u{2028}\u{2029}\u{a0}\u{feff}\u{200b}", r"\u2028\u2029\u00a0\ufeff\u200b"),
            ("\u{e0041}\u{10ffff}", r"\U000e0041\U0010ffff"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&"é".repeat(LONGEST)), "é".repeat(LONGEST));
        assert_eq!(shown(&"\n".repeat(20_000)), r"\n".repeat(LONGEST) + "…");
    }
}
