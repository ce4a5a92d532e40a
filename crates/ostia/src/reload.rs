//! Putting a changed configuration in force while the gateway serves.
//!
//! One thread reads configurations, off the cores: when SIGHUP comes, when somebody asks for it (`ostia reload`), and when the file
//! or one that it refers to has changed. A configuration that is wrong changes nothing. One that is right is told to the cores
//! as a whole; requests that have begun keep the one that they began with.

pub mod control;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use ostia_routing::State;
use ostia_store::Password;
use tokio::sync::{oneshot, watch};

use crate::config::exposure;
use crate::config::files::Files;
use crate::config::hosts::Hosts;
use crate::config::load::{self, Fixed, Loaded, Read, Secrets, Source};
use crate::core::Snapshot;
use crate::credentials::Credentials;
use crate::log::{Level, Log, Target};
use crate::systemd;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long changed files have to stay as they are before they are read: whoever writes one may be in the middle of it.
const SETTLED_AFTER: Duration = Duration::from_millis(50);

/// Why the configuration is to be read again.
#[derive(Debug)]
pub enum Order {
    /// SIGHUP.
    Hangup,
    /// Somebody asks for it, and waits to hear what came of it.
    Asked(oneshot::Sender<Report>),
}

/// What came of reading the configuration again.
#[derive(Debug, Clone)]
pub struct Report {
    /// The new configuration is in force; else the old one stays.
    pub is_in_force: bool,
    /// What happened, for the operator: every problem, and what cannot change while the gateway runs.
    pub text: String,
}

/// What the gateway was started with, and what a new configuration is held against.
#[derive(Debug)]
pub struct Reloader {
    /// The file; `None` while there is none.
    pub path: Option<PathBuf>,
    /// The address of the command line, which goes before the file's.
    pub listen: Option<SocketAddr>,
    /// Where the gateway listens.
    pub bound: SocketAddr,
    /// The data directory of the command line.
    pub data: Option<PathBuf>,
    /// It may do so without keys.
    pub insecure: bool,
    /// What cannot change.
    pub fixed: Fixed,
    /// The password of the server that records are kept in, if they are in one.
    pub password: Option<Password>,
    /// What the requests of one config share, under each configuration.
    pub state: Arc<State>,
    /// Where the cores hear of a configuration.
    pub snapshots: watch::Sender<Snapshot>,
    /// Credentials of clouds, which are fetched over what a configuration says of connections.
    pub credentials: Credentials,
    /// What was read.
    pub files: Files,
}

impl Reloader {
    /// Starts the thread. Whoever wants the configuration to be read again says so here.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(self, log: Log) -> Result<Sender<Order>, String> {
        let (sender, orders) = channel();
        let work = move || self.run(&orders, &log);
        let spawned = thread::Builder::new().name("ostia-config".to_owned()).spawn(work);
        spawned.map(|_| sender).map_err(|error| error.to_string())
    }

    /// Reads the configuration again whenever there is a reason to, and tells what came of it. Ends with the gateway.
    fn run(mut self, orders: &Receiver<Order>, log: &Log) {
        let mut changing: Option<Files> = None;
        loop {
            let patience = if changing.is_some() { SETTLED_AFTER } else { LOOK_EVERY };
            let order = match orders.recv_timeout(patience) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if order.is_none() {
                let now = self.files.now();
                if now == self.files {
                    changing = None;
                    continue;
                }
                if changing.as_ref() != Some(&now) {
                    changing = Some(now);
                    continue;
                }
            }
            changing = None;
            systemd::tell_reloading();
            let report = self.reload();
            systemd::tell_ready();
            let level = if report.is_in_force { Level::Info } else { Level::Error };
            log.say(level, Target::Config, report.text.as_str());
            if let Some(Order::Asked(asker)) = order {
                // Whoever asked may have left.
                let _ = asker.send(report);
            }
        }
    }

    fn reload(&mut self) -> Report {
        let catalog = self.snapshots.borrow().settings.catalog_in_force();
        let source = Source {
            path: self.path.as_deref(),
            listen: self.listen,
            bound: Some(self.bound),
            data: self.data.as_deref(),
            state: &self.state,
            catalog: &catalog,
            secrets: Secrets::Wanted,
        };
        let Read { loaded, mut files } = load::read(source);
        let checked = loaded.map_err(|report| report.to_string()).and_then(|loaded| {
            exposure::refuse_open(self.bound, &loaded.settings, self.insecure)?;
            Ok(loaded)
        });
        let report = match checked {
            Ok(loaded) => self.put_in_force(loaded),
            Err(problems) => {
                // What the file refers to may not be known; what it referred to can still mend it.
                files.add(&self.files);
                let text =
                    format!("The configuration is refused, and the old one stays:\n{}", problems.trim_end());
                Report { is_in_force: false, text }
            }
        };
        self.files = files;
        report
    }

    fn put_in_force(&mut self, loaded: Loaded) -> Report {
        // A file that was read once is not given up for the defaults because it is gone for a moment.
        self.path = self.path.take().or_else(|| load::path(None));
        let mut text = format!("The configuration is reloaded: {}.", loaded.name);
        if !loaded.report.problems().is_empty() {
            text.push_str(&format!("\n{}", loaded.report.to_string().trim_end()));
        }
        let kept = self.fixed.differences(&loaded.fixed);
        if !kept.is_empty() {
            let (fields, verb) = (kept.join(", "), if kept.len() == 1 { "takes" } else { "take" });
            text.push_str(&format!("\n{fields} {verb} effect at the next start only; all else is in force."));
        }
        if self.snapshots.borrow().settings.catalog.bytes() != loaded.settings.catalog.bytes() {
            text.push_str(&format!(
                "\nThe catalogue of models is another one: {}.",
                loaded.settings.catalog_told()
            ));
        }
        self.renew_password(&loaded);
        self.snapshots.send_modify(|snapshot| *snapshot = snapshot.next(loaded));
        self.credentials.renew(self.snapshots.borrow().network());
        Report { is_in_force: true, text }
    }

    /// The next connections to the server of records show the password of this configuration, if it is one of that server.
    fn renew_password(&self, loaded: &Loaded) {
        let server = loaded.record_server.as_ref().filter(|_| self.fixed.has_same_server(&loaded.fixed));
        if let (Some(own), Some(server)) = (&self.password, server) {
            own.replace(server.password().now());
        }
    }
}

impl Snapshot {
    /// The first configuration.
    pub fn first(loaded: Loaded) -> Snapshot {
        let hosts = Arc::new(Hosts::of(&loaded.settings));
        Snapshot { settings: Arc::new(loaded.settings), hosts }
    }

    /// The configuration after this one.
    fn next(&self, mut loaded: Loaded) -> Snapshot {
        let hosts = Hosts::of(&loaded.settings);
        let forgetful = !hosts.cover(&self.hosts);
        loaded.settings.transports.inherit(&self.settings.transports, forgetful);
        Snapshot { settings: Arc::new(loaded.settings), hosts: Arc::new(hosts) }
    }
}
