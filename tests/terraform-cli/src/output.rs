//! The output of a command, and assertions about it.
//!
//! A failed assertion panics with the whole output, because a test's log is often the only record.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

/// The exit status and output of a command, as plain text except for [`Self::coloured`].
///
/// The assertions (`expect_…`) can be chained, and panic with the whole output.
#[derive(Clone, Debug)]
pub struct Output {
    line: String,
    status: ExitStatus,
    took: Duration,
    coloured: String,
    stdout: String,
    stderr: String,
}

impl Output {
    pub(crate) fn new(line: String, status: ExitStatus, took: Duration, stdout: &[u8], stderr: &[u8]) -> Self {
        let (stdout, stderr) = (String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
        Self {
            line,
            status,
            took,
            coloured: format!("{stdout}{stderr}"),
            stdout: without_colours(&stdout),
            stderr: without_colours(&stderr),
        }
    }

    /// Adds what another process has written meanwhile.
    pub(crate) fn add_to_stderr(&mut self, text: &str) {
        self.coloured += text;
        self.stderr += text;
    }

    /// Returns whether the exit code is 0. (With `plan -detailed-exitcode`, 2 is a success too: see [`Self::code`].)
    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// Returns the exit code, or none if a signal ended the process.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Returns how long the command took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Returns standard output.
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// Returns standard error.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// Returns standard output, then standard error.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Returns standard output and standard error with their ANSI control sequences.
    pub fn coloured(&self) -> &str {
        &self.coloured
    }

    /// Returns whether the output contains this text, however Terraform wrapped and framed it.
    ///
    /// Terraform wraps diagnostics at 78 columns between box-drawing characters. Those are ignored, and all runs of white
    /// space are equal.
    pub fn contains(&self, text: &str) -> bool {
        let text = folded(text);
        folded(&self.stdout).contains(&text) || folded(&self.stderr).contains(&text)
    }

    /// Asserts that the exit code is 0.
    #[track_caller]
    pub fn expect_success(&self) -> &Self {
        self.check(self.success(), || "expected success".to_owned())
    }

    /// Asserts that the command exited by itself, with a code other than 0.
    #[track_caller]
    pub fn expect_failure(&self) -> &Self {
        let failed = self.code().is_some_and(|code| code != 0);
        self.check(failed, || "expected a failure".to_owned())
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Self {
        self.check(self.code() == Some(code), || format!("expected exit code {code}"))
    }

    /// Asserts that the output contains this text, compared as by [`Self::contains`].
    #[track_caller]
    pub fn expect_contains(&self, text: &str) -> &Self {
        self.check(self.contains(text), || format!("expected to find {text:?}"))
    }

    /// Asserts that the output does not contain this text, compared as by [`Self::contains`].
    #[track_caller]
    pub fn expect_lacks(&self, text: &str) -> &Self {
        self.check(!self.contains(text), || format!("expected not to find {text:?}"))
    }

    #[track_caller]
    fn check(&self, holds: bool, expectation: impl FnOnce() -> String) -> &Self {
        assert!(holds, "{}\n\n{self}", expectation());
        self
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} after {:.1} s", self.line, self.status, self.took.as_secs_f64())?;
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            match stream.trim_end() {
                "" => writeln!(f, "--- {name}: nothing")?,
                text => writeln!(f, "--- {name}:\n{text}")?,
            }
        }
        f.write_str("---")
    }
}

/// Removes ANSI control sequences (`ESC [ … letter`). Terraform colours its output even without a terminal.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let letter = piece.find(|c: char| ('@'..='~').contains(&c));
        plain.push_str(letter.map_or("", |at| &piece[at + 1..]));
    }
    plain
}

/// Returns the words of a text, separated by single spaces, without the box that Terraform draws around them.
fn folded(text: &str) -> String {
    let is_drawing = |c: char| ('\u{2500}'..='\u{257f}').contains(&c);
    text.split(|c: char| c.is_whitespace() || is_drawing(c))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const DIAGNOSTIC: &str = "\
╷
│ Error: Invalid callback URL
│
│   with tencent_call_callback.this,
│   on main.tf line 2, in resource \"tencent_call_callback\" \"this\":
│    2:   url = \"ftp://example.com\"
│
│ The URL must start with http:// or https://, for Tencent RTC calls it over
│ HTTP.
╵
";

    fn output(code: i32, stdout: &str, stderr: &str) -> Output {
        let status = ExitStatus::from_raw(code << 8);
        let took = Duration::from_millis(1234);
        let line = "`terraform plan` (Terraform 1.11.4)".to_owned();
        Output::new(line, status, took, stdout.as_bytes(), stderr.as_bytes())
    }

    #[test]
    fn colours_are_removed() {
        let cases = [
            ("", ""),
            ("plain [text]", "plain [text]"),
            ("\u{1b}[31m╷\u{1b}[0m\u{1b}[0m\n", "╷\n"),
            ("\u{1b}[0m\u{1b}[1m\u{1b}[31mError: \u{1b}[0mno", "Error: no"),
            ("\u{1b}[38;5;1mé", "é"),
            ("cut off \u{1b}[3", "cut off "),
        ];
        for (coloured, plain) in cases {
            assert_eq!(without_colours(coloured), plain);
        }
    }

    #[test]
    fn a_wrapped_and_framed_text_is_found() {
        let output = output(1, "Planning failed.\n", DIAGNOSTIC);
        output
            .expect_failure()
            .expect_code(1)
            .expect_contains("for Tencent RTC calls it over HTTP.")
            .expect_contains("Error: Invalid callback URL with tencent_call_callback.this")
            .expect_contains("calls it\n  over HTTP")
            .expect_contains("Planning failed.")
            .expect_lacks("over HTTPS")
            .expect_lacks("failed. ╷ │ Error");
    }

    #[test]
    fn a_failed_assertion_shows_the_whole_output() {
        let output = output(1, "", DIAGNOSTIC);
        let panic = catch_unwind(AssertUnwindSafe(|| {
            output.expect_contains("Apply complete!");
        }))
        .expect_err("a panic");
        let message = panic.downcast::<String>().expect("a message");
        assert_eq!(
            *message,
            format!(
                "expected to find \"Apply complete!\"\n\n\
                 `terraform plan` (Terraform 1.11.4): exit status: 1 after 1.2 s\n\
                 --- stdout: nothing\n\
                 --- stderr:\n{DIAGNOSTIC}---"
            )
        );
    }

    #[test]
    fn a_process_killed_by_a_signal_has_no_exit_code() {
        let killed = Output::new(String::new(), ExitStatus::from_raw(9), Duration::ZERO, b"", b"");
        assert_eq!(killed.code(), None);
        assert!(!killed.success());
        assert!(catch_unwind(AssertUnwindSafe(|| killed.expect_failure().code())).is_err());
    }
}
