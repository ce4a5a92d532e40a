//! Private authorities and client certificates: whom the gateway trusts, and to whom it shows what.

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};

use super::authority::{Authority, Pair};
use super::front::{Front, Met};
use crate::gateway::{Gateway, Setup};
use crate::wire::{Ask, Reply};

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

/// An upstream behind TLS, and the authority that its certificate comes from.
fn private() -> (Upstream, Authority, Front) {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let authority = Authority::new();
    let front = Front::before(&upstream, &authority.give(&["127.0.0.1"]), Some(&authority));
    (upstream, authority, front)
}

/// A gateway with these files in its folder, and a file whose `{folder}` is that folder.
fn start(files: &[(&str, &str)], config: &str) -> Gateway {
    let gateway = Setup::new().config("workers: 1").start();
    for (name, text) in files {
        gateway.write(name, text);
    }
    reload(&gateway, config);
    gateway
}

fn reload(gateway: &Gateway, config: &str) {
    gateway.write("ostia.yaml", &format!("workers: 1\n{config}"));
    let output = gateway.reload();
    assert!(output.status.success(), "{output:?}");
}

fn chat(gateway: &Gateway, provider: &str) -> Reply {
    Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", provider).to(gateway)
}

fn row(front: &Front, tls: &str) -> String {
    format!("{{ base_url: '{}', dialects: [openai_chat], auth: none{tls} }}", front.url())
}

#[test]
fn a_private_authority_is_trusted_where_it_is_named() {
    let (_upstream, authority, front) = private();
    let other = Authority::new();
    let plain = row(&front, "");
    let named = |ca: &str| row(&front, &format!(", tls: {{ ca: {ca} }}"));
    let files = [("ca.pem", &*authority.pem), ("other.pem", &*other.pem)];
    for (config, expected) in [
        (format!("providers: {{ own: {plain} }}"), 502),
        (format!("upstream: {{ tls: {{ ca: ca.pem }} }}\nproviders: {{ own: {plain} }}"), 200),
        (
            format!(
                "upstream: {{ tls: {{ ca: ca.pem, system_roots: false }} }}\nproviders: {{ own: {plain} }}"
            ),
            200,
        ),
        (format!("upstream: {{ tls: {{ ca: other.pem }} }}\nproviders: {{ own: {plain} }}"), 502),
        (format!("providers: {{ own: {} }}", named("ca.pem")), 200),
        (format!("providers: {{ own: {} }}", named("other.pem")), 502),
        (format!("upstream: {{ tls: {{ ca: other.pem }} }}\nproviders: {{ own: {} }}", named("ca.pem")), 200),
        (format!("upstream: {{ tls: {{ ca: ca.pem }} }}\nproviders: {{ own: {} }}", named("other.pem")), 502),
        (format!("providers: {{ own: {plain}, other: {} }}", named("ca.pem")), 502),
    ] {
        let reply = chat(&start(&files, &config), "own");
        assert_eq!(reply.status, expected, "{config} {}", reply.text());
        if expected == 502 {
            assert!(reply.text().contains("TLS handshake failed"), "{}", reply.text());
        }
    }
}

/// Whose certificates were shown so far, one for each connection: `-` for none.
fn shown<'a>(front: &Front, pairs: &[(&'a str, &Pair)]) -> Vec<&'a str> {
    let name = |met: &Met| {
        let Some(certificate) = &met.certificate else { return "-" };
        pairs.iter().find(|(_, pair)| pair.cert_der() == *certificate).map_or("?", |(name, _)| name)
    };
    front.met().iter().map(name).collect()
}

#[test]
fn a_client_certificate_is_shown_to_the_hosts_of_its_provider_alone() {
    let (upstream, authority, front) = private();
    let pair = authority.give(&["gateway"]);
    let files = [("ca.pem", &*authority.pem), ("cert.pem", &*pair.cert), ("key.pem", &*pair.key)];
    let config = format!(
        "upstream: {{ tls: {{ ca: ca.pem }} }}\nproviders:\n  shows: {}\n  shows-not: {}\n",
        row(&front, ", tls: { cert: cert.pem, key: key.pem }"),
        row(&front, ""),
    );
    let gateway = start(&files, &config);
    // One after the other, so that a connection of the one would be free for the other.
    for _ in 0..3 {
        assert_eq!(chat(&gateway, "shows").status, 200);
        assert_eq!(chat(&gateway, "shows-not").status, 200);
    }
    let pairs = [("own", &pair)];
    assert_eq!(shown(&front, &pairs), ["own", "-"], "one connection for each, kept");
    // A client that chooses a host: the same place by another spelling, so that it is its own choice.
    for (provider, host) in [("shows", format!("{}/v9", front.url())), ("openai", front.url())] {
        let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", provider);
        let ask = ask.header("authorization", "Bearer sk-client").header("x-ostia-custom-host", &host);
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200, "{host} {}", reply.text());
    }
    let theirs = format!(r#"{{"provider":"shows","custom_host":"{}/x"}}"#, front.url());
    let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-config", &theirs);
    assert_eq!(ask.to(&gateway).status, 200);
    assert_eq!(shown(&front, &pairs), ["own", "-", "-"], "clients' hosts have connections of their own");
    assert!(upstream.count() >= 9);
}

#[test]
fn a_server_that_asks_for_a_certificate_hears_the_right_one_after_a_reload() {
    let (_upstream, authority, front) = private();
    let [first, second] = ["first", "second"].map(|name| authority.give(&[name]));
    let files = [("ca.pem", &*authority.pem), ("cert.pem", &*first.cert), ("key.pem", &*first.key)];
    let own = row(&front, ", tls: { ca: ca.pem, cert: cert.pem, key: key.pem }");
    let gateway = start(&files, &format!("providers: {{ own: {own} }}"));
    assert_eq!(chat(&gateway, "own").status, 200);
    assert_eq!(gateway.reload().status.code(), Some(0));
    assert_eq!(chat(&gateway, "own").status, 200);
    let pairs = [("first", &first), ("second", &second)];
    assert_eq!(shown(&front, &pairs), ["first"], "nothing has changed, and the connection is kept");
    // The files alone, as a program does that renews certificates: first one of them, which fits nothing.
    gateway.write("cert.pem", &second.cert);
    gateway.says("is not the one of the certificate");
    assert_eq!(chat(&gateway, "own").status, 200, "the old one stays in force");
    let before = gateway.printed().matches("is reloaded").count();
    gateway.write("key.pem", &second.key);
    gateway.wait_until(|| gateway.printed().matches("is reloaded").count() > before);
    assert_eq!(chat(&gateway, "own").status, 200);
    assert_eq!(shown(&front, &pairs), ["first", "second"]);
    assert!(!front.met().last().unwrap().is_resumed);
}

#[test]
fn files_that_cannot_be_used_are_told_with_their_place() {
    let authority = Authority::new();
    let (pair, other) = (authority.give(&["a"]), authority.give(&["b"]));
    let folder = tempdir();
    let path = |name: &str| folder.join(name).display().to_string();
    for (name, text) in [
        ("ca.pem", &authority.pem),
        ("cert.pem", &pair.cert),
        ("key.pem", &pair.key),
        ("other.pem", &other.key),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let (ca, cert, key, wrong_key) = (path("ca.pem"), path("cert.pem"), path("key.pem"), path("other.pem"));
    let gone = path("gone.pem");
    for (config, expected) in [
        (format!("upstream: {{ tls: {{ ca: '{gone}' }} }}"), vec!["upstream.tls.ca", "cannot be read"]),
        (format!("upstream: {{ tls: {{ ca: '{key}' }} }}"), vec!["upstream.tls.ca", "has no certificate"]),
        (
            "upstream: { tls: { system_roots: false } }".to_owned(),
            vec!["upstream.tls.system_roots", "leaves nobody to trust"],
        ),
        (
            format!("providers: {{ groq: {{ tls: {{ cert: '{cert}' }} }} }}"),
            vec!["providers.groq.tls", "has `cert` and no `key`"],
        ),
        (
            format!("providers: {{ groq: {{ tls: {{ cert: '{cert}', key: '{wrong_key}' }} }} }}"),
            vec!["providers.groq.tls.key", "is not the one of the certificate"],
        ),
        (
            format!("providers: {{ groq: {{ tls: {{ cert: '{gone}', key: '{cert}' }} }} }}"),
            vec!["providers.groq.tls.cert", "cannot be read"],
        ),
        (
            format!("providers: {{ groq: {{ tls: {{ cert: '{cert}', key: '{cert}' }} }} }}"),
            vec!["providers.groq.tls.key", "has no private key"],
        ),
        (
            // One for all hosts would be shown to those that clients choose.
            format!("upstream: {{ tls: {{ cert: '{cert}', key: '{key}' }} }}"),
            vec!["upstream.tls.cert", "unknown field"],
        ),
        (
            format!("providers: {{ groq: {{ tls: {{ ca: '{ca}', kee: '{key}' }} }} }}"),
            vec!["providers.groq.tls.kee", "unknown field"],
        ),
    ] {
        for command in ["check", "serve"] {
            let output = Setup::new().config(&config).arg(command).run();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{config}: {told}");
            for words in &expected {
                assert!(told.contains(words), "{config}: {told}");
            }
            assert!(!told.contains("PRIVATE KEY-----\n"), "{told}");
        }
    }
    let good = format!(
        "upstream: {{ tls: {{ ca: '{ca}' }} }}\n\
         providers: {{ groq: {{ tls: {{ cert: '{cert}', key: '{key}' }} }} }}"
    );
    let output = Setup::new().config(&good).arg("check").run();
    assert!(output.status.success(), "{output:?}");
    let elsewhere = good.replace("cert.pem", "gone.pem");
    let output = Setup::new().config(&elsewhere).arg("check").arg("--no-secrets").run();
    assert!(output.status.success(), "{output:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

fn tempdir() -> std::path::PathBuf {
    let name = format!("certificates-{}", std::process::id());
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}
