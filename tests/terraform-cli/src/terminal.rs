//! Ctrl-C, as a person presses it: every process that runs in the terminal gets it.

use std::process::Command;

#[cfg(windows)]
pub use system::press_ctrl_break;
pub use system::press_ctrl_c;

/// Makes a command run in a terminal of its own, with the processes that it starts.
pub fn in_own_terminal(command: &mut Command) -> &mut Command {
    system::detach(command)
}

#[cfg(unix)]
mod system {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;

    use crate::error::{Error, Result};

    pub(super) fn detach(command: &mut Command) -> &mut Command {
        // A terminal sends its signals to a process group.
        command.process_group(0)
    }

    /// Presses Ctrl-C in the terminal of this process, which [`in_own_terminal`](super::in_own_terminal) has started.
    ///
    /// # Errors
    ///
    /// The process has ended.
    pub fn press_ctrl_c(process: u32) -> Result<()> {
        let group = Pid::from_raw(process.cast_signed());
        killpg(group, Signal::SIGINT).map_err(|cause| Error::new(format!("cannot interrupt {process}: {cause}")))
    }
}

#[cfg(windows)]
mod system {
    use std::io;
    use std::os::windows::process::CommandExt as _;
    use std::process::Command;
    use std::sync::{Mutex, PoisonError};

    use windows_sys::Win32::System::Console::{
        ATTACH_PARENT_PROCESS, AttachConsole, CTRL_BREAK_EVENT, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent,
        GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetConsoleCtrlHandler, SetStdHandle,
    };
    use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

    use crate::error::{Error, Result};

    pub(super) fn detach(command: &mut Command) -> &mut Command {
        // A console that no window shows.
        command.creation_flags(CREATE_NO_WINDOW)
    }

    /// Presses Ctrl-C in the console of this process, which [`in_own_terminal`](super::in_own_terminal) has started.
    ///
    /// # Errors
    ///
    /// The process has ended.
    pub fn press_ctrl_c(process: u32) -> Result<()> {
        press(process, CTRL_C_EVENT)
    }

    /// Presses Ctrl-Break there.
    ///
    /// # Errors
    ///
    /// The process has ended.
    pub fn press_ctrl_break(process: u32) -> Result<()> {
        press(process, CTRL_BREAK_EVENT)
    }

    /// Sends an event to all processes of a console. Only a process that is attached to it can do that, and a process is
    /// attached to one console at a time.
    #[allow(unsafe_code)]
    fn press(process: u32, event: u32) -> Result<()> {
        static ATTACHED: Mutex<()> = Mutex::new(());

        unsafe extern "system" fn ignore(_: u32) -> i32 {
            1
        }

        let _one_at_a_time = ATTACHED.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: these functions take numbers and handles, which stay open, and a handler that lives as long as the program.
        let sent = unsafe {
            // Attaching replaces them.
            let streams = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE].map(|id| (id, GetStdHandle(id)));
            FreeConsole();
            let sent = AttachConsole(process) != 0
                && SetConsoleCtrlHandler(Some(ignore), 1) != 0
                && GenerateConsoleCtrlEvent(event, 0) != 0;
            let cause = io::Error::last_os_error();
            FreeConsole();
            // There is none if the tests were started without one.
            AttachConsole(ATTACH_PARENT_PROCESS);
            for (id, stream) in streams {
                SetStdHandle(id, stream);
            }
            if sent { Ok(()) } else { Err(cause) }
        };
        sent.map_err(|cause| Error::new(format!("cannot interrupt {process}: {cause}")))
    }
}
