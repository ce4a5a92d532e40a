//! A server that does what a script says and remembers what it was asked.

use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::{Answer, Framing, Request, Step};

/// Largest single write, so that the count of sent bytes is near the truth.
const WRITE_BYTES_MAX: usize = 16 << 10;
/// How long a stalled script waits for the other side to leave.
const STALL_MAX: Duration = Duration::from_secs(30);
/// Small send buffer: what the other side does not read stays here.
const SEND_BUFFER_BYTES: usize = 64 << 10;

/// An HTTP/1.1 server on a free port of 127.0.0.1, with keep-alive. It ends when it is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    respond: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
    seen: Mutex<Seen>,
    news: Condvar,
    sent_bytes: AtomicU64,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Request>,
    connections: usize,
    /// How often the other side left while a script was not at its end.
    left: usize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.seen.fmt(f)
    }
}

impl Upstream {
    /// Answers each request with what `respond` makes of it.
    pub fn serve(respond: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Upstream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            respond: Box::new(respond),
            seen: Mutex::default(),
            news: Condvar::new(),
            sent_bytes: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || accept(&listener, &accepting));
        Upstream { address, shared }
    }

    /// Answers every request with this.
    pub fn always(answer: Answer) -> Upstream {
        Upstream::serve(move |_| answer.clone())
    }

    /// Answers the requests with these in turn, and with the last one from then on.
    pub fn in_turn(answers: Vec<Answer>) -> Upstream {
        let next = AtomicU64::new(0);
        Upstream::serve(move |_| {
            let index = next.fetch_add(1, Ordering::SeqCst) as usize;
            answers[index.min(answers.len() - 1)].clone()
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far, in the order in which they were read.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.seen.lock().unwrap().requests.clone()
    }

    /// The last request.
    ///
    /// # Panics
    /// Where none came.
    pub fn last(&self) -> Request {
        self.shared.seen.lock().unwrap().requests.last().expect("no request came to the upstream").clone()
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.shared.seen.lock().unwrap().requests.len()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.shared.seen.lock().unwrap().connections
    }

    /// Bytes of bodies given to the kernel so far.
    pub fn sent_bytes(&self) -> u64 {
        self.shared.sent_bytes.load(Ordering::SeqCst)
    }

    /// Waits until this many requests came. Did they?
    pub fn wait_for_requests(&self, count: usize, patience: Duration) -> bool {
        self.wait(patience, |seen| seen.requests.len() >= count)
    }

    /// Waits until the other side has left in the middle of this many answers. Did it?
    pub fn wait_for_leaving(&self, count: usize, patience: Duration) -> bool {
        self.wait(patience, |seen| seen.left >= count)
    }

    fn wait(&self, patience: Duration, done: impl Fn(&Seen) -> bool) -> bool {
        let seen = self.shared.seen.lock().unwrap();
        let (seen, _) = self.shared.news.wait_timeout_while(seen, patience, |seen| !done(seen)).unwrap();
        done(&seen)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

/// An address on this machine where nobody listens.
pub fn dead_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming().flatten() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let shared = shared.clone();
        let number = shared.note(|seen| seen.connections += 1).connections - 1;
        thread::spawn(move || connection(stream, number, &shared));
    }
}

impl Shared {
    fn note(&self, change: impl FnOnce(&mut Seen)) -> std::sync::MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().unwrap();
        change(&mut seen);
        self.news.notify_all();
        seen
    }
}

fn connection(stream: TcpStream, number: usize, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
    let Ok(reading) = stream.try_clone() else { return };
    let mut play = Play { reader: BufReader::with_capacity(64 << 10, reading), stream, shared };
    while let Some(request) = Request::read(&mut play.reader, number) {
        let answer = (shared.respond)(&request);
        drop(shared.note(|seen| seen.requests.push(request)));
        match play.answer(&answer) {
            Ok(After::Keep) => {}
            Ok(After::Close) => return,
            Err(_) => {
                drop(shared.note(|seen| seen.left += 1));
                return;
            }
        }
    }
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Keep,
    Close,
}

struct Play<'a> {
    reader: BufReader<TcpStream>,
    stream: TcpStream,
    shared: &'a Shared,
}

impl Play<'_> {
    /// Plays a script. Fails where the other side leaves before its end.
    fn answer(&mut self, answer: &Answer) -> io::Result<After> {
        for step in &answer.before {
            if self.step(step, Framing::Bare)? == After::Close {
                return Ok(After::Close);
            }
        }
        self.stream.write_all(&answer.head())?;
        for step in &answer.steps {
            if self.step(step, answer.framing)? == After::Close {
                return Ok(After::Close);
            }
        }
        match answer.framing {
            Framing::Length => Ok(After::Keep),
            Framing::Chunked => self.stream.write_all(b"0\r\n\r\n").map(|()| After::Keep),
            Framing::Close | Framing::Bare => Ok(After::Close),
        }
    }

    fn step(&mut self, step: &Step, framing: Framing) -> io::Result<After> {
        match step {
            Step::Send(bytes) => self.send(bytes, framing)?,
            Step::Repeat(bytes, times) => (0..*times).try_for_each(|_| self.send(bytes, framing))?,
            Step::Pause(time) => thread::sleep(*time),
            Step::Wait(gate) => gate.pass(),
            Step::Stall => return self.stall(),
            Step::Cut => return Ok(After::Close),
            Step::Reset => {
                // Closing with a zero linger time sends RST. Everything before it gets the time to arrive.
                thread::sleep(Duration::from_millis(20));
                socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
                return Ok(After::Close);
            }
        }
        Ok(After::Keep)
    }

    fn send(&mut self, bytes: &[u8], framing: Framing) -> io::Result<()> {
        if framing != Framing::Chunked {
            return self.write(bytes);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.write(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(WRITE_BYTES_MAX) {
            self.stream.write_all(piece)?;
            self.shared.sent_bytes.fetch_add(piece.len() as u64, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Reads until the other side is gone.
    fn stall(&mut self) -> io::Result<After> {
        self.stream.set_read_timeout(Some(STALL_MAX))?;
        match self.reader.read(&mut [0; 1]) {
            Ok(0) => Err(io::ErrorKind::ConnectionAborted.into()),
            Ok(_) => Ok(After::Close),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Ok(After::Close)
            }
            Err(error) => Err(error),
        }
    }
}
