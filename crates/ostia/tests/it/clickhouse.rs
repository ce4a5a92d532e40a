//! Records in ClickHouse: that they add up with several gateways and with a server that comes and goes, that the command line reads
//! them, and that nobody is told the password. The server is ClickHouse's engine behind an interface like its own
//! (`tests/servers/clickhouse.py`).

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::gateway::Setup;
use crate::programs;
use crate::store::{asked, servers};

const PASSWORD: &str = "se'cret/@%41:";

/// A server that runs. It is killed when it is dropped.
struct Served {
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
    fn start() -> Option<Served> {
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

    fn config(&self) -> String {
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
