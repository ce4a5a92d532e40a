//! A client that knows no more of HTTP than the tests need: bytes out, bytes in.

use std::fmt::Display;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use ostia_testkit::Upstream;

use crate::gateway::Gateway;

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What `look` gives, once it gives something; until then it says how things stand.
#[track_caller]
pub fn once<T, S: Display>(look: impl FnMut() -> Result<T, S>) -> T {
    once_within(PATIENCE, look)
}

/// Waits until it is so.
#[track_caller]
pub fn wait_until<S: Display>(what: S, mut is_so: impl FnMut() -> bool) {
    once(|| if is_so() { Ok(()) } else { Err(&what) });
}

/// What `look` gives, once it gives something, which may take this long.
#[track_caller]
pub fn once_within<T, S: Display>(patience: Duration, mut look: impl FnMut() -> Result<T, S>) -> T {
    let end = Instant::now() + patience;
    loop {
        match look() {
            Ok(found) => return found,
            Err(state) => assert!(Instant::now() < end, "waited in vain: {state}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Ask {
    method: String,
    path: String,
    host: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    /// Without the framing.
    pub body: Vec<u8>,
    /// The end came as the framing promised it.
    pub whole: bool,
}

impl Ask {
    /// Without headers or body.
    pub fn new(method: &str, path: &str) -> Ask {
        let (headers, body) = (Vec::new(), Vec::new());
        Ask { method: method.into(), path: path.into(), host: "localhost".into(), headers, body }
    }

    /// By this name of the gateway.
    pub fn host(mut self, host: &str) -> Ask {
        self.host = host.to_owned();
        self
    }

    /// A JSON body.
    pub fn post(path: &str, body: impl Into<Vec<u8>>) -> Ask {
        Ask::new("POST", path).header("content-type", "application/json").body(body)
    }

    /// A JSON body for `provider` at this upstream, with a key of the client's own (`sk-client`).
    pub fn post_at(upstream: &Upstream, provider: &str, path: &str, body: impl Into<Vec<u8>>) -> Ask {
        Ask::post(path, body).at(upstream, provider)
    }

    /// For `provider` at this upstream, with a key of the client's own (`sk-client`).
    pub fn at(self, upstream: &Upstream, provider: &str) -> Ask {
        self.header("authorization", "Bearer sk-client")
            .header("x-ostia-provider", provider)
            .header("x-ostia-custom-host", &upstream.url())
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without this header.
    pub fn without(mut self, name: &str) -> Ask {
        self.headers.retain(|(own, _)| own != name);
        self
    }

    /// With this body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Ask {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole answer.
    pub fn to(&self, gateway: &Gateway) -> Reply {
        self.open(gateway).finish()
    }

    /// Sends it and leaves the answer to be read.
    pub fn open(&self, gateway: &Gateway) -> Open {
        let mut open = Open::connect(gateway);
        open.send(&self.bytes());
        open
    }

    /// The same for HTTP/2, with this scheme.
    pub fn request(&self, scheme: &str) -> (http::Request<()>, Vec<u8>) {
        let mut request = http::Request::builder().version(http::Version::HTTP_2);
        request = request.method(&*self.method).uri(format!("{scheme}://{}{}", self.host, self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        (request.body(()).unwrap(), self.body.clone())
    }

    /// The request as it goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.path, self.host);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || self.method == "POST" {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

impl Reply {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        crate::json(self.text())
    }

    /// What has come of an answer, if its head is here; and how many bytes it takes, if it is whole. `ended` says that no
    /// more will come.
    pub fn parse(raw: &[u8], ended: bool) -> Option<(Reply, usize)> {
        let head_bytes = raw.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&raw[..head_bytes]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Reply { status, headers, body: Vec::new(), whole: false };
        let rest = &raw[head_bytes + 4..];
        let body_bytes = reply.read_body(rest, ended);
        reply.whole = body_bytes.is_some();
        Some((reply, head_bytes + 4 + body_bytes.unwrap_or(rest.len())))
    }

    /// How many bytes the body takes, if it is whole.
    fn read_body(&mut self, rest: &[u8], ended: bool) -> Option<usize> {
        if self.header("transfer-encoding") == Some("chunked") {
            return unchunk(rest, &mut self.body);
        }
        if let Some(length) = self.header("content-length").and_then(|length| length.parse().ok()) {
            self.body = rest[..rest.len().min(length)].to_vec();
            return (rest.len() >= length).then_some(length);
        }
        if matches!(self.status, 204 | 304) {
            return Some(0);
        }
        self.body = rest.to_vec();
        ended.then_some(rest.len())
    }
}

/// A connection with an answer that is on its way.
#[derive(Debug)]
pub struct Open {
    stream: TcpStream,
    /// Everything that came and does not belong to an earlier answer.
    raw: Vec<u8>,
    /// The last look brought nothing.
    idle: bool,
    ended: bool,
}

impl Open {
    /// A connection on which nothing was said.
    pub fn connect(gateway: &Gateway) -> Open {
        Open::to(gateway.address)
    }

    /// The same to whoever listens there.
    pub fn to(address: SocketAddr) -> Open {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Open { stream, raw: Vec::new(), idle: false, ended: false }
    }

    /// Sends bytes. An answer may come before all are sent, so that a broken pipe is no failure.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads exactly these bytes, which are no part of the answer. Did they come?
    pub fn read_raw(&mut self, expected: &[u8]) -> bool {
        let mut bytes = vec![0; expected.len()];
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        self.stream.read_exact(&mut bytes).is_ok() && bytes == expected
    }

    /// Reads until the answer, as far as it is here, is `enough`; `None` where its end or the time comes first.
    pub fn read_until(&mut self, patience: Duration, enough: impl Fn(&Reply) -> bool) -> Option<Reply> {
        let end = Instant::now() + patience;
        loop {
            if let Some(reply) = self.reply()
                && enough(&reply)
            {
                return Some(reply);
            }
            if self.ended || !self.read_more(end) {
                return None;
            }
        }
    }

    /// Reads until these words have come.
    pub fn read_words(&mut self, words: &str, patience: Duration) -> bool {
        let found = |reply: &Reply| String::from_utf8_lossy(&reply.body).contains(words);
        self.read_until(patience, found).is_some()
    }

    /// Reads to the end of this answer.
    pub fn finish(mut self) -> Reply {
        self.next()
    }

    /// Reads to the end of this answer; the connection stays for another.
    ///
    /// # Panics
    /// Where no head came at all.
    pub fn next(&mut self) -> Reply {
        let end = Instant::now() + PATIENCE;
        let mut checked = 0;
        loop {
            // Looking for the end of a long body after every read would take forever.
            let due = self.raw.len() < 64 << 10 || self.raw.len() >= checked + checked / 4;
            if due || self.idle || self.ended {
                checked = self.raw.len();
                if self.reply().is_some_and(|reply| reply.whole) {
                    break;
                }
            }
            if self.ended || !self.read_more(end) {
                break;
            }
        }
        let raw = String::from_utf8_lossy(&self.raw[..self.raw.len().min(500)]).into_owned();
        let reply = self.reply().unwrap_or_else(|| panic!("no answer: {raw:?}"));
        self.raw.clear();
        reply
    }

    /// Reads one bunch of bytes. False at the end of the connection, or when the time is up.
    fn read_more(&mut self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        // A body of unknown end is looked at again and again while nothing comes.
        let wait = left.min(Duration::from_millis(20));
        if left.is_zero() {
            return false;
        }
        self.stream.set_read_timeout(Some(wait)).unwrap();
        let mut buffer = vec![0; 64 << 10];
        let read = self.stream.read(&mut buffer);
        self.idle = matches!(&read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        match read {
            Ok(length @ 1..) => self.raw.extend_from_slice(&buffer[..length]),
            Ok(0) => self.ended = true,
            Err(_) => self.ended = !self.idle,
        }
        true
    }

    fn reply(&self) -> Option<Reply> {
        Reply::parse(&self.raw, self.ended).map(|(reply, _)| reply)
    }
}

/// Adds the chunks' bytes. How many bytes all chunks take, where the last one is there.
fn unchunk(all: &[u8], body: &mut Vec<u8>) -> Option<usize> {
    let mut rest = all;
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            return rest.starts_with(b"\r\n").then(|| all.len() - rest.len() + 2);
        }
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        rest = rest.get(size + 2..)?;
    }
}
