//! What the parts cost that are written by hand although a library has them: `cargo bench -p ostia-bench --bench by_hand`.
//!
//! Each is measured against what a library offers in the same run, as CPU time of this thread; the ratio counts, not the
//! figure. A part whose ratio nears one should give way to its library.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ostia_dialect::json::Document;
use ostia_dialect::relay;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Each part is measured so often; the least counts, because everything else on the machine only adds to it.
const ROUNDS: usize = 7;
/// Calls per round of the pools.
const CALLS: usize = 4000;

fn main() {
    println!("CPU time of the thread, least of {ROUNDS} rounds; `by hand` is 1.00\n");
    peek(800);
    peek(10_000);
    peek(200_000);
    calls();
}

/// Least CPU time of one of `count` turns of `work`, in nanoseconds.
fn least(count: usize, mut work: impl FnMut()) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let began = cpu_time();
        for _ in 0..count {
            work();
        }
        (cpu_time() - began).as_nanos() as f64 / count as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn report(what: &str, by_hand: f64, others: &[(&str, f64)]) {
    println!("{what}: by hand {:.0} ns", by_hand);
    for (name, time) in others {
        println!("  {name:<44} {time:>9.0} ns  {:.2}", time / by_hand);
    }
}

/// The fields that routing needs of a body, which has to be valid to its end.
fn peek(bytes: usize) {
    #[derive(Deserialize)]
    struct Fields<'a> {
        model: Option<&'a str>,
        stream: Option<bool>,
        #[serde(borrow)]
        messages: Option<&'a RawValue>,
    }
    let text = "Say something about harbours. ".repeat(bytes / 30);
    let body =
        serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}], "stream": true});
    let body = body.to_string();
    let count = 4_000_000 / bytes;
    let own = least(count, || {
        let document = Document::parse_to(black_box(body.as_bytes()), 1).unwrap();
        black_box(relay::peek(&document).unwrap());
    });
    let raw = least(count, || {
        let fields: Fields = serde_json::from_slice(black_box(body.as_bytes())).unwrap();
        black_box((fields.model, fields.stream, fields.messages));
    });
    let tree = least(count, || {
        black_box(serde_json::from_slice::<Value>(black_box(body.as_bytes())).unwrap());
    });
    report(
        &format!("peek at a body of {} bytes", body.len()),
        own,
        &[("serde_json, RawValue", raw), ("serde_json, Value", tree)],
    );
}

/// A call on a kept connection: driven by the call itself, by a task of its own, by hyper-util's pooled client.
fn calls() {
    let to = serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    let request = || Request::post("/").body(Full::new(Bytes::from_static(b"{}"))).unwrap();
    let time = |began: Duration| (cpu_time() - began).as_nanos() as f64 / CALLS as f64;
    let [own, task, pooled] = local.block_on(&runtime, async {
        let mut least = [f64::INFINITY; 3];
        for _ in 0..ROUNDS {
            let (mut sender, mut driver) = http1::handshake(TokioIo::new(connect(to).await)).await.unwrap();
            let began = cpu_time();
            for _ in 0..CALLS {
                driven(pin!(answer(sender.send_request(request()))), &mut driver).await;
            }
            least[0] = least[0].min(time(began));

            let (mut sender, driver) = http1::handshake(TokioIo::new(connect(to).await)).await.unwrap();
            tokio::task::spawn_local(driver);
            let began = cpu_time();
            for _ in 0..CALLS {
                sender.ready().await.unwrap();
                answer(sender.send_request(request())).await;
            }
            least[1] = least[1].min(time(began));

            let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                .build_http();
            let uri = format!("http://{to}/");
            let began = cpu_time();
            for _ in 0..CALLS {
                let mut request = request();
                *request.uri_mut() = uri.parse().unwrap();
                answer(client.request(request)).await;
            }
            least[2] = least[2].min(time(began));
        }
        least
    });
    report(
        "a call on a kept connection",
        own,
        &[("the connection driven by a task of its own", task), ("hyper-util's pooled client", pooled)],
    );
}

/// Polls a call, and the connection that it is made on.
async fn driven<T>(mut call: Pin<&mut impl Future<Output = T>>, driver: &mut (impl Future + Unpin)) -> T {
    poll_fn(|context| {
        if let Poll::Ready(answer) = call.as_mut().poll(context) {
            return Poll::Ready(answer);
        }
        let _ = Pin::new(&mut *driver).poll(context);
        call.as_mut().poll(context)
    })
    .await
}

async fn answer<E: std::fmt::Debug>(
    response: impl Future<Output = Result<hyper::Response<hyper::body::Incoming>, E>>,
) -> Bytes {
    response.await.unwrap().into_body().collect().await.unwrap().to_bytes()
}

async fn connect(to: SocketAddr) -> tokio::net::TcpStream {
    let stream = tokio::net::TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A server that answers every request alike.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || respond(stream.unwrap()));
        }
    });
    at
}

/// Reads heads, each of which is followed by a body of two bytes.
fn respond(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    stream.set_nodelay(true).unwrap();
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).unwrap_or_default() == 0 {
            return;
        }
        if line == b"\r\n" {
            let mut body = [0; 2];
            if std::io::Read::read_exact(&mut reader, &mut body).is_err() {
                return;
            }
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            );
        }
    }
}
