//! Ostia: one door in front of every model.
//!
//! Start-up, from top to bottom: read the command line, read the configuration, refuse what is unsafe, listen, serve.

mod boxed;
mod cli;
mod client;
mod clock;
mod config;
mod core;
mod endpoints;
mod errors;
mod exchange;
mod handler;
mod inbound;
mod message;
mod owner;
mod record;
mod responses_api;
mod routing;
mod server;
mod stream;
mod target;
mod timer;
mod upstream;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Parser as _;
use tokio::runtime::LocalOptions;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::cli::{Cli, Command, Serve};
use crate::config::load;
use crate::core::Shared;
use crate::record::records::Records;
use crate::responses_api::ResponseStore;
use crate::server::{ConnectionLimit, Phase, descriptors};
use crate::upstream::Tls;

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
        Command::Check(options) => load::file(options.config.as_deref(), None).map(|loaded| {
            warn_of(&loaded);
            say(&format!("{}: no problems.\n", loaded.name));
        }),
        Command::Import(options) => options.run(),
        Command::Providers(options) => load::file(options.file.config.as_deref(), None).map(|loaded| {
            let form = if options.markdown { ostia_providers::markdown } else { ostia_providers::table };
            say(&form(&loaded.settings.providers));
        }),
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
    let loaded = load::file(options.config.as_deref(), options.listen)?;
    let address = loaded.listen;
    refuse_open_door(address, &loaded, options.insecure)?;
    let workers = loaded.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let first =
        server::listen_first(address).map_err(|error| format!("Cannot listen on {address}: {error}."))?;
    let address = first.local_addr().map_err(|error| error.to_string())?;
    let mut listeners = vec![first];
    for _ in 1..workers {
        listeners.push(server::listen(address).map_err(|error| error.to_string())?);
    }
    warn_of(&loaded);
    let welcome = if options.quiet { String::new() } else { welcome(address, &loaded) };
    run(listeners, loaded, welcome)
}

/// Beyond loopback anybody could spend the operator's money: there has to be a key, or an explicit word.
fn refuse_open_door(address: SocketAddr, loaded: &load::Loaded, insecure: bool) -> Result<(), String> {
    if address.ip().is_loopback() || insecure || !loaded.settings.gateway_keys.is_empty() {
        return Ok(());
    }
    Err(format!(
        "Ostia does not listen on {address} without authentication: everybody who reaches it could use it.\n\
         Do one of these:\n  \
         - put a key into ostia.yaml:   auth: {{ keys: [\"${{OSTIA_KEY}}\"] }}\n  \
         - listen on this machine only: --listen 127.0.0.1:{}\n  \
         - say that it is meant so:     --insecure",
        address.port()
    ))
}

/// Serves on all cores. `welcome` is printed as soon as signals are heard.
fn run(listeners: Vec<std::net::TcpListener>, loaded: load::Loaded, welcome: String) -> Result<(), String> {
    let (connections_max, warning) =
        descriptors::connections(loaded.settings.limits.connections_max, descriptors::raise());
    warning.iter().for_each(|warning| warn(warning));
    let limit = ConnectionLimit::new(connections_max);
    let shared = Shared {
        settings: Arc::new(loaded.settings),
        tls: Tls::default(),
        responses: ResponseStore::new(loaded.responses.bytes as u64, loaded.responses.keep),
        state: loaded.state,
        records: Records::default(),
    };
    give_back_memory();
    let drain = shared.settings.drain;
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
    let served = on_core(async {
        let signals = Signals::new()?;
        say(&welcome);
        tokio::task::spawn_local(signals.follow(phases, drain));
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

    /// SIGTERM and SIGINT stop the gateway: what is open has `drain` to come to its end. A second one stops at once.
    async fn follow(mut self, phase: watch::Sender<Phase>, drain: Duration) {
        let mut cut_at = None;
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => {}
                Some(()) = self.interrupt.recv() => {}
                Some(()) = self.hangup.recv() => {
                    warn("SIGHUP is ignored: ostia.yaml is read at the start only. Restart the gateway to read it again.");
                    continue;
                }
                () = sleep_until(cut_at.unwrap_or_else(Instant::now)), if cut_at.is_some() => {}
            }
            if cut_at.is_some() {
                break;
            }
            let _ = phase.send(Phase::Draining);
            cut_at = Some(Instant::now() + drain);
        }
        let _ = phase.send(Phase::Cutting);
        // Keeps the channel open until the program ends.
        std::future::pending::<()>().await;
    }
}

fn welcome(address: SocketAddr, loaded: &load::Loaded) -> String {
    let providers = loaded.settings.providers.len();
    let ready: Vec<&str> = loaded
        .settings
        .providers
        .iter()
        .filter(|provider| provider.needs_key() && loaded.settings.keys.contains_key(&provider.id))
        .map(|provider| provider.id.as_str())
        .collect();
    let (provider, key) = match ready.first() {
        Some(provider) => ((*provider).to_owned(), String::new()),
        None => ("openai".to_owned(), "\n    -H 'authorization: Bearer YOUR-OPENAI-KEY' \\".to_owned()),
    };
    let with_key =
        if ready.is_empty() { "none yet (clients bring their own)".to_owned() } else { ready.join(", ") };
    format!(
        "Ostia {} listens on http://{address}\n\n  \
         configuration  {}\n  \
         providers      {providers} known; `ostia providers` lists them\n  \
         with a key     {with_key}\n  \
         docs           docs/ in the repository, or `ostia --help`\n\n\
         Try:\n\n  \
         curl http://{address}/v1/chat/completions \\\n    \
         -H 'content-type: application/json' \\\n    \
         -H 'x-ostia-provider: {provider}' \\{key}\n    \
         -d '{{\"model\": \"gpt-4o-mini\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n\n",
        env!("CARGO_PKG_VERSION"),
        loaded.name,
    )
}

fn warn_of(loaded: &load::Loaded) {
    loaded.warnings.iter().for_each(|warning| warn(warning));
}

fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn say(text: &str) {
    // Nobody may be listening; that is no reason to stop.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
