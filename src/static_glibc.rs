//! What a statically linked glibc must be told before it looks up a name.
//!
//! glibc looks up hosts and groups as `/etc/nsswitch.conf` says, and loads a plugin for all but two of the ways that may
//! stand there. Those plugins belong to the machine's own glibc: in an executable that brings another one, they crash.
//! The two ways that are built in are enough, and are those of the providers in Go: files (`/etc/hosts`, `/etc/group`)
//! and DNS (`/etc/resolv.conf`).

use std::ffi::{CStr, c_char, c_int};

/// Limits look-ups to what is built in. Call it before the first one.
pub(crate) fn look_names_up_without_plugins() {
    for (database, ways) in [(c"hosts", c"files dns"), (c"group", c"files")] {
        configure_lookup(database, ways);
    }
}

#[expect(unsafe_code, reason = "glibc has no other way to say this, and no crate wraps it")]
fn configure_lookup(database: &CStr, ways: &CStr) {
    unsafe extern "C" {
        /// Declared in glibc's `nss.h`: overrides a line of `/etc/nsswitch.conf` for this process.
        fn __nss_configure_lookup(database: *const c_char, ways: *const c_char) -> c_int;
    }
    // SAFETY: both are strings that end with NUL, and are only read.
    let refused = unsafe { __nss_configure_lookup(database.as_ptr(), ways.as_ptr()) };
    debug_assert_eq!(refused, 0, "{database:?}: {ways:?}");
}
