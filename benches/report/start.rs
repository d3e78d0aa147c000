//! From the start of a process to its handshake line, with AutoMTLS, and its memory then.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use terraform_cli::target_directory;

use crate::Result;
use crate::host::Host;
use crate::page::{Bar, Budget, Group, Page};
use crate::peers::Subject;
use crate::statistics::Samples;

/// A minimal program: the cost of any start in the operating system.
const HELLO: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";

pub(crate) fn measure(runs: usize, subjects: &[Subject], page: &mut Page) -> Result {
    let ours = || Host::new(&subjects[0].executable);
    // The parts of our start that the operating system takes, and that TLS takes.
    let parts =
        [("its executable: `--version`", ours().arguments(["--version"])), ("without TLS", ours().without_tls())];
    let mut hosts = vec![Host::new(compile_hello()?)];
    hosts.extend(parts.iter().map(|(_, host)| host.clone()));
    hosts.extend(subjects.iter().map(|subject| Host::new(&subject.executable)));
    let mut starts: Vec<Vec<Started>> = hosts.iter().map(|_| Vec::new()).collect();
    // The first start reads everything from the disk.
    hosts.iter().try_for_each(|host| start(host).map(drop))?;
    for _ in 0..runs {
        for (host, starts) in hosts.iter().zip(&mut starts) {
            starts.push(start(host)?);
        }
    }
    let mut starts = starts.into_iter().map(|starts| {
        let of = |figure: fn(&Started) -> f64| Samples::of(starts.iter().map(figure));
        (of(|start| start.milliseconds), of(|start| start.resident).median(), of(|start| start.private).median())
    });

    page.section("Start");
    page.text(&format!(
        "From spawning the process until its handshake line is read, with AutoMTLS, {runs} times in turn. **Hello** is a C \
         program that prints one word: what every process costs here."
    ));
    let (hello, ..) = starts.next().ok_or("nothing was measured")?;
    let row = |name: String, times: &Samples, memory: String, size: String| {
        vec![name, times.show(2), format!("{:.1}", times.median() / hello.median()), memory, size]
    };
    let mut rows = vec![row("hello".into(), &hello, String::new(), String::new())];
    for ((name, _), (times, ..)) in parts.iter().zip(starts.by_ref()) {
        rows.push(row(format!("… {name}"), &times, String::new(), String::new()));
    }
    let (mut bars, mut memory_bars, mut size_bars) = (Vec::new(), Vec::new(), Vec::new());
    for (subject, (times, resident, private)) in subjects.iter().zip(starts) {
        let (ratio, size) = (times.median() / hello.median(), subject.size()? as f64 / 1e6);
        let memory = format!("{resident:.1} ({private:.1})");
        rows.push(row(subject.name.to_owned(), &times, memory, format!("{size:.1}")));
        bars.push(Bar::new(subject.name, ratio));
        memory_bars.push(Bar::new(subject.name, resident));
        size_bars.push(Bar::new(subject.name, size));
        if bars.len() == 1 {
            page.budget(Budget::at_most("start, as a multiple of **hello**", ratio, 2.0, 2));
            page.budget(Budget::at_most("memory at the handshake, MB", resident, 5.0, 1));
            page.budget(Budget::at_most("executable, MB", size, 8.0, 1));
        }
    }
    page.table(&["", "ms: median (range)", "× hello", "resident memory (private), MB", "executable, MB"], rows);
    page.text(
        "The lines with … are parts of this provider's start: loading its executable and libraries until it can print its \
         version, and the start for a host that wants no TLS. Resident memory includes what the system has mapped of the \
         executable and the C library, which all processes share; what only this process has is private.",
    );
    page.chart(Group::of_peers("Start, as a multiple of spawning a C program", bars));
    page.chart(Group::of_peers("Memory at the handshake, MB", memory_bars));
    page.chart(Group::of_peers("Executable, MB", size_bars));
    Ok(())
}

/// A start, and the memory at its end in MB.
struct Started {
    milliseconds: f64,
    resident: f64,
    private: f64,
}

/// Starts a process, and ends it when the first line is on standard output.
fn start(host: &Host) -> Result<Started> {
    let mut command = host.command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
    let milliseconds = begin.elapsed().as_secs_f64() * 1e3;
    let [resident, private] = ["VmRSS:", "RssAnon:"].map(|name| memory(child.id(), name).unwrap_or_default());
    // This fails if the program has already exited.
    let _ = child.kill();
    child.wait()?;
    if line.is_empty() {
        return Err(format!("{host:?} printed nothing").into());
    }
    Ok(Started { milliseconds, resident, private })
}

/// Reads a figure of a running process, in MB.
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
