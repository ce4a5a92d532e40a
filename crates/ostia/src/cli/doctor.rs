//! `ostia doctor`: tries a configuration as the gateway would use it, and says what to do.
//!
//! Providers are asked by the code that carries clients' calls, so keys, headers, hosts and the guard on them are those of
//! the gateway. Only lists of models are asked for: that costs nothing.

mod clock;
mod models;
mod records;
mod report;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use clap::Args;
use ostia_config::Report;

use crate::cli::health;
use crate::config::load::{self, Loaded};
use crate::server::descriptors;
use crate::terminal;
use crate::upstream::proxy::Proxies;
use report::Finding;

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Configuration file. Without one, ostia.yaml in the current folder is used where it exists.
    #[arg(long, short, value_name = "FILE", env = "OSTIA_CONFIG")]
    pub config: Option<PathBuf>,
    /// Address and port; goes before the file's `listen`.
    #[arg(long, short, value_name = "ADDRESS", env = "OSTIA_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Ask this provider only. More than once for several.
    #[arg(long, short, value_name = "ID")]
    pub provider: Vec<String>,
    /// Directory in which the gateway keeps its data.
    #[arg(long, value_name = "DIRECTORY", env = "OSTIA_DATA")]
    pub data: Option<PathBuf>,
    /// Ask nobody outside of this machine.
    #[arg(long)]
    pub offline: bool,
}

/// Looks at everything, and prints a line for each.
///
/// # Errors
/// How many things do not work.
pub fn run(options: &Doctor) -> Result<(), String> {
    let findings = match load::file(options.config.as_deref(), options.listen) {
        Ok(loaded) => examine(loaded, options),
        Err(report) => told(&report).collect(),
    };
    let output = std::io::stdout();
    let table = report::table(&findings, terminal::takes_colours(&output));
    // Nobody may be listening; that is no reason to stop.
    let _ = std::io::Write::write_all(&mut output.lock(), table.as_bytes());
    match report::failures(&findings) {
        0 => Ok(()),
        1 => Err("One thing does not work.".to_owned()),
        many => Err(format!("{many} things do not work.")),
    }
}

/// What is wrong with the file.
fn told(report: &Report) -> impl Iterator<Item = Finding> {
    report.problems().iter().map(|problem| {
        let what = problem.render(report.file());
        match problem.is_error() {
            true => Finding::fail("configuration", what, "correct the file; `ostia check` shows the line"),
            false => Finding::warn("configuration", what, "see docs/configuration.md"),
        }
    })
}

fn examine(loaded: Loaded, options: &Doctor) -> Vec<Finding> {
    let mut findings = vec![file(&loaded)];
    findings.extend(told(&loaded.report));
    findings.push(listen(&loaded));
    findings.extend(tls(&loaded));
    findings.push(open_files(&loaded));
    findings.extend(records::examine(&loaded, options.data.as_deref(), options.offline));
    if let Proxies::Public(proxies) = &loaded.settings.transports.general().proxies {
        findings.push(Finding::ok("proxy", proxies.to_string()));
    }
    let ids = match asked(&loaded, &options.provider) {
        Ok(ids) => ids,
        Err(finding) => {
            findings.push(*finding);
            return findings;
        }
    };
    if ids.is_empty() {
        let next = "`ostia init` writes a file with yours; or let clients bring their own keys";
        findings.push(Finding::warn("providers", "none is configured, and the environment has no key", next));
    }
    if options.offline {
        findings.extend(ids.iter().map(|id| models::key(&loaded, id)));
        return findings;
    }
    let answers = models::ask_each(loaded, &ids);
    findings.extend(clock::compare(answers.iter().filter_map(|answer| answer.date)));
    findings.extend(answers.into_iter().map(|answer| answer.finding));
    findings
}

fn file(loaded: &Loaded) -> Finding {
    let known = loaded.settings.providers.len();
    Finding::ok("configuration", format!("{}; {known} providers known", loaded.name))
}

/// The providers to ask: those that were named, or those that the operator configured or has keys for.
fn asked(loaded: &Loaded, named: &[String]) -> Result<BTreeSet<String>, Box<Finding>> {
    let settings = &loaded.settings;
    if named.is_empty() {
        return Ok(settings.configured.keys().chain(settings.keys.keys()).cloned().collect());
    }
    let known = |name: &String| {
        let found = settings.providers.get(name.trim_start_matches('@'));
        found.map(|provider| provider.id.clone()).ok_or_else(|| {
            let next = "`ostia providers` lists all";
            Box::new(Finding::fail("providers", format!("there is no provider `{name}`"), next))
        })
    };
    named.iter().map(known).collect()
}

/// Is the port free, or this gateway's own, and the door shut?
fn listen(loaded: &Loaded) -> Finding {
    let address = loaded.listen;
    if !address.ip().is_loopback() && loaded.settings.gateway_keys.is_empty() {
        let next = "put a key under auth.keys, or listen on 127.0.0.1";
        return Finding::fail(
            "listen",
            format!("{address}, beyond this machine, and clients need no key"),
            next,
        );
    }
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok("listen", format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match is_gateway(address, loaded) {
            true => Finding::ok("listen", format!("{address}: a gateway runs there")),
            false => {
                let next = "stop whoever that is, or give another address (listen, --listen)";
                Finding::fail("listen", format!("{address} is taken, and not by a gateway"), next)
            }
        },
        Err(error) => {
            let next = "give an address of this machine, and a port above 1023 unless root";
            Finding::fail("listen", format!("{address}: {error}"), next)
        }
    }
}

/// Is it a gateway that listens there? One that wants a certificate of clients says at least that.
fn is_gateway(address: SocketAddr, loaded: &Loaded) -> bool {
    let Some(tls) = &loaded.tls else {
        return health::ask(address, "/health", None).is_ok_and(|(status, _)| status == 200);
    };
    let Ok(credentials) = health::Credentials::read(&tls.cert, None) else { return false };
    match health::ask(address, "/health", Some(credentials)) {
        Ok((status, _)) => status == 200,
        Err(error) => error.to_string().contains(health::WANTS_CERTIFICATE),
    }
}

/// What clients see.
fn tls(loaded: &Loaded) -> Option<Finding> {
    let tls = loaded.tls.as_ref()?;
    let shown = if tls.client_ca.is_some() { "; clients have to show one too" } else { "" };
    Some(Finding::ok("https", format!("the certificate in {} fits its key{shown}", tls.cert.display())))
}

fn open_files(loaded: &Loaded) -> Finding {
    let wanted = loaded.settings.limits.connections_max;
    match descriptors::connections(wanted, descriptors::raise()) {
        (clients, None) => Finding::ok("open files", format!("enough for {clients} clients at once")),
        (clients, Some(_)) => {
            let next = "raise it (ulimit -n, LimitNOFILE=), or lower limits.connections";
            Finding::warn(
                "open files",
                format!("enough for {clients} clients at once, not for {wanted}"),
                next,
            )
        }
    }
}
