//! Ostia: one door in front of every model.
//!
//! Start-up, from top to bottom: read the command line, read the configuration, refuse what is unsafe, listen, serve.

mod batches;
mod cli;
mod client;
mod clock;
mod config;
mod core;
mod credentials;
mod endpoints;
mod errors;
mod exchange;
mod fetch;
mod gauge;
mod handler;
mod inbound;
mod log;
mod message;
mod meters;
mod owner;
mod provider_batches;
mod provider_jobs;
mod provider_tunings;
mod record;
mod reload;
mod responses_api;
mod routing;
mod runner;
mod server;
mod store;
mod stream;
mod systemd;
mod target;
mod telemetry;
mod terminal;
mod timer;
mod tokens;
mod upstream;
mod websocket;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use clap::Parser as _;
use ostia_routing::State;
use ostia_store::{DataDirectory, Place};
use tokio::runtime::LocalOptions;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::batches::Batches;
use crate::cli::{Cli, Command, Serve, banner};
use crate::config::catalog::InForce;
use crate::config::exposure;
use crate::config::load::{self, Fixed, Loaded, Read, Secrets, Source};
use crate::core::{Shared, Snapshot};
use crate::log::{Format, Level, Log, Target};
use crate::meters::Meters;
use crate::record::records::Records;
use crate::reload::control;
use crate::reload::{Order, Reloader};
use crate::responses_api::ResponseStore;
use crate::server::{ConnectionLimit, Phase, descriptors};
use crate::telemetry::Telemetry;

/// A request makes some forty small allocations, most of them names of headers, and a few of some kilobytes. glibc keeps no
/// more than seven free blocks of a size at hand and gives large ones back to the kernel at once.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Lets the allocator give free memory back to the system while nothing happens: by itself it does so only when it is used, and
/// what a burst took would stay through the night.
fn give_back_memory() {
    // Where it cannot, memory stays a little longer, and nothing else changes.
    let _ = tikv_jemalloc_ctl::background_thread::write(true);
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(options) => serve(&options),
        Command::Check(options) => return options.run(),
        Command::Schema => {
            say(&cli::schema_text());
            Ok(())
        }
        Command::Providers(options) => options.text().map(|text| say(&text)),
        Command::Models(options) => options.text().map(|text| say(&text)),
        Command::Catalog(words) => words.run().map(|text| say(&text)),
        Command::Reload(options) => {
            control::ask(options.listen.filter(|address| address.port() != 0)).map(|text| say(&text))
        }
        Command::Init(options) => cli::init::run(&options).map(|text| say(&text)),
        Command::Doctor(options) => cli::doctor::run(&options),
        Command::Logs(options) => options.run(),
        Command::Top(options) => options.run(),
        Command::Reprice(options) => options.run().map(|text| say(&text)),
        Command::Health(options) => cli::health::run(&options).map(|text| say(&text)),
        Command::Completions(options) => {
            say(&cli::manual::completions(&options));
            Ok(())
        }
        Command::Man(options) => cli::manual::man(&options).map(|page| say(&page)),
        Command::Import(options) => options.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(std::io::stderr(), "{}", problem.trim_end());
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Serve) -> Result<(), String> {
    let inherited =
        systemd::inherited().map_err(|error| format!("The ports of the service manager: {error}."))?;
    let inherited_address = inherited.as_ref().and_then(|listener| listener.local_addr().ok());
    let listen = inherited_address.or(options.listen);
    let state = Arc::<State>::default();
    let path = load::path(options.config.as_deref());
    let source = Source {
        path: path.as_deref(),
        listen,
        bound: None,
        data: options.data.as_deref(),
        state: &state,
        catalog: &InForce::embedded(),
        secrets: Secrets::Wanted,
    };
    let Read { loaded, files } = load::read(source);
    let loaded = loaded.map_err(|report| cli::shown(&report))?;
    let address = loaded.listen;
    exposure::refuse_open(address, &loaded.settings, options.insecure)?;
    let workers =
        loaded.fixed.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let listeners = open(address, inherited, workers)?;
    let address = listeners[0].local_addr().map_err(|error| error.to_string())?;
    let (log, writer) = Log::new(options.log, options.log_format);
    let ending = writer.start().map_err(|error| error.to_string())?;
    warn(&cli::shown(&loaded.report));
    let (server, network) = (loaded.record_server.as_ref(), store::network(&loaded.settings));
    let place = store::place(&loaded.fixed.records, server, network, options.data.as_deref());
    let records = store::told(&place, &loaded.settings);
    if place.is_err() {
        log.say(Level::Warn, Target::Server, format!("Records: {records}."));
    }
    let password = loaded.record_server.as_ref().map(|server| server.password().clone());
    let welcome = Welcome::of(options, address, &loaded, &records, &log);
    let fixed = loaded.fixed.clone();
    let (snapshots, in_force) = watch::channel(Snapshot::first(loaded));
    let credentials = credentials::Credentials::new(in_force.borrow().network(), log.clone());
    log.price_by(store::pricer(in_force.clone()));
    let directory = store::directory(options.data.as_deref()).ok();
    let place = place.ok().flatten().map(|place| (place, directory.as_ref()));
    let told = Told::start(place, &fixed, &in_force, &log).map_err(|error| error.to_string())?;
    let batches = directory.map(|directory| Batches::start(directory.0, fixed.batches.clone())).transpose();
    let (batches, orders) = batches.map_err(|error| error.to_string())?.unzip();
    let shared = Shared {
        batches,
        store: told.store.as_ref().map(|store| store.shared.clone()),
        meters: told.meters.clone(),
        credentials: credentials.clone(),
        snapshots: in_force,
        responses: ResponseStore::new(fixed.responses.bytes as u64, fixed.responses.keep),
        state: state.clone(),
        records: Records::default(),
        log,
    };
    let (insecure, data) = (options.insecure, options.data.clone());
    let reloader = Reloader {
        path,
        listen,
        bound: address,
        data,
        insecure,
        fixed,
        password,
        state,
        snapshots,
        credentials,
        files,
    };
    let served = run(listeners, shared, orders, reloader, welcome);
    told.finish();
    ending.finish();
    served
}

/// Who is told of requests.
struct Told {
    meters: Meters,
    /// Where anything goes to OpenTelemetry.
    telemetry: Option<Telemetry>,
    /// Where they are kept, or counted.
    store: Option<store::Started>,
}

impl Told {
    fn start(
        place: Option<(Place, Option<&DataDirectory>)>,
        fixed: &Fixed,
        snapshots: &watch::Receiver<Snapshot>,
        log: &Log,
    ) -> std::io::Result<Told> {
        let meters = Meters::new(store::metrics(&fixed.metrics));
        let telemetry = fixed
            .exports
            .then(|| telemetry::start(snapshots.clone(), meters.clone(), log.clone(), core::random_name()));
        let (telemetry, observer) = telemetry.transpose()?.unzip();
        let is_wanted = place.is_some() || observer.is_some() || fixed.metrics.requests;
        let observers = (meters.metrics.clone(), observer);
        let store = is_wanted.then(|| store::start(place, &fixed.records, snapshots.clone(), observers, log));
        let store = store.transpose()?;
        if let Some(store) = &store {
            // It is empty until now.
            let _ = meters.queue.set(store.shared.queue.clone());
        }
        Ok(Told { meters, telemetry, store })
    }

    /// Keeps and sends what is there. Whoever sends is told by whoever keeps, and so ends after it.
    fn finish(self) {
        self.store.into_iter().for_each(store::Started::finish);
        self.telemetry.into_iter().for_each(Telemetry::finish);
    }
}

/// A listener for each core; `inherited`: the one that the service manager has opened.
fn open(
    address: SocketAddr,
    inherited: Option<TcpListener>,
    workers: usize,
) -> Result<Vec<TcpListener>, String> {
    let is_inherited = inherited.is_some();
    let first = inherited.map_or_else(|| server::listen_first(address), Ok);
    let first = first.map_err(|error| format!("Cannot listen on {address}: {error}."))?;
    let address = first.local_addr().map_err(|error| error.to_string())?;
    let mut listeners = vec![first];
    for _ in 1..workers {
        // Nobody can join a port that others have opened: all cores take their connections from the one.
        let listener = if is_inherited { listeners[0].try_clone() } else { server::listen(address) };
        listeners.push(listener.map_err(|error| error.to_string())?);
    }
    Ok(listeners)
}

/// What is said as soon as the gateway serves.
enum Welcome {
    None,
    Page(String),
    /// In a log for programs.
    Line(String),
}

impl Welcome {
    fn of(options: &Serve, address: SocketAddr, loaded: &Loaded, records: &str, log: &Log) -> Welcome {
        match (options.quiet, options.log_format) {
            (true, _) => Welcome::None,
            (false, Format::Text) => Welcome::Page(banner::text(address, loaded, records)),
            (false, Format::Json) => {
                log.say(Level::Info, Target::Server, format!("Records: {records}."));
                Welcome::Line(banner::listens(address, loaded))
            }
        }
    }
}

/// Serves on all cores. `welcome` is printed as soon as signals are heard.
fn run(
    listeners: Vec<TcpListener>,
    shared: Shared,
    batch_orders: Option<mpsc::Receiver<batches::Order>>,
    reloader: Reloader,
    welcome: Welcome,
) -> Result<(), String> {
    let wanted = shared.snapshots.borrow().settings.limits.connections_max;
    let (connections_max, warning) = descriptors::connections(wanted, descriptors::raise());
    warning.iter().for_each(|warning| shared.log.say(Level::Warn, Target::Server, warning));
    let limit = ConnectionLimit::new(connections_max);
    give_back_memory();
    let address = reloader.bound;
    let orders = reloader.start(shared.log.clone())?;
    let (phases, phase) = watch::channel(Phase::Serving);
    let (working, mut others) = mpsc::channel::<()>(1);
    let mut listeners = listeners.into_iter();
    let Some(own) = listeners.next() else { return Ok(()) };
    let mut threads = Vec::new();
    for (number, listener) in listeners.enumerate() {
        let (shared, limit) = (shared.clone(), limit.clone());
        let (phase, working) = (phase.clone(), working.clone());
        let worker = move || {
            let _working = working;
            on_core(async { server::serve(listener, shared, limit, phase).await })
        };
        let spawned = thread::Builder::new().name(format!("ostia-{}", number + 1)).spawn(worker);
        threads.push(spawned.map_err(|error| error.to_string())?);
    }
    if let Some(heard) = batch_orders {
        let (shared, phase, working) = (shared.clone(), phase.clone(), working.clone());
        let worker = move || {
            let _working = working;
            on_core(async { runner::run(shared, heard, phase).await })
        };
        let spawned = thread::Builder::new().name("ostia-batches".to_owned()).spawn(worker);
        threads.push(spawned.map_err(|error| error.to_string())?);
    }
    let served = on_core(async {
        let signals = Signals::new()?;
        systemd::tell_ready();
        control::hear(address, &orders, &shared.log);
        match welcome {
            Welcome::Page(text) => say(&text),
            Welcome::Line(line) => shared.log.say(Level::Info, Target::Server, line),
            Welcome::None => {}
        }
        tokio::task::spawn_local(signals.follow(
            phases,
            shared.snapshots.clone(),
            orders,
            shared.log.clone(),
        ));
        let served = server::serve(own, shared, limit, phase).await;
        // Signals are heard here: until the other threads have ended too.
        drop(working);
        let _ = others.recv().await;
        served
    });
    for worker in threads {
        worker.join().map_err(|_| "A worker ended in a panic.".to_owned())??;
    }
    served
}

/// How many tasks run before the kernel is asked for further events. With tokio's 61, providers and clients get nothing
/// while a long row of requests is worked through, and then all of it at once: they fall asleep, and waking them costs.
const POLLS_BETWEEN_EVENTS: u32 = 40;

/// Runs a future on a runtime of this thread alone.
fn on_core(future: impl Future<Output = std::io::Result<()>>) -> Result<(), String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().event_interval(POLLS_BETWEEN_EVENTS);
    let runtime = builder.build_local(LocalOptions::default()).map_err(|error| error.to_string())?;
    runtime.block_on(future).map_err(|error| error.to_string())
}

/// The signals that the gateway hears.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// SIGTERM and SIGINT stop the gateway: what is open has `drain` to come to its end. A second one stops at once. SIGHUP has
    /// the configuration read again.
    async fn follow(
        mut self,
        phase: watch::Sender<Phase>,
        snapshots: watch::Receiver<Snapshot>,
        orders: std::sync::mpsc::Sender<Order>,
        log: Log,
    ) {
        let mut cut_at = None;
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => {}
                Some(()) = self.interrupt.recv() => {}
                Some(()) = self.hangup.recv() => {
                    let _ = orders.send(Order::Hangup);
                    continue;
                }
                () = sleep_until(cut_at.unwrap_or_else(Instant::now)), if cut_at.is_some() => {}
            }
            if cut_at.is_some() {
                break;
            }
            systemd::tell_stopping();
            let _ = phase.send(Phase::Draining);
            let drain = snapshots.borrow().settings.drain;
            cut_at = Some(Instant::now() + drain);
            log.say(
                Level::Info,
                Target::Server,
                format!("Stopping: open calls have {drain:?} to end; a second signal ends them now."),
            );
        }
        log.say(Level::Info, Target::Server, "Stopping now: what is still open ends with an error.");
        let _ = phase.send(Phase::Cutting);
        // Keeps the channel open until the program ends.
        std::future::pending::<()>().await;
    }
}

fn warn(text: &str) {
    if !text.is_empty() {
        let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    }
}

fn say(text: &str) {
    // Nobody may be listening; that is no reason to stop.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
