#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The mock and the load generator against each other over real sockets.

use std::net::TcpListener;

use super::*;
use crate::workloads::Client;
use crate::{body, mock, probe};

fn start_mock() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || mock::serve(listener));
    address
}

fn measure(workload: &Workload, target: SocketAddr) -> io::Result<Measured> {
    let request = body::request(workload, "mock", &[]);
    let watched = [("mock".to_owned(), std::process::id())];
    let job =
        Job { target, request: &request, workload, window_ms: 300, watched: &watched, certificate: None };
    run(&job)
}

fn short(name: &str) -> Workload {
    Workload { warm_ms: 150, ramp_ms: 50, connections: 8, ..*Workload::named(name).unwrap() }
}

#[test]
fn every_unary_workload_is_answered_right() {
    let mock = start_mock();
    for name in ["unary-300", "unary-10k", "unary-200k", "embeddings-300", "plain-300"] {
        let measured = measure(&short(name), mock).unwrap();
        assert_eq!((measured.errors, measured.error_first.as_deref()), (0, None), "{name}");
        // How many there are is the machine's business.
        assert!(measured.answers > 0, "{name}: {measured:?}");
        assert!(measured.latency.unwrap().p50_us > 1.0);
        assert!(measured.processes["mock"].cpu_us > 0.0);
        assert!(measured.seconds > 0.25);
    }
}

#[test]
fn streams_come_whole_with_their_times() {
    let mock = start_mock();
    for name in ["stream-spaced", "plain-saturated"] {
        let workload = Workload { chunks: 10, chunk_gap_ms: 2, ..short(name) };
        probe::set_mock(mock, workload.chunks, workload.chunk_gap_ms).unwrap();
        let measured = measure(&workload, mock).unwrap();
        assert_eq!((measured.errors, measured.error_first.as_deref()), (0, None), "{name}");
        assert!(measured.answers > 0 && measured.chunks >= 10, "{name}: {measured:?}");
        assert!(measured.streams_open > 0);
        let chunk = measured.chunk.unwrap();
        assert!(chunk.p50_us > 0.5 && chunk.p50_us < 1e6, "{chunk:?}");
        assert!(measured.first_chunk.unwrap().count > 0);
    }
}

/// Anthropic's client and Anthropic's words, which the mock has both.
#[test]
fn another_dialect_is_read_as_well() {
    let mock = start_mock();
    for name in ["responses-anthropic-300", "responses-anthropic-saturated"] {
        let workload = Workload { client: Client::Messages, chunks: 10, chunk_gap_ms: 2, ..short(name) };
        probe::set_mock(mock, workload.chunks, workload.chunk_gap_ms).unwrap();
        let measured = measure(&workload, mock).unwrap();
        assert_eq!((measured.errors, measured.error_first.as_deref()), (0, None), "{name}");
        assert!(measured.answers > 0, "{name}: {measured:?}");
    }
}

#[test]
fn an_open_pace_keeps_its_rate() {
    let mock = start_mock();
    let workload = Workload { pace: Pace::Open { per_second: 200 }, ..short("rate-500") };
    let measured = measure(&workload, mock).unwrap();
    assert_eq!(measured.errors, 0, "{measured:?}");
    // On a busy machine some are sent late, and some are not answered at all; none is left out.
    let answered = measured.latency.map_or(0, |latency| latency.count);
    assert_eq!(answered + measured.unfinished, 60, "{measured:?}");
}

#[test]
fn a_stream_cut_short_is_wrong() {
    let mock = start_mock();
    let workload = Workload { chunks: 10, ..short("stream-spaced") };
    probe::set_mock(mock, 9, 1).unwrap();
    let outcome = measure(&workload, mock);
    let reason = match outcome {
        Ok(measured) => {
            assert_eq!(measured.answers, 0);
            measured.error_first.unwrap()
        }
        Err(error) => error.to_string(),
    };
    assert!(reason.ends_with("9 of 10 chunks"), "{reason}");
}

#[test]
fn a_refusal_is_wrong_and_many_end_the_run() {
    let mock = start_mock();
    let mut request = body::request(Workload::named("unary-300").unwrap(), "mock", &[]);
    let at = request.windows(3).position(|part| part == b"/v1").unwrap();
    request[at + 1] = b'x';
    let workload = short("unary-300");
    let job = Job {
        target: mock,
        request: &request,
        workload: &workload,
        window_ms: 60_000,
        watched: &[],
        certificate: None,
    };
    assert_eq!(run(&job).unwrap_err().to_string(), "1000 wrong answers: status 400");
}

#[test]
fn a_request_that_should_have_been_translated_is_refused() {
    let mock = start_mock();
    let workload = Workload { warm_ms: 60_000, ..short("translated-300") };
    let error = measure(&workload, mock).unwrap_err().to_string();
    assert_eq!(error, "1000 wrong answers: status 400");
}

#[test]
fn an_answer_in_another_dialect_is_wrong() {
    let mock = start_mock();
    let workload = short("translated-300");
    let request = String::from_utf8(body::request(&workload, "mock", &[])).unwrap();
    let request = request.replace("/v1/chat/completions", "/v1/messages");
    let job = Job {
        target: mock,
        request: request.as_bytes(),
        workload: &workload,
        window_ms: 60_000,
        watched: &[],
        certificate: None,
    };
    assert_eq!(run(&job).unwrap_err().to_string(), "1000 wrong answers: the answer lacks usage");
}

#[test]
fn the_mock_refuses_a_control_it_does_not_know() {
    let mock = start_mock();
    let request = b"GET /_control?colour=1 HTTP/1.1\r\nhost: m\r\n\r\n";
    assert_eq!(probe::send(mock, request).unwrap().0, 400);
}

#[test]
fn frames_come_back() {
    let mock = start_mock();
    for name in ["frames-200", "frames-4k"] {
        let measured = measure(&short(name), mock).unwrap();
        assert_eq!((measured.errors, measured.error_first.as_deref()), (0, None), "{name}");
        assert!(measured.answers > 0 && measured.streams_open == 8, "{name}: {measured:?}");
    }
    let measured = measure(&short("sockets-1000"), mock).unwrap();
    assert_eq!((measured.errors, measured.answers, measured.streams_open), (0, 0, 8), "{measured:?}");
}

/// A gateway that answers requests of the Responses API on WebSockets, each by these events.
fn bridge(events: &'static [&'static str]) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut socket = tokio_tungstenite::tungstenite::accept(stream.unwrap()).unwrap();
                let asked = socket.read().unwrap().into_text().unwrap();
                let asked: serde_json::Value = serde_json::from_str(&asked).unwrap();
                assert_eq!(
                    (&asked["type"], &asked["store"]),
                    (&"response.create".into(), &false.into()),
                    "{asked}"
                );
                for event in events {
                    socket.send(tokio_tungstenite::tungstenite::Message::text(*event)).unwrap();
                }
                let _ = socket.read();
            });
        }
    });
    address
}

#[test]
fn answers_on_websockets_are_heard_to_their_end() {
    let name = "sockets-bridged-1000";
    let ends = bridge(&[r#"{"type":"response.created"}"#, r#"{"type":"response.completed"}"#]);
    let measured = measure(&short(name), ends).unwrap();
    assert_eq!((measured.errors, measured.streams_open), (0, 8), "{measured:?}");
    let fails = bridge(&[r#"{"type":"error","status":400}"#]);
    let measured = measure(&short(name), fails).unwrap();
    assert_eq!(measured.streams_open, 0, "{measured:?}");
    assert!(measured.error_first.as_deref().is_none_or(|error| error.contains("400")), "{measured:?}");
}
