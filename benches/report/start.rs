//! From the start of a process to its handshake line, with AutoMTLS, and its memory then.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use terraform_cli::target_directory;

use crate::Result;
use crate::host::Host;
use crate::page::Page;
use crate::process::memory;
use crate::statistics::Samples;
use crate::subject::Subject;

/// A minimal program: the cost of any start in the operating system.
const HELLO: &str = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }\n";

/// The most that this provider may take, as a share of the peer's.
const START_BUDGET: f64 = 0.05;
const SIZE_BUDGET: f64 = 0.25;

const WHY_START: &str = "A start is mostly loading: see the line `--version` below.";
const WHY_RATIO: &str = "Three quarters of a start are what any process takes: see the line **hello** below.";
const WHY_MEMORY: &str =
    "Memory at the handshake is nearly all shared with other processes: see what is private below.";
const WHY_SIZE: &str = "The executable carries the C library, and cryptography in assembly for several generations of processors, \
    which makes a start faster.";

/// Returns the milliseconds that **hello** takes.
pub(crate) fn measure(runs: usize, subjects: &[Subject], page: &mut Page) -> Result<f64> {
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
    let mut all_times = Vec::new();
    for (subject, (times, resident, private)) in subjects.iter().zip(starts) {
        let size = subject.size()?;
        let memory = format!("{resident:.1} ({private:.1})");
        rows.push(row(subject.series.name.to_owned(), &times, memory, format!("{size:.1}")));
        if all_times.is_empty() {
            let ratio = times.median() / hello.median();
            page.budget("start, as a multiple of **hello**", 2, 1.5, ratio, WHY_START);
            page.budget("memory at the handshake, MB", 1, 4.5, resident, WHY_MEMORY);
            page.budget("executable, MB", 1, 6.0, size, WHY_SIZE);
        }
        all_times.push(times);
    }
    page.compare("start to handshake, ms", 2, START_BUDGET, all_times, &[], WHY_RATIO);
    let sizes = subjects.iter().map(|subject| Ok(Samples::of([subject.size()?]))).collect::<Result<_>>()?;
    page.compare("executable, MB", 1, SIZE_BUDGET, sizes, &[], WHY_SIZE);
    page.table(&["", "ms: median (range)", "× hello", "resident memory (private), MB", "executable, MB"], rows);
    page.text(
        "The lines with … are parts of this provider's start: loading its executable and libraries until it can print its \
         version, and the start for a host that wants no TLS. Resident memory includes what the system has mapped of the \
         executable and the C library, which all processes share; what only this process has is private.",
    );
    Ok(hello.median())
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

fn compile_hello() -> Result<std::path::PathBuf> {
    let directory = target_directory()?.join("bench");
    fs::create_dir_all(&directory)?;
    let (source, hello) = (directory.join("hello.c"), directory.join("hello"));
    fs::write(&source, HELLO)?;
    let compiled = Command::new("cc").arg("-O2").arg("-o").arg(&hello).arg(&source).status()?;
    if compiled.success() { Ok(hello) } else { Err("cc cannot compile a hello".into()) }
}
