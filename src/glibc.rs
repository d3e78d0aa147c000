//! What glibc must be told at the start of the process.
#![expect(unsafe_code, reason = "glibc has no other way to say this, and no crate wraps it")]

use std::ffi::c_int;

/// Call it first: before there is a second thread, or a name to look up.
pub(crate) fn prepare() {
    give_large_blocks_back();
    #[cfg(target_feature = "crt-static")]
    look_names_up_without_plugins();
}

/// Keeps large blocks of memory apart from the small ones, so that they go back to the system when they are freed.
///
/// By itself, glibc stops doing so for ever larger blocks, each time one is freed: while a fleet is applied, its heap then
/// grows to many times of what is in use.
fn give_large_blocks_back() {
    /// Of `malloc.h`: from which size on a block is mapped by itself.
    const M_MMAP_THRESHOLD: c_int = -3;
    /// What glibc begins with. To set it, to whatever value, is what keeps it from rising.
    const BYTES: c_int = 128 << 10;
    unsafe extern "C" {
        /// Declared in glibc's `malloc.h`. Returns 1, or 0 if it failed.
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }
    // SAFETY: it takes two numbers, and glibc locks what it changes.
    let done = unsafe { mallopt(M_MMAP_THRESHOLD, BYTES) };
    debug_assert_eq!(done, 1);
}

/// Limits look-ups of names to what is built into a statically linked glibc.
///
/// glibc looks up hosts and groups as `/etc/nsswitch.conf` says, and loads a plugin for all but two of the ways that may
/// stand there. Those plugins belong to the machine's own glibc: in an executable that brings another one, they crash.
/// The two ways that are built in are enough, and are those of the providers in Go: files (`/etc/hosts`, `/etc/group`)
/// and DNS (`/etc/resolv.conf`).
#[cfg(target_feature = "crt-static")]
fn look_names_up_without_plugins() {
    for (database, ways) in [(c"hosts", c"files dns"), (c"group", c"files")] {
        configure_lookup(database, ways);
    }
}

#[cfg(target_feature = "crt-static")]
fn configure_lookup(database: &std::ffi::CStr, ways: &std::ffi::CStr) {
    use std::ffi::c_char;

    unsafe extern "C" {
        /// Declared in glibc's `nss.h`: overrides a line of `/etc/nsswitch.conf` for this process.
        fn __nss_configure_lookup(database: *const c_char, ways: *const c_char) -> c_int;
    }
    // SAFETY: both are strings that end with NUL, and are only read.
    let refused = unsafe { __nss_configure_lookup(database.as_ptr(), ways.as_ptr()) };
    debug_assert_eq!(refused, 0, "{database:?}: {ways:?}");
}
