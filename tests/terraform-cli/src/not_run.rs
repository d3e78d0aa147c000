//! Tests that cannot run here. libtest has no such outcome and counts them as passed, so the last lines of a run name them
//! and the reason.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::io::{self, Write as _};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

/// The tests, by the reason why they did not run; for a reason that speaks for itself, none.
static NOT_RUN: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// Ends the calling test and notes it as [`not_run`], unless `$terraform` has `$feature`.
#[macro_export]
macro_rules! needs {
    ($terraform:expr, $feature:expr) => {
        if !$terraform.has($feature) {
            $crate::not_run($feature.lacking_in(&$terraform));
            return Ok(());
        }
    };
}

/// Notes that the calling test cannot run here. When the process exits, after libtest's summary, a line on standard error
/// names the test and the reason, which completes "not run here, …".
pub fn not_run(reason: impl Into<String>) {
    // libtest names each thread after its test.
    let test = thread::current().name().unwrap_or("a test").to_owned();
    note(reason.into(), [test]);
}

/// Notes what a whole run leaves out: the last lines say it as it is.
pub fn left_out(what: impl Into<String>) {
    note(what.into(), []);
}

fn note(reason: String, tests: impl IntoIterator<Item = String>) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(at_exit);
    NOT_RUN.lock().unwrap_or_else(PoisonError::into_inner).entry(reason).or_default().extend(tests);
}

/// Registers [`summarize`] for the exit of the process, because libtest has no hook for its end.
#[expect(unsafe_code, reason = "std has no equivalent of C's atexit")]
fn at_exit() {
    unsafe extern "C" {
        fn atexit(callback: extern "C" fn()) -> c_int;
    }
    // SAFETY: The signature is the one of the C standard. `summarize` lives as long as the program and cannot unwind: a
    // panic in an `extern "C"` function aborts.
    let refused = unsafe { atexit(summarize) };
    assert_eq!(refused, 0, "atexit has no room");
}

extern "C" fn summarize() {
    for (reason, tests) in &mut *NOT_RUN.lock().unwrap_or_else(PoisonError::into_inner) {
        tests.sort();
        let line = match tests.len() {
            0 => reason.clone(),
            1 => format!("1 test not run here, {reason}: {}", tests[0]),
            count => format!("{count} tests not run here, {reason}: {}", tests.join(", ")),
        };
        // `eprintln!` would panic where standard error is closed.
        let _ = writeln!(io::stderr(), "{line}");
    }
}
