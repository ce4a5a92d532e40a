//! A client whose body is refused before it has come can read why.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::gateway::Gateway;
use crate::wire::{Open, PATIENCE};

/// What the client sends before it reads.
const BODY_BYTES: usize = 100 << 20;
/// More than the gateway takes of a body that is refused.
const ENDLESS_BYTES: usize = 1 << 30;
/// Longer than the gateway waits for a client that sends nothing more.
const SILENCE: Duration = Duration::from_secs(4);

fn gateway() -> Gateway {
    Gateway::with("auth: { keys: [k-1] }\nlimits: { body_bytes: 1MiB }")
}

/// Why a request is refused: headers, path, status, code.
const REFUSALS: [(&str, &str, u16, &str); 8] = [
    (
        "x-ostia-api-key: k-1\r\nx-ostia-provider: openai\r\nauthorization: Bearer sk\r\n",
        "/v1/chat/completions",
        413,
        "body_too_large",
    ),
    ("x-ostia-api-key: k-1\r\n", "/v1/messages", 413, "request_too_large"),
    ("", "/v1/chat/completions", 401, "gateway_key_invalid"),
    ("", "/v1/files", 401, "gateway_key_invalid"),
    ("x-ostia-api-key: k-1\r\nx-ostia-provider: nobody\r\n", "/v1/files", 400, "provider_unknown"),
    ("x-ostia-api-key: k-1\r\nx-ostia-provider: openai\r\n", "/v1/uploads", 401, "key_missing"),
    ("x-ostia-api-key: k-1\r\nx-ostia-config: {\r\n", "/v1/files", 400, "config"),
    ("x-ostia-api-key: k-1\r\n", "/nothing", 404, "unknown_url"),
];

/// The head of a request, without the empty line at its end.
fn head(path: &str, headers: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: gateway.test\r\ncontent-type: application/json\r\n{headers}")
}

/// Sends all of it and only then reads: the answer to the end of the connection.
fn send_then_read(gateway: &Gateway, head: &str, piece: &[u8], times: usize) -> io::Result<String> {
    let mut stream = TcpStream::connect(gateway.address)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(head.as_bytes())?;
    for _ in 0..times {
        stream.write_all(piece)?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn check(answer: &str, status: u16, code: &str) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status} {code}: {answer}");
    assert!(answer.contains(code), "{code}: {answer}");
    assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
}

#[test]
fn a_client_that_sends_all_of_its_body_first() {
    let gateway = gateway();
    let piece = vec![b'x'; 1 << 20];
    let times = BODY_BYTES / piece.len();
    let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
    for (headers, path, status, code) in REFUSALS {
        let with_length = format!("{}content-length: {BODY_BYTES}\r\n\r\n", head(path, headers));
        let chunked = format!("{}transfer-encoding: chunked\r\n\r\n", head(path, headers));
        for (head, piece) in [(&with_length, &piece), (&chunked, &chunk)] {
            let answer = send_then_read(&gateway, head, piece, times);
            let answer = answer.unwrap_or_else(|error| panic!("{path} {status} {code}: {error}"));
            check(&answer, status, code);
        }
    }
    assert!(gateway.resident_kib() < 200 << 10, "nothing of it is kept: {} KiB", gateway.resident_kib());
}

#[test]
fn a_client_that_asks_before_it_sends_is_refused_at_once() {
    let gateway = gateway();
    for (headers, path, status, code) in REFUSALS {
        let headers = format!("{headers}expect: 100-continue\r\n");
        let head = format!("{}content-length: {BODY_BYTES}\r\n\r\n", head(path, &headers));
        let begun = Instant::now();
        check(&send_then_read(&gateway, &head, b"", 0).unwrap(), status, code);
        assert!(begun.elapsed() < Duration::from_secs(1), "{path} {status}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_head_that_is_no_http_or_too_long() {
    let gateway = gateway();
    let piece = vec![b'y'; 1 << 20];
    for (head, status) in [("nonsense\r\n\r\n", 400), ("GET / HTTP/1.1\r\nx: ", 431)] {
        let answer = send_then_read(&gateway, head, &piece, 50).unwrap();
        check(&answer, status, "");
    }
}

#[test]
fn a_client_that_never_ends_is_left() {
    let gateway = gateway();
    let head = format!("{}content-length: {ENDLESS_BYTES}\r\n\r\n", head("/v1/files", ""));
    let piece = vec![b'x'; 1 << 20];
    let begun = Instant::now();
    assert!(send_then_read(&gateway, &head, &piece, ENDLESS_BYTES / piece.len()).is_err());
    assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
}

#[test]
fn a_client_that_falls_silent_is_left() {
    let gateway = gateway();
    let mut open = Open::connect(&gateway);
    open.send(format!("{}content-length: {ENDLESS_BYTES}\r\n\r\nxxx", head("/v1/files", "")).as_bytes());
    let mut stream = TcpStream::connect(gateway.address).unwrap();
    stream.write_all(format!("{}content-length: 9\r\n\r\nxxx", head("/v1/files", "")).as_bytes()).unwrap();
    std::thread::sleep(SILENCE);
    assert_eq!(open.next().status, 401);
    // The first write is answered with a reset, the next one fails.
    let _ = stream.write_all(b"xxx");
    std::thread::sleep(Duration::from_millis(100));
    assert!(stream.write_all(b"xxx").is_err(), "the gateway has closed the connection");
}
