//! Both ends of a WebSocket: a provider, and a client.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use http::{HeaderMap, Request, Response};
use tokio_tungstenite::tungstenite::handshake::server::{
    ErrorResponse, Request as Asked, Response as Agreed,
};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Control, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame, FrameSocket};
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message, WebSocket, accept_hdr, client};

use crate::gateway::Gateway;
use crate::wire::PATIENCE;

pub type Socket = WebSocket<TcpStream>;
/// A WebSocket, and how it was agreed to.
pub type Agreement = (Socket, Response<Option<Vec<u8>>>);

/// A provider of WebSockets. It remembers how each was asked for.
pub struct Provider {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// How a WebSocket was asked for.
#[derive(Debug, Clone)]
pub struct Seen {
    pub target: String,
    pub headers: HeaderMap,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Provider {
    /// Agrees to every WebSocket, chooses the protocol `realtime` where it is on offer, and does this with it.
    pub fn serve(script: impl Fn(Socket) + Send + Sync + 'static) -> Provider {
        Provider::answering(|_| None, script)
    }

    /// Says back what is said.
    pub fn echo() -> Provider {
        Provider::serve(|mut socket| {
            while let Ok(message) = socket.read() {
                if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
                    return;
                }
            }
            let _ = socket.flush();
        })
    }

    /// Refuses where `refuse` says so: with a status and a body.
    pub fn answering(
        refuse: impl Fn(usize) -> Option<(u16, &'static str)> + Send + Sync + 'static,
        script: impl Fn(Socket) + Send + Sync + 'static,
    ) -> Provider {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (all, refuse, script) = (seen.clone(), Arc::new(refuse), Arc::new(script));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, refuse, script) = (all.clone(), refuse.clone(), script.clone());
                thread::spawn(move || {
                    if let Some(socket) = accept(stream, &all, &*refuse) {
                        script(socket);
                    }
                });
            }
        });
        Provider { address, seen }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How the last one was asked for.
    pub fn last(&self) -> Seen {
        self.seen.lock().unwrap().last().expect("nobody asked").clone()
    }

    /// How many were asked for.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

#[allow(clippy::result_large_err)]
fn accept(
    stream: TcpStream,
    all: &Mutex<Vec<Seen>>,
    refuse: &dyn Fn(usize) -> Option<(u16, &'static str)>,
) -> Option<Socket> {
    stream.set_nodelay(true).unwrap();
    let callback = |asked: &Asked, mut agreed: Agreed| {
        let target = asked.uri().path_and_query().unwrap().as_str().to_owned();
        let number = {
            let mut all = all.lock().unwrap();
            all.push(Seen { target, headers: asked.headers().clone() });
            all.len() - 1
        };
        if let Some((status, body)) = refuse(number) {
            let mut refused = ErrorResponse::new(Some(body.to_owned()));
            *refused.status_mut() = status.try_into().unwrap();
            let headers = refused.headers_mut();
            headers.insert("content-type", "application/json".parse().unwrap());
            headers.insert("content-length", body.len().into());
            headers.insert("x-request-id", "req_1".parse().unwrap());
            return Err(refused);
        }
        let protocols = asked.headers().get("sec-websocket-protocol");
        if protocols.is_some_and(|protocols| protocols.to_str().unwrap().contains("realtime")) {
            agreed.headers_mut().insert("sec-websocket-protocol", "realtime".parse().unwrap());
        }
        agreed.headers_mut().insert("x-request-id", "req_1".parse().unwrap());
        Ok(agreed)
    };
    accept_hdr(stream, callback).ok()
}

/// A client that asks for a WebSocket.
pub struct Client {
    path: String,
    headers: Vec<(String, String)>,
}

impl Client {
    pub fn new(path: &str) -> Client {
        Client { path: path.to_owned(), headers: Vec::new() }
    }

    /// At this provider, which stands in the place of the one with this id.
    pub fn at(self, provider: &Provider, id: &str) -> Client {
        self.header("x-ostia-provider", id)
            .header("x-ostia-custom-host", &provider.url())
            .header("authorization", "Bearer sk-client")
    }

    pub fn header(mut self, name: &str, value: &str) -> Client {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The WebSocket, and how it was agreed to.
    pub fn to(&self, gateway: &Gateway) -> Agreement {
        self.ask(gateway).unwrap_or_else(|refused| {
            panic!("{}: {}", refused.status(), String::from_utf8_lossy(refused.body()))
        })
    }

    /// What is said in place of an agreement.
    pub fn refused_by(&self, gateway: &Gateway) -> Response<Vec<u8>> {
        self.ask(gateway).map(|_| ()).expect_err("it was agreed to")
    }

    /// What it says at this host.
    pub fn request(&self, host: &str) -> Request<()> {
        let mut request = Request::builder()
            .uri(format!("ws://{host}{}", self.path))
            .header("host", host)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(()).unwrap()
    }

    #[allow(clippy::result_large_err)]
    fn ask(&self, gateway: &Gateway) -> Result<Agreement, Response<Vec<u8>>> {
        let stream = TcpStream::connect(gateway.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match client(self.request(&gateway.address.to_string()), stream) {
            Ok(agreed) => Ok(agreed),
            Err(HandshakeError::Failure(Error::Http(refused))) => {
                let (head, body) = refused.into_parts();
                Err(Response::from_parts(head, body.unwrap_or_default()))
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// What a side says when it closes; `None` where it goes without a word.
pub fn close_of<S: Read + Write>(socket: &mut WebSocket<S>) -> Option<(u16, String)> {
    loop {
        match socket.read() {
            Ok(Message::Close(close)) => {
                let _ = socket.flush();
                return close.map(|close| (close.code.into(), close.reason.to_string()));
            }
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

pub fn close(code: u16, reason: &'static str) -> Option<CloseFrame> {
    Some(CloseFrame { code: CloseCode::from(code), reason: reason.into() })
}

/// A frame as a test compares it: is it the last of its message, its kind, and what stands in it.
pub type Plain = (bool, u8, Vec<u8>);

/// Writes a frame, masked where a client does so.
pub fn write_frame(socket: &mut FrameSocket<TcpStream>, (is_last, kind, content): &Plain, masked: bool) {
    let mut frame = Frame::message(content.clone(), OpCode::from(1), *is_last);
    frame.header_mut().opcode = OpCode::from(*kind);
    frame.header_mut().mask = masked.then_some([9, 8, 7, 6]);
    socket.send(frame).unwrap();
}

/// The frames that come, up to one that closes.
pub fn read_frames(socket: &mut FrameSocket<TcpStream>) -> Vec<Plain> {
    let mut frames = Vec::new();
    loop {
        let frame = socket.read(None).unwrap().expect("a frame");
        let head = frame.header().clone();
        let mask = head.mask.unwrap_or_default();
        let content =
            frame.payload().iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        frames.push((head.is_final, head.opcode.into(), content));
        if head.opcode == OpCode::Control(Control::Close) {
            return frames;
        }
    }
}
