//! Links for a quick start.

use std::env;

fn main() {
    let is = |name, value| env::var(name).is_ok_and(|set| set == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        // Loads the executable at a fixed address, as Go's are. At a random one, the loader would adjust some 8,000
        // pointers at each start, which takes a tenth of the time to the handshake line.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
