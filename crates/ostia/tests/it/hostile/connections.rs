//! Connections to providers that the provider closes when it likes.

use std::time::{Duration, Instant};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Step, Upstream};

use crate::gateway::Gateway;
use crate::wire::Ask;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
/// No request of these tests has anything to wait for.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Connections are kept by each core for itself.
fn one_core() -> Gateway {
    Gateway::with("workers: 1")
}

/// Asks four times, and says how often the provider was asked over how many connections.
fn check(answer: Answer, body: &str, path: &str) {
    let upstream = Upstream::always(answer);
    let gateway = one_core();
    for number in 0..4 {
        let began = Instant::now();
        let reply = Ask::post_at(&upstream, "openai", path, body).to(&gateway);
        assert!(began.elapsed() < AT_ONCE, "{number}: {:?}", began.elapsed());
        assert_eq!(reply.status, 200, "{number}: {}", reply.text());
        assert!(reply.whole, "{number}");
        // The end of the connection, which a reset sends after 20 ms, arrives before the next request leaves.
        std::thread::sleep(Duration::from_millis(80));
    }
    assert_eq!(upstream.count(), 4, "none is sent twice");
}

#[test]
fn a_kept_connection_that_the_provider_closed_is_not_used() {
    for end in [Step::Cut, Step::Reset] {
        check(Answer::json(openai::chat("x")).then(end.clone()), CHAT, "/v1/chat/completions");
        let chunked = |media: &str, body: &str| {
            let (length, head) = (body.len(), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked");
            Answer::bare(format!("{head}\r\ncontent-type: {media}\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"))
        };
        let (whole, events) = (openai::chat("x"), openai::chat_stream(&["x"]));
        let whole = chunked("application/json", &whole).then(end.clone());
        check(whole, CHAT, "/v1/chat/completions");
        let events = chunked("text/event-stream", &events).then(end.clone());
        check(events, STREAM, "/v1/chat/completions");
        check(Answer::json("{}").then(end), "{}", "/v1/files");
    }
}

#[test]
fn a_connection_that_the_provider_closes_is_not_kept() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")).header("connection", "close"));
    let gateway = one_core();
    for _ in 0..3 {
        let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT);
        assert_eq!(ask.to(&gateway).status, 200);
    }
    assert_eq!((upstream.count(), upstream.connections()), (3, 3));
}

#[test]
fn what_the_provider_may_have_read_is_not_sent_twice() {
    for end in [Step::Cut, Step::Reset] {
        let silent = Answer::bare("").first(end);
        let upstream = Upstream::in_turn(vec![Answer::json(openai::chat("x")), silent]);
        let gateway = one_core();
        let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT);
        assert_eq!(ask.to(&gateway).status, 200);
        let began = Instant::now();
        let reply = ask.to(&gateway);
        assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
        assert_eq!(reply.status, 502, "{}", reply.text());
        assert_eq!(upstream.count(), 2);
        // What may be repeated is: the third answer of this provider is the second one's.
        let upstream = Upstream::in_turn(vec![
            Answer::json("{}"),
            Answer::bare("").first(Step::Cut),
            Answer::json(r#"{"again":true}"#),
        ]);
        let ask = Ask::new("GET", "/v1/files").at(&upstream, "openai");
        assert_eq!(ask.to(&gateway).status, 200);
        assert_eq!(ask.to(&gateway).text(), r#"{"again":true}"#);
    }
}

#[test]
fn what_may_be_repeated_is_repeated_once() {
    let garbage = Answer::bare("HTTP/9.9 what\r\n\r\n");
    for (bad, times) in [(Answer::bare("").first(Step::Cut), 2), (garbage, 1)] {
        let upstream = Upstream::serve(move |request| match request.target.ends_with("/bad") {
            true => bad.clone(),
            false => Answer::json("{}").first(Step::Pause(Duration::from_millis(100))),
        });
        let gateway = one_core();
        let good = Ask::new("GET", "/v1/proxy/good").at(&upstream, "openai");
        let opens: Vec<_> = (0..10).map(|_| good.open(&gateway)).collect();
        assert!(opens.into_iter().all(|open| open.finish().status == 200));
        let reply = Ask::new("GET", "/v1/proxy/bad").at(&upstream, "openai").to(&gateway);
        assert_eq!(reply.status, 502, "{}", reply.text());
        assert_eq!(upstream.count(), 10 + times);
    }
}

#[test]
fn an_answer_whose_end_is_told_twice_is_none() {
    let smuggled = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
                    transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let switched = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";
    let differing = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ";
    for bytes in [smuggled, switched, differing] {
        let gateway = one_core();
        for ask in
            [("POST", "/v1/chat/completions", CHAT), ("POST", "/v1/files", "{}"), ("GET", "/v1/proxy/x", "")]
        {
            let upstream = Upstream::always(Answer::bare(bytes));
            let (method, path, body) = ask;
            let ask = Ask::new(method, path).header("content-type", "application/json").body(body);
            let reply = ask.at(&upstream, "openai").to(&gateway);
            assert_eq!(reply.status, 502, "{path} {bytes}: {}", reply.text());
        }
    }
}
