//! Records in ClickHouse: that they add up with several gateways and with a server that comes and goes, that the command line reads
//! them, and that nobody is told the password. The server is ClickHouse's engine behind an interface like its own
//! (`tests/servers/clickhouse.py`).

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::gateway::Setup;
use crate::outward::authority::Authority;
use crate::outward::front::Front;
use crate::programs;
use crate::store::{asked, servers, told};

pub const PASSWORD: &str = "se'cret/@%41:";

/// A server that runs. It is killed when it is dropped.
pub struct Served {
    python: OsString,
    folder: TempDir,
    child: Child,
    port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.crash();
    }
}

impl Served {
    /// A server without tables, if this machine has one.
    pub fn start() -> Option<Served> {
        let (python, folder) = (programs::python()?, TempDir::new().unwrap());
        let (child, port) = run(&python, folder.path(), 0);
        Some(Served { python, folder, child, port })
    }

    /// It ends at once, whatever it does.
    fn crash(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// It begins again, at the same port and with what it had.
    fn restart(&mut self) {
        (self.child, self.port) = run(&self.python, self.folder.path(), self.port);
    }

    /// TLS in front of it, with a certificate for this name.
    fn behind_tls(&self, authority: &Authority, name: &str) -> Front {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        Front::speaking(address, &authority.give(&[name]), None, &["http/1.1"])
    }

    pub fn config(&self) -> String {
        format!("records: {{store: \"clickhouse://ostia:${{CH_PASSWORD}}@127.0.0.1:{}/ostia\"}}\n", self.port)
    }
}

fn with_password(config: &str, more: &str) -> Setup {
    Setup::new().config(&format!("{config}{more}")).env("CH_PASSWORD", PASSWORD)
}

fn run(python: &OsString, folder: &Path, port: u16) -> (Child, u16) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/clickhouse.py");
    let mut command = Command::new(python);
    command.arg(script).arg(folder.join("data")).arg(port.to_string()).env("CLICKHOUSE_PASSWORD", PASSWORD);
    let mut child = command.env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit_once(':').unwrap_or_else(|| panic!("{line}")).1.parse().unwrap();
    (child, port)
}

#[test]
fn the_books_balance_in_a_server_too() {
    let Some(mut served) = Served::start() else { return };
    let written = served.config();
    servers::check_balance(
        |more| with_password(&written, more),
        || {
            thread::sleep(Duration::from_millis(400));
            served.crash();
            thread::sleep(Duration::from_millis(700));
            served.restart();
        },
    );
}

#[test]
fn the_command_line_reads_the_store_that_the_file_names() {
    let Some(served) = Served::start() else { return };
    servers::check_commands(|more| with_password(&served.config(), more));
}

#[test]
fn a_server_that_is_away_stops_nobody_and_no_password_is_told() {
    let Some(mut served) = Served::start() else { return };
    served.crash();
    let setup = with_password(&served.config(), "").arg("--log").arg("debug");
    let (gateway, away) = servers::check_away(setup, || served.restart());
    let told = asked(&gateway, "/v1/gateway/config");
    let shown = format!("{away}{told}{}", gateway.end());
    assert!(shown.contains("clickhouse://ostia@127.0.0.1:"), "{shown}");
    assert!(!shown.contains("cret/") && !shown.contains("cret%2F"), "{shown}");
}

#[test]
fn a_password_that_is_wrong_is_said() {
    let Some(served) = Served::start() else { return };
    let gateway = Setup::new().config(&served.config()).env("CH_PASSWORD", "pw-0123456789").start();
    let printed = gateway.says("Authentication failed");
    assert!(!printed.contains("pw-0123456789"), "{printed}");
    let unset = Setup::new().config(&served.config()).arg("check").run();
    assert!(String::from_utf8_lossy(&unset.stderr).contains("CH_PASSWORD"), "{unset:?}");
}

/// A gateway that trusts this authority and keeps records there.
fn over_tls(front: &Front, authority: &Authority, more: &str) -> Setup {
    let store = format!("clickhouses://ostia:${{CH_PASSWORD}}@{}/ostia", front.address);
    let config = format!("records: {{store: \"{store}\"}}\nupstream: {{tls: {{ca: ca.pem}}}}\n");
    with_password(&config, more).file("ca.pem", &authority.pem)
}

#[test]
fn a_server_behind_tls_shows_who_it_is() {
    let Some(served) = Served::start() else { return };
    let (authority, other) = (Authority::new(), Authority::new());
    let front = served.behind_tls(&authority, "127.0.0.1");
    // User and password are in headers, of which the server takes no others.
    servers::check_commands(|more| over_tls(&front, &authority, more));
    assert!(front.met().iter().all(|met| met.protocol.as_deref() == Some("http/1.1")), "{:?}", front.met());
    let seen = front.met().len();
    assert!(seen > 0);

    let elsewhere = served.behind_tls(&authority, "clickhouse.example.com");
    for (front, trusted) in [(&front, &other), (&elsewhere, &authority)] {
        let gateway = over_tls(front, trusted, "").arg("--log").arg("debug").start();
        let printed = gateway.says("cannot be written");
        assert!(printed.contains("invalid peer certificate"), "{printed}");
        let ready = told(&gateway, "/ready", |told| !told["records"].is_null());
        assert_eq!(ready["records"]["written"], false, "{ready}");
        let shown = format!("{ready}{}", gateway.end());
        assert!(!shown.contains("cret/") && !shown.contains("cret%2F"), "{shown}");
        let doctor = over_tls(front, trusted, "").arg("doctor").arg("--listen").arg("127.0.0.1:0").run();
        let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert_eq!(doctor.status.code(), Some(1), "{said}");
        assert!(said.contains("invalid peer certificate") && said.contains("upstream.tls"), "{said}");
    }
    // No handshake came to its end, so nobody heard the password.
    assert_eq!((front.met().len(), elsewhere.met().len()), (seen, 0));
}
