//! The command line of the benchmark. `run` does everything; `mock` and `load` are its parts for use by
//! hand; `pin` is for `run` itself.

#![allow(clippy::print_stdout)]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use ostia_bench::load::{self, Job};
use ostia_bench::record::{Run, System};
use ostia_bench::runner::{self, Options};
use ostia_bench::workloads::{WORKLOADS, Workload};
use ostia_bench::{body, mock, process, report};

/// Measures a gateway beside nginx, on one core.
#[derive(Parser)]
#[command(name = "ostia-bench")]
struct Cli {
    #[command(subcommand)]
    command: Commands,
}

#[derive(Subcommand)]
enum Commands {
    /// Measure everything and print the tables.
    Run(RunArguments),
    /// Serve the mock upstream until stopped.
    Mock {
        /// Address to listen on.
        #[arg(long, default_value = "127.0.0.1:9100")]
        listen: SocketAddr,
    },
    /// Load one server with one workload and print the figures as JSON.
    Load(LoadArguments),
    /// List the workloads.
    List,
    /// Become another program, pinned to a core.
    #[command(hide = true)]
    Pin {
        core: usize,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[derive(Args)]
struct RunArguments {
    /// The gateway's binary.
    #[arg(long)]
    bin: Option<PathBuf>,
    /// Systems to measure: direct, nginx, ostia.
    #[arg(long, value_delimiter = ',', value_parser = parse_system, default_value = "direct,nginx,ostia")]
    systems: Vec<System>,
    /// Workloads to measure (`list` names them); all where not given.
    #[arg(long, value_delimiter = ',', value_parser = parse_workload)]
    workloads: Vec<&'static Workload>,
    /// Times that everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Length of a measured window.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Minutes for which `records-memory` watches memory.
    #[arg(long, default_value_t = 1)]
    minutes: u32,
    /// How long to wait for a quiet machine before each window; 0 neither waits nor repeats noisy windows.
    #[arg(long, default_value_t = 30)]
    patience: u64,
    /// Also write everything to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Another argument for `ostia serve`; may be given more than once.
    #[arg(long = "gateway-argument", allow_hyphen_values = true)]
    gateway_arguments: Vec<String>,
    /// The nginx binary.
    #[arg(long, default_value = "/usr/sbin/nginx")]
    nginx: PathBuf,
}

#[derive(Args)]
struct LoadArguments {
    /// The server's address.
    #[arg(long)]
    to: SocketAddr,
    /// The workload (`list` names them).
    #[arg(long, value_parser = parse_workload)]
    workload: &'static Workload,
    /// Length of the measured window.
    #[arg(long, default_value_t = 5_000)]
    window_ms: u64,
    /// A process to account for: NAME=PID; may be given more than once.
    #[arg(long, value_parser = parse_watch)]
    watch: Vec<(String, u32)>,
    /// Another header of the request; may be given more than once.
    #[arg(long)]
    header: Vec<String>,
    /// The certificate (PEM) to believe, for workloads over TLS.
    #[arg(long)]
    certificate: Option<PathBuf>,
}

fn main() -> ExitCode {
    match perform(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ostia-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// False where something was measured and was not right.
fn perform(command: Commands) -> io::Result<bool> {
    match command {
        Commands::Run(arguments) => measure(arguments),
        Commands::Mock { listen } => mock::serve(TcpListener::bind(listen)?).map(|()| true),
        Commands::Load(arguments) => load_once(&arguments).map(|()| true),
        Commands::List => {
            WORKLOADS.iter().for_each(|workload| println!("{:<21} {}", workload.name, workload.title));
            Ok(true)
        }
        Commands::Pin { core, command } => Err(process::pin(core, &command)),
    }
}

fn measure(arguments: RunArguments) -> io::Result<bool> {
    let json_file = arguments.json.clone();
    let run = runner::run(&options(arguments)?)?;
    if let Some(file) = json_file {
        fs::write(file, serde_json::to_vec_pretty(&report::json(&run))?)?;
    }
    println!("{}", report::text(&run));
    Ok(is_right(&run))
}

fn options(arguments: RunArguments) -> io::Result<Options> {
    let gateway = match arguments.bin {
        Some(bin) => {
            fs::canonicalize(&bin).map_err(|error| io::Error::other(format!("{}: {error}", bin.display())))?
        }
        None if arguments.systems.contains(&System::Ostia) => {
            return Err(io::Error::other("say which gateway with --bin, or leave ostia out of --systems"));
        }
        None => PathBuf::new(),
    };
    let all = || WORKLOADS.iter().collect();
    Ok(Options {
        systems: arguments.systems,
        workloads: if arguments.workloads.is_empty() { all() } else { arguments.workloads },
        rounds: arguments.rounds.max(1),
        window_ms: (arguments.seconds * 1e3) as u64,
        minutes: arguments.minutes.max(1),
        gateway,
        gateway_arguments: arguments.gateway_arguments,
        nginx: arguments.nginx,
        patience: Duration::from_secs(arguments.patience),
    })
}

fn is_right(run: &Run) -> bool {
    run.failures.is_empty() && run.samples.iter().all(|sample| sample.measured.errors == 0)
}

fn load_once(arguments: &LoadArguments) -> io::Result<()> {
    let request = body::request(arguments.workload, &arguments.to.to_string(), &arguments.header);
    let job = Job {
        target: arguments.to,
        request: &request,
        workload: arguments.workload,
        window_ms: arguments.window_ms,
        watched: &arguments.watch,
        certificate: arguments.certificate.as_deref(),
    };
    println!("{}", serde_json::to_string(&load::run(&job)?)?);
    Ok(())
}

fn parse_system(name: &str) -> Result<System, String> {
    System::named(name).ok_or_else(|| "known are direct, nginx and ostia".into())
}

fn parse_workload(name: &str) -> Result<&'static Workload, String> {
    let names = || WORKLOADS.iter().map(|workload| workload.name).collect::<Vec<_>>().join(", ");
    Workload::named(name).ok_or_else(|| format!("known are {}", names()))
}

fn parse_watch(text: &str) -> Result<(String, u32), String> {
    let (name, pid) = text.split_once('=').ok_or("NAME=PID is expected")?;
    Ok((name.into(), pid.parse().map_err(|_| "the process id is no number")?))
}
