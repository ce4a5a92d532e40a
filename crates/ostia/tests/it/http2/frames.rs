//! Bytes that no library would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ostia_testkit::{Answer, Upstream};

use crate::gateway::Gateway;
use crate::wire::{Ask, Open, PATIENCE, Reply};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A frame as it came.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub payload: Vec<u8>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field of a head, as it stands there without compression.
fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

fn get(path: &str) -> Vec<u8> {
    let fields = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)];
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

/// All that a client sends which asks for this path.
pub fn opening(path: &str) -> Vec<u8> {
    let settings = frame(SETTINGS, 0, 0, &[]);
    [PREFACE, &settings, &frame(HEADERS, END_STREAM | END_HEADERS, 1, &get(path))].concat()
}

/// Reads frames to the end of the connection, or until nothing comes any more.
pub fn read_all(stream: &mut TcpStream) -> Vec<Frame> {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut frames = Vec::new();
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return frames;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        if stream.read_exact(&mut payload).is_err() {
            return frames;
        }
        frames.push(Frame { kind: head[3], payload });
    }
}

fn is_answered(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        all.extend_from_slice(&piece[..length]);
        if all.windows(15).any(|window| window == br#"{"status":"ok"}"#) {
            return true;
        }
    }
    false
}

#[test]
fn the_first_bytes_may_come_one_by_one() {
    let gateway = Gateway::start();
    let whole = opening("/health");
    for at in [1, 3, 4, 16, 18, 23, 24, 30] {
        let mut stream = TcpStream::connect(gateway.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&whole[..at]).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        stream.write_all(&whole[at..]).unwrap();
        assert!(is_answered(&mut stream), "cut at {at}");
    }
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in whole {
        stream.write_all(&[byte]).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(is_answered(&mut stream), "byte by byte");
}

#[test]
fn what_only_begins_like_http2_is_http1() {
    let gateway = Gateway::start();
    for (sent, status) in [
        ("PRI /health HTTP/1.1\r\nhost: localhost\r\n\r\n", 405),
        ("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 400),
        ("PUT /health HTTP/1.1\r\nhost: localhost\r\n\r\n", 405),
        ("P", 0),
    ] {
        let mut open = Open::connect(&gateway);
        for byte in sent.bytes().take(5) {
            open.send(&[byte]);
            std::thread::sleep(Duration::from_millis(2));
        }
        open.send(&sent.as_bytes()[sent.len().min(5)..]);
        let patience = if status == 0 { Duration::from_millis(200) } else { PATIENCE };
        let reply = open.read_until(patience, |reply: &Reply| reply.whole);
        assert_eq!(reply.map_or(0, |reply| reply.status), status, "{sent}");
    }
}

#[test]
fn an_offer_to_change_to_http2_is_passed_over() {
    let gateway = Gateway::start();
    let ask = Ask::new("GET", "/health").header("connection", "Upgrade, HTTP2-Settings");
    let reply = ask.header("upgrade", "h2c").header("http2-settings", "AAMAAABkAAQAAP__").to(&gateway);
    assert_eq!((reply.status, reply.text()), (200, r#"{"status":"ok"}"#));
}

#[test]
fn a_head_without_end_is_cut_off() {
    let gateway = Gateway::with("limits: { header_bytes: 64KiB }");
    let before = gateway.resident_kib();
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).unwrap();
    let mut all = frame(HEADERS, END_STREAM, 1, &get("/health"));
    let more: Vec<u8> = (0..100).flat_map(|_| field("x-more", &"y".repeat(100))).collect();
    for _ in 0..20_000 {
        all.extend(frame(CONTINUATION, 0, 1, &more));
        // It may be closed before all is sent.
        if all.len() > 1 << 20 && stream.write_all(&std::mem::take(&mut all)).is_err() {
            break;
        }
    }
    let frames = read_all(&mut stream);
    let goaway = frames.iter().find(|frame| frame.kind == GOAWAY);
    assert!(goaway.is_some() || frames.iter().all(|frame| frame.kind != HEADERS), "{frames:?}");
    let grown = gateway.resident_kib().saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB");
    assert_eq!(Ask::new("GET", "/health").to(&gateway).status, 200);
}

#[test]
fn a_head_in_many_frames_beyond_its_bound_costs_its_own_stream_alone() {
    let gateway = Gateway::with("limits: { header_bytes: 8KiB }");
    for fields in [90, 400] {
        let mut stream = TcpStream::connect(gateway.address).unwrap();
        let head: Vec<u8> = (0..fields).flat_map(|at| field(&format!("x-{at}"), &"y".repeat(100))).collect();
        let (first, rest) = head.split_at(head.len() / 3);
        let (second, third) = rest.split_at(rest.len() / 2);
        let sent = [
            [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat(),
            frame(HEADERS, END_STREAM, 1, &[&get("/health"), first].concat()),
            frame(CONTINUATION, 0, 1, second),
            frame(CONTINUATION, END_HEADERS, 1, third),
            frame(HEADERS, END_STREAM | END_HEADERS, 3, &get("/health")),
        ];
        stream.write_all(&sent.concat()).unwrap();
        assert!(is_answered(&mut stream), "{fields}: the next one on the connection is answered");
    }
}

#[test]
fn streams_that_are_reset_at_once_close_the_connection() {
    let gateway = Gateway::with("workers: 1");
    let before = gateway.resident_kib();
    for _ in 0..10 {
        let mut stream = TcpStream::connect(gateway.address).unwrap();
        let mut sent = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
        for at in 0..50_000_u32 {
            let number = 2 * at + 1;
            sent.extend(frame(HEADERS, END_STREAM | END_HEADERS, number, &get("/health")));
            sent.extend(frame(RST_STREAM, 0, number, &8_u32.to_be_bytes()));
        }
        let began = Instant::now();
        // It is closed before all is sent.
        let _ = stream.write_all(&sent);
        let frames = read_all(&mut stream);
        let answered = frames.iter().filter(|frame| frame.kind == DATA).count();
        assert!(answered < 1000, "{answered}");
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    }
    let grown = gateway.resident_kib().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB");
    assert_eq!(Ask::new("GET", "/health").to(&gateway).status, 200);
}

#[test]
fn a_client_that_never_reads_is_cut_off_when_its_time_is_over() {
    let whole = Answer::with("application/octet-stream", vec![b'x'; 64 << 20]);
    let upstream = Upstream::always(whole);
    let gateway = Gateway::with("timeouts: { first_byte: 1s, total: 2s }");
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    // As much as it likes may come, and nobody reads it.
    let window: u32 = (1 << 31) - 1;
    let settings = [&[0, 4][..], &window.to_be_bytes()].concat();
    let more = (window - 65_535).to_be_bytes();
    let url = upstream.url();
    let to = [("x-ostia-provider", "openai"), ("authorization", "Bearer sk"), ("x-ostia-custom-host", &url)];
    let to = to.iter().flat_map(|(name, value)| field(name, value));
    let head: Vec<u8> = get("/v1/files/f").into_iter().chain(to).collect();
    let sent = [
        [PREFACE, &frame(SETTINGS, 0, 0, &settings)].concat(),
        frame(WINDOW_UPDATE, 0, 0, &more),
        frame(HEADERS, END_STREAM | END_HEADERS, 1, &head),
    ];
    let began = Instant::now();
    stream.write_all(&sent.concat()).unwrap();
    assert!(upstream.wait_for_leaving(1, PATIENCE), "the provider is let go");
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(upstream.sent_bytes() < 60 << 20, "{}", upstream.sent_bytes());
}

/// Some frame, sensible or not.
fn any_frame(random: &mut fastrand::Rng, next: &mut u32) -> Vec<u8> {
    let bytes = |random: &mut fastrand::Rng, most| -> Vec<u8> {
        let length = random.usize(..most);
        std::iter::repeat_with(|| random.u8(..)).take(length).collect()
    };
    match random.u8(..8) {
        0..4 => {
            let paths = ["/health", "/v1/models", "/v1/chat/completions", "*", "//", "/v1/files/f?a"];
            let mut head = get(paths[random.usize(..paths.len())]);
            let own = [("connection", "close"), ("host", "evil"), ("content-length", "5"), ("X", "y")];
            if random.bool() {
                let (name, value) = own[random.usize(..own.len())];
                head.extend(field(name, value));
            }
            let flags = [END_STREAM | END_HEADERS, END_HEADERS, END_STREAM, 0x2d][random.usize(..4)];
            *next += 2;
            frame(HEADERS, flags, *next - 2, &head)
        }
        4 => frame(DATA, random.u8(..2), random.u32(..=*next), &bytes(random, 200)),
        5 => frame(RST_STREAM, 0, random.u32(..=*next), &random.u32(..14).to_be_bytes()),
        6 => frame(WINDOW_UPDATE, 0, random.u32(..=*next), &random.u32(..).to_be_bytes()),
        _ => frame(random.u8(..), random.u8(..), random.u32(..4), &bytes(random, 64)),
    }
}

#[test]
fn whatever_comes_disturbs_nobody_else() {
    let gateway = Gateway::with("workers: 1");
    let before = gateway.resident_kib();
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..300 {
        let mut stream = TcpStream::connect(gateway.address).unwrap();
        let (mut sent, mut next) = ([PREFACE, &frame(SETTINGS, 0, 0, &[])].concat(), 1);
        for _ in 0..random.usize(1..60) {
            sent.extend(any_frame(&mut random, &mut next));
        }
        // It may be closed before all is sent, and nothing may come.
        let _ = stream.write_all(&sent);
        stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let _ = stream.read(&mut [0; 4096]);
        drop(stream);
        assert_eq!(Ask::new("GET", "/health").to(&gateway).status, 200, "{round}");
    }
    let grown = gateway.resident_kib().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB");
    let printed = gateway.end();
    assert!(!printed.contains("panicked"), "{printed}");
}
