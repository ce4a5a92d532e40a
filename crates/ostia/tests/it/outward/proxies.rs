//! Behind a proxy: which calls go through it, what it hears, and what becomes of those that it refuses.

use std::time::{Duration, Instant};

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream, dead_address};

use super::authority::Authority;
use super::front::Front;
use super::proxy::{Proxy, Script};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Reply};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

fn chat(gateway: &Gateway, provider: &str) -> Reply {
    Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", provider).to(gateway)
}

/// A client's call to a host of its own choice.
fn chat_at(gateway: &Gateway, host: &str) -> Reply {
    let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "openai");
    ask.header("authorization", "Bearer sk-client").header("x-ostia-custom-host", host).to(gateway)
}

fn upstream() -> Upstream {
    Upstream::always(Answer::json(openai::chat("x")))
}

/// A provider without a key at this URL.
fn provider(id: &str, url: &str, more: &str) -> String {
    format!("providers: {{ {id}: {{ base_url: '{url}', dialects: [openai_chat], auth: none{more} }} }}\n")
}

#[test]
fn calls_go_through_the_proxy_of_the_environment() {
    let upstream = upstream();
    let proxy = Proxy::new(Script::Connect(upstream.address()));
    let url = format!("http://user:SECRET@{}", proxy.address);
    let config = format!("workers: 1\n{}", provider("own", "http://models.example/v1", ""));
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let before = proxy.asked().len();
        let gateway = Setup::new().config(&config).env(name, &url).start();
        for _ in 0..2 {
            assert_eq!(chat(&gateway, "own").status, 200, "{name}");
        }
        let asked = &proxy.asked()[before..];
        assert_eq!(asked.len(), 1, "{name}: the tunnel is kept");
        assert!(asked[0].starts_with("CONNECT models.example:80 HTTP/1.1\r\n"), "{asked:?}");
        // "user:SECRET" in base64.
        assert!(asked[0].to_ascii_lowercase().contains("\r\nhost: models.example:80\r\n"), "{asked:?}");
        assert!(asked[0].contains("Basic dXNlcjpTRUNSRVQ="), "{asked:?}");
        let seen = upstream.last();
        assert_eq!(
            (seen.target.as_str(), seen.header("host").as_deref()),
            ("/v1/chat/completions", Some("models.example"))
        );
        assert_eq!(seen.header("proxy-authorization"), None, "the password is the proxy's alone");
        let printed = gateway.end();
        let shown = format!("http://{} before public", proxy.address);
        assert!(printed.contains(&shown), "{printed}");
        assert!(!printed.contains("SECRET") && !printed.contains("dXNlcjpTRUNSRVQ="), "{printed}");
    }
}

#[test]
fn tls_goes_through_a_tunnel_to_its_end() {
    let (upstream, authority) = (upstream(), Authority::new());
    let front = Front::before(&upstream, &authority.give(&["models.example"]), None);
    let proxy = Proxy::new(Script::Connect(front.address));
    let behind_tls = Front::speaking(proxy.address, &authority.give(&["127.0.0.1"]), Some(&authority), &[]);
    let socks = Proxy::new(Script::Socks(front.address, None));
    let pair = authority.give(&["gateway"]);
    for (url, expected) in [
        (format!("http://{}", proxy.address), "CONNECT models.example:443 HTTP/1.1"),
        (format!("https://{}", behind_tls.address), "CONNECT models.example:443 HTTP/1.1"),
        (format!("socks5h://{}", socks.address), "models.example:443"),
    ] {
        let (before, met) = ([proxy.lines(), socks.lines()].concat().len(), front.met().len());
        let tls = ", tls: { cert: cert.pem, key: key.pem }";
        let config = provider("own", "https://models.example/v1", tls);
        let gateway = Setup::new().config("workers: 1").env("https_proxy", &url).start();
        for (name, text) in [("ca.pem", &authority.pem), ("cert.pem", &pair.cert), ("key.pem", &pair.key)] {
            gateway.write(name, text);
        }
        gateway.write("ostia.yaml", &format!("workers: 1\nupstream: {{ tls: {{ ca: ca.pem }} }}\n{config}"));
        assert!(gateway.reload().status.success());
        let reply = chat(&gateway, "own");
        assert_eq!(reply.status, 200, "{url} {}", reply.text());
        let lines = if url.starts_with("socks") { socks.lines() } else { proxy.lines() };
        assert_eq!(lines.last().unwrap(), expected, "{url}");
        assert_eq!([proxy.lines(), socks.lines()].concat().len(), before + 1);
        assert_eq!(
            front.met()[met..].iter().filter_map(|met| met.name.clone()).collect::<Vec<_>>(),
            ["models.example"]
        );
    }
    assert!(
        behind_tls.met().iter().all(|met| met.certificate.is_none()),
        "a proxy sees no client certificate"
    );
}

#[test]
fn private_hosts_and_excepted_ones_are_called_without_it() {
    let upstream = upstream();
    let proxy = Proxy::refusing("502 Bad Gateway");
    let url = format!("http://{}", proxy.address);
    let config = provider("own", &upstream.url(), "");
    let direct = |setup: Setup, config: &str, is_direct: bool| {
        let before = proxy.asked().len();
        let reply = chat(&setup.config(config).start(), "own");
        assert_eq!(
            (reply.status == 200, proxy.asked().len() == before),
            (is_direct, is_direct),
            "{config} {}",
            reply.text()
        );
    };
    let of_environment = || Setup::new().env("http_proxy", &url).env("https_proxy", &url);
    direct(of_environment(), &config, true);
    direct(Setup::new(), &format!("upstream: {{ proxy: '{url}' }}\n{config}"), true);
    let by_name = provider("own", &upstream.url().replace("127.0.0.1", "localhost"), "");
    direct(of_environment(), &by_name, true);
    // Said of the provider itself it holds for whatever host.
    let own = |more: &str| provider("own", &upstream.url(), more);
    direct(Setup::new(), &own(&format!(", proxy: '{url}'")), false);
    // The scripted proxy stands in for a resolver of `models.example`; without it the name leads nowhere.
    let far = |more: &str| provider("own", &format!("http://{}/v1", far_host()), more);
    for (no_proxy, is_proxied) in [("", true), (&*far_host(), false), ("*", false), ("other.example", true)] {
        let before = proxy.asked().len();
        let setup = of_environment().env("no_proxy", no_proxy);
        assert_ne!(chat(&setup.config(&far("")).start(), "own").status, 200);
        assert_eq!(proxy.asked().len() > before, is_proxied, "{no_proxy}");
    }
    for config in [far(", proxy: none"), format!("upstream: {{ proxy: none }}\n{}", far(""))] {
        let before = proxy.asked().len();
        assert_ne!(chat(&of_environment().config(&config).start(), "own").status, 200);
        assert_eq!(proxy.asked().len(), before, "{config}");
    }
}

/// A name that no resolver has, and that none is asked for: its first label is longer than may be.
fn far_host() -> String {
    format!("{}.example", "x".repeat(64))
}

#[test]
fn a_host_that_a_client_chose_is_checked_here_and_named_by_its_address() {
    let upstream = upstream();
    let proxy = Proxy::new(Script::Connect(upstream.address()));
    let url = format!("http://{}", proxy.address);
    let setup = Setup::new().env("http_proxy", &url).env("https_proxy", &url).arg("--insecure");
    let gateway = setup.arg("--listen").arg("0.0.0.0:0").start();
    // Nothing leaves the machine: the proxy of the test connects to the test's own upstream.
    assert_eq!(chat_at(&gateway, "http://8.8.8.8:81/v1").status, 200);
    assert_eq!(proxy.lines(), ["CONNECT 8.8.8.8:81 HTTP/1.1"]);
    for (host, words) in [
        ("http://10.0.0.1/v1".to_owned(), "may not go to"),
        ("http://127.0.0.1/v1".to_owned(), "may not go to"),
        ("https://169.254.169.254/v1".to_owned(), "may not go to"),
        ("http://[::ffff:10.0.0.1]/v1".to_owned(), "may not go to"),
        ("http://metadata.google.internal/v1".to_owned(), "is a metadata service"),
        ("http://box.internal/v1".to_owned(), "inside somebody's network"),
        (format!("http://{}/v1", far_host()), "cannot be resolved here"),
    ] {
        let reply = chat_at(&gateway, &host);
        assert_eq!(reply.status, 400, "{host} {}", reply.text());
        assert!(reply.text().contains(words), "{host} {}", reply.text());
    }
    assert_eq!(proxy.lines().len(), 1, "the proxy heard of none of them: {:?}", proxy.lines());
    // Not even by the operator's word.
    let config = provider("own", "http://metadata.google.internal/v1", &format!(", proxy: '{url}'"));
    let reply = chat(&Gateway::with(&config), "own");
    assert!(reply.status == 400 && reply.text().contains("metadata service"), "{}", reply.text());
    assert_eq!(proxy.lines().len(), 1);
}

#[test]
fn a_proxy_that_refuses_is_told_to_the_operator_and_not_to_clients() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(20 << 10));
    let early = b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec();
    for (proxy, expected) in [
        (Proxy::refusing("407 Proxy Authentication Required"), "right name and password (407)"),
        (Proxy::refusing("401 Unauthorized"), "right name and password (401)"),
        (Proxy::refusing("403 Forbidden"), "lets no calls through to this host (403)"),
        (Proxy::refusing("502 Bad Gateway"), "answered CONNECT with 502"),
        (
            Proxy::refusing("301 Moved Permanently\r\nlocation: http://127.0.0.1:1/"),
            "answered CONNECT with 301",
        ),
        (Proxy::new(Script::Say(long.into_bytes())), "has no connection to the host"),
        (Proxy::new(Script::Say(early)), "sent something that nobody asked for"),
        (Proxy::new(Script::Say(b"SSH-2.0-x\r\n\r\n".to_vec())), "has no connection to the host"),
    ] {
        let url = format!("http://user:SECRET@{}", proxy.address);
        let config = format!(
            "auth: {{ keys: [k] }}\n{}",
            provider("own", "https://models.example", &format!(", proxy: '{url}'"))
        );
        let gateway = Gateway::with(&config);
        for (path, kind) in [("/v1/chat/completions", "error"), ("/v1/messages", "type")] {
            let ask = Ask::post(path, CHAT.replace("\"m\"", "\"m\",\"max_tokens\":9"));
            let reply = ask.header("x-ostia-provider", "own").header("x-ostia-api-key", "k").to(&gateway);
            assert_eq!(reply.status, 502, "{expected} {}", reply.text());
            assert!(reply.json().get(kind).is_some() && reply.text().contains("proxy"), "{}", reply.text());
            let own = proxy.address.to_string();
            assert!(!reply.text().contains(&own) && !reply.text().contains("SECRET"), "{}", reply.text());
        }
        gateway.says(expected);
        let printed = gateway.end();
        assert!(printed.contains(&proxy.address.to_string()), "{printed}");
        assert!(!printed.contains("SECRET") && !printed.contains("dXNlcjpTRUNSRVQ"), "{printed}");
    }
}

#[test]
fn a_proxy_that_is_not_there_or_says_nothing_costs_the_time_to_connect() {
    let silent = Proxy::new(Script::Say(Vec::new()));
    let gone = dead_address();
    let config = |address: &str| {
        let more = format!(", proxy: 'http://{address}'");
        format!("timeouts: {{ connect: 300ms }}\n{}", provider("own", "https://models.example", &more))
    };
    let reply = chat(&Gateway::with(&config(&gone.to_string())), "own");
    assert!(reply.status == 502 && reply.text().contains("cannot be reached"), "{}", reply.text());
    let started = Instant::now();
    let reply = chat(&Gateway::with(&config(&silent.address.to_string())), "own");
    assert!(reply.status == 504 || reply.status == 408, "{} {}", reply.status, reply.text());
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn socks_with_a_name_and_a_password() {
    let upstream = upstream();
    let proxy = Proxy::new(Script::Socks(upstream.address(), Some(("user", "SECRET"))));
    let at = |sign_in: &str, scheme: &str| {
        let more = format!(", proxy: '{scheme}://{sign_in}@{}'", proxy.address);
        Gateway::with(&provider("own", "http://8.8.8.8:81/v1", &more))
    };
    assert_eq!(chat(&at("user:SECRET", "socks5"), "own").status, 200);
    assert_eq!(proxy.asked(), ["8.8.8.8:81"]);
    let gateway = at("user:WRONG", "socks5h");
    let reply = chat(&gateway, "own");
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert!(reply.text().contains("credentials not accepted"), "{}", reply.text());
    let printed = gateway.end();
    assert!(printed.contains("502 POST"), "{printed}");
    assert!(!reply.text().contains("WRONG") && !printed.contains("WRONG"), "{printed}");
}

#[test]
fn nothing_that_is_told_has_the_password_of_a_proxy() {
    let proxy = Proxy::refusing("407 Proxy Authentication Required");
    let url = format!("http://user:PASSWORT@{}", proxy.address);
    let config = format!("upstream: {{ proxy: '{url}' }}\n{}", provider("own", "https://models.example", ""));
    let gateway = Gateway::with(&config);
    let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "own");
    let reply = ask.header("x-ostia-trace-id", "t1").header("x-ostia-explain", "true").to(&gateway);
    let explained = Ask::new("GET", "/v1/explain/t1").to(&gateway);
    assert_eq!(explained.status, 200, "{}", explained.text());
    let dry = Ask::post("/v1/explain", CHAT).header("x-ostia-provider", "own").to(&gateway);
    for reply in [reply, explained, dry] {
        let told = format!("{:?} {}", reply.headers(), reply.text());
        assert!(!told.contains("PASSWORT") && !told.contains("dXNlcjpQQVNTV09SV"), "{told}");
    }
    for command in ["check", "providers", "doctor"] {
        let output = Setup::new().config(&config).arg(command).run();
        let told = format!("{output:?}");
        assert!(!told.contains("PASSWORT"), "{told}");
        assert!(command != "doctor" || told.contains("before public hosts (upstream.proxy)"), "{told}");
    }
    for wrong in ["ftp://user:PASSWORT@p", "http://user:PASSWORT^@p", "socks4://user:PASSWORT@p"] {
        for config in [
            format!("upstream: {{ proxy: '{wrong}' }}"),
            format!("providers: {{ groq: {{ proxy: '{wrong}' }} }}"),
        ] {
            let output = Setup::new().config(&config).arg("check").run();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{told}");
            assert!(
                told.contains(".proxy: must be http://HOST:PORT") && !told.contains("PASSWORT"),
                "{told}"
            );
        }
        let output = Setup::new().config("{}").env("HTTPS_PROXY", wrong).arg("check").run();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && told.contains("the environment's HTTPS_PROXY is not used"),
            "{told}"
        );
        assert!(!told.contains("PASSWORT"), "{told}");
    }
}

#[test]
fn another_proxy_comes_in_force_by_reload() {
    let upstream = upstream();
    let [first, second] = [0, 1].map(|_| Proxy::new(Script::Connect(upstream.address())));
    let config = |proxy: &Proxy| {
        let more = format!(", proxy: 'http://{}'", proxy.address);
        format!("workers: 1\n{}", provider("own", "http://models.example", &more))
    };
    let gateway = Gateway::with(&config(&first));
    assert_eq!(chat(&gateway, "own").status, 200);
    gateway.write("ostia.yaml", &config(&second));
    assert!(gateway.reload().status.success());
    assert_eq!(chat(&gateway, "own").status, 200);
    assert_eq!((first.asked().len(), second.asked().len()), (1, 1));
}
