//! WebSockets on streams of HTTP/2 (RFC 8441).

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use h2::client::Builder;
use h2::ext::Protocol;
use h2::{RecvStream, SendStream};
use http::{Method, Request, Response};
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Gate, Step, Upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

use super::tools::Provider;
use crate::gateway::{Gateway, Setup};
use crate::http2::client::{Http2, run};
use crate::wire::{Ask, PATIENCE};

type Socket = WebSocketStream<DuplexStream>;

/// A wish for a WebSocket at this provider's place.
fn wish(path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://localhost{path}"))
        .header("sec-websocket-version", "13");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(()).unwrap();
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    request
}

fn at<'h>(url: &'h str, id: &'h str) -> [(&'h str, &'h str); 3] {
    [("x-ostia-provider", id), ("x-ostia-custom-host", url), ("authorization", "Bearer sk-client")]
}

/// What is said to a wish: its answer, and both ways of its stream.
async fn ask(http2: &Http2, wish: Request<()>) -> (Response<RecvStream>, SendStream<Bytes>) {
    let mut send = http2.send.clone().ready().await.unwrap();
    let (response, stream) = send.send_request(wish, false).unwrap();
    (response.await.unwrap(), stream)
}

/// The WebSocket on a stream.
async fn open(http2: &Http2, wish: Request<()>) -> (Socket, http::HeaderMap) {
    let (response, up) = ask(http2, wish).await;
    let (head, down) = response.into_parts();
    assert_eq!(head.status, 200, "{head:?}");
    let (own, other) = duplex(64 << 10);
    let (read, write) = split(other);
    tokio::spawn(send_on(read, up));
    tokio::spawn(take(down, write));
    (WebSocketStream::from_raw_socket(own, Role::Client, None).await, head.headers)
}

async fn send_on(mut from: ReadHalf<DuplexStream>, mut to: SendStream<Bytes>) {
    let mut piece = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        to.reserve_capacity(length);
        if to.send_data(Bytes::copy_from_slice(&piece[..length]), false).is_err() {
            return;
        }
    }
    let _ = to.send_data(Bytes::new(), true);
}

async fn take(mut from: RecvStream, mut to: WriteHalf<DuplexStream>) {
    while let Some(Ok(piece)) = from.data().await {
        if to.write_all(&piece).await.is_err() {
            return;
        }
        let _ = from.flow_control().release_capacity(piece.len());
    }
    let _ = to.shutdown().await;
}

async fn hear(socket: &mut Socket) -> Message {
    socket.next().await.expect("a message").unwrap()
}

async fn close_of(socket: &mut Socket) -> Option<CloseFrame> {
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(close) = message {
            return close;
        }
    }
    None
}

async fn settled(gateway: &Gateway) -> Http2 {
    let http2 = Http2::to(gateway).await;
    // The server's settings have come with the first answer.
    http2.ask(&Ask::new("GET", "/health")).await;
    assert!(http2.send.is_extended_connect_protocol_enabled());
    http2
}

#[test]
fn frames_pass_on_a_stream() {
    let gateway = Setup::new().arg("--log").arg("access=info").start();
    let provider = Provider::echo();
    run(async {
        let http2 = settled(&gateway).await;
        let url = provider.url();
        let mut headers = at(&url, "openai").to_vec();
        headers.push(("sec-websocket-protocol", "realtime"));
        let (mut socket, agreed) = open(&http2, wish("/v1/realtime?model=m", &headers)).await;
        assert_eq!(agreed.get("sec-websocket-protocol").unwrap(), "realtime");
        for name in ["sec-websocket-accept", "upgrade", "connection", "sec-websocket-extensions"] {
            assert!(!agreed.contains_key(name), "{name}");
        }
        let long = "x".repeat(300_000);
        for text in ["Hi", long.as_str()] {
            socket.send(Message::text(text)).await.unwrap();
            assert_eq!(hear(&mut socket).await, Message::text(text));
        }
        // Others pass on the same connection meanwhile.
        let other = http2.ask(&Ask::new("GET", "/health")).await;
        assert_eq!(other.text().await, r#"{"status":"ok"}"#);
        let (mut second, _) = open(&http2, wish("/v1/realtime?model=m", &at(&url, "openai"))).await;
        second.send(Message::binary(vec![1, 2])).await.unwrap();
        assert_eq!(hear(&mut second).await, Message::binary(vec![1, 2]));
        socket.close(None).await.unwrap();
        close_of(&mut socket).await;
        drop(second);
        let seen = provider.last();
        assert_eq!((seen.target.as_str(), seen.header("upgrade")), ("/realtime?model=m", Some("websocket")));
        assert_eq!(seen.header("sec-websocket-version"), Some("13"));
        // To the provider it is HTTP/1.1, with a key of its own.
        assert!(seen.header("sec-websocket-key").is_some_and(|key| key != "AAAAAAAAAAAAAAAAAAAAAA=="));
    });
    gateway.wait_until(|| gateway.printed().matches("/v1/realtime").count() == 2);
}

#[test]
fn the_responses_api_is_served_on_a_stream() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::stream(openai::chat_stream(&["Hi"])));
    run(async {
        let http2 = settled(&gateway).await;
        let (mut socket, _) = open(&http2, wish("/v1/responses", &at(&upstream.url(), "mistral"))).await;
        for _ in 0..2 {
            let create = json!({"type": "response.create", "model": "m", "input": "x"});
            socket.send(Message::text(create.to_string())).await.unwrap();
            loop {
                let Message::Text(text) = hear(&mut socket).await else { panic!("no text") };
                let event: Value = serde_json::from_str(&text).unwrap();
                if event["type"] == "response.completed" {
                    break;
                }
            }
        }
    });
    for name in ["upgrade", "sec-websocket-version", "sec-websocket-key"] {
        assert_eq!(upstream.last().header(name), None, "{name}");
    }
}

#[test]
fn what_is_no_wish_is_refused() {
    let gateway = Gateway::with("auth: { keys: [gw-1] }");
    run(async {
        let http2 = settled(&gateway).await;
        let signed = [("authorization", "Bearer gw-1")];
        let no_version = {
            let mut wish = wish("/v1/realtime?model=@openai/m", &signed);
            wish.headers_mut().remove("sec-websocket-version");
            wish
        };
        let other = {
            let mut wish = wish("/v1/realtime?model=@openai/m", &signed);
            wish.extensions_mut().insert(Protocol::from_static("connect-udp"));
            wish
        };
        for (wish, status) in [
            (wish("/v1/realtime?model=@openai/m", &[]), 401),
            (wish("/v1/realtime?model=@nobody/m", &signed), 400),
            (wish("/nothing", &signed), 404),
            (no_version, 426),
            (other, 405),
        ] {
            let (response, _up) = ask(&http2, wish).await;
            assert_eq!(response.status(), status, "{response:?}");
        }
        assert_eq!(http2.ask(&Ask::new("GET", "/health")).await.status, 200);
    });
}

#[test]
fn a_side_that_does_not_read_holds_up_the_other_and_no_stream_beside() {
    const PIECES: usize = 1000;
    let gateway = Gateway::start();
    let provider = Provider::serve(|mut socket| {
        for _ in 0..PIECES {
            if socket.send(tokio_tungstenite::tungstenite::Message::binary(vec![7; 64 << 10])).is_err() {
                return;
            }
        }
        super::tools::close_of(&mut socket);
    });
    run(async {
        let mut builder = Builder::new();
        builder.initial_window_size(64 << 10).initial_connection_window_size(4 << 20);
        let stream = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let http2 = Http2::over(stream, "http", &builder).await;
        http2.ask(&Ask::new("GET", "/health")).await;
        let url = provider.url();
        let (mut socket, _) = open(&http2, wish("/v1/realtime?model=m", &at(&url, "openai"))).await;
        let before = gateway.resident_kib();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(gateway.resident_kib() < before + (4 << 10), "{} KiB", gateway.resident_kib() - before);
        let other = http2.ask(&Ask::new("GET", "/health")).await;
        assert_eq!(other.text().await, r#"{"status":"ok"}"#);
        for _ in 0..PIECES {
            assert_eq!(hear(&mut socket).await.len(), 64 << 10);
        }
    });
}

#[test]
fn either_end_of_the_stream_ends_it() {
    let gateway = Gateway::with("websockets: { idle: 10s }");
    let (sender, left) = std::sync::mpsc::channel();
    let provider = Provider::serve(move |mut socket| {
        let close = super::tools::close_of(&mut socket).map(|(code, _)| code);
        sender.send(close).unwrap();
    });
    let speaks_last = Provider::serve(|mut socket| {
        socket.close(super::tools::close(4001, "enough")).unwrap();
        super::tools::close_of(&mut socket);
    });
    run(async {
        let http2 = settled(&gateway).await;
        let (socket, _) = open(&http2, wish("/v1/realtime?model=m", &at(&provider.url(), "openai"))).await;
        // Without a word: the stream ends.
        drop(socket);
        let url = speaks_last.url();
        let (mut socket, _) = open(&http2, wish("/v1/realtime?model=m", &at(&url, "openai"))).await;
        let close = close_of(&mut socket).await.expect("words");
        assert_eq!((u16::from(close.code), close.reason.as_str()), (4001, "enough"));
        // The connection is there for others.
        assert_eq!(http2.ask(&Ask::new("GET", "/health")).await.status, 200);
    });
    assert_eq!(left.recv_timeout(PATIENCE).unwrap(), Some(1001));
}

#[test]
fn a_stream_is_answered_before_the_gateway_stops() {
    let mut gateway = Gateway::with("timeouts: { drain: 20s }");
    let gate = Gate::new();
    let stream = Answer::stream(openai::chat_stream(&["Hi"])).first(Step::Wait(gate.clone()));
    let upstream = Upstream::always(stream);
    run(async {
        let http2 = settled(&gateway).await;
        let (mut socket, _) = open(&http2, wish("/v1/responses", &at(&upstream.url(), "mistral"))).await;
        let create = json!({"type": "response.create", "model": "m", "input": "x"});
        socket.send(Message::text(create.to_string())).await.unwrap();
        while upstream.count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        gateway.terminate();
        gate.open();
        let mut said = String::new();
        while !said.contains("response.completed") {
            match hear(&mut socket).await {
                Message::Text(text) => said.push_str(&text),
                Message::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(close_of(&mut socket).await.map(|close| u16::from(close.code)), Some(1012));
    });
    assert!(gateway.wait(PATIENCE).is_some_and(|status| status.success()));
}
