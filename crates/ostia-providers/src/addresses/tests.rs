#![allow(clippy::unwrap_used)]
use super::*;
use crate::{Providers, Row};
use proptest::prelude::*;

const GATEWAY: &str = "http://localhost:8787";

fn of_row(yaml: &str) -> Provider {
    let row: Row = serde_saphyr::from_str(yaml).unwrap();
    Provider::from_row("mine", row).unwrap()
}

fn retelling<'a>(provider: &'a Provider, base_url: &'a str) -> Retelling<'a> {
    let has_hosts = provider.base_url.as_deref() == Some(base_url);
    let own_base_url = provider.base_url.as_deref();
    Retelling { provider, base_url, own_base_url, is_of_base: true, has_hosts, gateway: GATEWAY }
}

/// An address in an answer of a provider's at its own base URL, and what stands behind the gateway's name in what is told.
#[test]
fn addresses_of_each_vendor() {
    let check = |id: &str, address: &str, expected: Option<&str>| {
        let provider = Providers::builtin().get(id).unwrap();
        let mut values = Values::default();
        values.insert("resource_name", "res");
        values.insert("api_version", "2024-06-01");
        let (provider, _) = provider.for_model("", &values);
        let base_url = provider.base_url_with(&values).unwrap();
        let told = Retelling { own_base_url: None, has_hosts: true, ..retelling(provider, &base_url) }
            .address(address);
        let expected = expected.map(|path| format!("{GATEWAY}{path}"));
        assert_eq!(told, expected, "{id}: {address}");
    };
    check(
        "fal",
        "https://queue.fal.run/fal-ai/flux/requests/j1/status",
        Some("/v1/proxy/fal-ai/flux/requests/j1/status"),
    );
    check("fal", "https://queue.fal.run/a/b?logs=1&x=%2F", Some("/v1/proxy/a/b?logs=1&x=%2F"));
    check("fal", "https://v3.fal.media/files/a.png", None);
    check("replicate", "https://api.replicate.com/v1/predictions/p1", Some("/v1/proxy/predictions/p1"));
    check(
        "replicate",
        "https://api.replicate.com/v1/predictions?cursor=cD0y",
        Some("/v1/proxy/predictions?cursor=cD0y"),
    );
    check(
        "replicate",
        "https://stream.replicate.com/v1/files/s1",
        Some("/v1/proxy/@stream.replicate.com/v1/files/s1"),
    );
    check("replicate", "https://replicate.com/p/p1", None);
    check("replicate", "https://api.replicate.com/v1/files/f1", None);
    check("replicate", "https://api.replicate.com/v1beta/x", None);
    check("bfl", "https://api.bfl.ai/v1/get_result?id=1", Some("/v1/proxy/v1/get_result?id=1"));
    check(
        "bfl",
        "https://api.us6.bfl.ai/v1/get_result?id=1",
        Some("/v1/proxy/@api.us6.bfl.ai/v1/get_result?id=1"),
    );
    check("bfl", "https://docs.bfl.ai/v1/get_result?id=1", None);
    check("bfl", "https://delivery-us1.bfl.ai/results/a.png?sig=x", None);
    check(
        "google",
        "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=u",
        Some("/v1/proxy/upload/v1beta/files?upload_id=u"),
    );
    check(
        "azure-openai",
        "https://res.openai.azure.com/openai/operations/images/o1?api-version=2024-06-01",
        Some("/v1/proxy/operations/images/o1?api-version=2024-06-01"),
    );
    check("azure-openai", "https://other.openai.azure.com/openai/operations/images/o1", None);
    check(
        "openrouter",
        "https://openrouter.ai/api/v1/videos/v1/content?index=0",
        Some("/v1/proxy/videos/v1/content?index=0"),
    );
    check("ollama", "http://localhost:11434/api/tags", Some("/v1/proxy/api/tags"));
    check("ollama", "http://localhost:11434/other", None);
    check("openai", "https://api.openai.com/v1/files/f1", Some("/v1/proxy/files/f1"));
    // It would lead to `/v1/files`.
    check("openai", "https://api.openai.com/v1/v1/files", None);
}

#[test]
fn look_alikes_and_what_cannot_be_repeated() {
    let provider =
        of_row("{base_url: 'https://queue.example.com/v1', addresses: {hosts: ['api.*.example.com']}}");
    let check = |address: &str, expected: Option<&str>| {
        let told = retelling(&provider, "https://queue.example.com/v1").address(address);
        assert_eq!(told, expected.map(|path| format!("{GATEWAY}{path}")), "{address}");
    };
    for origin in [
        "https://queue.example.com",
        "HTTPS://Queue.Example.COM",
        "https://queue.example.com:443",
        "http://queue.example.com",
        "http://queue.example.com:80",
    ] {
        check(&format!("{origin}/v1/j?a=b"), Some("/v1/proxy/j?a=b"));
    }
    check("https://api.eu.example.com/j", Some("/v1/proxy/@api.eu.example.com/j"));
    for other in [
        "https://queue.example.com.evil.example/v1/j",
        "https://evil.example/queue.example.com/v1/j",
        "https://queue.example.com@evil.example/v1/j",
        "https://user:pass@queue.example.com/v1/j",
        "https://queue.example.com:8443/v1/j",
        "https://queue.example.com:/v1/j",
        "http://queue.example.com:443/v1/j",
        "https://xqueue.example.com/v1/j",
        "https://queue.example.com./v1/j",
        "https://queue%2eexample.com/v1/j",
        "https://queue.example.com\\@evil.example/v1/j",
        "https://queue.example.com?/v1/j",
        "//queue.example.com/v1/j",
        "ftp://queue.example.com/v1/j",
        "wss://queue.example.com/v1/j",
        "queue.example.com/v1/j",
        "https://queue.example.com",
        "https://queue.example.com/v1",
        "https://queue.example.com/v1/",
        "https://queue.example.com/v1?x=y",
        "https://queue.example.com/v10/j",
        "https://queue.example.com/j",
        "https://queue.example.com/v1/j#part",
        "https://queue.example.com/v1/a b",
        "https://queue.example.com/v1/\u{e9}",
        "https://queue.example.com/v1/a\"b",
        "https://queue.example.com/v1/a\nb",
        "https://queue.example.com/v1/../logs",
        "https://queue.example.com/v1/a/%2e%2E/b",
        "https://queue.example.com/v1/./b",
        "https://queue.example.com/v1//b",
        "https://queue.example.com/v1/@api.eu.example.com/j",
        "http://api.eu.example.com/j",
        "https://api.eu.example.com:8443/j",
        "https://user@api.eu.example.com/j",
        "https://api.eu.x.example.com/j",
        "https://api..example.com/j",
        "https://api.e%75.example.com/j",
        "https://api.eu.example.com",
        "https://api.eu.example.com/../j",
        "",
        "/",
    ] {
        check(other, None);
    }
    // What clients do not take apart stays as it was written.
    for path in ["/j%2F..%2Fk", "/a..b/.well-known", "/a;b=c", "/j/?", "/x@y"] {
        let expected = (!path.ends_with('?')).then(|| format!("/v1/proxy{path}"));
        check(&format!("https://queue.example.com/v1{path}"), expected.as_deref());
    }
}

#[test]
fn paths_are_told_as_paths() {
    let provider = of_row("{base_url: 'https://h.example/api', prefix: /v1, unprefixed: [/raw]}");
    let check = |is_of_base: bool, address: &str, expected: Option<&str>| {
        let told = Retelling { is_of_base, ..retelling(&provider, "https://h.example/api") }.address(address);
        assert_eq!(told.as_deref(), expected, "{address}");
    };
    check(true, "/api/v1/videos/j1?x=y", Some("/v1/proxy/videos/j1?x=y"));
    check(true, "/api/raw/j1", Some("/v1/proxy/raw/j1"));
    check(true, "/api/other", None);
    check(true, "/other", None);
    check(true, "videos/j1", None);
    check(true, "?page=2", None);
    // At another host it is another path.
    check(false, "/api/v1/videos/j1", None);
}

/// Whoever stands before a vendor may repeat the vendor's words.
#[test]
fn another_base_url_takes_the_place_of_the_vendors() {
    let provider =
        of_row("{base_url: 'https://h.example/v1', prefix: /x, addresses: {hosts: [a.h.example]}}");
    let check = |address: &str, expected: Option<&str>| {
        let told = retelling(&provider, "http://10.0.0.1:8080/front").address(address);
        assert_eq!(told, expected.map(|path| format!("{GATEWAY}{path}")), "{address}");
    };
    check("http://10.0.0.1:8080/front/x/j", Some("/v1/proxy/j"));
    check("https://h.example/v1/x/j", Some("/v1/proxy/j"));
    check("https://h.example/front/x/j", None);
    let told = retelling(&provider, "https://h.example/v2").address("https://h.example/v1/x/j");
    assert_eq!(told.as_deref(), Some("http://localhost:8787/v1/proxy/j"));
    check("https://a.h.example/j", None);
}

#[test]
fn fields_of_an_answer() {
    let provider = of_row(
        "{base_url: 'https://h.example', addresses: {kept: [/files], fields: [a, u.get, 'list[*].u.get', 'all[*]']}}",
    );
    let check = |answer: &str, expected: Option<&str>| {
        let told = retelling(&provider, "https://h.example").answer(answer.as_bytes());
        assert_eq!(told.as_deref().map(|told| std::str::from_utf8(told).unwrap()), expected, "{answer}");
    };
    check(r#"{"a":"https://h.example/x"}"#, Some(r#"{"a":"http://localhost:8787/v1/proxy/x"}"#));
    check(
        "{ \"n\" : 1.0e2,\n\"u\":{\"get\":\"https:\\/\\/h.example\\/x?a=1\\u0026b=2\",\"web\":\"https://h.example/w\"}, \"z\":\"\\u00e9\" }",
        Some(
            "{ \"n\" : 1.0e2,\n\"u\":{\"get\":\"http://localhost:8787/v1/proxy/x?a=1&b=2\",\"web\":\"https://h.example/w\"}, \"z\":\"\\u00e9\" }",
        ),
    );
    check(
        r#"{"list":[{"u":{"get":"https://h.example/1"}},{"u":null},3,{"u":{"get":"https://h.example/2"}}],"all":["https://h.example/3","https://x.example/4",5]}"#,
        Some(
            r#"{"list":[{"u":{"get":"http://localhost:8787/v1/proxy/1"}},{"u":null},3,{"u":{"get":"http://localhost:8787/v1/proxy/2"}}],"all":["http://localhost:8787/v1/proxy/3","https://x.example/4",5]}"#,
        ),
    );
    // Of a name that is there twice, parsers take one or the other.
    check(
        r#"{"a":"https://h.example/1","a":"https://h.example/2"}"#,
        Some(r#"{"a":"http://localhost:8787/v1/proxy/1","a":"http://localhost:8787/v1/proxy/2"}"#),
    );
    for other in [
        r#"{"a":7}"#,
        r#"{"a":null}"#,
        r#"{"a":["https://h.example/x"]}"#,
        r#"{"a":{"a":"https://h.example/x"}}"#,
        r#"{"b":"https://h.example/x"}"#,
        r#"{"output":{"a":"https://h.example/x"}}"#,
        r#"{"a":"https://h.example/files/f1"}"#,
        r#"{"a":"https://h.example.evil.example/x"}"#,
        r#"["https://h.example/x"]"#,
        r#""https://h.example/x""#,
        r#"{"a":"https://h.example/x""#,
        "",
        "<html>",
    ] {
        check(other, None);
    }
    let none = of_row("{base_url: 'https://h.example'}");
    assert_eq!(retelling(&none, "https://h.example").answer(br#"{"a":"https://h.example/x"}"#), None);
    assert!(none.addresses.are_none() && !provider.addresses.are_none());
}

/// Where what is told leads.
#[test]
fn what_is_told_leads_back() {
    for provider in Providers::builtin().iter() {
        // One is a setting as a whole.
        let Some(base_url) = provider.base_url.as_deref().filter(|url| url.contains("://")) else { continue };
        let unprefixed = provider.unprefixed.iter().map(|beginning| format!("{beginning}/j"));
        for path in [format!("{}/j/1", provider.prefix)].into_iter().chain(unprefixed) {
            let told = retelling(provider, base_url).address(&format!("{base_url}{path}?a=b")).unwrap();
            let here = told.strip_prefix(GATEWAY).unwrap().strip_suffix("?a=b").unwrap();
            let passed = endpoint::path_of_passed(provider, &Values::default(), here, None);
            assert_eq!(endpoint::url_path("", &passed, ""), path, "{}", provider.id);
        }
    }
}

#[test]
fn what_is_wrong_in_a_row() {
    let row = "{addresses: {fields: [''], headers: ['a b'], kept: [files, /x/], hosts: [example.com, '*.com', 'api.*.com', '*.example.com', 'a/b.example.com']}}";
    let problems = Provider::from_row("mine", serde_saphyr::from_str(row).unwrap()).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        "mine.addresses.fields: holds an empty text",
        "mine.addresses.kept: \"files\" must begin with /",
        "mine.addresses.kept: \"/x/\" must begin with /",
        "mine.addresses.hosts: \"example.com\" is no name of a host",
        "mine.addresses.hosts: \"*.com\" is no name of a host",
        "mine.addresses.hosts: \"api.*.com\" is no name of a host",
        "mine.addresses.hosts: \"a/b.example.com\" is no name of a host",
        "mine.addresses.headers: \"a b\" is no name of a header",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
}

/// Beginnings, middles and ends of what somebody may write there.
fn some_addresses() -> impl Strategy<Value = String> {
    let origin = prop::sample::select(vec![
        "",
        "https://",
        "https://h.example",
        "http://h.example:80",
        "https://a.eu.h.example",
        "https://u@h.example",
        "//h.example",
    ]);
    let piece = prop::sample::select(vec![
        "/", "v1", "x", "/v1", "?", "#", "%2e", "..", "@", "\"", "\\", " ", "\u{e9}", "proxy",
    ]);
    (origin, prop::collection::vec(piece, 0..9))
        .prop_map(|(origin, pieces)| format!("{origin}{}", pieces.concat()))
}

proptest! {
    /// Nothing that an answer says leads a client to what is the gateway's own, or out of the text that it stands in.
    #[test]
    fn what_is_told_is_handed_on(address in some_addresses()) {
        let provider = of_row("{base_url: 'https://h.example/v1', unprefixed: [/x], addresses: {hosts: ['a.*.h.example']}}");
        let Some(told) = retelling(&provider, "https://h.example/v1").address(&address) else { return Ok(()) };
        let here = told.strip_prefix(GATEWAY).unwrap_or(&told);
        let path = here.split('?').next().unwrap();
        prop_assert!(path.starts_with("/v1/proxy/") && path.len() > "/v1/proxy/".len(), "{told}");
        prop_assert!(told.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'), "{told}");
        prop_assert!(!path.contains("//") && !path.replace("%2e", ".").split('/').any(|part| part == ".." || part == "."), "{told}");
        if let Some((host, _)) = endpoint::at_host(path) {
            prop_assert!(provider.addresses.has_host(host), "{told}");
        }
    }
}
