//! The provider: it looks up what to do by the marker in the request.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::case::{Case, markers};
use super::script::{self, Step};

/// All may connect at once.
const BACKLOG: u32 = 4096;
/// Longer than the gateway waits for anything.
const STALL_MAX: Duration = Duration::from_secs(30);

/// It runs until it is dropped.
#[derive(Debug)]
pub struct Upstream {
    pub address: SocketAddr,
    scripts: Arc<Scripts>,
    _stop: oneshot::Sender<()>,
}

impl Upstream {
    /// Starts it, in a thread of its own. What it will do is made here, so that it is quick later.
    pub fn start(cases: &[Case]) -> Upstream {
        let scripts: Arc<Scripts> =
            Arc::new(cases.iter().map(|case| (case.number, Steps::of(case))).collect());
        let shared = scripts.clone();
        let (stop, stopped) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.listen(BACKLOG).unwrap()
        });
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection(stream, shared.clone()));
            }
        });
        thread::spawn(move || {
            let _ = runtime.block_on(stopped);
        });
        Upstream { address, scripts, _stop: stop }
    }

    /// How often a request was read by the provider that fails.
    pub fn times_read(&self, case: &Case) -> usize {
        self.scripts.get(&case.number).map_or(0, |steps| steps.main_read.load(Ordering::SeqCst))
    }
}

/// By the case's number.
type Scripts = HashMap<usize, Steps>;

/// What happens to one request.
#[derive(Debug)]
struct Steps {
    main: Vec<Step>,
    /// How often that was done.
    main_read: AtomicUsize,
    spare: Vec<Step>,
}

impl Steps {
    fn of(case: &Case) -> Steps {
        let spare = case.spare.map(|speech| script::spare(case, speech));
        let main_read = AtomicUsize::new(0);
        Steps { main: script::main(case), main_read, spare: spare.unwrap_or_default() }
    }
}

async fn connection(mut stream: TcpStream, scripts: Arc<Scripts>) {
    let mut bytes = Vec::new();
    while let Some(request) = request(&mut stream, &mut bytes).await {
        for step in steps(&request, &scripts) {
            if !play(&mut stream, step).await {
                return;
            }
        }
    }
}

/// The next request, whole; `None` at the end.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(length) = length(bytes) {
            return Some(bytes.drain(..length).collect());
        }
        if !matches!(stream.read_buf(bytes).await, Ok(1..)) {
            return None;
        }
    }
}

/// How many bytes the first request takes, if it is whole.
fn length(bytes: &[u8]) -> Option<usize> {
    let head_bytes = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_bytes]).to_ascii_lowercase();
    let body_bytes = head.split_once("content-length: ").map_or(0, |(_, length)| {
        length.split("\r\n").next().and_then(|length| length.parse().ok()).unwrap_or(0)
    });
    (bytes.len() >= head_bytes + body_bytes).then_some(head_bytes + body_bytes)
}

/// The path begins with who is asked, `/main-chat/...` or `/spare-chat/...`.
fn steps<'a>(request: &[u8], scripts: &'a Scripts) -> &'a [Step] {
    let number = markers(request).next().and_then(|marker| marker[1..6].parse().ok());
    let steps = number.and_then(|number: usize| scripts.get(&number)).expect("a marker");
    if request.starts_with(b"POST /spare-") || request.starts_with(b"GET /spare-") {
        return &steps.spare;
    }
    steps.main_read.fetch_add(1, Ordering::SeqCst);
    &steps.main
}

/// Does one thing. Does the connection stay?
async fn play(stream: &mut TcpStream, step: &Step) -> bool {
    match step {
        Step::Send(bytes) => return stream.write_all(bytes).await.is_ok(),
        Step::Pause(time) => sleep(*time).await,
        Step::Fin => {
            let _ = stream.shutdown().await;
            return false;
        }
        Step::Rst => {
            // Closing with a zero linger time sends RST.
            let _ = socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
            return false;
        }
        Step::Stall => {
            let _ = timeout(STALL_MAX, stream.read(&mut [0])).await;
            return false;
        }
        Step::Repeat(bytes, pause) => {
            while stream.write_all(bytes).await.is_ok() {
                sleep(*pause).await;
            }
            return false;
        }
    }
    true
}
