use std::time::Duration;

use ostia_catalog::{Ability, Date};
use serde_json::json;

use super::{env, loaded, shown};
use crate::*;

#[test]
fn nothing_means_the_defaults() {
    for text in ["", "# only a comment\n", "---\n", "{}", "providers:\nauth: {}\nlimits:\n"] {
        assert_eq!(format!("{:?}", loaded(text).config), format!("{:?}", Config::default()), "{text:?}");
    }
}

#[test]
fn the_example_is_right() {
    let text = include_str!("../../ostia.example.yaml");
    let Loaded { config, warnings } = loaded(text);
    assert_eq!(shown(&warnings), Vec::<String>::new());
    assert_eq!(
        (config.listen, config.default_provider.as_deref()),
        (Config::default().listen, Some("openai"))
    );
    assert_eq!(
        (config.timeouts, config.limits, config.workers),
        (Timeouts::default(), Limits::default(), Some(2))
    );
    assert_eq!(config.auth.keys[0].secret.source, SecretSource::Env { name: "OSTIA_KEY".to_owned() });
    assert_eq!(
        config.auth.keys[0].secret.place,
        Place { path: "auth.keys[0]".to_owned(), line: 13, column: 7 }
    );
    let openai = &config.providers["openai"];
    assert_eq!((openai.models.len(), &*openai.row), (2, &json!({})));
    let vllm = json!({"base_url": "http://10.0.0.5:8000/v1", "dialects": ["openai_chat"], "auth": "none"});
    assert_eq!(*config.providers["my-vllm"].row, vllm);
    let file = SecretSource::File { path: "/run/secrets/models".into() };
    assert_eq!(config.providers["behind-a-proxy"].api_key.as_ref().unwrap().source, file);
    assert_eq!(config.egress.allow_private.len(), 2);
}

#[test]
fn configs_prices_and_names_of_models() {
    let text = "auth: {keys: [{key: '${KEY}', name: team, config: careful}, plain]}\nconfig: careful\nconfigs:\n  careful:\n    strategy: {mode: fallback}\n    targets: [{provider: openai}, {provider: anthropic}]\naliases:\n  fast: {provider: groq, override_params: {model: m}}\nprices:\n  openai/gpt-4o: {input: 2.5, output: '10'}\n";
    let config = loaded(text).config;
    let keys: Vec<_> = config.auth.keys.iter().map(|key| key.config.as_deref()).collect();
    assert_eq!(keys, [Some("careful"), None]);
    assert_eq!(config.routes.default.as_deref(), Some("careful"));
    assert_eq!(config.routes.configs["careful"].root.targets.len(), 2);
    assert_eq!(config.routes.aliases["fast"].root.provider.as_deref(), Some("groq"));
    assert_eq!(config.routes.prices["openai/gpt-4o"], Price { input: 2.5, output: 10.0 });
}

#[test]
fn models_that_the_catalogue_does_not_know() {
    let text = "providers:\n  vllm: {base_url: http://h/v1, dialects: [openai_chat]}\nmodels:\n  vllm/meta/llama: {name: Llama, aliases: [l], context: 131072, output: '8192', can: [tools], cannot: [vision], retires_on: 2027-01-31, currency: EUR, prices: {input: 0.6, 'input>200000': '1.2', cached_input: 0.06, output_images/1024x1792/HD: 0.12}}\n  \"@together/m\": {base: azure/gpt-5}\nmodel_checks: false\nconsole: false\n";
    let config = loaded(text).config;
    let [own, known] = &config.models[..] else { panic!("{:?}", config.models) };
    assert_eq!((&*own.provider, &*own.model, own.name.as_deref()), ("vllm", "meta/llama", Some("Llama")));
    assert_eq!(
        (own.context, own.output, &own.aliases[..]),
        (Some(131_072), Some(8192), &["l".to_owned()][..])
    );
    let can = |ability| own.abilities.can(ability);
    let abilities = [can(Ability::Tools), can(Ability::Vision), can(Ability::Pdf)];
    assert_eq!(abilities, [Some(true), Some(false), None]);
    assert_eq!(own.retires_on, Date::parse("2027-01-31"));
    let prices = serde_json::to_value(&own.prices).unwrap();
    let rates = json!({"input": "0.6", "input>200000": "1.2", "cached_input": "0.06", "output_images/1024x1792/hd": "0.12"});
    assert_eq!(prices, json!([{"currency": "EUR", "rates": rates}]));
    assert_eq!((&*known.provider, known.prices.len()), ("together-ai", 0));
    assert_eq!(known.base, Some(("azure-openai".to_owned(), "gpt-5".to_owned())));
    assert!(!config.model_checks && !config.console);
}

#[test]
fn json_is_yaml() {
    let text = r#"{"listen": "[::1]:1", "providers": {"groq": {"quirks": {"repair": true, "drop": ["x"], "limits": {"tools": 1, "temperature": [0, 2.5], "stops": null}}}}, "workers": "3"}"#;
    let config = loaded(text).config;
    assert_eq!((config.listen, config.workers), ("[::1]:1".parse().unwrap(), Some(3)));
    let quirks = json!({"repair": true, "drop": ["x"], "limits": {"tools": 1, "temperature": [0, 2.5]}});
    assert_eq!(*config.providers["groq"].row, json!({ "quirks": quirks }));
}

#[test]
fn variables_work_everywhere() {
    let text = "listen: 127.0.0.1:${PORT}\nworkers: ${PORT}\nproviders:\n  a:\n    base_url: http://h:${PORT}/$y\n    headers: {x: \"${KEY}\", z: \"$${x}\"}\n";
    let text = text.replace("workers: ${PORT}", "limits: {connections: \"${PORT}\"}");
    let config = loaded(&text).config;
    assert_eq!((config.listen.port(), config.limits.connections), (9000, 9000));
    assert_eq!(
        *config.providers["a"].row,
        json!({"base_url": "http://h:9000/$y", "headers": {"x": "SECRET", "z": "${x}"}})
    );
}

#[test]
fn anchors_and_merges_work() {
    let text = "providers:\n  a: &a {base_url: http://h, models: [m]}\n  b: {<<: *a, models: [n]}\n";
    let config = loaded(text).config;
    assert_eq!(config.providers["b"].models, ["n"]);
    assert_eq!(*config.providers["b"].row, json!({"base_url": "http://h"}));
}

#[test]
fn times_and_sizes() {
    let times = [
        ("500ms", Some(500)),
        ("5s", Some(5_000)),
        ("2 m", Some(120_000)),
        ("1H", Some(3_600_000)),
        ("250", Some(250)),
        ("24h", Some(86_400_000)),
        ("25h", None),
        ("0s", None),
        ("1.5s", None),
        ("s", None),
        ("-1", None),
        ("5 parsecs", None),
        ("99999999999999999999", None),
        ("9999999999999999999h", None),
    ];
    for (text, expected) in times {
        let read = load(&format!("timeouts: {{idle: {text}, total: 24h}}"), &env);
        assert_eq!(
            read.ok().map(|read| read.config.timeouts.idle),
            expected.map(Duration::from_millis),
            "{text}"
        );
    }
    for (text, expected) in [
        ("500ms", Some(Some(500))),
        ("off", Some(None)),
        ("0", Some(None)),
        ("0s", Some(None)),
        ("25h", None),
        ("soon", None),
        ("false", None),
    ] {
        let read = load(&format!("timeouts: {{keep_alive: {text}}}"), &env);
        let keep_alive = read.ok().map(|read| read.config.timeouts.keep_alive);
        assert_eq!(keep_alive, expected.map(|time| time.map(Duration::from_millis)), "{text}");
    }
    let sizes = [
        ("64MiB", Some(64 << 20)),
        ("2kib", Some(2048)),
        ("10MB", Some(10_000_000)),
        ("2048 B", Some(2048)),
        ("1024", Some(1024)),
        ("4GiB", Some(4 << 30)),
        ("5GiB", None),
        ("1023", None),
        ("64Mib/s", None),
    ];
    for (text, expected) in sizes {
        let read = load(&format!("limits: {{body_bytes: {text}}}"), &env);
        assert_eq!(read.ok().map(|read| read.config.limits.body_bytes), expected, "{text}");
    }
}

#[test]
fn networks_and_hosts() {
    let contains =
        |network: &str, address: &str| Network::parse(network).unwrap().contains(address.parse().unwrap());
    let cases = [
        ("10.0.0.0/8", "10.255.1.2", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "::1", false),
        ("fd00::/8", "fdab::1", true),
        ("fd00::/8", "fe80::1", false),
        ("::/0", "::1", true),
    ];
    for (network, address, expected) in cases {
        assert_eq!(contains(network, address), expected, "{network} {address}");
    }
    for bad in ["10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "x/8", ""] {
        assert_eq!(Network::parse(bad), None, "{bad}");
    }
    let hosts = [
        ("a.internal", "A.Internal.", true),
        ("a.internal", "b.a.internal", false),
        ("*.internal", "b.a.internal", true),
        ("*.internal", "internal", false),
        ("*.internal", "xinternal", false),
        ("*.internal", ".internal", false),
    ];
    for (pattern, host, expected) in hosts {
        assert_eq!(HostPattern::parse(pattern).unwrap().matches(host), expected, "{pattern} {host}");
    }
}

#[test]
fn warnings_are_given() {
    let cases = [
        (
            "listen: 0.0.0.0:80",
            "o.yaml:1:9: listen: is reachable from other machines, and without `auth.keys` anyone may use your \
             providers' keys: the gateway starts so only with --insecure; add auth: { keys: [\"${OSTIA_KEY}\"] }",
        ),
        (
            "timeouts: {total: 1s}",
            "o.yaml:1:11: timeouts: has a `total` that ends before `first_byte` does; make `total` the longest",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(&loaded(text).warnings), [expected], "{text}");
    }
    for quiet in ["listen: localhost:80", "listen: '[::1]:80'", "listen: 0.0.0.0:80\nauth: {keys: [k]}"] {
        assert_eq!(shown(&loaded(quiet).warnings), Vec::<String>::new(), "{quiet}");
    }
}

#[test]
fn how_connections_are_made() {
    let text = "upstream: {tls: {ca: /ca, system_roots: false}, proxy: '${KEY}', http2: true}\n\
                providers:\n  groq: {tls: {cert: c, key: k}, proxy: none, http2: false}\n  openai: {}\n  \
                own: {base_url: 'http://h', dialects: [openai_chat], http2: prior_knowledge}\n";
    let Loaded { config, warnings } = loaded(text);
    assert_eq!(shown(&warnings), Vec::<String>::new());
    let path = |path: &str| Some(path.into());
    let upstream = &config.upstream;
    let trust = TlsFiles { ca: path("/ca"), system_roots: Some(false), ..TlsFiles::default() };
    assert_eq!((&upstream.tls, upstream.http2), (&trust, Some(Http2::Offered)));
    let source = SecretSource::Env { name: "KEY".to_owned() };
    assert_eq!(upstream.proxy.as_ref().map(|proxy| &proxy.source), Some(&source));
    let groq = &config.providers["groq"].transport;
    assert_eq!(groq.tls, TlsFiles { cert: path("c"), key: path("k"), ..TlsFiles::default() });
    assert_eq!((groq.http2, groq.proxy.is_some()), (Some(Http2::Off), true));
    assert_eq!(config.providers["openai"].transport, Transport::default());
    assert_eq!(config.providers["own"].transport.http2, Some(Http2::PriorKnowledge));
    let own = |more: &str| {
        let text = format!("providers: {{own: {{base_url: 'http://h', dialects: [openai_chat], {more}}}}}");
        shown(&loaded(&text).warnings)
    };
    let none = "has no effect: base_url begins with http://, and there is no TLS";
    let remedy = "write prior_knowledge, if its server speaks HTTP/2";
    assert_eq!(own("http2: true"), [format!("o.yaml:1:73: providers.own.http2: {none}; {remedy}")]);
    assert_eq!(own("tls: {ca: x}"), [format!("o.yaml:1:71: providers.own.tls: {none}")]);
    assert_eq!(own("http2: false"), Vec::<String>::new());
}
