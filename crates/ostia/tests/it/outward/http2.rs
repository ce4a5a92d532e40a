//! HTTP/2 to providers: several calls on one connection, several connections to one host, and what ends them.

use std::thread;
use std::time::{Duration, Instant};

use h2::Reason;
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Step, Upstream};

use super::authority::Authority;
use super::frames::{Frames, Last};
use super::front::Front;
use super::http2_server::{Act, Http2Server};
use super::proxy::{Proxy, Script};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open, PATIENCE, Reply};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;

/// More than a connection lets a server send ahead.
const FLOOD_BYTES: usize = 3 << 20;

fn ask() -> Ask {
    Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "own")
}

fn stream() -> Ask {
    Ask::post("/v1/chat/completions", STREAM).header("x-ostia-provider", "own")
}

/// One core, so that connections can be counted, and one provider at this URL.
fn config(url: &str, more: &str) -> String {
    format!(
        "workers: 1\nproviders: {{ own: {{ base_url: '{url}/v1', dialects: [openai_chat], auth: none{more} }} }}\n"
    )
}

/// In front of a server without TLS.
fn plain(server: &Http2Server) -> Gateway {
    Gateway::with(&config(&format!("http://{}", server.address), ", http2: prior_knowledge"))
}

/// So many calls at once.
fn crowd(gateway: &Gateway, count: usize, ask: &Ask) -> Vec<Reply> {
    let opened: Vec<Open> = (0..count).map(|_| ask.open(gateway)).collect();
    opened.into_iter().map(Open::finish).collect()
}

fn is_good(reply: &Reply) -> bool {
    reply.status == 200 && reply.whole && !reply.text().contains("\"error\"")
}

#[test]
fn it_is_spoken_where_it_is_configured_and_the_server_chooses_it() {
    let http1 = Upstream::always(Answer::json(openai::chat("x")));
    let http2 = Http2Server::new(None, |_| Act::Answer);
    let authority = Authority::new();
    let pair = authority.give(&["127.0.0.1"]);
    for (configured, offered, chosen) in [
        (", http2: true", &["h2", "http/1.1"][..], Some("h2")),
        (", http2: prior_knowledge", &["h2"], Some("h2")),
        (", http2: true", &["http/1.1"], Some("http/1.1")),
        (", http2: true", &[], None),
        (", http2: false", &["http/1.1", "h2"], Some("http/1.1")),
        ("", &["http/1.1", "h2"], Some("http/1.1")),
    ] {
        let behind = if chosen == Some("h2") { http2.address } else { http1.address() };
        let front = Front::speaking(behind, &pair, None, offered);
        let gateway = Setup::new().config("workers: 1").start();
        gateway.write("ca.pem", &authority.pem);
        let tls = format!(", tls: {{ ca: ca.pem }}{configured}");
        gateway.write("ostia.yaml", &config(&front.url(), &tls));
        assert!(gateway.reload().status.success(), "{}", gateway.printed());
        for _ in 0..3 {
            let reply = ask().to(&gateway);
            assert!(is_good(&reply), "{configured} {offered:?}: {} {}", reply.status, reply.text());
        }
        let met: Vec<Option<String>> = front.met().into_iter().map(|met| met.protocol).collect();
        assert_eq!(met, [chosen.map(str::to_owned)], "{configured} {offered:?}: one connection, kept");
    }
    let seen = http2.seen();
    assert_eq!(seen.len(), 6);
    assert!(seen[0].uri.starts_with("https://127.0.0.1:") && seen[0].uri.ends_with("/v1/chat/completions"));
    assert_eq!((seen[0].method.as_str(), &*seen[0].body), ("POST", CHAT.as_bytes()));
    let names: Vec<&str> = seen[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(!names.contains(&"host") && !names.contains(&"connection"), "{names:?}");
    assert!(names.contains(&"content-length"), "{names:?}");
}

#[test]
fn nobody_waits_at_the_servers_stream_limit() {
    let server = Http2Server::new(Some(2), |_| Act::AnswerLater);
    let gateway = plain(&server);
    for round in 1..=2 {
        let opened: Vec<Open> = (0..20).map(|_| ask().open(&gateway)).collect();
        assert!(
            server.wait(|server| server.seen().len() == 20 * round),
            "all are there at once: {}",
            server.seen().len()
        );
        assert_eq!(server.most_open(), 2, "and none more on a connection than it takes");
        assert_eq!(server.connections(), 10, "on as many connections as that needs");
        server.release();
        let replies: Vec<Reply> = opened.into_iter().map(Open::finish).collect();
        assert!(replies.iter().all(is_good));
    }
    assert_eq!(server.resets(), [], "nothing was refused or given up");
}

#[test]
fn many_calls_share_one_connection() {
    let server = Http2Server::new(None, |_| Act::AnswerLater);
    let gateway = plain(&server);
    let opened: Vec<Open> = (0..60).map(|_| ask().open(&gateway)).collect();
    assert!(server.wait(|server| server.seen().len() == 60), "{}", server.seen().len());
    assert_eq!((server.connections(), server.most_open()), (1, 60));
    server.release();
    assert!(opened.into_iter().map(Open::finish).all(|reply| is_good(&reply)));
    // Its own bound, whatever the server takes.
    let server = Http2Server::new(None, |_| Act::AnswerLater);
    let gateway = plain(&server);
    let opened: Vec<Open> = (0..130).map(|_| ask().open(&gateway)).collect();
    assert!(server.wait(|server| server.seen().len() == 130), "{}", server.seen().len());
    assert_eq!((server.connections(), server.most_open()), (2, 100));
    server.release();
    assert!(opened.into_iter().map(Open::finish).all(|reply| is_good(&reply)));
}

#[test]
fn what_the_server_refused_is_sent_again_elsewhere() {
    let server = Http2Server::new(None, |seen| match seen.connection {
        0 if seen.number > 0 => Act::Reset(Reason::REFUSED_STREAM),
        _ => Act::Answer,
    });
    let gateway = plain(&server);
    assert!(is_good(&ask().to(&gateway)));
    assert!(is_good(&ask().to(&gateway)), "another connection took it");
    let seen = server.seen();
    assert_eq!(seen.iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 0, 1]);
    assert_eq!(seen[1].body, seen[2].body);
    // A server that refuses everything is not asked for ever.
    let server = Http2Server::new(None, |_| Act::Reset(Reason::REFUSED_STREAM));
    let reply = ask().to(&plain(&server));
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert!(reply.text().contains("refused stream"), "{}", reply.text());
    assert_eq!(server.seen().len(), 4);
    // Nor is what it may have acted on.
    for reason in [Reason::INTERNAL_ERROR, Reason::CANCEL, Reason::ENHANCE_YOUR_CALM] {
        let server = Http2Server::new(None, move |_| Act::Reset(reason));
        let gateway = plain(&server);
        assert_eq!(ask().to(&gateway).status, 502, "{reason:?}");
        assert_eq!(ask().to(&gateway).status, 502, "{reason:?}");
        assert_eq!(
            (server.seen().len(), server.connections()),
            (2, 1),
            "{reason:?}: one each, on one connection"
        );
    }
}

#[test]
fn a_connection_that_goes_away_repeats_what_it_did_not_read_and_nothing_else() {
    for (script, status, requests) in [
        (&[Last::GoAway(0), Last::Answer][..], 200, &[0, 1][..]),
        (&[Last::GoAway(0), Last::GoAway(0), Last::Answer], 200, &[0, 1, 2]),
        (&[Last::Refuse, Last::Answer], 200, &[0, 1]),
        // It says that it read the request: whether it acted on it, nobody knows.
        (&[Last::GoAway(1), Last::Answer], 502, &[0]),
        (&[Last::Close, Last::Answer], 502, &[0]),
    ] {
        let server = Frames::new(script);
        let url = format!("http://{}", server.address);
        let gateway = Gateway::with(&config(&url, ", http2: prior_knowledge"));
        let reply = ask().to(&gateway);
        assert_eq!(reply.status, status, "{script:?}: {}", reply.text());
        assert_eq!(server.requests(), requests, "{script:?}");
        // What may be repeated by its method is, once.
        if status == 502 {
            let server = Frames::new(script);
            let url = format!("http://{}", server.address);
            let gateway = Gateway::with(&config(&url, ", http2: prior_knowledge"));
            let reply = Ask::new("GET", "/v1/files/x").header("x-ostia-provider", "own").to(&gateway);
            assert_eq!((reply.status, server.requests()), (200, vec![0, 1]), "{script:?}: {}", reply.text());
        }
    }
}

#[test]
fn streams_go_on_after_goaway() {
    let server = Http2Server::new(None, |seen| match seen.number {
        0 => Act::StreamAndLeave,
        _ => Act::Answer,
    });
    let gateway = plain(&server);
    let mut open = stream().open(&gateway);
    assert!(open.read_words("one", PATIENCE));
    // Until it has come, calls may still go there, and are served.
    let goes_elsewhere = || {
        assert!(is_good(&ask().to(&gateway)));
        server.seen().last().unwrap().connection == 1
    };
    assert!((0..100).any(|_| goes_elsewhere()), "new calls go elsewhere");
    assert!((0..3).all(|_| goes_elsewhere()));
    server.release();
    let reply = open.finish();
    assert!(
        reply.whole && reply.text().contains("two") && reply.text().contains("[DONE]"),
        "{}",
        reply.text()
    );
    // And a server that sends GOAWAY with every answer.
    let server = Http2Server::new(None, |_| Act::AnswerAndLeave);
    let gateway = plain(&server);
    for _ in 0..10 {
        let reply = ask().to(&gateway);
        assert!(is_good(&reply), "{}", reply.text());
    }
    assert!(crowd(&gateway, 20, &ask()).iter().all(is_good));
}

#[test]
fn a_client_that_leaves_resets_its_stream_and_nothing_else() {
    let server = Http2Server::new(None, |seen| match seen.number {
        0 | 1 => Act::Stream,
        2 => Act::AnswerLater,
        _ => Act::Answer,
    });
    let gateway = plain(&server);
    let mut stays = stream().open(&gateway);
    assert!(stays.read_words("one", PATIENCE));
    let mut leaves = stream().open(&gateway);
    assert!(leaves.read_words("one", PATIENCE));
    drop(leaves);
    assert!(server.wait(|server| server.resets() == [(1, Reason::CANCEL)]), "{:?}", server.resets());
    // Before the head of an answer too.
    let waits = ask().open(&gateway);
    assert!(server.wait(|server| server.seen().len() == 3));
    drop(waits);
    assert!(
        server.wait(|server| server.resets() == [(1, Reason::CANCEL), (2, Reason::CANCEL)]),
        "{:?}",
        server.resets()
    );
    assert!(is_good(&ask().to(&gateway)));
    server.release();
    let reply = stays.finish();
    assert!(reply.whole && reply.text().contains("two"), "{}", reply.text());
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_stream_that_is_reset_is_told_as_an_error() {
    let server = Http2Server::new(None, |seen| match seen.number {
        0 => Act::StreamReset(Reason::INTERNAL_ERROR),
        _ => Act::Answer,
    });
    let gateway = plain(&server);
    let reply = stream().to(&gateway);
    assert!(reply.text().contains("one") && reply.text().contains("\"error\""), "{}", reply.text());
    assert!(!reply.text().contains("[DONE]"), "{}", reply.text());
    assert!(is_good(&ask().to(&gateway)));
    assert_eq!(server.connections(), 1, "the connection is as good as before");
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody_else() {
    let server = Http2Server::new(None, |seen| match seen.number {
        0..6 => Act::Flood(64 << 20),
        _ => Act::Stream,
    });
    server.release();
    let gateway = plain(&server);
    let slow: Vec<Open> = (0..6).map(|_| stream().open(&gateway)).collect();
    assert!(server.wait(|server| server.seen().len() == 6));
    // Until every buffer on the way is full.
    thread::sleep(Duration::from_millis(500));
    let started = Instant::now();
    for _ in 0..20 {
        let reply = stream().to(&gateway);
        assert!(reply.whole && reply.text().contains("[DONE]"), "{}", reply.text());
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(server.connections(), 1);
    drop(slow);
    assert!(server.wait(|server| server.resets().len() == 6), "{:?}", server.resets());
}

#[test]
fn a_server_that_falls_silent_is_given_up_and_its_connection_is_not() {
    let server = Http2Server::new(None, |seen| match seen.number {
        0 => Act::Stream,
        1 => Act::AnswerLater,
        _ => Act::Answer,
    });
    let url = format!("http://{}", server.address);
    let timeouts = "timeouts: { idle: 300ms, first_byte: 300ms }\n";
    let gateway = Gateway::with(&format!("{timeouts}{}", config(&url, ", http2: prior_knowledge")));
    let reply = stream().to(&gateway);
    assert!(reply.text().contains("one") && reply.text().contains("\"error\""), "{}", reply.text());
    assert_eq!(ask().to(&gateway).status, 504);
    let both = [(0, Reason::CANCEL), (1, Reason::CANCEL)];
    assert!(server.wait(|server| server.resets() == both), "{:?}", server.resets());
    assert!(is_good(&ask().to(&gateway)));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_crowd_before_a_server_that_chooses_http1() {
    let slowly = Answer::json(openai::chat("x")).first(Step::Pause(Duration::from_millis(300)));
    let http1 = Upstream::always(slowly);
    let authority = Authority::new();
    let front = Front::speaking(http1.address(), &authority.give(&["127.0.0.1"]), None, &["http/1.1"]);
    let gateway = Setup::new().config("workers: 1").start();
    gateway.write("ca.pem", &authority.pem);
    gateway.write("ostia.yaml", &config(&front.url(), ", tls: { ca: ca.pem }, http2: true"));
    assert!(gateway.reload().status.success());
    for _ in 0..2 {
        let started = Instant::now();
        assert!(crowd(&gateway, 10, &ask()).iter().all(is_good));
        assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    }
    assert_eq!(front.met().len(), 10, "one for each at a time, and kept");
}

#[test]
fn bodies_are_streamed_both_ways() {
    let server = Http2Server::new(None, |seen| match seen.number {
        0 => Act::Answer,
        _ => Act::Flood(FLOOD_BYTES),
    });
    let gateway = plain(&server);
    let body = "0123456789abcdef".repeat(200_000);
    let put = Ask::new("POST", "/v1/proxy/upload").header("x-ostia-provider", "own").body(body.clone());
    let reply = put.to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = server.seen();
    assert!(seen[0].body == body.as_bytes(), "{} bytes of {}", seen[0].body.len(), body.len());
    let of = |name: &str| seen[0].headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    assert_eq!(of("content-length"), Some(body.len().to_string()));
    // Several windows long.
    let reply = stream().to(&gateway);
    assert!(reply.whole && reply.text().ends_with("data: [DONE]\n\n"));
    assert!(reply.body.len() > FLOOD_BYTES, "{}", reply.body.len());
}

#[test]
fn it_goes_through_a_tunnel() {
    let server = Http2Server::new(None, |_| Act::Answer);
    let authority = Authority::new();
    let front =
        Front::speaking(server.address, &authority.give(&["models.example"]), None, &["h2", "http/1.1"]);
    let proxy = Proxy::new(Script::Connect(front.address));
    let gateway = Setup::new().config("workers: 1").start();
    gateway.write("ca.pem", &authority.pem);
    let more = format!(", tls: {{ ca: ca.pem }}, http2: true, proxy: 'http://{}'", proxy.address);
    gateway.write("ostia.yaml", &config("https://models.example", &more));
    assert!(gateway.reload().status.success());
    assert!(crowd(&gateway, 10, &ask()).iter().all(is_good));
    assert_eq!(proxy.lines(), ["CONNECT models.example:443 HTTP/1.1"]);
    assert_eq!(server.seen()[0].uri, "https://models.example/v1/chat/completions");
}

#[test]
fn connections_end_with_their_configuration() {
    let server = Http2Server::new(None, |seen| if seen.number == 1 { Act::Stream } else { Act::Answer });
    let url = format!("http://{}", server.address);
    let gateway = Gateway::with(&config(&url, ", http2: prior_knowledge"));
    assert!(is_good(&ask().to(&gateway)));
    let mut open = stream().open(&gateway);
    assert!(open.read_words("one", PATIENCE));
    assert!(gateway.reload().status.success());
    assert!(is_good(&ask().to(&gateway)));
    assert_eq!((server.connections(), server.closed()), (1, 0), "nothing has changed");
    gateway.write("ostia.yaml", "workers: 1\n");
    assert!(gateway.reload().status.success());
    thread::sleep(Duration::from_millis(100));
    assert_eq!(server.closed(), 0, "a stream is open");
    server.release();
    assert!(open.finish().whole);
    assert!(server.wait(|server| server.closed() == 1));
}

#[test]
fn a_server_that_is_not_there_or_speaks_something_else() {
    let http1 = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::with(&config(&http1.url(), ", http2: prior_knowledge"));
    for reply in crowd(&gateway, 5, &ask()) {
        assert_eq!(reply.status, 502, "{}", reply.text());
    }
    let gone = format!("http://{}", ostia_testkit::dead_address());
    let gateway = Gateway::with(&config(&gone, ", http2: prior_knowledge"));
    for reply in crowd(&gateway, 20, &ask()) {
        assert_eq!(reply.status, 503, "{}", reply.text());
    }
}

#[test]
fn the_doctor_asks_by_it_too() {
    let server = Http2Server::new(None, |_| Act::Answer);
    let url = format!("http://{}", server.address);
    let output = Setup::new().config(&config(&url, ", http2: prior_knowledge")).arg("doctor").run();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("but not with a list of models"), "{output:?}");
    assert_eq!(server.seen().last().map(|seen| seen.method.clone()).as_deref(), Some("GET"));
}
