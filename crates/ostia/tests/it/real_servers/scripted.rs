//! Servers that close connections at the worst moments, and keep account of what they read.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::crowd::Told;

/// A connection is closed after so many answers, at most.
const ANSWERS_MAX: usize = 4;
/// An idle connection is closed after so long, at most.
const IDLE_MAX_MS: u64 = 60;
/// How long a server waits for the first request of a connection, and for the other side to close as well.
const PATIENCE: Duration = Duration::from_secs(3);
/// Requests that no account can be kept of, of a hundred: a reset throws away what has come and was not read.
const UNSEEN_PERCENT_MAX: usize = 3;

/// When a server closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Right behind the last byte of an answer.
    AnswerSent,
    /// While the connection is idle, at any time.
    Idle,
    /// When the next request arrives: its first bytes are read, and nothing is answered.
    RequestArrives,
    /// Behind the first half of an answer's head.
    HalfHeadSent,
    /// One second after each answer, as the answer itself says it.
    AfterOneSecond,
}

/// How a server closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// In good order. What comes afterwards is read, and not answered.
    Fin,
    /// With a reset.
    Rst,
}

/// What a server does.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub when: When,
    pub close: Close,
}

/// Servers that run until this is dropped.
#[derive(Debug)]
pub struct Servers {
    pub all: Vec<Scripted>,
    _stop: oneshot::Sender<()>,
}

/// One server.
#[derive(Debug)]
pub struct Scripted {
    pub name: String,
    pub address: SocketAddr,
    pub kind: Kind,
    account: Arc<Mutex<Account>>,
}

/// What a server read, and what it did with it.
#[derive(Debug, Default)]
struct Account {
    answered: HashSet<String>,
    unanswered: HashSet<String>,
    times_read: HashMap<String, usize>,
    connections: usize,
}

impl Scripted {
    /// Starts one server of each kind, all in one thread.
    pub fn start(kinds: Vec<Kind>, seed: u64) -> Servers {
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut all = Vec::new();
        for (kind, seed) in kinds.into_iter().zip(seed..) {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let (address, account) = (listener.local_addr().unwrap(), Arc::new(Mutex::default()));
            runtime.spawn(accept(listener, kind, Rng::with_seed(seed), account.clone()));
            all.push(Scripted {
                name: format!("{:?}-{:?}", kind.when, kind.close).to_lowercase(),
                address,
                kind,
                account,
            });
        }
        thread::spawn(move || {
            let _ = runtime.block_on(stopped);
        });
        Servers { all, _stop: stop }
    }

    /// What is wrong with what the clients were told.
    pub fn problems(&self, told: &[Told]) -> Vec<String> {
        let account = self.account.lock().unwrap();
        let mut problems: Vec<String> = told
            .iter()
            .filter_map(|told| Some(format!("{}: {}", account.fault(told)?, told.words())))
            .collect();
        let unseen = told.iter().filter(|told| !account.times_read.contains_key(&told.id)).count();
        let unseen_max =
            if self.kind.close == Close::Rst { told.len() * UNSEEN_PERCENT_MAX / 100 } else { 0 };
        if unseen > unseen_max {
            problems.push(format!("{}: {unseen} requests were never read", self.name));
        }
        let connections = account.connections;
        if connections >= told.len() {
            problems.push(format!("{}: {connections} connections for {} requests", self.name, told.len()));
        }
        problems
    }
}

impl Account {
    fn answer(&mut self, id: &str) {
        self.answered.insert(id.to_owned());
        *self.times_read.entry(id.to_owned()).or_default() += 1;
    }

    fn refuse(&mut self, id: &str) {
        self.unanswered.insert(id.to_owned());
        *self.times_read.entry(id.to_owned()).or_default() += 1;
    }

    /// What is wrong with what one client was told.
    fn fault(&self, told: &Told) -> Option<&'static str> {
        let id = &told.id;
        if self.times_read.get(id).is_some_and(|times| *times > 1) {
            return Some("sent more than once");
        }
        if self.answered.contains(id) {
            return (!told.is_good()).then_some("it was answered");
        }
        (!told.is_refused()).then_some("it was not answered, so that 502 would be right")
    }
}

async fn accept(listener: TcpListener, kind: Kind, mut rng: Rng, account: Arc<Mutex<Account>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        account.lock().unwrap().connections += 1;
        let peer = Peer { stream, bytes: Vec::new(), account: account.clone() };
        tokio::spawn(peer.serve(kind, rng.fork()));
    }
}

/// The gateway's side of a connection.
struct Peer {
    stream: TcpStream,
    /// What has come and was not taken yet.
    bytes: Vec<u8>,
    account: Arc<Mutex<Account>>,
}

impl Peer {
    async fn serve(mut self, kind: Kind, mut rng: Rng) {
        let answers = match kind.when {
            When::AnswerSent | When::RequestArrives | When::HalfHeadSent => rng.usize(1..=ANSWERS_MAX),
            When::Idle | When::AfterOneSecond => usize::MAX,
        };
        let mut wait = PATIENCE;
        for _ in 0..answers {
            let Ok(Some(request)) = timeout(wait, self.request()).await else { break };
            self.account.lock().unwrap().answer(&request.id);
            if self.stream.write_all(&answer(&request, kind)).await.is_err() {
                return;
            }
            wait = match kind.when {
                When::Idle => Duration::from_millis(rng.u64(0..=IDLE_MAX_MS)),
                When::AfterOneSecond => Duration::from_secs(1),
                When::AnswerSent | When::RequestArrives | When::HalfHeadSent => PATIENCE,
            };
        }
        match kind.when {
            When::AnswerSent | When::Idle | When::AfterOneSecond => {}
            When::RequestArrives => while ids(&self.bytes).is_empty() && self.read().await {},
            When::HalfHeadSent => {
                if let Ok(Some(request)) = timeout(PATIENCE, self.request()).await {
                    self.account.lock().unwrap().refuse(&request.id);
                    let answer = answer(&request, kind);
                    let _ = self.stream.write_all(&answer[..answer.len() / 4]).await;
                    // A reset overtakes what has not been sent yet.
                    sleep(Duration::from_millis(1)).await;
                }
            }
        }
        self.close(kind.close).await;
    }

    /// The next request, taken whole; `None` at the end.
    async fn request(&mut self) -> Option<Request> {
        loop {
            if let Some((request, length)) = Request::parse(&self.bytes) {
                self.bytes.drain(..length);
                return Some(request);
            }
            if !self.read().await {
                return None;
            }
        }
    }

    async fn read(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.bytes).await, Ok(1..))
    }

    /// Ends the connection. Requests that have come, or still come, stay without an answer.
    async fn close(mut self, close: Close) {
        match close {
            Close::Fin => {
                let _ = self.stream.shutdown().await;
                let _ = timeout(PATIENCE, async { while self.read().await {} }).await;
            }
            Close::Rst => {
                let socket = socket2::SockRef::from(&self.stream);
                let mut buffer = vec![0; 64 << 10];
                while let Ok(length @ 1..) = (&*socket).read(&mut buffer) {
                    self.bytes.extend_from_slice(&buffer[..length]);
                }
                // Closing with a zero linger time sends RST.
                let _ = socket.set_linger(Some(Duration::ZERO));
            }
        }
        let mut account = self.account.lock().unwrap();
        ids(&self.bytes).iter().for_each(|id| account.refuse(id));
    }
}

/// What a server has to know of a request.
struct Request {
    framing: String,
    id: String,
}

impl Request {
    /// A whole request, and how many bytes it takes.
    fn parse(bytes: &[u8]) -> Option<(Request, usize)> {
        let head_bytes = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..head_bytes]).to_ascii_lowercase();
        let (_, length) = head.split_once("content-length: ")?;
        let length: usize = length.split("\r\n").next()?.parse().ok()?;
        let body = bytes.get(head_bytes..head_bytes + length)?;
        let framing = head.split('/').nth(1)?.to_owned();
        Some((Request { framing, id: ids(body).pop()? }, head_bytes + length))
    }
}

/// The ids in what came.
fn ids(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    text.split('"').filter(|word| word.starts_with("id-")).map(str::to_owned).collect()
}

fn answer(request: &Request, kind: Kind) -> Vec<u8> {
    let id = &request.id;
    let choice = |field: &str| {
        format!(
            r#"{{"id":"c","object":"x","created":1,"model":"m","choices":[{{"index":0,"{field}":{{"role":"assistant","content":"{id}"}},"finish_reason":"stop"}}]}}"#
        )
    };
    let hint = if kind.when == When::AfterOneSecond { "keep-alive: timeout=1\r\n" } else { "" };
    let media = if request.framing == "events" { "text/event-stream" } else { "application/json" };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {media}\r\n{hint}");
    let chunk = |piece: &str| format!("{:x}\r\n{piece}\r\n", piece.len());
    let chunked = |pieces: [&str; 3]| {
        format!("{head}transfer-encoding: chunked\r\n\r\n{}", pieces.map(chunk).concat()).into_bytes()
    };
    let whole = choice("message");
    match &*request.framing {
        "length" => format!("{head}content-length: {}\r\n\r\n{whole}", whole.len()).into_bytes(),
        "chunked" => chunked([&whole[..20], &whole[20..], ""]),
        _ => chunked([&format!("data: {}\n\n", choice("delta")), "data: [DONE]\n\n", ""]),
    }
}
