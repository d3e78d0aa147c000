//! Runs what was built for another platform: under QEMU, under Wine, or by the kernel itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::debian::run;
use super::{Debian, directory};
use crate::Result;
use crate::project::{Project, Target};

/// A way to run executables of another platform.
#[derive(Debug)]
pub(crate) enum Emulator {
    /// The kernel runs them itself.
    Kernel,
    /// QEMU runs each of their instructions, and the kernel starts QEMU: a line for its table of executable formats.
    Qemu { format: String },
    /// Wine stands in for Windows.
    Wine(Wine),
}

/// Wine, with a directory of its own for what Windows keeps on its disk.
#[derive(Debug)]
pub(crate) struct Wine {
    executable: PathBuf,
    libraries: PathBuf,
    prefix: PathBuf,
    /// A program that waits for input. While it runs, Wine's services do: otherwise, the next program would start them, and they
    /// would keep its output open after its end.
    keeper: Option<Child>,
}

impl Emulator {
    /// Returns the way to run executables for this target, whose programs are fetched first if necessary.
    pub(crate) fn for_target(project: &Project, target: &Target) -> Result<Self> {
        let debian = Debian::below(&directory(project))?;
        match target.architecture() {
            _ if target.is_windows() => Wine::prepare(&debian, directory(project).join("wine")).map(Self::Wine),
            "aarch64" | "s390x" => Self::qemu(&debian, target.architecture()),
            _ => Ok(Self::Kernel),
        }
    }

    fn qemu(debian: &Debian, architecture: &str) -> Result<Self> {
        debian.unpack(&["qemu-user-static"])?;
        // The fields of the line: name, kind, offset, first bytes, mask, interpreter, flags. F: the kernel opens the interpreter
        // now, so that it is there in another root directory.
        let line = fs::read_to_string(debian.path(&format!("usr/lib/binfmt.d/qemu-{architecture}.conf")))?;
        let fields: Vec<_> = line.trim().split(':').collect();
        let [_, name, kind, offset, bytes, mask, ..] = fields[..] else {
            return Err(format!("this is no line for binfmt_misc: {line}").into());
        };
        let interpreter = debian.path(&format!("usr/bin/qemu-{architecture}-static"));
        Ok(Self::Qemu { format: format!(":{name}:{kind}:{offset}:{bytes}:{mask}:{}:F", interpreter.display()) })
    }

    /// Returns the name of the program, if there is one.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Kernel => None,
            Self::Qemu { .. } => Some("QEMU"),
            Self::Wine(_) => Some("Wine"),
        }
    }

    /// Lets a command, and all that it starts, start executables of the platform.
    pub(crate) fn enable(&self, command: Command) -> Command {
        match self {
            Self::Kernel => command,
            Self::Qemu { format } => in_namespace(format, command),
            Self::Wine(wine) => wine.enable(command),
        }
    }
}

/// Wraps a command so that the kernel knows a further format, in namespaces of its own: no other process sees a difference, and the
/// command reaches no network but its own loopback addresses.
fn in_namespace(format: &str, command: Command) -> Command {
    let script = "PATH=$PATH:/usr/sbin:/sbin ip link set lo up
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
printf %s \"$1\" > /proc/sys/fs/binfmt_misc/register || exit
shift
exec \"$@\"";
    let mut wrapped = Command::new("unshare");
    wrapped.args(["--user", "--map-root-user", "--mount", "--net", "sh", "-ec", script, "sh", format]);
    wrapped.arg(command.get_program()).args(command.get_args());
    wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        wrapped.current_dir(directory);
    }
    wrapped
}

/// A library that Wine 8 lacks. Rust's standard library and Go ask Windows for random bytes with this function.
const RANDOM: &str = "#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return RtlGenRandom(data, size); }
";

impl Wine {
    fn prepare(debian: &Debian, prefix: PathBuf) -> Result<Self> {
        debian.unpack(&["wine64", "gcc-mingw-w64-x86-64-posix", "libz-mingw-w64"])?;
        let executable = debian.path("usr/lib/wine/wine64");
        let libraries = debian.path("usr/lib/x86_64-linux-gnu");
        // Debian's script of this name looks for the server in /usr.
        fs::copy(debian.path("usr/lib/wine/wineserver64"), debian.path("usr/lib/wine/wineserver"))?;
        let system = prefix.join("drive_c/windows/system32");
        let random = system.join("bcryptprimitives.dll");
        let mut wine = Self { executable, libraries, prefix, keeper: None };
        if !random.exists() {
            eprintln!("Setting Wine up ...");
            fs::create_dir_all(&system)?;
            // Wine's own libraries need it, and Debian has it elsewhere.
            fs::copy(debian.path("usr/x86_64-w64-mingw32/lib/zlib1.dll"), system.join("zlib1.dll"))?;
            let status = wine.command().args(["wineboot.exe", "--init"]).status()?;
            if !status.success() {
                return Err(format!("Wine cannot be set up: {status}").into());
            }
            compile(&debian.path("usr/bin/x86_64-w64-mingw32-gcc-posix"), &random)?;
        }
        wine.keeper = Some(wine.command().arg("cmd.exe").stdin(Stdio::piped()).spawn()?);
        Ok(wine)
    }

    /// Builds a command of Wine, whose output is not shown.
    fn command(&self) -> Command {
        let mut command = self.enable(Command::new(&self.executable));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn enable(&self, mut command: Command) -> Command {
        command
            .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", &self.executable)
            .env("LD_LIBRARY_PATH", &self.libraries)
            .env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", "-all")
            // No windows, and none of what Wine would fetch for web pages and for .NET.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
            .env_remove("DISPLAY");
        command
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            // Ends its input, and so the program, and then Wine, whatever still runs in it.
            drop(keeper.stdin.take());
            let _ = keeper.wait();
            let server = self.executable.with_file_name("wineserver");
            let _ = self.enable(Command::new(server)).arg("--kill").status();
        }
    }
}

fn compile(compiler: &Path, library: &Path) -> Result {
    let source = tempfile::Builder::new().suffix(".c").tempfile()?;
    fs::write(source.path(), RANDOM)?;
    run(Command::new(compiler).args(["-shared", "-o"]).arg(library).arg(source.path()).arg("-ladvapi32"))
}
