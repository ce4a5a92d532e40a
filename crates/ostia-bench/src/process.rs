//! Processes that the benchmark starts: each pinned to a core, and ended with the benchmark.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal, setpriority_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A process that does not end within this after being asked to is killed.
const END_WAIT_MAX: Duration = Duration::from_secs(5);
/// Ahead of usual processes, where the user may ask for that (root).
const PRIORITY: i32 = -10;

/// A running process, ended when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts `command` pinned to `core`. Its output goes to the file `log`.
    ///
    /// It is started through `pin` of this program ([`pin`]), which keeps the process id, and in the
    /// log's folder, so that it finds no configuration of the user's.
    ///
    /// # Errors
    /// Where the log can't be written or the program not be started.
    pub fn start(command: &[OsString], core: usize, log: &Path) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let child =
            pinned(command, core)?.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Self { child })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself, and how.
    ///
    /// # Errors
    /// Where the system refuses to say.
    pub fn ended(&mut self) -> io::Result<Option<String>> {
        Ok(self.child.try_wait()?.map(|status| status.to_string()))
    }

    fn end(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        let until = Instant::now() + END_WAIT_MAX;
        while Instant::now() < until {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a process that will not end, and it is gone with us (see `pin`).
        let _ = self.end();
    }
}

/// The command that runs `command` pinned to `core`, without what the environment could tell a gateway:
/// proxies for its upstream, or another configuration.
///
/// # Errors
/// Where the path of this program is unknown.
pub fn pinned(command: &[OsString], core: usize) -> io::Result<Command> {
    let mut pinned = Command::new(std::env::current_exe()?);
    pinned.arg("pin").arg(core.to_string()).arg("--").args(command);
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if upper.starts_with("OSTIA_") || upper.ends_with("_PROXY") {
            pinned.env_remove(name);
        }
    }
    // Without a home the gateway keeps no records, unless it is told where: they are measured on purpose or not at all
    // (`--gateway-argument --data --gateway-argument DIRECTORY`), and never written among those of whoever measures.
    pinned.env_remove("HOME").env_remove("XDG_DATA_HOME");
    Ok(pinned)
}

/// Pins this process to `core`, puts it ahead of others if it may, ties its life to its parent's, and
/// becomes `command`.
///
/// # Errors
/// Comes back only where one of these fails.
pub fn pin(core: usize, command: &[OsString]) -> io::Error {
    let become_it = || -> io::Result<io::Error> {
        let mut cores = CpuSet::new();
        cores.set(core);
        sched_setaffinity(None, &cores)?;
        set_parent_process_death_signal(Some(Signal::TERM))?;
        // Without the right to it the figures are noisier, not wrong.
        let _ = setpriority_process(None, PRIORITY);
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Command::new(program).args(arguments).exec())
    };
    become_it().unwrap_or_else(|error| error)
}

/// The cores that this process may use.
///
/// # Errors
/// Where the system refuses to say.
pub fn cores() -> io::Result<Vec<usize>> {
    let allowed = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect())
}
