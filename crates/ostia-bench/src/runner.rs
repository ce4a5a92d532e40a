//! Runs the workloads over the systems, interleaved: round by round, each workload over every system in
//! turn, so that a slow minute of the machine hits all of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::account::{Snapshot, resident_kb};
use crate::body;
use crate::load::Measured;
use crate::probe;
use crate::process::{Process, cores, pinned};
use crate::record::{Failure, Life, Run, Sample, Setup, System};
use crate::workloads::{WARMING, Way, Workload};

/// A window in which others used more than this many cores is measured again.
const FOREIGN_CORES_MAX: f64 = 0.15;
/// So often at most; the quietest is kept.
const TRIES_MAX: u32 = 3;
/// Before a window, others must use less than this many cores, if that comes in time ([`Options::patience`]).
const QUIET_CORES_MAX: f64 = 0.2;
const QUIET_LOOK: Duration = Duration::from_millis(400);
/// A server that does not answer within this has not started.
const START_WAIT_MAX: Duration = Duration::from_secs(30);
/// Time for a process to come to rest before its memory is read.
const REST: Duration = Duration::from_secs(2);
/// nginx as it comes with the repository, filled in by [`nginx_config`].
const NGINX_CONFIG: &str = include_str!("../../../benches/nginx.conf");

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Systems to measure.
    pub systems: Vec<System>,
    /// Workloads to measure, in this order; those of [`Workload::fresh_process`] come last.
    pub workloads: Vec<&'static Workload>,
    /// Times that everything is measured.
    pub rounds: u32,
    /// Length of a window.
    pub window_ms: u64,
    /// The gateway's binary.
    pub gateway: PathBuf,
    /// Further arguments of the gateway.
    pub gateway_arguments: Vec<String>,
    /// The nginx binary.
    pub nginx: PathBuf,
    /// How long to wait for a quiet machine before a window. Zero: do not wait, and keep noisy windows.
    pub patience: Duration,
}

/// Measures everything that `options` ask for and tells its progress on standard error.
///
/// # Errors
/// Where the machine has only one core, another benchmark runs, or the mock does not start. What goes
/// wrong with a single system becomes a [`Failure`].
pub fn run(options: &Options) -> io::Result<Run> {
    let _alone = take_turn()?;
    let mut bench = Bench::start(options)?;
    let outcome = bench.rounds();
    let folder = bench.folder.clone();
    let run = bench.run;
    outcome?;
    if run.failures.is_empty() {
        fs::remove_dir_all(&folder)?;
    } else {
        eprintln!("logs of the failed systems are in {}", folder.display());
    }
    Ok(run)
}

struct Bench<'a> {
    options: &'a Options,
    folder: PathBuf,
    mock: Server,
    servers: BTreeMap<System, Server>,
    run: Run,
}

struct Server {
    process: Process,
    address: SocketAddr,
    start_ms: f64,
    idle_kb: u64,
}

impl<'a> Bench<'a> {
    fn start(options: &'a Options) -> io::Result<Self> {
        let setup = setup(options)?;
        let folder = std::env::temp_dir().join(format!("ostia-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let address = free_address()?;
        let command =
            [std::env::current_exe()?.into(), "mock".into(), "--listen".into(), address.to_string().into()];
        let process = Process::start(&command, setup.load_core, &folder.join("mock.log"))?;
        let mut mock = Server { process, address, start_ms: 0.0, idle_kb: 0 };
        mock.wait(&request(Workload::plain(), address))?;
        let run = Run { setup, samples: Vec::new(), lives: Vec::new(), failures: Vec::new() };
        Ok(Self { options, folder, mock, servers: BTreeMap::new(), run })
    }

    fn rounds(&mut self) -> io::Result<()> {
        let (fresh, lasting): (Vec<&Workload>, Vec<&Workload>) =
            self.options.workloads.iter().partition(|workload| workload.fresh_process);
        for round in 1..=self.options.rounds {
            eprintln!("round {round} of {}", self.options.rounds);
            if !lasting.is_empty() {
                self.round(round, &lasting)?;
            }
            for workload in &fresh {
                for system in self.order(round, 0) {
                    self.measure_fresh(round, workload, system)?;
                }
            }
        }
        Ok(())
    }

    /// The systems, each round and each workload beginning with another one.
    fn order(&self, round: u32, index: usize) -> impl Iterator<Item = System> + use<> {
        let mut systems = self.options.systems.clone();
        let first = (round as usize + index) % systems.len().max(1);
        systems.rotate_left(first);
        systems.into_iter()
    }

    fn round(&mut self, round: u32, workloads: &[&Workload]) -> io::Result<()> {
        for system in self.options.systems.clone() {
            self.start_system(round, system)?;
        }
        for (index, workload) in workloads.iter().enumerate() {
            for system in self.order(round, index) {
                if self.is_up(system) && system.takes(workload) {
                    self.measure(round, workload, system)?;
                }
            }
        }
        sleep(REST);
        for (system, server) in std::mem::take(&mut self.servers) {
            let after_kb = resident_kb(server.process.pid());
            let Server { start_ms, idle_kb, .. } = server;
            self.run.lives.push(Life { system, round, start_ms, idle_kb, after_kb });
        }
        Ok(())
    }

    /// Measures a workload on a process of its own that is warm and has no connections.
    fn measure_fresh(&mut self, round: u32, workload: &Workload, system: System) -> io::Result<()> {
        if !system.takes(workload) {
            return Ok(());
        }
        self.start_system(round, system)?;
        if self.is_up(system) {
            for warming in WARMING {
                if let Err(error) = self.load(warming, system) {
                    self.fail(round, warming.name, system, &error);
                }
            }
            sleep(REST);
            self.measure(round, workload, system)?;
        }
        self.servers.remove(&system);
        Ok(())
    }

    fn is_up(&self, system: System) -> bool {
        system == System::Direct || self.servers.contains_key(&system)
    }

    fn start_system(&mut self, round: u32, system: System) -> io::Result<()> {
        let address = free_address()?;
        let command = match system {
            System::Direct => return Ok(()),
            System::Nginx => self.nginx_command(address)?,
            System::Ostia => self.gateway_command(address)?,
        };
        let log = self.folder.join(format!("{}.log", system.name()));
        let started = Instant::now();
        let process = Process::start(&command, self.run.setup.gateway_core, &log)?;
        let mut server = Server { process, address, start_ms: 0.0, idle_kb: 0 };
        if let Err(error) = server.wait(&request(Workload::plain(), self.mock.address)) {
            self.fail(round, "start", system, &error);
            return Ok(());
        }
        server.start_ms = started.elapsed().as_secs_f64() * 1e3;
        sleep(REST);
        server.idle_kb = resident_kb(server.process.pid());
        self.servers.insert(system, server);
        Ok(())
    }

    fn nginx_command(&self, address: SocketAddr) -> io::Result<Vec<OsString>> {
        let config = self.folder.join("nginx.conf");
        fs::write(&config, nginx_config(&self.folder, address, self.mock.address))?;
        let folder = self.folder.clone();
        Ok(vec![self.options.nginx.clone().into(), "-p".into(), folder.into(), "-c".into(), config.into()])
    }

    /// The gateway knows the routing config by name too.
    fn gateway_command(&self, address: SocketAddr) -> io::Result<Vec<OsString>> {
        let file = self.folder.join("ostia.yaml");
        fs::write(&file, format!("configs: {{{CONFIG_NAME}: {}}}\n", config(self.mock.address)))?;
        let serve =
            ["serve".into(), "--listen".into(), address.to_string().into(), "--config".into(), file.into()];
        let further = self.options.gateway_arguments.iter().map(OsString::from);
        Ok([self.options.gateway.clone().into()].into_iter().chain(serve).chain(further).collect())
    }

    /// Measures a window, again while others disturb it, and keeps the quietest.
    fn measure(&mut self, round: u32, workload: &Workload, system: System) -> io::Result<()> {
        let mut best: Option<Measured> = None;
        let mut tries = 0;
        let tries_max = if self.options.patience.is_zero() || workload.fresh_process { 1 } else { TRIES_MAX };
        while tries < tries_max {
            tries += 1;
            wait_for_quiet(self.options.patience);
            let measured = match self.load(workload, system) {
                Ok(measured) => measured,
                Err(error) => {
                    self.fail(round, workload.name, system, &error);
                    return Ok(());
                }
            };
            if best.as_ref().is_none_or(|best| measured.foreign_cores < best.foreign_cores) {
                best = Some(measured);
            }
            if best.as_ref().is_some_and(|best| best.foreign_cores <= FOREIGN_CORES_MAX) {
                break;
            }
        }
        if let Some(measured) = best {
            let sample = Sample { system, workload: workload.name.into(), round, tries, measured };
            eprintln!("  {}", crate::report::line(&sample));
            self.run.samples.push(sample);
        }
        Ok(())
    }

    /// One window, in a process of its own on the load core.
    fn load(&self, workload: &Workload, system: System) -> io::Result<Measured> {
        probe::set_mock(self.mock.address, workload.chunks, workload.chunk_gap_ms)?;
        let server = self.servers.get(&system);
        let target = server.map_or(self.mock.address, |server| server.address);
        let window_ms = workload.window_ms.unwrap_or(self.options.window_ms);
        let mut arguments = vec![
            "load".to_owned(),
            format!("--to={target}"),
            format!("--workload={}", workload.name),
            format!("--window-ms={window_ms}"),
            format!("--watch=mock={}", self.mock.process.pid()),
        ];
        arguments.extend(server.map(|server| format!("--watch=gateway={}", server.process.pid())));
        arguments.extend(
            headers(workload, self.mock.address).into_iter().map(|header| format!("--header={header}")),
        );
        let mut command = vec![std::env::current_exe()?.into_os_string()];
        command.extend(arguments.into_iter().map(OsString::from));
        let output = pinned(&command, self.run.setup.load_core)?.output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn fail(&mut self, round: u32, workload: &str, system: System, error: &io::Error) {
        eprintln!("  {workload} {}: FAILED: {error}", system.name());
        let reason = error.to_string();
        self.run.failures.push(Failure { system, workload: workload.into(), round, reason });
    }
}

impl Server {
    /// Waits for the first right status.
    fn wait(&mut self, request: &[u8]) -> io::Result<()> {
        let until = Instant::now() + START_WAIT_MAX;
        let mut last = String::from("no answer");
        while Instant::now() < until {
            if let Some(status) = self.process.ended()? {
                return Err(io::Error::other(format!("ended by itself: {status}")));
            }
            last = match probe::send(self.address, request) {
                Ok((200, _)) => return Ok(()),
                Ok((status, body)) => format!("status {status}: {}", String::from_utf8_lossy(&body)),
                Err(error) => error.to_string(),
            };
            sleep(Duration::from_millis(2));
        }
        Err(io::Error::other(format!("not ready after {} s: {last}", START_WAIT_MAX.as_secs())))
    }
}

/// What tells the gateway where to go. Every system gets the same bytes.
#[must_use]
pub fn headers(workload: &Workload, mock: SocketAddr) -> Vec<String> {
    match workload.way {
        Way::Provider => vec![
            format!("x-portkey-provider: {}", workload.provider()),
            format!("x-portkey-custom-host: http://{mock}/v1"),
            "authorization: Bearer sk-bench".into(),
        ],
        Way::Config => vec![format!("x-portkey-config: {}", config(mock))],
        Way::Name => vec![format!("x-portkey-config: {CONFIG_NAME}")],
    }
}

/// The name of the config in the gateway's own file.
const CONFIG_NAME: &str = "bench";

/// A config of two targets, the second in case that the first fails.
fn config(mock: SocketAddr) -> String {
    let target = |key: &str| serde_json::json!({"provider": "openai", "custom_host": format!("http://{mock}/v1"), "api_key": key});
    let targets = [target("sk-bench"), target("sk-other")];
    serde_json::json!({"strategy": {"mode": "fallback"}, "targets": targets}).to_string()
}

fn request(workload: &Workload, mock: SocketAddr) -> Vec<u8> {
    body::request(workload, "localhost", &headers(workload, mock))
}

fn nginx_config(folder: &Path, listen: SocketAddr, upstream: SocketAddr) -> String {
    NGINX_CONFIG
        .replace("{FOLDER}", &folder.display().to_string())
        .replace("{LISTEN}", &listen.to_string())
        .replace("{UPSTREAM}", &upstream.to_string())
}

/// Two benchmarks at once would spoil each other. The turn ends when the file is dropped.
fn take_turn() -> io::Result<fs::File> {
    let path = std::env::temp_dir().join("ostia-bench.lock");
    let file = fs::File::options().create(true).truncate(false).write(true).open(&path)?;
    file.try_lock()
        .map_err(|error| io::Error::other(format!("another benchmark holds {}: {error}", path.display())))?;
    Ok(file)
}

/// Waits while others use the machine; nothing of ours runs now.
fn wait_for_quiet(patience: Duration) {
    let until = Instant::now() + patience;
    while Instant::now() < until {
        let before = Snapshot::take(&[]);
        sleep(QUIET_LOOK);
        if before.until(&Snapshot::take(&[])).foreign_cores < QUIET_CORES_MAX {
            return;
        }
    }
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn setup(options: &Options) -> io::Result<Setup> {
    let cores = cores()?;
    let [gateway_core, .., load_core] = cores.as_slice() else {
        return Err(io::Error::other("two cores are needed: one for the gateway, one for the load"));
    };
    let gateway = options.systems.contains(&System::Ostia).then(|| {
        let bytes = fs::metadata(&options.gateway).map_or(0, |metadata| metadata.len());
        (options.gateway.display().to_string(), bytes)
    });
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(Setup {
        rounds: options.rounds,
        window_ms: options.window_ms,
        gateway_core: *gateway_core,
        load_core: *load_core,
        processor: processor.map_or_else(String::new, |(_, name)| name.to_owned()),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        nginx: options.systems.contains(&System::Nginx).then(|| nginx_version(&options.nginx)).flatten(),
        gateway,
    })
}

/// nginx tells its version on standard error.
fn nginx_version(nginx: &Path) -> Option<String> {
    let output = Command::new(nginx).arg("-v").output().ok()?;
    Some(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_config_is_filled_in() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 4000));
        let upstream = SocketAddr::from(([127, 0, 0, 1], 5000));
        let config = nginx_config(Path::new("/run/x"), listen, upstream);
        let code: Vec<&str> = config.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let code = code.join("\n");
        assert!(code.contains("listen 127.0.0.1:4000 ") && code.contains("server 127.0.0.1:5000;"));
        assert!(!["{FOLDER}", "{LISTEN}", "{UPSTREAM}"].iter().any(|name| code.contains(name)));
    }

    #[test]
    fn only_one_benchmark_at_a_time() {
        let Ok(first) = take_turn() else { return };
        assert!(take_turn().is_err());
        drop(first);
        assert!(take_turn().is_ok());
    }
}
