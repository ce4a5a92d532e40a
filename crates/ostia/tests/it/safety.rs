//! Who may use the gateway, where it may go, and what it must never tell.

use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Step, Upstream, dead_address};

use crate::gateway::{Gateway, Setup};
use crate::wire::Ask;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

#[test]
fn no_open_door_by_accident() {
    for setup in [
        Setup::new().arg("--listen").arg("0.0.0.0:0"),
        Setup::new().arg("serve").arg("--listen").arg("[::]:0"),
        Setup::new().config("listen: 0.0.0.0:0"),
        Setup::new().env("OSTIA_LISTEN", "0.0.0.0:0"),
    ] {
        let output = setup.run();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        for word in ["without authentication", "auth:", "--listen 127.0.0.1:", "--insecure"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_wide_door_with_a_key_or_on_purpose() {
    let with_key = Setup::new().config("auth: { keys: [k-1] }").arg("--listen").arg("0.0.0.0:0").start();
    let on_purpose = Setup::new().arg("--insecure").arg("--listen").arg("0.0.0.0:0").start();
    for (gateway, status) in [(with_key, 401), (on_purpose, 400)] {
        assert_eq!(Ask::new("GET", "/health").to(&gateway).status, 200);
        assert_eq!(Ask::post("/v1/chat/completions", CHAT).to(&gateway).status, status);
    }
}

#[test]
fn the_environments_keys_are_for_this_machine_only() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let row = format!("providers: {{ openai: {{ base_url: '{}' }} }}", upstream.url());
    let wide_file = format!("listen: '0.0.0.0:0'\n{row}");
    let near_file = format!("listen: '127.0.0.1:0'\n{row}");
    let environment = |config: &str| Setup::new().config(config).env("OPENAI_API_KEY", "sk-env");
    let listen = |setup: Setup, address: &str| setup.arg("--listen").arg(address).arg("--insecure").start();
    // What counts is where the gateway listens, whoever said so.
    for (file, address, key) in [
        (&near_file, "0.0.0.0:0", None),
        (&row, "0.0.0.0:0", None),
        (&wide_file, "127.0.0.1:0", Some("Bearer sk-env")),
    ] {
        let gateway = listen(environment(file), address);
        let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "openai");
        assert_eq!(ask.to(&gateway).status, 200);
        assert_eq!(upstream.last().header("authorization").as_deref(), key, "{file} {address}");
    }
}

#[test]
fn keys_of_the_gateway() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let config = format!(
        "auth: {{ keys: [key-one, '${{SECOND}}'] }}\nproviders: {{ openai: {{ base_url: '{}', api_key: sk-operator }} }}",
        upstream.url()
    );
    let gateway = Setup::new().config(&config).env("SECOND", "key-two").start();
    let ask = |path: &str| Ask::post(path, CHAT).header("x-ostia-provider", "openai");
    for path in [
        "/v1/chat/completions",
        "/v1/messages",
        "/v1/files",
        "/v1/proxy/x",
        "/v1/models",
        "/v1/chat/completion",
    ] {
        for ask in [
            ask(path),
            ask(path).header("authorization", "Bearer wrong"),
            ask(path).header("x-ostia-api-key", "key-on"),
            ask(path).header("x-portkey-api-key", "key-one-and-more"),
            ask(path).header("x-api-key", ""),
        ] {
            let reply = ask.to(&gateway);
            assert_eq!(reply.status, 401, "{path}: {}", reply.text());
            let kind = reply.json()["error"]["type"].clone();
            assert_eq!(kind, "authentication_error");
            assert!(!reply.text().contains("key-one") && !reply.text().contains("wrong"));
        }
    }
    assert_eq!(upstream.count(), 0);
    for (name, value) in [
        ("authorization", "Bearer key-one"),
        ("authorization", "bearer key-two"),
        ("authorization", "key-two"),
        ("x-ostia-api-key", "key-two"),
        ("x-portkey-api-key", "key-one"),
        ("x-api-key", "key-one"),
    ] {
        for path in ["/v1/chat/completions", "/v1/files"] {
            let reply = ask(path).header(name, value).to(&gateway);
            assert_eq!(reply.status, 200, "{name}: {}", reply.text());
            let seen = upstream.last();
            assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-operator"), "{name}");
            assert!(!format!("{:?}", seen.headers).contains("key-"), "{name}");
        }
    }
    let forwarded = ask("/v1/chat/completions")
        .header("authorization", "Bearer key-one")
        .header("x-api-key", "key-two")
        .header("x-ostia-forward-headers", "authorization, x-api-key");
    let _ = forwarded.to(&gateway);
    for seen in upstream.requests() {
        assert!(!format!("{:?}", seen.headers).contains("key-"), "forwarded: {:?}", seen.headers);
    }
    for path in ["/", "/health", "/ready"] {
        assert_eq!(Ask::new("GET", path).to(&gateway).status, 200, "probes need no key: {path}");
    }
}

#[test]
fn hosts_that_clients_may_not_name() {
    let gateway = Gateway::start();
    for host in [
        "http://10.0.0.1",
        "http://10.0.0.1:8080/v1",
        "https://192.168.1.1",
        "http://172.16.0.1",
        "http://100.64.0.1",
        "http://169.254.169.254",
        "http://169.254.169.254/latest/meta-data",
        "http://100.100.100.200",
        "http://168.63.129.16",
        "http://metadata.google.internal",
        "http://METADATA.google.internal/x",
        "http://metadata",
        "http://[::ffff:169.254.169.254]",
        "http://[::ffff:10.0.0.1]",
        "http://[64:ff9b::a00:1]",
        "http://[fd00:ec2::254]",
        "http://[fd20:ce::254]",
        "http://[fd00:c1::a9fe:a9fe]",
        "http://[64:ff9b:1::a9fe:a9fe]",
        "http://[64:ff9b:1::a00:1]",
        "http://[::ffff:0:a9fe:a9fe]",
        "http://[::a00:1]",
        "http://[2002:a9fe:a9fe::1]",
        "http://[2001:0:a9fe:a9fe::1]",
        "http://[2001:0:808:808:0:ffff:5601:5601]",
        "http://[2606:4700::5efe:a00:1]",
        "http://[2001:2::1]",
        "http://[3fff::1]",
        "http://[5f00::1]",
        "http://192.0.0.8",
        "http://192.88.99.1",
        "http://metadata.goog",
        "http://[fe80::1]",
        "http://[fc00::1]",
        "http://0.0.0.0",
        "http://[::]",
        "http://2852039166",
        "http://167772161",
        "http://0xa9fea9fe",
        "http://0xa9.0xfe.0xa9.0xfe",
        "http://0251.0376.0251.0376",
        "http://10.1",
        "http://127.1",
        "http://10.0.0.1.",
        "http://router.lan",
        "http://nobody.invalid",
        "http://user@10.0.0.1",
        "http://example.com@10.0.0.1",
        "http://10.0.0.1%2f",
        "http://255.255.255.255",
        "http://224.0.0.1",
        "file:///etc/passwd",
        "//10.0.0.1",
    ] {
        for ask in [
            Ask::post("/v1/chat/completions", CHAT).header("x-ostia-custom-host", host),
            Ask::post("/v1/files", "{}").header("x-portkey-custom-host", host),
            Ask::post("/v1/proxy/x", "{}")
                .header("x-ostia-config", &format!("{{\"custom_host\":\"{host}\"}}")),
        ] {
            let reply =
                ask.header("x-ostia-provider", "openai").header("authorization", "Bearer sk-1").to(&gateway);
            assert_eq!(reply.status, 400, "{host}: {}", reply.text());
            assert!(
                reply.json()["error"]["message"].as_str().unwrap().contains("host"),
                "{host}: {}",
                reply.text()
            );
        }
    }
}

#[test]
fn metadata_services_are_refused_to_the_operator_too() {
    let gateway =
        Gateway::with("providers: { box: { base_url: 'http://169.254.169.254', dialects: [openai_chat] } }");
    let reply = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "box").to(&gateway);
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("metadata"));
}

#[test]
fn loopback_is_for_clients_of_this_machine() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let port = upstream.address().port();
    let hosts = [
        format!("http://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://[::ffff:127.0.0.1]:{port}"),
    ];
    let near = Gateway::start();
    let wide = Setup::new().arg("--insecure").arg("--listen").arg("0.0.0.0:0").start();
    let allowed = Setup::new()
        .config("egress: { allow_private: [127.0.0.0/8] }")
        .arg("--insecure")
        .arg("--listen")
        .arg("0.0.0.0:0")
        .start();
    let trusted = Setup::new()
        .env("TRUSTED_CUSTOM_HOSTS", "127.0.0.1")
        .arg("--insecure")
        .arg("--listen")
        .arg("0.0.0.0:0")
        .start();
    for (name, gateway, host, status) in [
        ("near", &near, &hosts[0], 200),
        ("near", &near, &hosts[1], 200),
        ("near", &near, &hosts[2], 200),
        ("wide", &wide, &hosts[0], 400),
        ("wide", &wide, &hosts[1], 400),
        ("wide", &wide, &hosts[2], 400),
        ("allowed", &allowed, &hosts[0], 200),
        ("trusted", &trusted, &hosts[0], 200),
    ] {
        let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "openai");
        let reply = ask.header("x-ostia-custom-host", host).to(gateway);
        assert_eq!(reply.status, status, "{name} {host}: {}", reply.text());
    }
    assert_eq!(upstream.count(), 5);
}

#[test]
fn only_the_hosts_that_the_operator_lists() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let port = upstream.address().port();
    let gateway = Gateway::with("egress: { allow_hosts: [localhost] }");
    for (host, status) in [("localhost", 200), ("127.0.0.1", 400)] {
        let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "openai");
        let reply = ask.header("x-ostia-custom-host", &format!("http://{host}:{port}")).to(&gateway);
        assert_eq!(reply.status, status, "{host}: {}", reply.text());
    }
}

#[test]
fn the_operators_key_goes_to_the_operators_host_alone() {
    let (own, other) = (
        Upstream::always(Answer::json(openai::chat("x"))),
        Upstream::always(Answer::json(openai::chat("x"))),
    );
    let config = format!("providers: {{ openai: {{ base_url: '{}', api_key: sk-operator-1 }} }}", own.url());
    let gateway = Setup::new()
        .config(&config)
        .env("OPENAI_API_KEY", "sk-env-1")
        .env("GROQ_API_KEY", "sk-env-2")
        .start();
    for provider in ["openai", "groq", "@openai"] {
        for path in ["/v1/chat/completions", "/v1/files", "/v1/proxy/x"] {
            for (name, value) in [
                ("x-ostia-custom-host", other.url()),
                ("x-ostia-custom-host", format!("{}/v1", other.url())),
                (
                    "x-ostia-config",
                    format!("{{\"provider\":\"{provider}\",\"custom_host\":\"{}\"}}", other.url()),
                ),
            ] {
                let ask = Ask::post(path, CHAT).header("x-ostia-provider", provider).header(name, &value);
                assert_eq!(ask.to(&gateway).status, 200);
            }
        }
    }
    assert_eq!(other.count(), 27);
    for seen in other.requests() {
        assert!(!format!("{seen:?}").contains("sk-"), "{seen:?}");
    }
    // The operator's own place, named by the client: still the operator's.
    let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "openai");
    assert_eq!(ask.clone().to(&gateway).status, 200);
    assert_eq!(ask.header("x-ostia-custom-host", &own.url()).to(&gateway).status, 200);
    assert!(
        own.requests()
            .iter()
            .all(|seen| seen.header("authorization").as_deref() == Some("Bearer sk-operator-1"))
    );
}

#[test]
fn remote_clients_hear_nothing_of_the_operators_network() {
    let silent = Upstream::always(Answer::empty().first(Step::Stall));
    let no_http = Upstream::always(Answer::bare("this is no HTTP\r\n\r\n"));
    let config = format!(
        "timeouts: {{ first_byte: 300ms }}\nproviders:\n  \
         openai: {{ base_url: 'http://{dead}', api_key: sk-1 }}\n  \
         anthropic: {{ base_url: 'http://nobody.invalid:8123/v1', api_key: sk-1 }}\n  \
         groq: {{ base_url: 'https://{plain}', api_key: sk-1 }}\n  \
         nebius: {{ base_url: 'http://{silent}', api_key: sk-1 }}\n  \
         x-ai: {{ base_url: 'http://{plain}', api_key: sk-1 }}\n  \
         box: {{ base_url: 'http://169.254.169.254:8123', dialects: [openai_chat] }}\n\
         configs:\n  inside: {{ provider: deepseek, api_key: sk-1, custom_host: 'http://192.0.2.7:8123' }}\n",
        dead = dead_address(),
        plain = no_http.address(),
        silent = silent.address(),
    );
    let keys = format!("auth: {{ keys: [key-1] }}\n{config}");
    let wide = Setup::new().config(&config).arg("--insecure").arg("--listen").arg("0.0.0.0:0").start();
    let (keyed, near) = (Gateway::with(&keys), Gateway::with(&config));
    for (provider, config, status, detail) in [
        ("openai", "", 503, "127.0.0.1"),
        ("anthropic", "", 503, "nobody.invalid"),
        ("groq", "", 502, "127.0.0.1"),
        ("nebius", "", 504, "127.0.0.1"),
        ("x-ai", "", 502, "127.0.0.1"),
        ("box", "", 400, "169.254.169.254"),
        ("deepseek", "inside", 400, "192.0.2.7"),
    ] {
        for path in ["/v1/chat/completions", "/v1/skills"] {
            let ask = Ask::post(path, CHAT).header("x-ostia-api-key", "key-1");
            let ask = match config {
                "" => ask.header("x-ostia-provider", provider),
                name => ask.header("x-ostia-config", name),
            };
            let reply = ask.to(&near);
            assert_eq!(reply.status, status, "{provider} {path}: {}", reply.text());
            assert!(reply.text().contains(detail), "the operator hears all: {}", reply.text());
            for gateway in [&wide, &keyed] {
                let reply = ask.to(gateway);
                let told = format!("{:?} {}", reply.headers(), reply.text());
                assert_eq!(reply.status, status, "{provider} {path}: {told}");
                assert!(reply.text().contains(provider), "{told}");
                for detail in [detail, "127.0.0.1", ":8123", "os error", "private network", "metadata"] {
                    assert!(!told.contains(detail), "{detail}: {told}");
                }
            }
        }
    }
    // What a client wrote itself is no news to it.
    let dead = dead_address().to_string();
    let allowed = format!("egress: {{ allow_private: [127.0.0.0/8] }}\n{keys}");
    let allowed = Gateway::with(&allowed);
    let own = |name: &str, value: &str| {
        let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-api-key", "key-1");
        ask.header("x-ostia-provider", "openai").header(name, value).to(&allowed)
    };
    for reply in [
        own("x-ostia-custom-host", &format!("http://{dead}")),
        own("x-ostia-config", &format!(r#"{{"provider":"openai","custom_host":"http://{dead}"}}"#)),
    ] {
        assert_eq!(reply.status, 503, "{}", reply.text());
        assert!(reply.text().contains(&dead) && !reply.text().contains("os error"), "{}", reply.text());
    }
    let reply = own("x-ostia-custom-host", "http://10.9.8.7:8123");
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("10.9.8.7:8123") && reply.text().contains("egress.allow_private"));
}

#[test]
fn secrets_are_never_told() {
    let upstream = Upstream::serve(|request| match request.target.contains("fail") {
        true => Answer::with("text/html", "<title>x</title>").status(500),
        false => Answer::json(openai::chat("x")),
    });
    let config = format!(
        "auth: {{ keys: [SECRET-gateway] }}\nproviders:\n  openai: {{ base_url: '{}', api_key: SECRET-operator }}\n  \
         groq: {{ base_url: 'http://{}', api_key: '${{GROQ}}' }}\n",
        upstream.url(),
        dead_address()
    );
    let gateway = Setup::new().config(&config).env("GROQ", "SECRET-variable").start();
    let mut told = String::new();
    for provider in ["openai", "groq", "mistral-ai", "nobody", "SECRET"] {
        for (path, body) in [
            ("/v1/chat/completions", CHAT),
            ("/v1/chat/completions", "{"),
            ("/v1/fail", "{}"),
            ("/v1/proxy/x", "{}"),
        ] {
            for (name, value) in [
                ("authorization", "Bearer SECRET-client"),
                ("x-api-key", "SECRET-client"),
                ("x-ostia-config", r#"{"api_key":"SECRET-client","provider":5,"retry":7}"#),
                ("x-ostia-config", r#"{"api_key":"SECRET-client","provider":"groq"}"#),
            ] {
                let ask = Ask::post(path, body).header("x-ostia-provider", provider).header(name, value);
                let reply = ask.header("x-ostia-api-key", "SECRET-gateway").to(&gateway);
                told.push_str(&format!("{:?} {}\n", reply.headers(), reply.text()));
            }
        }
    }
    let printed = gateway.end();
    assert_eq!(printed.matches(" trace=").count(), 5 * 4 * 4, "{printed}");
    for text in [told, printed] {
        assert!(!text.contains("SECRET-"), "{text}");
    }
}
