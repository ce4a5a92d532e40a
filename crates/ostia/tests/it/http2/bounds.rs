//! What one connection can ask for.

use std::time::Duration;

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Gate, Step, Upstream};

use super::client::{Http2, run};
use crate::gateway::Gateway;
use crate::wire::{Ask, PATIENCE};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

fn held(gate: &Gate) -> Upstream {
    Upstream::always(Answer::json(openai::chat("x")).first(Step::Wait(gate.clone())))
}

#[test]
fn so_many_calls_at_once_on_one_connection() {
    for (config, most) in [("", 128), ("limits: { streams: 3 }", 3)] {
        let gateway = Gateway::with(config);
        let gate = Gate::new();
        let upstream = held(&gate);
        run(async {
            let client = Http2::to(&gateway).await;
            assert_eq!(client.ask(&Ask::new("GET", "/health")).await.status, 200);
            let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT);
            let client = std::rc::Rc::new(client);
            let local = tokio::task::LocalSet::new();
            let asked: Vec<_> = (0..most + 1)
                .map(|_| {
                    let (client, ask) = (client.clone(), ask.clone());
                    local.spawn_local(async move { client.ask(&ask).await.status })
                })
                .collect();
            local.run_until(tokio::time::sleep(Duration::from_millis(700))).await;
            assert_eq!(upstream.count(), most, "one waits at the client");
            gate.open();
            local
                .run_until(async {
                    for asked in asked {
                        assert_eq!(asked.await.unwrap(), 200);
                    }
                })
                .await;
            assert_eq!(upstream.count(), most + 1);
        });
    }
}

#[test]
fn streams_beside_the_first_count_like_connections() {
    let gateway = Gateway::with("workers: 1\nlimits: { connections: 3 }");
    let gate = Gate::new();
    let upstream = held(&gate);
    run(async {
        let client = Http2::to(&gateway).await;
        let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", CHAT);
        let refused = async {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                if upstream.count() == 3 {
                    break client.try_ask(&ask).await;
                }
            }
        };
        let (one, two, three, refused) =
            tokio::join!(client.ask(&ask), client.ask(&ask), client.ask(&ask), async {
                let refused = refused.await;
                gate.open();
                refused
            });
        assert_eq!([one.status, two.status, three.status], [200; 3]);
        let refused = refused.err().expect("there are too many calls");
        assert_eq!(refused.reason(), Some(h2::Reason::REFUSED_STREAM));
        assert_eq!(client.ask(&ask).await.status, 200, "there is room again");
    });
    // All of them are given back.
    run(async {
        for _ in 0..10 {
            let client = Http2::to(&gateway).await;
            assert_eq!(client.ask(&Ask::new("GET", "/health")).await.status, 200);
        }
    });
}

#[test]
fn bodies_are_held_to_their_bounds() {
    let gateway = Gateway::with("limits: { body_bytes: 64KiB }");
    run(async {
        let client = Http2::to(&gateway).await;
        let large = format!("{{\"model\":\"m\",\"x\":\"{}\"}}", "y".repeat(2 << 20));
        for length in [true, false] {
            let mut ask = Ask::post("/v1/chat/completions", large.clone());
            if length {
                ask = ask.header("content-length", &large.len().to_string());
            }
            let reply = client.ask(&ask).await;
            assert_eq!((reply.status, reply.header("connection")), (413, None));
            assert_eq!(reply.json().await["error"]["code"], "body_too_large");
        }
        // A body that is not wanted ends its stream, and not the connection.
        assert_eq!(client.ask(&Ask::new("GET", "/health")).await.status, 200);
        let length = Ask::post("/v1/chat/completions", CHAT).header("content-length", "5");
        assert!(client.try_ask(&length).await.is_err(), "it is not as long as it says");
        assert_eq!(client.ask(&Ask::new("GET", "/health")).await.status, 200);
    });
}

#[test]
fn uploads_that_nobody_takes_hold_up_nobody() {
    let gateway = Gateway::with("workers: 1");
    let stalled = Upstream::serve(|_| Answer::empty().first(Step::Stall));
    run(async {
        let client = Http2::to(&gateway).await;
        let before = gateway.resident_kib();
        let mut streams = Vec::new();
        for _ in 0..20 {
            let ask = Ask::new("PUT", "/v1/files/f").at(&stalled, "openai");
            let (request, _) = ask.request("http");
            let (response, mut stream) = client.send.clone().send_request(request, false).unwrap();
            stream.send_data(vec![b'x'; 16 << 20].into(), false).unwrap();
            streams.push((response, stream));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        for _ in 0..50 {
            let ask = Ask::post("/v1/chat/completions", format!("{{\"x\":\"{}\"}}", "y".repeat(200_000)));
            let answered = tokio::time::timeout(PATIENCE, client.ask(&ask)).await;
            assert_eq!(answered.expect("it is not held up").status, 400);
        }
        let grown = gateway.resident_kib().saturating_sub(before);
        assert!(grown < 64 << 10, "{grown} KiB");
    });
}

#[test]
fn heads_have_their_bound_in_words() {
    let gateway = Gateway::with("limits: { header_bytes: 8KiB }");
    run(async {
        let client = Http2::to(&gateway).await;
        // A little too much is told in words, far too much by the status alone.
        for (bytes, is_told) in [(9_000, true), (60_000, false)] {
            let ask = Ask::new("GET", "/v1/models").header("x-long", &"y".repeat(bytes));
            let reply = client.ask(&ask).await;
            assert_eq!(reply.status, 431);
            assert_eq!(reply.text().await.contains("head_too_large"), is_told, "{bytes}");
        }
        assert_eq!(client.ask(&Ask::new("GET", "/health")).await.status, 200);
    });
}

#[test]
fn whoever_is_refused_in_the_middle_of_a_body_sees_why() {
    let gateway = Gateway::with("limits: { body_bytes: 64KiB }");
    run(async {
        let client = Http2::to(&gateway).await;
        for (path, status) in [("/v1/chat/completions", 413), ("/nothing", 404)] {
            let (request, _) = Ask::post(path, "").request("http");
            let (response, mut stream) = client.send.clone().send_request(request, false).unwrap();
            stream.send_data(vec![b' '; 1 << 20].into(), false).unwrap();
            assert_eq!(response.await.unwrap().status(), status);
            // Most clients look at the answer only when all is sent.
            for _ in 0..4 {
                stream.send_data(vec![b' '; 1 << 20].into(), false).unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            stream.send_data(Default::default(), true).unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            let reset = reset_of(&mut stream).await;
            assert!(reset.is_none(), "{path}: {reset:?}");
        }
        assert_eq!(client.ask(&Ask::new("GET", "/health")).await.status, 200);
    });
    // It takes up no more of the gateway than a bound allows.
    let silent = Gateway::with("limits: { body_bytes: 64KiB }");
    run(async {
        let client = Http2::to(&silent).await;
        let (request, _) = Ask::post("/nothing", "").request("http");
        let (response, mut stream) = client.send.clone().send_request(request, false).unwrap();
        assert_eq!(response.await.unwrap().status(), 404);
        let reset =
            tokio::time::timeout(PATIENCE, std::future::poll_fn(|context| stream.poll_reset(context)));
        assert!(matches!(reset.await, Ok(Ok(_))), "nothing comes of it for too long");
    });
}

/// Why a stream was reset, if it was.
async fn reset_of(stream: &mut h2::SendStream<bytes::Bytes>) -> Option<h2::Reason> {
    std::future::poll_fn(|context| match stream.poll_reset(context) {
        std::task::Poll::Ready(reason) => std::task::Poll::Ready(reason.ok()),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}
