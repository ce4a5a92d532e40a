//! A real PostgreSQL server with a data directory of its own.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where Debian puts its programs, a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Whom everything belongs to, and that user's password.
const USER: &str = "ostia";
/// The password of [`Postgres::url`].
pub const PASSWORD: &str = "p@ss/word%1";
/// How long a start may take on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);

/// A server that runs. It is stopped when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    /// Goes with the server, where it is nobody's own folder.
    _folder: Option<TempDir>,
    owner: Option<(u32, u32)>,
    port: u16,
    options: Vec<String>,
    server: Option<Child>,
}

impl Postgres {
    /// A new server; `None` where none is installed. Then its test is skipped, which is said, and in CI is a failure.
    pub fn start() -> Option<Postgres> {
        Postgres::start_with(&[], &[])
    }

    /// The same with files in its data directory, and settings (`ssl=on`).
    pub fn start_with(files: &[(&str, &str)], settings: &[&str]) -> Option<Postgres> {
        let folder = TempDir::new().expect("a folder");
        let mut postgres = Postgres::new(folder.path().to_owned(), Some(folder), settings)?;
        postgres.make_data();
        for (name, text) in files {
            let path = postgres.data().join(name);
            fs::write(&path, text).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
            postgres.own(&path);
        }
        postgres.run();
        Some(postgres)
    }

    /// One whose data stays in this folder, and is there still if it was started there before.
    pub fn start_in(folder: &Path) -> Option<Postgres> {
        fs::create_dir_all(folder).expect("a folder");
        let mut postgres = Postgres::new(folder.to_owned(), None, &[])?;
        if !postgres.data().join("PG_VERSION").exists() {
            postgres.make_data();
        }
        postgres.run();
        Some(postgres)
    }

    fn new(folder: PathBuf, temporary: Option<TempDir>, settings: &[&str]) -> Option<Postgres> {
        let Some(programs) = programs() else {
            let words = "PostgreSQL is missing (apt install postgresql): its tests are skipped.";
            assert!(std::env::var_os("CI").is_none(), "{words}");
            eprintln!("{words}");
            return None;
        };
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let options = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let postgres =
            Postgres { programs, folder, _folder: temporary, owner: owner(), port, options, server: None };
        postgres.own(&postgres.folder);
        Some(postgres)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database, with the password in it.
    pub fn url(&self, database: &str) -> String {
        let password = PASSWORD.replace('%', "%25").replace('@', "%40").replace('/', "%2F");
        format!("postgres://{USER}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database.
    pub fn create(&self, database: &str) {
        self.sql("postgres", &format!("CREATE DATABASE {database}"));
    }

    /// Has it do this, and gives what it says: a line for each row.
    #[track_caller]
    pub fn sql(&self, database: &str, text: &str) -> String {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER, "-d", database]);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        command
            .env("PGPASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut psql = command.spawn().expect("psql");
        psql.stdin.take().expect("its input").write_all(text.as_bytes()).expect("to be heard");
        let output = psql.wait_with_output().expect("its end");
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Ends it in the middle of whatever it does, as a crash would.
    pub fn crash(&mut self) {
        self.end("QUIT");
    }

    /// Starts it again, where it was.
    pub fn run(&mut self) {
        let mut command = self.program("postgres");
        let socket = format!("unix_socket_directories={}", self.folder.display());
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        let settings = ["listen_addresses=127.0.0.1", "fsync=off", &socket];
        for setting in settings.into_iter().chain(self.options.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log"));
        let log = log.expect("a log");
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.server = Some(server.expect("a server"));
        let end = Instant::now() + START_MAX;
        while !self.is_ready() {
            assert!(Instant::now() < end, "{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What it has written to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn is_ready(&self) -> bool {
        let mut command = Command::new(self.programs.join("pg_isready"));
        command.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.status().is_ok_and(|status| status.success())
    }

    fn end(&mut self, signal: &str) {
        let Some(mut server) = self.server.take() else { return };
        let _ = Command::new("kill").args([&format!("-{signal}"), &server.id().to_string()]).status();
        let _ = server.wait();
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn make_data(&self) {
        let password = self.folder.join("password");
        fs::write(&password, PASSWORD).expect("a file");
        self.own(&password);
        let mut command = self.program("initdb");
        command.arg("-D").arg(self.data()).arg("--pwfile").arg(&password);
        command.args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        let output = command.output().expect("initdb");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// One of its programs. The server refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir("/");
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).expect("to give it away");
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end("QUIT");
    }
}

/// The folder of the newest version's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let there = versions.filter(|version| version.join("bin/initdb").exists());
    Some(there.max_by_key(|version| numbers(version))?.join("bin"))
}

/// The numbers of the version that a folder is named after: 9.6 is older than 15.
fn numbers(folder: &Path) -> Vec<u32> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').map_while(|number| number.parse().ok()).collect()
}

/// Who runs it where the tests are run as root: the user whom Debian's package makes.
fn owner() -> Option<(u32, u32)> {
    let status = fs::read_to_string("/proc/self/status").expect("what this process is");
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).expect("its user");
    if uid.split_whitespace().nth(1) != Some("0") {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("users");
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("a user `postgres`");
    let mut fields = line.split(':').skip(2).map(|field| field.parse().expect("a number"));
    Some((fields.next()?, fields.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        let is_older = |one: &str, other: &str| numbers(Path::new(one)) < numbers(Path::new(other));
        assert!(is_older("/postgresql/9.6", "/postgresql/15"));
        assert!(is_older("/postgresql/9.6", "/postgresql/9.10"));
        assert!(is_older("/postgresql/15", "/postgresql/16"));
    }
}
