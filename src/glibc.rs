//! Settings of glibc that must be made at the start of the process.
#![expect(unsafe_code, reason = "glibc has no safe interface for these settings, and no crate wraps them")]

use std::ffi::c_int;

/// Makes the settings. Must be called before there is a second thread, and before a name is looked up.
pub(crate) fn prepare() {
    give_large_blocks_back();
    #[cfg(target_feature = "crt-static")]
    look_names_up_without_plugins();
}

/// Maps large blocks of memory on their own, so that they go back to the system when they are freed.
///
/// By default, glibc raises the threshold each time a larger block is freed. While a fleet is applied, the heap would
/// grow to many times the memory in use.
fn give_large_blocks_back() {
    /// Declared in `malloc.h`: the size from which a block is mapped on its own.
    const M_MMAP_THRESHOLD: c_int = -3;
    /// glibc's initial value. Setting the threshold, even to this value, keeps it from rising.
    const BYTES: c_int = 128 << 10;
    unsafe extern "C" {
        /// Declared in glibc's `malloc.h`. Returns 1, or 0 if it failed.
        fn mallopt(parameter: c_int, value: c_int) -> c_int;
    }
    // SAFETY: mallopt takes two numbers, and glibc locks the settings that it changes.
    let done = unsafe { mallopt(M_MMAP_THRESHOLD, BYTES) };
    debug_assert_eq!(done, 1);
}

/// Limits name lookups to the services that are built into a statically linked glibc.
///
/// glibc looks up hosts and groups with the services in `/etc/nsswitch.conf`, and loads a plugin for all but two of
/// them. Those plugins belong to the machine's own glibc, and crash in an executable that contains another one. The two
/// built-in services are enough, and providers in Go use only these as well: files (`/etc/hosts`, `/etc/group`) and DNS
/// (`/etc/resolv.conf`).
#[cfg(target_feature = "crt-static")]
fn look_names_up_without_plugins() {
    for (database, services) in [(c"hosts", c"files dns"), (c"group", c"files")] {
        configure_lookup(database, services);
    }
}

#[cfg(target_feature = "crt-static")]
fn configure_lookup(database: &std::ffi::CStr, services: &std::ffi::CStr) {
    use std::ffi::c_char;

    unsafe extern "C" {
        /// Declared in glibc's `nss.h`: overrides a line of `/etc/nsswitch.conf` for this process.
        fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
    }
    // SAFETY: both strings end with NUL, and glibc only reads them.
    let refused = unsafe { __nss_configure_lookup(database.as_ptr(), services.as_ptr()) };
    debug_assert_eq!(refused, 0, "{database:?}: {services:?}");
}
