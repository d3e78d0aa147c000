//! From the start of a process to its handshake line, with AutoMTLS, and the memory that it has then.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use terraform_cli::target_directory;

use crate::Result;
use crate::host::Host;
use crate::page::{Bar, Budget, Group, Page};
use crate::peers::Subject;
use crate::statistics::Samples;

/// The least that a process can be: what every start pays to the operating system.
const HELLO: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";

pub(crate) fn measure(runs: usize, subjects: &[Subject], page: &mut Page) -> Result {
    let hello = Host::new(compile_hello()?);
    let hosts: Vec<_> = subjects.iter().map(|subject| Host::new(&subject.executable)).collect();
    let mut times = vec![Vec::new(); hosts.len()];
    let (mut hello_times, mut memory) = (Vec::new(), vec![Vec::new(); hosts.len()]);
    for run in 0..=runs {
        let mut round = vec![start(&hello)?.0];
        for (host, memory) in hosts.iter().zip(&mut memory) {
            let (time, resident) = start(host)?;
            memory.push(resident);
            round.push(time);
        }
        // The first one reads everything from the disk.
        if run > 0 {
            let mut round = round.into_iter();
            hello_times.extend(round.next());
            times.iter_mut().zip(round).for_each(|(times, time)| times.push(time));
        }
    }

    let hello = Samples::of_times(hello_times);
    page.section("Start");
    page.text(&format!(
        "From spawning the process until its handshake line is read, with AutoMTLS, {runs} times in turn. *Hello* is a C \
         program that prints one word: what every process costs here."
    ));
    let mut rows = vec![vec!["hello".to_owned(), hello.show(2), "1".into(), String::new(), String::new()]];
    let (mut bars, mut memory_bars, mut size_bars) = (Vec::new(), Vec::new(), Vec::new());
    for ((subject, times), memory) in subjects.iter().zip(times).zip(memory) {
        let (times, memory) = (Samples::of_times(times), Samples::of(memory).median());
        let (ratio, size) = (times.median() / hello.median(), subject.size()? as f64 / 1e6);
        rows.push(vec![
            subject.name.to_owned(),
            times.show(2),
            format!("{ratio:.1}"),
            format!("{memory:.1}"),
            format!("{size:.1}"),
        ]);
        bars.push(Bar::new(subject.name, ratio));
        memory_bars.push(Bar::new(subject.name, memory));
        size_bars.push(Bar::new(subject.name, size));
        if bars.len() == 1 {
            page.budget(Budget::at_most("start, as a multiple of *hello*", ratio, 2.0, 2));
            page.budget(Budget::at_most("memory at the handshake, MB", memory, 5.0, 1));
            page.budget(Budget::at_most("executable, MB", size, 8.0, 1));
        }
    }
    page.table(&["", "ms: median (range)", "× hello", "resident memory, MB", "executable, MB"], rows);
    page.chart(Group::new("Start, as a multiple of spawning a C program", bars));
    page.chart(Group::new("Memory at the handshake, MB", memory_bars));
    page.chart(Group::new("Executable, MB", size_bars));
    Ok(())
}

/// How long until the first line is on standard output, and the resident memory then, in MB.
fn start(host: &Host) -> Result<(Duration, f64)> {
    let mut command = host.command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
    let time = begin.elapsed();
    let memory = memory(child.id(), "VmRSS:").unwrap_or_default();
    // A program that ended by itself cannot be killed.
    let _ = child.kill();
    child.wait()?;
    if line.is_empty() {
        return Err(format!("{host:?} printed nothing").into());
    }
    Ok((time, memory))
}

/// A figure of a running process, in MB.
pub(crate) fn memory(id: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

fn compile_hello() -> Result<std::path::PathBuf> {
    let directory = target_directory()?.join("bench");
    fs::create_dir_all(&directory)?;
    let (source, hello) = (directory.join("hello.c"), directory.join("hello"));
    fs::write(&source, HELLO)?;
    let compiled = Command::new("cc").arg("-O2").arg("-o").arg(&hello).arg(&source).status()?;
    if compiled.success() { Ok(hello) } else { Err("cc cannot compile a hello".into()) }
}
