//! The load of WebSockets: on each a frame of text goes out and comes back, as soon as the one before has; where memory is measured,
//! once. Where the gateway answers itself, by the Responses API, a request goes out and its events come.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use memchr::memmem;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::{Request, generate_key};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::recorder::Recorder;
use super::{ERRORS_MAX, Job, Measured};
use crate::clock::now_ns;
use crate::workloads::Workload;

/// Fields of a request are not more than these.
const FIELDS_MAX: usize = 64;

type Socket = WebSocketStream<TcpStream>;

/// A load under way.
pub(super) struct Load {
    runtime: Runtime,
    tasks: LocalSet,
    shared: Rc<Shared>,
    moments: [u64; 2],
}

struct Shared {
    workload: Workload,
    /// What is said, where it is a request of the Responses API.
    create: Option<String>,
    recorder: RefCell<Recorder>,
    /// WebSockets on which a frame has come back.
    open: Cell<u64>,
    /// There were too many wrong answers.
    is_given_up: Cell<bool>,
}

impl Load {
    pub(super) fn new(job: &Job) -> io::Result<Load> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Rc::new(Shared {
            workload: *job.workload,
            create: job.workload.is_bridged().then(|| create(job.request)).transpose()?,
            recorder: RefCell::new(Recorder::new(job.workload.pace)?),
            open: Cell::default(),
            is_given_up: Cell::default(),
        });
        let tasks = LocalSet::new();
        tasks.block_on(&runtime, shared.clone().begin(job))?;
        let warm_end_ns = now_ns() + job.workload.warm_ms * 1_000_000;
        let moments = [warm_end_ns, warm_end_ns + job.window_ms * 1_000_000];
        shared.recorder.borrow_mut().window(moments[0], moments[1]);
        Ok(Load { runtime, tasks, shared, moments })
    }

    /// The ends of the warm-up and of the window.
    pub(super) fn moments(&self) -> [u64; 2] {
        self.moments
    }

    /// Loads the server until a moment.
    pub(super) fn drive(&self, until_ns: u64) -> io::Result<()> {
        let rest = Duration::from_nanos(until_ns.saturating_sub(now_ns()));
        self.tasks.block_on(&self.runtime, async move { sleep(rest).await });
        match self.shared.is_given_up.get() {
            true => Err(io::Error::other(format!(
                "{ERRORS_MAX} wrong answers: {}",
                self.shared.recorder.borrow().error_first()
            ))),
            false => Ok(()),
        }
    }

    pub(super) fn open(&self) -> u64 {
        self.shared.open.get()
    }

    pub(super) fn measured(&self) -> Measured {
        self.shared.recorder.borrow().measured()
    }
}

impl Shared {
    /// Opens all of them, and then has a task speak on each.
    async fn begin(self: Rc<Self>, job: &Job<'_>) -> io::Result<()> {
        let mut sockets = Vec::with_capacity(self.workload.connections);
        for _ in 0..self.workload.connections {
            sockets.push(connect(job.target, job.request).await?);
        }
        for socket in sockets {
            spawn_local(self.clone().speak(socket));
        }
        Ok(())
    }

    async fn speak(self: Rc<Self>, mut socket: Socket) {
        let mut number = 0_u64;
        loop {
            let from_ns = now_ns();
            let heard = match &self.create {
                Some(create) => turn(&mut socket, create).await,
                None => echo(&mut socket, &frame(&self.workload, number)).await,
            };
            if let Err(reason) = heard {
                // One that is broken says nothing more.
                let errors = self.recorder.borrow_mut().wrong(reason);
                return self.is_given_up.set(errors > ERRORS_MAX);
            }
            self.recorder.borrow_mut().answered(now_ns(), from_ns);
            if number == 0 {
                self.open.set(self.open.get() + 1);
            }
            number += 1;
            if self.workload.fresh_process {
                // Held open: it ends with the load.
                let closed = socket.next().await;
                self.recorder.borrow_mut().wrong(format!("it was not held open: {closed:?}"));
                return;
            }
        }
    }
}

/// An event of `body_bytes`, each with another number.
fn frame(workload: &Workload, number: u64) -> String {
    let start = format!("{{\"type\":\"input_text\",\"event_id\":\"{number:016}\",\"text\":\"");
    let rest = workload.body_bytes.saturating_sub(start.len() + 2);
    format!("{start}{}\"}}", "x".repeat(rest))
}

/// The body of a request in wire form as the event that asks for an answer
/// (<https://developers.openai.com/api/docs/guides/websocket-mode>).
fn create(wire: &[u8]) -> io::Result<String> {
    let body = memmem::find(wire, b"\r\n\r\n").map(|end| &wire[end + 4..]).unwrap_or_default();
    let mut event: serde_json::Value = serde_json::from_slice(body)?;
    event["type"] = "response.create".into();
    Ok(event.to_string())
}

/// Asks for an answer, and hears it to its end.
async fn turn(socket: &mut Socket, create: &str) -> Result<(), String> {
    socket.send(Message::text(create)).await.map_err(|error| format!("connection: {error}"))?;
    loop {
        let Some(Ok(Message::Text(event))) = socket.next().await else {
            return Err("the answer has no end".to_owned());
        };
        let event: serde_json::Value = serde_json::from_str(&event).map_err(|error| error.to_string())?;
        match event["type"].as_str() {
            Some("response.completed") => return Ok(()),
            Some("response.failed" | "response.incomplete" | "error") => return Err(event.to_string()),
            _ => {}
        }
    }
}

async fn echo(socket: &mut Socket, text: &str) -> Result<(), String> {
    socket.send(Message::text(text)).await.map_err(|error| format!("connection: {error}"))?;
    match socket.next().await {
        Some(Ok(Message::Text(told))) if told.as_str() == text => Ok(()),
        other => Err(format!("not what was said: {other:?}")),
    }
}

/// A WebSocket, asked for with the headers that a request in wire form has.
async fn connect(target: SocketAddr, wire: &[u8]) -> io::Result<Socket> {
    let stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = client_async(wish(target, wire)?, stream).await.map_err(io::Error::other)?;
    Ok(socket)
}

fn wish(target: SocketAddr, wire: &[u8]) -> io::Result<Request> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut head = httparse::Request::new(&mut fields);
    head.parse(wire).map_err(io::Error::other)?;
    let mut request = Request::builder()
        .uri(format!("ws://{target}{}", head.path.unwrap_or_default()))
        .header("host", target.to_string())
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key());
    let of_body = ["host", "content-type", "content-length", "accept"];
    let others =
        head.headers.iter().filter(|field| !of_body.iter().any(|name| field.name.eq_ignore_ascii_case(name)));
    for field in others {
        request = request.header(field.name, field.value);
    }
    request.body(()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_as_long_as_they_say() {
        for bytes in [200, 4_000] {
            let workload = Workload { body_bytes: bytes, ..*Workload::plain() };
            let (one, other) = (frame(&workload, 1), frame(&workload, 2));
            assert_eq!((one.len(), other.len()), (bytes, bytes));
            assert_ne!(one, other);
        }
    }
}
