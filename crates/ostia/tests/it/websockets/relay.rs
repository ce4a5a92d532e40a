//! What passes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::FrameSocket;

use super::tools::{Client, Plain, Provider, close_of, read_frames, write_frame};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, PATIENCE};

/// A message in three frames with others between them, words and bytes, questions and answers, an empty one, and one that is larger
/// than what is read at once.
fn frames() -> Vec<Plain> {
    vec![
        (true, 1, b"{\"type\":\"session.update\"}".to_vec()),
        (false, 1, "gr\u{fc}".as_bytes().to_vec()),
        (true, 9, b"are you there".to_vec()),
        (false, 0, vec![]),
        (true, 10, b"unasked".to_vec()),
        (true, 0, b"n".to_vec()),
        (true, 2, (0..=255).collect()),
        (true, 1, vec![]),
        (true, 2, (0..=255).cycle().take(300_000).collect()),
        (true, 8, [&4001_u16.to_be_bytes()[..], b"enough"].concat()),
    ]
}

#[test]
fn frames_pass_as_they_are_both_ways() {
    let gateway = Gateway::start();
    let seen = Arc::<Mutex<Vec<Plain>>>::default();
    let heard = seen.clone();
    let provider = Provider::serve(move |mut socket| {
        let mut raw = FrameSocket::new(socket.get_mut().try_clone().unwrap());
        *heard.lock().unwrap() = read_frames(&mut raw);
        for frame in &frames() {
            write_frame(&mut raw, frame, false);
        }
    });
    let (mut socket, _) = Client::new("/v1/realtime?model=m").at(&provider, "openai").to(&gateway);
    let mut raw = FrameSocket::new(socket.get_mut().try_clone().unwrap());
    for frame in &frames() {
        write_frame(&mut raw, frame, true);
    }
    let received = read_frames(&mut raw);
    assert_eq!(received.len(), frames().len());
    assert!(received == frames());
    assert!(*seen.lock().unwrap() == frames());
}

#[test]
fn both_may_speak_before_the_other_has() {
    let gateway = Gateway::start();
    let provider = Provider::serve(|mut socket| {
        socket.send(Message::text("first")).unwrap();
        while let Ok(message) = socket.read() {
            if message.is_text() {
                let _ = socket.send(message);
            }
        }
    });
    let (mut socket, _) = Client::new("/v1/realtime?model=m").at(&provider, "openai").to(&gateway);
    assert_eq!(socket.read().unwrap(), Message::text("first"));
    for number in 0..200 {
        socket.send(Message::text(format!("message {number}"))).unwrap();
        assert_eq!(socket.read().unwrap(), Message::text(format!("message {number}")));
    }
    socket.close(None).unwrap();
    assert_eq!(close_of(&mut socket), None);
}

/// A session as OpenAI records it, made small: the client's turns, and what is said to each.
const TAPE: &[(&str, &[&str])] = &[
    (
        r#"{"type":"session.update","session":{"type":"realtime","output_modalities":["text"]}}"#,
        &[
            r#"{"type":"session.updated","event_id":"event_2","session":{"type":"realtime","model":"gpt-realtime"}}"#,
        ],
    ),
    (
        r#"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}}"#,
        &[r#"{"type":"conversation.item.added","event_id":"event_3","item":{"id":"item_1"}}"#],
    ),
    (
        r#"{"type":"response.create"}"#,
        &[
            r#"{"type":"response.created","event_id":"event_4","response":{"id":"resp_1","usage":null}}"#,
            r#"{"type":"response.output_text.delta","event_id":"event_5","delta":"Hel"}"#,
            r#"{"type":"response.output_text.delta","event_id":"event_6","delta":"lo"}"#,
            r#"{"type":"response.done","event_id":"event_7","response":{"id":"resp_1","status":"completed","usage":{"total_tokens":30,"input_tokens":23,"output_tokens":7,"input_token_details":{"cached_tokens":3,"audio_tokens":0},"output_token_details":{"audio_tokens":0}}}}"#,
        ],
    ),
];

#[test]
fn a_session_is_told_frame_by_frame_and_counted() {
    let gateway = Setup::new().arg("--log").arg("access=info").start();
    let provider = Provider::serve(|mut socket| {
        for (asked, answers) in TAPE {
            assert_eq!(socket.read().unwrap(), Message::text(*asked));
            for answer in *answers {
                socket.send(Message::text(*answer)).unwrap();
            }
        }
        let _ = close_of(&mut socket);
    });
    let client = Client::new("/v1/realtime?model=gpt-realtime").at(&provider, "openai");
    let (mut socket, agreed) = client.to(&gateway);
    for (asked, answers) in TAPE {
        socket.send(Message::text(*asked)).unwrap();
        for answer in *answers {
            assert_eq!(socket.read().unwrap(), Message::text(*answer));
        }
    }
    socket.close(None).unwrap();
    close_of(&mut socket);
    let printed = gateway.says("/v1/realtime");
    let line = printed.lines().find(|line| line.contains("/v1/realtime")).unwrap();
    for word in ["101", "openai/gpt-realtime", "tokens=23+7"] {
        assert!(line.contains(word), "{word}: {line}");
    }
    let trace_id = agreed.headers()["x-ostia-trace-id"].to_str().unwrap();
    let ask = Ask::new("GET", &format!("/v1/explain/{trace_id}")).header("authorization", "Bearer sk-client");
    let usage = &ask.to(&gateway).json()["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&23.into(), &7.into()), "{usage}");
}

#[test]
fn other_paths_are_the_providers_own() {
    let (gateway, provider) = (Gateway::start(), Provider::echo());
    let google = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
    for (id, path, target) in [
        ("openai", "/v1/live/sessions?x=1", "/live/sessions?x=1"),
        ("deepgram", "/v1/listen?model=nova-3&punctuate=true", "/listen?model=nova-3&punctuate=true"),
        ("openai", "/v1/proxy/some/thing?a=%20b", "/some/thing?a=%20b"),
        ("google", google, google),
    ] {
        let (mut socket, _) = Client::new(path).at(&provider, id).to(&gateway);
        assert_eq!(provider.last().target, target);
        socket.send(Message::binary(vec![1, 2, 3])).unwrap();
        assert_eq!(socket.read().unwrap(), Message::binary(vec![1, 2, 3]), "{path}");
    }
}

#[test]
fn the_connection_serves_requests_until_it_goes_over() {
    let (gateway, provider) = (Gateway::start(), Provider::echo());
    let mut connection = TcpStream::connect(gateway.address).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.write_all(&Ask::new("GET", "/health").bytes()).unwrap();
    hear(&mut connection, r#"{"status":"ok"}"#);
    let ask = Ask::new("GET", "/v1/realtime?model=m")
        .header("x-ostia-provider", "openai")
        .header("x-ostia-custom-host", &provider.url())
        .header("authorization", "Bearer sk-1")
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "WebSocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    // The first frame comes with the request: "hi", masked with zeros.
    let frame = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
    connection.write_all(&[&ask.bytes()[..], &frame].concat()).unwrap();
    let heard = hear(&mut connection, "\u{2}hi");
    assert!(heard.starts_with("HTTP/1.1 101 ") && heard.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{heard}");
}

/// Reads until these words have come.
fn hear(connection: &mut TcpStream, words: &str) -> String {
    let mut heard = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if text.contains(words) {
            return text;
        }
        let mut piece = [0; 1024];
        let length = connection.read(&mut piece).unwrap();
        assert!(length > 0, "{text}");
        heard.extend_from_slice(&piece[..length]);
    }
}
