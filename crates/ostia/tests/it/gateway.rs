//! The gateway as a process.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::wire::{PATIENCE, once};

/// How long the gateway may take to listen, on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// How a gateway is started.
#[derive(Debug, Default)]
pub struct Setup {
    config: Option<String>,
    files: Vec<(String, String)>,
    env: Vec<(String, String)>,
    args: Vec<String>,
    is_without_data: bool,
}

/// A gateway that serves. It is killed when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    said: Arc<Said>,
    readers: Vec<JoinHandle<()>>,
    folder: Folder,
}

/// Everything that the process wrote.
#[derive(Debug, Default)]
struct Said {
    text: Mutex<String>,
    news: Condvar,
}

impl Setup {
    /// No file, no variables, no arguments.
    pub fn new() -> Setup {
        Setup::default()
    }

    /// With this text as ostia.yaml.
    pub fn config(mut self, text: &str) -> Setup {
        self.config = Some(text.to_owned());
        self
    }

    /// With this file in its folder.
    pub fn file(mut self, name: &str, text: &str) -> Setup {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// With this environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Setup {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a directory for data, and without a home where one could be.
    pub fn without_data(mut self) -> Setup {
        self.is_without_data = true;
        self
    }

    /// With this argument.
    pub fn arg(mut self, arg: &str) -> Setup {
        self.args.push(arg.to_owned());
        self
    }

    /// Serves on a free port of this machine, unless the arguments say where.
    pub fn start(mut self) -> Gateway {
        if !self.args.iter().any(|arg| arg == "--listen") {
            self.args.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
        }
        let folder = Folder::new(self.config.as_deref(), &self.files);
        let mut child = self
            .command(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a process");
        let said = Arc::new(Said::default());
        let readers = vec![
            listen_to(child.stdout.take().expect("stdout"), said.clone()),
            listen_to(child.stderr.take().expect("stderr"), said.clone()),
        ];
        let address = said.address();
        Gateway { child, address, said, readers, folder }
    }

    /// Runs to the end, for commands that do not serve.
    pub fn run(self) -> Output {
        let folder = Folder::new(self.config.as_deref(), &self.files);
        self.command(folder.path()).output().expect("a process")
    }

    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ostia"));
        command.args(&self.args).env_clear();
        if !self.is_without_data {
            command.env("OSTIA_DATA", folder.join("data"));
        }
        command.envs(self.env.iter().cloned());
        command.current_dir(folder).stdin(Stdio::null());
        command
    }
}

impl Gateway {
    /// Without a file.
    pub fn start() -> Gateway {
        Setup::new().start()
    }

    /// With this text as ostia.yaml.
    pub fn with(config: &str) -> Gateway {
        Setup::new().config(config).start()
    }

    /// Everything that it has printed so far. Lines of the log come behind the calls that they are of: see [`Gateway::end`].
    pub fn printed(&self) -> String {
        self.said.text.lock().unwrap().clone()
    }

    /// Resident memory, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as a service manager does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Asks it to end, and gives all that it printed, to the last line of its log.
    #[track_caller]
    pub fn end(mut self) -> String {
        self.terminate();
        assert!(self.wait(PATIENCE).is_some(), "it goes on: {}", self.printed());
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        self.printed()
    }

    /// Sends it this signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file with this text into its folder, all at once.
    pub fn write(&self, name: &str, text: &str) {
        let draft = self.folder().join(format!("{name}.draft"));
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(draft, self.folder().join(name)).unwrap();
    }

    /// Takes a file out of its folder.
    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder().join(name)).unwrap();
    }

    /// Waits until it has printed these words, and gives all that it printed.
    #[track_caller]
    pub fn says(&self, words: &str) -> String {
        once(|| match self.printed() {
            printed if printed.contains(words) => Ok(printed),
            printed => Err(format!("{words}: {printed}")),
        })
    }

    /// Waits until something is so, and else shows what it printed.
    #[track_caller]
    pub fn wait_until(&self, is_so: impl Fn() -> bool) {
        once(|| if is_so() { Ok(()) } else { Err(self.printed()) });
    }

    /// `ostia reload`.
    pub fn reload(&self) -> Output {
        let address = self.address.to_string();
        Setup::new().arg("reload").arg("--listen").arg(&address).run()
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Said {
    /// The address in the words of welcome.
    fn address(&self) -> SocketAddr {
        let find = |text: &str| {
            let (_, rest) = text.split_once("listens on http")?;
            let rest = rest.strip_prefix('s').unwrap_or(rest).strip_prefix("://")?;
            rest.split_once(['\n', '"']).and_then(|(address, _)| address.parse().ok())
        };
        let text = self.text.lock().unwrap();
        let (text, _) = self.news.wait_timeout_while(text, START_MAX, |text| find(text).is_none()).unwrap();
        find(&text).unwrap_or_else(|| panic!("the gateway did not start: {text}"))
    }
}

fn listen_to(mut pipe: impl Read + Send + 'static, said: Arc<Said>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            said.text.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..length]));
            said.news.notify_all();
        }
    })
}

/// A folder of its own for each gateway, so that none finds another's file.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new(config: Option<&str>, files: &[(String, String)]) -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("gateway-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        if let Some(config) = config {
            std::fs::write(path.join("ostia.yaml"), config).unwrap();
        }
        for (name, text) in files {
            std::fs::write(path.join(name), text).unwrap();
        }
        Folder(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
