//! Servers of others, started for a test: `tests/servers/`.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::crowd::Told;
use crate::programs;

/// How long a server may take to listen, on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);
/// How long its last words may take.
const LOG_MAX: Duration = Duration::from_secs(5);
/// nginx has to be told a port that is free. Nobody connects from these addresses, so that no connection takes it meanwhile.
const NGINX_OUTER: &str = "127.77.0.1";
const NGINX_INNER: &str = "127.77.0.2";

/// A server that runs. It is killed when it is dropped.
#[derive(Debug)]
pub struct Started {
    pub name: &'static str,
    pub address: SocketAddr,
    child: Child,
    /// What it prints: for each request its id and the connection's port.
    lines: Arc<Mutex<Vec<String>>>,
    folder: Option<PathBuf>,
}

impl Started {
    /// uvicorn, if it is here.
    pub fn uvicorn() -> Option<Started> {
        Some(Started::script("uvicorn", programs::python()?, "uvicorn_app.py"))
    }

    /// Node's `http`, if it is here.
    pub fn node() -> Option<Started> {
        Some(Started::script("node", programs::node()?, "node_http.mjs"))
    }

    /// Python's `http.server`, if it is here.
    pub fn http_server() -> Option<Started> {
        Some(Started::script("http-server", programs::bare_python()?, "http_server.py"))
    }

    /// nginx, if it is here.
    pub fn nginx() -> Option<Started> {
        let program = programs::nginx()?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("nginx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let free = |ip: &str| TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap();
        let (outer, inner) = (free(NGINX_OUTER), free(NGINX_INNER));
        let template = std::fs::read_to_string(servers().join("nginx.conf")).unwrap();
        let conf = template.replace("OUTER", &outer.to_string()).replace("INNER", &inner.to_string());
        std::fs::write(folder.join("nginx.conf"), conf).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(&folder).args(["-c", "nginx.conf"]);
        let (child, lines) = start(command);
        until("nginx listens", || TcpStream::connect(outer).is_ok().then_some(()));
        Some(Started { name: "nginx", address: outer, child, lines, folder: Some(folder) })
    }

    fn script(name: &'static str, program: OsString, script: &str) -> Started {
        let mut command = Command::new(program);
        // Nothing is written beside the script.
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(servers().join(script));
        let (child, lines) = start(command);
        let listens = || lines.lock().unwrap().first()?.strip_prefix("listens on ")?.parse().ok();
        let address = until(name, listens);
        Started { name, address, child, lines, folder: None }
    }

    /// What is wrong with what it read: it has to have read every request once. And what it was for: connections were kept,
    /// and some were closed.
    pub fn log_problems(&self, told: &[Told]) -> Vec<String> {
        let end = Instant::now() + LOG_MAX;
        while self.read().len() < told.len() && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        let read = self.read();
        let mut times: HashMap<&str, usize> = HashMap::new();
        read.iter().for_each(|(id, _)| *times.entry(id).or_default() += 1);
        let wrong = told.iter().filter(|told| times.get(&*told.id) != Some(&1));
        let mut problems: Vec<String> = wrong
            .map(|told| format!("{} was read {} times", told.id, times.get(&*told.id).unwrap_or(&0)))
            .collect();
        let connections = read.iter().map(|(_, port)| port).collect::<HashSet<_>>().len();
        if connections > told.len() / 2 {
            problems.push(format!("{}: {connections} connections for {} requests", self.name, told.len()));
        }
        problems
    }

    /// Id and port of every request so far.
    fn read(&self) -> Vec<(String, String)> {
        let lines = self.lines.lock().unwrap();
        let words =
            lines.iter().filter(|line| line.starts_with("id-")).filter_map(|line| line.split_once(' '));
        words.map(|(id, port)| (id.to_owned(), port.to_owned())).collect()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn servers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers")
}

/// Starts a server and keeps what it prints.
fn start(mut command: Command) -> (Child, Arc<Mutex<Vec<String>>>) {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (output, kept) = (child.stdout.take().unwrap(), lines.clone());
    thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).for_each(|line| kept.lock().unwrap().push(line));
    });
    (child, lines)
}

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + START_MAX;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
