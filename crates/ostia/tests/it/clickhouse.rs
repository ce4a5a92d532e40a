//! Records in ClickHouse: that they add up with several gateways and with a server that comes and goes, that the command line reads
//! them, and that nobody is told the password. The server is ClickHouse's engine behind an interface like its own
//! (`tests/servers/clickhouse.py`).

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::json;
use tempfile::TempDir;

use crate::gateway::Setup;
use crate::programs;
use crate::store::{CHAT, PRICES, asked, balance, body, listed, told};
use crate::wire::Ask;

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

    fn setup(&self, more: &str) -> Setup {
        Setup::new().config(&(self.config() + more)).env("CH_PASSWORD", PASSWORD)
    }
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

/// Two gateways write to one store, while its server ends and begins again.
#[test]
fn the_books_balance_in_a_server_too() {
    let Some(mut served) = Served::start() else { return };
    let gateways = [served.setup(PRICES).start(), served.setup(PRICES).start()];
    balance(&gateways, || {
        thread::sleep(Duration::from_millis(400));
        served.crash();
        thread::sleep(Duration::from_millis(700));
        served.restart();
    });
    let [first, second] = gateways.each_ref().map(|gateway| {
        let summary = asked(gateway, "/v1/analytics/summary?since=1h");
        summary["total"].clone()
    });
    assert_eq!(first, second);
}

#[test]
fn a_server_that_is_away_stops_nobody() {
    let Some(mut served) = Served::start() else { return };
    served.crash();
    let upstream = Upstream::always(Answer::json(openai::chat("a")));
    let gateway = served.setup("").start();
    let ready = told(&gateway, "/ready", |told| !told["records"].is_null());
    assert_eq!(ready["records"]["written"], json!(false));
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false));
    assert_eq!(ask.to(&gateway).status, 200);
    assert_eq!(Ask::new("GET", "/v1/logs").to(&gateway).status, 503);
    // Long enough to be tried again.
    thread::sleep(Duration::from_secs(3));
    served.restart();
    told(&gateway, "/ready", |told| told["records"].is_null());
    assert_eq!(listed(&gateway, 1).len(), 1);
    let printed = gateway.says("are written to");
    let count = |words: &str| printed.matches(words).count();
    assert_eq!((count("cannot be written"), count("are written to")), (1, 1), "{printed}");
    assert!(printed.contains("clickhouse://ostia@127.0.0.1:") && !printed.contains(PASSWORD), "{printed}");
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

#[test]
fn the_command_line_reads_the_store_that_the_file_names() {
    let Some(served) = Served::start() else { return };
    let upstream = Upstream::always(Answer::json(openai::chat("a")).header("x-request-id", "req-1"));
    let gateway = served.setup("").start();
    let ask = Ask::post_at(&upstream, "openai", CHAT, body(false)).header("x-ostia-trace-id", "trace-1");
    assert_eq!(ask.to(&gateway).status, 200);
    let record = listed(&gateway, 1).remove(0);
    assert_eq!(record["attempts"][0]["cost"]["amount"], "0.00000255", "{record}");
    let id = record["id"].as_str().unwrap();
    let one = asked(&gateway, &format!("/v1/logs/{id}"));
    assert_eq!(one["request"]["body"], crate::json(&body(false)));
    for name in ["trace-1", "req-1", id] {
        assert_eq!(asked(&gateway, &format!("/v1/traces/{name}"))["data"][0]["id"], id, "{name}");
    }
    let feedback = Ask::post("/v1/feedback", json!({"trace_id": "trace-1", "value": 3}).to_string());
    assert_eq!(feedback.to(&gateway).status, 200);
    assert_eq!(asked(&gateway, &format!("/v1/logs/{id}"))["feedback"][0]["value"], 3);

    let folder = TempDir::new().unwrap();
    let write = |more: &str| {
        let file = folder.path().join("ostia.yaml");
        std::fs::write(&file, served.config() + more).unwrap();
        file.display().to_string()
    };
    let run = |args: &[&str], file: &str| {
        let setup = args.iter().fold(Setup::new().env("CH_PASSWORD", PASSWORD), |setup, arg| setup.arg(arg));
        let output = setup.arg("--config").arg(file).run();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let file = write("");
    assert!(run(&["logs"], &file).contains("openai/gpt-4o-mini tokens=9+2 cost=0.00000255 USD"));
    let exported = run(&["logs", "export", "--bodies"], &file);
    assert_eq!(crate::json(&exported)["request"]["body"], crate::json(&body(false)));
    assert!(run(&["top", "--once", "--since", "1h"], &file).contains("gpt-4o-mini "));
    let file = write(PRICES);
    for changed in [1, 0] {
        let text = run(&["reprice", "--since", "1h"], &file);
        assert!(text.contains(&format!("{changed} cost something else now")), "{text}");
    }
    let summary = asked(&gateway, "/v1/analytics/summary?since=1h");
    assert_eq!(summary["total"]["cost"], json!({"USD": "0.0000175"}), "{summary}");
}
