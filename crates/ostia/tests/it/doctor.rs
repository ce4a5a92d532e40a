//! `ostia doctor` tries where records are kept: what works, what does not and what to do, over a file and real servers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use ostia_testkit::Postgres;
use ostia_testkit::postgres::PASSWORD;

use crate::clickhouse::Served;
use crate::gateway::{Gateway, Setup};
use crate::outward::authority::Authority;

const WRONG: &str = "pw-0123456789";

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Its lines about records, and the status.
#[track_caller]
fn check(setup: Setup, status: i32, words: &[&str]) {
    check_run(setup.arg("doctor").arg("--listen").arg("127.0.0.1:0"), status, words);
}

#[track_caller]
fn check_run(setup: Setup, status: i32, words: &[&str]) {
    let output = setup.run();
    let said = told(&output);
    assert_eq!(output.status.code(), Some(status), "{said}{output:?}");
    assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    let all = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!all.contains(PASSWORD) && !all.contains("word%1") && !all.contains(WRONG), "{all}");
}

#[test]
fn a_file_of_records() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let setup = || Setup::new().env("OSTIA_DATA", data.to_str().unwrap());
    check(setup(), 0, &["ok    records", "records.db is not there yet"]);
    assert!(!data.exists(), "nothing is made");
    setup().start().end();
    check(setup(), 0, &["ok    records", "SQLite 3.", "the newest"]);
    // While a gateway writes to it.
    let gateway = setup().start();
    check(setup(), 0, &["ok    records", "the newest"]);
    drop(gateway);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    check(setup(), 0, &["warn  records", "mode 0755", "-> chmod 700"]);
    fs::write(data.join("records.db"), "no file of SQLite's".repeat(99)).unwrap();
    check(setup(), 1, &["FAIL  records", "-> it is damaged"]);
    check(setup().config("records: off"), 0, &["ok    records", "none are kept (records: off)"]);
    check(Setup::new().without_data(), 0, &["warn  records", "none are kept: there is no home directory"]);
}

/// Root may write anywhere, and so has to leave that right behind.
#[test]
fn a_directory_that_cannot_be_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    let output = unprivileged(&data);
    let said = told(&output);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("FAIL  records") && said.contains("data cannot be written to"), "{said}");
    assert!(said.contains("-> let the gateway's user write to it"), "{said}");
}

fn unprivileged(data: &Path) -> Output {
    let ostia = env!("CARGO_BIN_EXE_ostia");
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut command = match is_root {
        true => {
            let mut command = Command::new("setpriv");
            command.args(["--bounding-set=-dac_override,-dac_read_search", ostia]);
            command
        }
        false => Command::new(ostia),
    };
    command
        .args(["doctor", "--offline", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env_remove("OSTIA_CONFIG");
    command.current_dir(data.parent().unwrap()).output().unwrap()
}

#[test]
fn a_postgres_server() {
    let (authority, other) = (Authority::new(), Authority::new());
    let own = authority.give(&["127.0.0.1"]);
    let files = [("server.crt", &*own.cert), ("server.key", &*own.key)];
    let Some(postgres) = Postgres::start_with(&files, &["ssl=on"]) else { return };
    postgres.create("records");
    let port = postgres.port();
    let setup = |database: &str, port: u16, password: &str, authority: &Authority| {
        let store = format!("postgres://ostia:${{PG_PASSWORD}}@127.0.0.1:{port}/{database}");
        let config = format!("records: {{store: \"{store}?sslmode=verify-full&sslrootcert=ca.pem\"}}\n");
        Setup::new().config(&config).file("ca.pem", &authority.pem).env("PG_PASSWORD", password)
    };
    let good = || setup("records", port, PASSWORD, &authority);
    check(good(), 0, &["ok    records", "PostgreSQL 1", "TLSv1.3", "no tables yet"]);
    assert_eq!(postgres.sql("records", "SELECT count(*) FROM pg_namespace WHERE nspname = 'ostia'"), "0");
    drop(good().start().says("listen"));
    check(setup("records", port, WRONG, &authority), 1, &["FAIL  records", "-> look at the password"]);
    check(setup("nothing", port, PASSWORD, &authority), 1, &["FAIL  records", "-> CREATE DATABASE nothing"]);
    check(setup("records", 1, PASSWORD, &authority), 1, &["FAIL  records", "no connection"]);
    let wrong = setup("records", port, PASSWORD, &other);
    check(wrong, 1, &["FAIL  records", "invalid peer certificate", "sslrootcert"]);
    let offline = good().arg("doctor").arg("--offline").arg("--listen").arg("127.0.0.1:0");
    check_run(offline, 0, &["ok    records", "not asked (--offline)"]);
}

#[test]
fn a_clickhouse_server() {
    let Some(served) = Served::start() else { return };
    let setup = |password: &str| Setup::new().config(&served.config()).env("CH_PASSWORD", password);
    check(setup(crate::clickhouse::PASSWORD), 0, &["ok    records", "ClickHouse 2", "may make the tables"]);
    let _gateway: Gateway = setup(crate::clickhouse::PASSWORD).start();
    check(setup(WRONG), 1, &["FAIL  records", "Authentication failed", "-> look at `ostia`"]);
    let gone = served.config();
    drop(served);
    let setup = Setup::new().config(&gone).env("CH_PASSWORD", WRONG);
    check(setup, 1, &["FAIL  records", "-> see that ClickHouse's HTTP interface"]);
}
