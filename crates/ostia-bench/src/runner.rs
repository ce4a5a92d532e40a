//! Runs the workloads over the systems, interleaved: round by round, each workload over every system in
//! turn, so that a slow minute of the machine hits all of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::account::{Snapshot, resident_kb};
use crate::body;
use crate::load::Measured;
use crate::probe;
use crate::process::{Process, cores, pinned};
use crate::record::{Failure, Life, Run, Sample, Setup, System};
use crate::workloads::{RELOAD_EVERY_MS, Serving, Upstream, WARMING, Way, Workload};

mod memory;
mod nginx;

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

/// What servers with TLS show, and its key, in the run's folder.
const CERTIFICATE: &str = "own.pem";
const KEY: &str = "own.key";
/// What the gateway says of a configuration that is in force.
const RELOADED: &str = "The configuration is reloaded";

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
    /// How many minutes memory is watched for, in workloads that do ([`Workload::by_minute`]).
    pub minutes: u32,
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
    servers: BTreeMap<(System, Serving), Server>,
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
        certify(&folder)?;
        let mut mock = Server { process, address, start_ms: 0.0, idle_kb: 0 };
        mock.wait(&request(Workload::plain(), address))?;
        let run =
            Run { setup, samples: Vec::new(), lives: Vec::new(), memories: Vec::new(), failures: Vec::new() };
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
        let mut wanted: Vec<(System, Serving)> = Vec::new();
        for system in self.options.systems.clone() {
            wanted.extend(workloads.iter().filter(|one| system.takes(one)).map(|one| (system, one.serving)));
        }
        wanted.sort_unstable();
        wanted.dedup();
        for (system, serving) in wanted {
            self.start_system(round, system, serving)?;
        }
        for (index, workload) in workloads.iter().enumerate() {
            for system in self.order(round, index) {
                if system.takes(workload) && self.is_up(system, workload.serving) {
                    self.measure(round, workload, system)?;
                }
            }
        }
        sleep(REST);
        for ((system, serving), server) in std::mem::take(&mut self.servers) {
            if serving != Serving::Default {
                continue;
            }
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
        self.start_system(round, system, workload.serving)?;
        if self.is_up(system, workload.serving) {
            match workload.by_minute {
                true => self.watch_memory(round, workload, system),
                false => self.measure_warm(round, workload, system)?,
            }
        }
        self.servers.remove(&(system, workload.serving));
        Ok(())
    }

    fn measure_warm(&mut self, round: u32, workload: &Workload, system: System) -> io::Result<()> {
        for warming in WARMING {
            if let Err(error) = self.load(warming, system) {
                self.fail(round, warming.name, system, &error);
            }
        }
        sleep(REST);
        self.measure(round, workload, system)
    }

    fn is_up(&self, system: System, serving: Serving) -> bool {
        system == System::Direct || self.servers.contains_key(&(system, serving))
    }

    fn start_system(&mut self, round: u32, system: System, serving: Serving) -> io::Result<()> {
        let address = free_address()?;
        let command = match system {
            System::Direct => return Ok(()),
            System::Nginx => self.nginx_command(address, serving)?,
            System::Ostia => self.gateway_command(address, serving)?,
        };
        let log = self.folder.join(format!("{}-{}.log", system.name(), serving.name()));
        let started = Instant::now();
        let process = Process::start(&command, self.run.setup.gateway_core, &log)?;
        let mut server = Server { process, address, start_ms: 0.0, idle_kb: 0 };
        let started_up = match serving.is_plain() {
            true => server.wait(&request(Workload::plain(), self.mock.address)),
            false => server.wait_for_listener(),
        };
        if let Err(error) = started_up {
            self.fail(round, "start", system, &error);
            return Ok(());
        }
        server.start_ms = started.elapsed().as_secs_f64() * 1e3;
        sleep(REST);
        server.idle_kb = resident_kb(server.process.pid());
        self.servers.insert((system, serving), server);
        Ok(())
    }

    fn nginx_command(&self, address: SocketAddr, serving: Serving) -> io::Result<Vec<OsString>> {
        // Each has its own: temporary folders, the process id and the logs stand in it.
        let folder = self.folder.join(format!("nginx-{}", serving.name()));
        fs::create_dir_all(&folder)?;
        let config = folder.join("nginx.conf");
        fs::write(&config, nginx::config(&self.folder, &folder, address, self.mock.address, serving))?;
        Ok(vec![self.options.nginx.clone().into(), "-p".into(), folder.into(), "-c".into(), config.into()])
    }

    fn gateway_command(&self, address: SocketAddr, serving: Serving) -> io::Result<Vec<OsString>> {
        let file = self.gateway_file(serving);
        fs::write(&file, self.gateway_config(serving))?;
        let serve =
            ["serve".into(), "--listen".into(), address.to_string().into(), "--config".into(), file.into()];
        let own: Vec<OsString> = match serving {
            Serving::LogOff => vec!["--log".into(), "access=off".into()],
            Serving::Records | Serving::RecordsWithBodies => {
                vec!["--data".into(), self.folder.join(format!("data-{}", serving.name())).into()]
            }
            Serving::Default | Serving::Tls | Serving::Http2 | Serving::Reloading => Vec::new(),
        };
        let further = self.options.gateway_arguments.iter().map(OsString::from);
        Ok([self.options.gateway.clone().into()].into_iter().chain(serve).chain(own).chain(further).collect())
    }

    fn gateway_file(&self, serving: Serving) -> PathBuf {
        self.folder.join(format!("ostia-{}.yaml", serving.name()))
    }

    /// The gateway knows the routing config by name too.
    fn gateway_config(&self, serving: Serving) -> String {
        let routes = format!("configs: {{{CONFIG_NAME}: {}}}\n", config(self.mock.address));
        let folder = self.folder.display();
        match serving {
            Serving::Records => routes + "records: {bodies: off}\n",
            Serving::RecordsWithBodies => routes + "records: {bodies: full}\n",
            Serving::Tls => {
                format!("{routes}tls: {{cert: {folder}/{CERTIFICATE}, key: {folder}/{KEY}}}\n")
            }
            Serving::Default | Serving::LogOff | Serving::Http2 | Serving::Reloading => routes,
        }
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
            self.keep(Sample { system, workload: workload.name.into(), round, tries, measured });
        }
        Ok(())
    }

    fn keep(&mut self, sample: Sample) {
        eprintln!("  {}", crate::report::line(&sample));
        self.run.samples.push(sample);
    }

    /// One window, in a process of its own on the load core.
    fn load(&self, workload: &Workload, system: System) -> io::Result<Measured> {
        probe::set_mock(self.mock.address, workload.chunks, workload.chunk_gap_ms)?;
        let server = self.servers.get(&(system, workload.serving));
        let target = server.map_or(self.mock.address, |server| server.address);
        let window_ms = workload.window_ms.unwrap_or(self.options.window_ms);
        let mut arguments = vec![
            "load".to_owned(),
            format!("--to={target}"),
            format!("--workload={}", workload.name),
            format!("--window-ms={window_ms}"),
            format!("--certificate={}", self.folder.join(CERTIFICATE).display()),
            format!("--watch=mock={}", self.mock.process.pid()),
        ];
        arguments.extend(server.map(|server| format!("--watch=gateway={}", server.process.pid())));
        arguments.extend(
            headers(workload, self.mock.address).into_iter().map(|header| format!("--header={header}")),
        );
        let mut command = vec![std::env::current_exe()?.into_os_string()];
        command.extend(arguments.into_iter().map(OsString::from));
        let mut command = pinned(&command, self.run.setup.load_core)?;
        let reloading = server.filter(|_| workload.serving == Serving::Reloading);
        let (output, reloads) = match reloading {
            None => (command.output()?, None),
            Some(server) => {
                let (output, reloads) = self.while_reloading(server, || command.output())?;
                (output, Some(reloads))
            }
        };
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        Ok(Measured { reloads, ..serde_json::from_slice(&output.stdout)? })
    }

    /// Does something while the gateway is given another configuration again and again. How many it has put in force
    /// stands in its log.
    fn while_reloading<T>(
        &self,
        server: &Server,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<(T, u64)> {
        let log = self.folder.join(format!("{}-{}.log", System::Ostia.name(), Serving::Reloading.name()));
        let count = || Ok::<_, io::Error>(fs::read_to_string(&log)?.matches(RELOADED).count() as u64);
        let before = count()?;
        let is_over = AtomicBool::new(false);
        let outcome = thread::scope(|scope| {
            let reloads = scope.spawn(|| self.reload(server, &is_over));
            let outcome = work();
            is_over.store(true, Ordering::Relaxed);
            reloads.join().unwrap_or_else(|_| Err(io::Error::other("the thread that reloads has ended")))?;
            outcome
        });
        match (outcome?, count()? - before) {
            (_, 0) => Err(io::Error::other(format!("no configuration came into force: {}", log.display()))),
            counted => Ok(counted),
        }
    }

    fn reload(&self, server: &Server, is_over: &AtomicBool) -> io::Result<()> {
        let pid = i32::try_from(server.process.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("no process"))?;
        let file = self.gateway_file(Serving::Reloading);
        let fresh = file.with_extension("new");
        let mut number = 0_u64;
        while !is_over.load(Ordering::Relaxed) {
            number += 1;
            let routes = self.gateway_config(Serving::Reloading);
            fs::write(&fresh, format!("{routes}aliases: {{reload-{number}: {ALIAS}}}\n"))?;
            fs::rename(&fresh, &file)?;
            kill_process(pid, Signal::HUP)?;
            sleep(Duration::from_millis(RELOAD_EVERY_MS));
        }
        Ok(())
    }

    fn fail(&mut self, round: u32, workload: &str, system: System, error: &io::Error) {
        eprintln!("  {workload} {}: FAILED: {error}", system.name());
        let reason = error.to_string();
        self.run.failures.push(Failure { system, workload: workload.into(), round, reason });
    }
}

impl Server {
    /// Waits until connections are accepted.
    fn wait_for_listener(&mut self) -> io::Result<()> {
        let until = Instant::now() + START_WAIT_MAX;
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.process.ended()? {
                return Err(io::Error::other(format!("ended by itself: {status}")));
            }
            if Instant::now() >= until {
                return Err(io::Error::other(format!("not ready after {} s", START_WAIT_MAX.as_secs())));
            }
            sleep(Duration::from_millis(2));
        }
        Ok(())
    }

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

/// Makes a certificate for this machine's own address.
fn certify(folder: &Path) -> io::Result<()> {
    let made = rcgen::generate_simple_self_signed(vec![Ipv4Addr::LOCALHOST.to_string()]);
    let made = made.map_err(io::Error::other)?;
    fs::write(folder.join(CERTIFICATE), made.cert.pem())?;
    fs::write(folder.join(KEY), made.signing_key.serialize_pem())
}

/// What tells the gateway where to go. Every system gets the same bytes.
#[must_use]
pub fn headers(workload: &Workload, mock: SocketAddr) -> Vec<String> {
    match workload.way {
        Way::Provider => {
            let mut headers = vec![
                format!("x-portkey-provider: {}", workload.provider()),
                format!("x-portkey-custom-host: http://{mock}/v1"),
                "authorization: Bearer sk-bench".into(),
            ];
            if workload.upstream == Upstream::Bedrock {
                headers.push("x-portkey-aws-region: us-east-1".into());
            }
            headers
        }
        Way::Config => vec![format!("x-portkey-config: {}", config(mock))],
        Way::Name => vec![format!("x-portkey-config: {CONFIG_NAME}")],
    }
}

/// The name of the config in the gateway's own file.
const CONFIG_NAME: &str = "bench";

/// What changes with every reload is the name of this model.
const ALIAS: &str = r#"{"provider": "openai", "override_params": {"model": "gpt-4o"}}"#;

/// A config of two targets, the second in case that the first fails.
fn config(mock: SocketAddr) -> String {
    let target = |key: &str| serde_json::json!({"provider": "openai", "custom_host": format!("http://{mock}/v1"), "api_key": key});
    let targets = [target("sk-bench"), target("sk-other")];
    serde_json::json!({"strategy": {"mode": "fallback"}, "targets": targets}).to_string()
}

fn request(workload: &Workload, mock: SocketAddr) -> Vec<u8> {
    body::request(workload, "localhost", &headers(workload, mock))
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
    fn only_one_benchmark_at_a_time() {
        let Ok(first) = take_turn() else { return };
        assert!(take_turn().is_err());
        drop(first);
        assert!(take_turn().is_ok());
    }
}
