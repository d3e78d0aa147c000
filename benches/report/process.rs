//! Figures of running processes, as Linux counts them.

use std::fs;

/// Reads a figure of a process, in MB.
pub(crate) fn memory(id: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

/// Returns the CPU time of a process so far, in seconds: that of its threads that still run.
pub(crate) fn processor_seconds(id: u32) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?;
    let statistics = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("schedstat")).ok());
    let nanoseconds = statistics.filter_map(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    Some(nanoseconds.sum::<f64>() / 1e9)
}

/// Returns the CPU time of a process so far, in seconds: that of all its threads, also of those that have ended, but only to a
/// hundredth of a second, in which Linux counts here.
pub(crate) fn all_processor_seconds(id: u32) -> Option<f64> {
    let statistics = statistics(id)?;
    Some((statistics.get(11)? + statistics.get(12)?) / 100.0)
}

/// Returns the page faults of a process so far, without those that read from the disk.
pub(crate) fn page_faults(id: u32) -> Option<f64> {
    statistics(id)?.get(7).copied()
}

/// Returns the numbers in `/proc/ID/stat` that follow the name of the program. The first is a letter, and counts as none.
fn statistics(id: u32) -> Option<Vec<f64>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(text.rsplit(')').next()?.split_whitespace().map(|number| number.parse().unwrap_or(f64::NAN)).collect())
}
