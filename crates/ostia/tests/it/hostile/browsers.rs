//! Pages of others in a browser on the operator's machine, and names that were made to point there.

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};

use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Open, Reply};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

struct House {
    upstream: Upstream,
    gateway: Gateway,
}

fn house(config: &str) -> House {
    let answer = Answer::json(openai::chat("x"))
        .header("access-control-allow-origin", "*")
        .header("access-control-allow-credentials", "true");
    let upstream = Upstream::always(answer);
    let row = format!(
        "default_provider: openai\nproviders: {{ openai: {{ base_url: '{}', api_key: sk-op }} }}\n{config}",
        upstream.url()
    );
    House { upstream, gateway: Gateway::with(&row) }
}

impl House {
    fn check(&self, ask: &Ask, status: u16) -> Reply {
        let reply = ask.to(&self.gateway);
        assert_eq!(reply.status, status, "{ask:?}: {}", reply.text());
        let told = reply.headers().iter().filter(|(name, _)| name.starts_with("access-control-"));
        if status == 200 {
            assert!(told.clone().all(|(_, value)| value != "true"), "the provider's words about pages pass");
        }
        reply
    }
}

fn chat() -> Ask {
    Ask::post("/v1/chat/completions", CHAT)
}

/// Every kind of path that spends the operator's keys, or tells something.
fn asks() -> Vec<Ask> {
    let mut asks = vec![Ask::new("GET", "/v1/models"), Ask::new("GET", "/v1/explain/t")];
    for path in ["/v1/chat/completions", "/v1/messages", "/v1/files", "/v1/proxy/x", "/v1/conversations"] {
        asks.push(Ask::post(path, CHAT));
    }
    asks
}

#[test]
fn pages_of_others_are_refused() {
    let house = house("");
    for ask in asks() {
        for origin in
            ["https://evil.example", "http://localhost:3000", "http://127.0.0.1", "null", "file://", ""]
        {
            house.check(&ask.clone().header("origin", origin), 403);
        }
        for site in ["cross-site", "same-site"] {
            house.check(&ask.clone().header("sec-fetch-site", site), 403);
        }
    }
    assert_eq!(house.upstream.count(), 0);
    for path in ["/", "/health", "/ready"] {
        house.check(&Ask::new("GET", path).header("sec-fetch-site", "cross-site"), 200);
    }
}

#[test]
fn programs_and_our_own_pages_are_not() {
    let house = house("");
    let own = format!("http://localhost:{}", house.gateway.address.port());
    let named = |ask: Ask| ask.host(&own["http://".len()..]);
    house.check(&chat(), 200);
    house.check(&named(chat().header("origin", &own)), 200);
    house.check(&chat().header("sec-fetch-site", "none"), 200);
    house.check(&chat().header("sec-fetch-site", "same-origin"), 200);
}

#[test]
fn names_that_point_here_are_refused() {
    let house = house("");
    for host in [
        "evil.example",
        "evil.example:8787",
        "localhost.evil.example",
        "192.168.1.7",
        "10.0.0.1:80",
        "",
        "a@b",
    ] {
        for ask in asks() {
            house.check(&ask.host(host), 403);
        }
    }
    let mut open = Open::connect(&house.gateway);
    open.send(b"GET http://evil.example/v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(open.next().status, 403, "the name in the request line counts");
    assert_eq!(house.upstream.count(), 0);
    for host in [
        "localhost",
        "LOCALHOST:8787",
        "app.localhost",
        "127.0.0.1",
        "127.9.9.9:1",
        "[::1]:8787",
        "localhost.",
    ] {
        house.check(&chat().host(host), 200);
    }
    let house = self::house("hosts: [gateway.internal, '*.lan']");
    for host in ["gateway.internal:8787", "box.lan"] {
        house.check(&chat().host(host), 200);
    }
    house.check(&chat().host("evil.example"), 403);
}

#[test]
fn a_wide_door_is_called_by_its_address_or_by_a_name_that_the_operator_gave() {
    let wide = |config: &str| {
        let setup = Setup::new().config(config).arg("--insecure");
        setup.arg("--listen").arg("0.0.0.0:0").start()
    };
    let status = |gateway: &Gateway, host: &str| Ask::new("GET", "/v1/models").host(host).to(gateway).status;
    let (plain, named) = (wide(""), wide("hosts: [ostia]"));
    for (gateway, host, expected) in [
        (&plain, "10.0.0.7:8787", 200),
        (&plain, "ostia:8787", 403),
        (&plain, "evil.example", 403),
        (&named, "ostia:8787", 200),
    ] {
        assert_eq!(status(gateway, host), expected, "{host}");
    }
}

#[test]
fn bodies_that_a_page_can_send_without_permission() {
    let house = house("");
    for media in ["text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"] {
        for path in ["/v1/chat/completions", "/v1/messages", "/v1/explain", "/v1/conversations"] {
            let ask = Ask::new("POST", path).header("content-type", media).body(CHAT);
            house.check(&ask, 415);
        }
    }
    assert_eq!(house.upstream.count(), 0);
    for media in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"] {
        house.check(&Ask::new("POST", "/v1/chat/completions").header("content-type", media).body(CHAT), 200);
    }
}

#[test]
fn options_are_answered_here() {
    let strict = house("");
    let listed = house("cors: { origins: ['https://app.example'] }");
    let preflight = |origin: &str| {
        Ask::new("OPTIONS", "/v1/chat/completions")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type, authorization")
            .header("access-control-request-private-network", "true")
    };
    strict.check(&preflight("https://app.example"), 403);
    listed.check(&preflight("https://evil.example"), 403);
    let reply = listed.check(&preflight("https://app.example"), 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(reply.header("access-control-allow-headers"), Some("content-type, authorization"));
    assert_eq!(reply.header("access-control-allow-private-network"), Some("true"));
    assert!(reply.header("access-control-allow-methods").is_some_and(|methods| methods.contains("POST")));
    strict.check(&Ask::new("OPTIONS", "/v1/files"), 204);
    let reply = listed.check(&chat().header("origin", "https://app.example"), 200);
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(reply.header("vary"), Some("origin"));
    assert_eq!((strict.upstream.count(), listed.upstream.count()), (0, 1));
}

#[test]
fn with_keys_a_page_needs_the_key_and_reads_nothing_unless_it_is_listed() {
    let house = house("auth: { keys: [k-1] }");
    let page = chat().header("origin", "https://evil.example");
    house.check(&page, 401);
    let preflight = Ask::new("OPTIONS", "/v1/chat/completions").header("origin", "https://evil.example");
    let reply = house.check(&preflight, 204);
    assert_eq!(reply.header("access-control-allow-origin"), None);
    let reply = house.check(&page.header("authorization", "Bearer k-1").host("gateway.example"), 200);
    assert_eq!(reply.header("access-control-allow-origin"), None);
}
