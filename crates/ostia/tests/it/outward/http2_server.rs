//! A server that speaks HTTP/2, does what a script says and remembers what it saw.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, SendStream};
use http::Response;
use ostia_testkit::vendor::openai;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Act {
    /// A whole answer.
    Answer,
    /// The same, once the server has been released.
    AnswerLater,
    /// The first event of a stream, and the rest of it once the server has been released.
    Stream,
    /// So many bytes of one event, as fast as they are taken.
    Flood(usize),
    /// The stream is reset.
    Reset(Reason),
    /// The first event of a stream, and then it is reset.
    StreamReset(Reason),
    /// A whole answer; the connection says that it takes no more requests.
    AnswerAndLeave,
    /// The first event of a stream. The connection says that it takes no more requests; the rest comes once the server has
    /// been released.
    StreamAndLeave,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which request it is, counted from 0.
    pub number: usize,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// `https://models.example/v1/chat/completions`.
    pub uri: String,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What the server remembers.
#[derive(Debug, Default)]
struct Memory {
    seen: Vec<Seen>,
    connections: usize,
    closed: usize,
    /// The other side reset these requests, and why.
    resets: Vec<(usize, Reason)>,
    /// Most requests of one connection that were open at a time.
    most_open: usize,
}

struct Shared {
    script: Box<dyn Fn(&Seen) -> Act + Send + Sync>,
    streams_max: Option<u32>,
    memory: Mutex<Memory>,
    news: Condvar,
    number: AtomicUsize,
    released: Notify,
    is_released: Mutex<bool>,
}

/// A server on a free port of 127.0.0.1, without TLS.
pub struct Http2Server {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

impl Http2Server {
    /// Takes so many requests at a time on one connection.
    pub fn new(
        streams_max: Option<u32>,
        script: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Http2Server {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            streams_max,
            memory: Mutex::default(),
            news: Condvar::new(),
            number: AtomicUsize::new(0),
            released: Notify::new(),
            is_released: Mutex::new(false),
        });
        let serving = shared.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serving.clone().serve(stream));
                }
            });
        });
        Http2Server { address, shared }
    }

    /// Goes on with what was held back.
    pub fn release(&self) {
        *self.shared.is_released.lock().unwrap() = true;
        self.shared.released.notify_waiters();
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.memory.lock().unwrap().seen.clone()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.shared.memory.lock().unwrap().connections
    }

    /// How many of them are over.
    pub fn closed(&self) -> usize {
        self.shared.memory.lock().unwrap().closed
    }

    /// Most requests of one connection that were open at a time.
    pub fn most_open(&self) -> usize {
        self.shared.memory.lock().unwrap().most_open
    }

    /// The requests that the other side reset, and why.
    pub fn resets(&self) -> Vec<(usize, Reason)> {
        self.shared.memory.lock().unwrap().resets.clone()
    }

    /// Waits until this is so. Is it?
    pub fn wait(&self, is_so: impl Fn(&Http2Server) -> bool) -> bool {
        let end = std::time::Instant::now() + Duration::from_secs(10);
        while !is_so(self) {
            if std::time::Instant::now() > end {
                return false;
            }
            let memory = self.shared.memory.lock().unwrap();
            drop(self.shared.news.wait_timeout(memory, Duration::from_millis(20)).unwrap());
        }
        true
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut Memory)) {
        change(&mut self.memory.lock().unwrap());
        self.news.notify_all();
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut connection = 0;
        self.change(|memory| {
            connection = memory.connections;
            memory.connections += 1;
        });
        let mut builder = Builder::new();
        builder.initial_window_size(1 << 20).initial_connection_window_size(8 << 20);
        if let Some(max) = self.streams_max {
            builder.max_concurrent_streams(max);
        }
        let open = Arc::new(AtomicUsize::new(0));
        let leave = Arc::new(Notify::new());
        if let Ok(mut accepting) = builder.handshake::<_, Bytes>(stream).await {
            loop {
                tokio::select! {
                    accepted = accepting.accept() => {
                        let Some(Ok((request, respond))) = accepted else { break };
                        let now = open.fetch_add(1, Ordering::SeqCst) + 1;
                        self.change(|memory| memory.most_open = memory.most_open.max(now));
                        let (shared, open, leave) = (self.clone(), open.clone(), leave.clone());
                        tokio::spawn(async move {
                            shared.answer(connection, request, respond, &leave).await;
                            open.fetch_sub(1, Ordering::SeqCst);
                        });
                    }
                    () = leave.notified() => accepting.graceful_shutdown(),
                }
            }
        }
        self.change(|memory| memory.closed += 1);
    }

    async fn answer(
        &self,
        connection: usize,
        request: http::Request<h2::RecvStream>,
        mut respond: SendResponse<Bytes>,
        leave: &Notify,
    ) {
        let (head, mut body) = request.into_parts();
        let mut bytes = Vec::new();
        while let Some(Ok(piece)) = body.data().await {
            body.flow_control().release_capacity(piece.len()).unwrap();
            bytes.extend_from_slice(&piece);
        }
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let seen = Seen {
            number: self.number.fetch_add(1, Ordering::SeqCst),
            connection,
            uri: head.uri.to_string(),
            method: head.method.to_string(),
            headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: bytes,
        };
        let act = (self.script)(&seen);
        self.change(|memory| memory.seen.push(seen.clone()));
        self.act(act, seen.number, &mut respond, leave).await;
    }

    async fn act(&self, act: Act, number: usize, respond: &mut SendResponse<Bytes>, leave: &Notify) {
        match act {
            Act::Answer => whole(respond),
            Act::AnswerLater => {
                if self.is_released_before(number, respond).await {
                    whole(respond);
                }
            }
            Act::AnswerAndLeave => {
                leave.notify_one();
                whole(respond);
            }
            Act::Reset(reason) => respond.send_reset(reason),
            Act::Stream | Act::StreamAndLeave => {
                let mut sending = begin(respond);
                if let Act::StreamAndLeave = act {
                    leave.notify_one();
                }
                if self.is_released_before_reset(number, &mut sending).await {
                    sending.send_data(Bytes::from(event("two") + END), true).unwrap();
                }
            }
            Act::StreamReset(reason) => {
                let mut sending = begin(respond);
                // So that it arrives.
                tokio::time::sleep(Duration::from_millis(50)).await;
                sending.send_reset(reason);
            }
            Act::Flood(bytes) => self.flood(bytes, number, begin(respond)).await,
        }
    }

    async fn flood(&self, bytes: usize, number: usize, mut sending: SendStream<Bytes>) {
        let piece = Bytes::from(event(&"x".repeat(8 << 10)));
        let mut sent = 0;
        while sent < bytes {
            sending.reserve_capacity(piece.len());
            let room = std::future::poll_fn(|context| sending.poll_capacity(context)).await;
            if !matches!(room, Some(Ok(_))) {
                return self.change(|memory| memory.resets.push((number, Reason::CANCEL)));
            }
            sending.send_data(piece.clone(), false).unwrap();
            sent += piece.len();
        }
        let _ = sending.send_data(Bytes::from_static(END.as_bytes()), true);
    }

    /// Was the server released before the other side reset the stream?
    async fn is_released_before(&self, number: usize, respond: &mut SendResponse<Bytes>) -> bool {
        let released = self.released.notified();
        if *self.is_released.lock().unwrap() {
            return true;
        }
        tokio::select! {
            () = released => true,
            reset = std::future::poll_fn(|context| respond.poll_reset(context)) => {
                self.change(|memory| memory.resets.push((number, reset.unwrap_or(Reason::NO_ERROR))));
                false
            }
        }
    }

    async fn is_released_before_reset(&self, number: usize, sending: &mut SendStream<Bytes>) -> bool {
        let released = self.released.notified();
        if *self.is_released.lock().unwrap() {
            return true;
        }
        tokio::select! {
            () = released => true,
            reset = std::future::poll_fn(|context| sending.poll_reset(context)) => {
                self.change(|memory| memory.resets.push((number, reset.unwrap_or(Reason::NO_ERROR))));
                false
            }
        }
    }
}

const END: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn event(text: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

fn whole(respond: &mut SendResponse<Bytes>) {
    let head = Response::builder().header("content-type", "application/json").body(()).unwrap();
    // The other side may have left.
    if let Ok(mut sending) = respond.send_response(head, false) {
        let _ = sending.send_data(Bytes::from(openai::chat("x").to_string()), true);
    }
}

fn begin(respond: &mut SendResponse<Bytes>) -> SendStream<Bytes> {
    let head = Response::builder().header("content-type", "text/event-stream").body(()).unwrap();
    let mut sending = respond.send_response(head, false).unwrap();
    sending.send_data(Bytes::from(event("one")), false).unwrap();
    sending
}
