//! Files at addresses, fetched for providers that take bytes only: what the provider and the server of the file see, and what
//! hostile servers come to.

use std::time::{Duration, Instant};

use ostia_testkit::model::{Speech, Turn};
use ostia_testkit::strict::Vendor;
use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Framing, Request, Step, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::wire::{Ask, Reply};

const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
/// A picture of one pixel.
const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4L8UAAAM1ARr46/+zAAAAAElFTkSuQmCC";

fn png() -> Vec<u8> {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.decode(PNG).unwrap()
}

/// A provider that speaks Converse and refuses what Bedrock refuses.
fn bedrock() -> Upstream {
    Upstream::serve(|request| match Vendor::Bedrock.check(request, "") {
        Ok(_) => {
            let turn = Turn { thought: None, text: Some("A pixel.".into()), calls: Vec::new() };
            Speech::Converse.answer(&turn, request.target.ends_with("/converse-stream"))
        }
        Err(refusal) => Vendor::Bedrock.refuse(&refusal),
    })
}

/// The server of the files. `localhost` is the only host of this machine that the gateway fetches from.
fn files() -> Upstream {
    Upstream::serve(file)
}

fn file(request: &Request) -> Answer {
    let found = |to: &str| Answer::empty().status(302).header("location", to);
    let port = request.header("host").and_then(|host| host.split(':').nth(1).map(str::to_owned)).unwrap();
    match request.target.as_str() {
        "/a.png" | "/b.png?v=%C3%BC" | "/again/c.png" => Answer::with("image/png", png()),
        "/lying" => Answer::with("image/jpeg", png()),
        "/packed" => Answer::with("image/png", png()).gzip(),
        "/moved" => found("again/c.png"),
        "/a.pdf" => Answer::with("application/octet-stream", b"%PDF-1.7 short"),
        "/page" => Answer::with("image/png", "<!DOCTYPE html><p>Sign in"),
        "/gone" => Answer::with("text/html", "no").status(404),
        "/part" => Answer::with("image/png", png()).status(206),
        "/large" => Answer::with("image/png", [png(), vec![0; 70 << 10]].concat()),
        "/half" => Answer::with("image/png", [png(), vec![0; 40 << 10]].concat()),
        "/bomb" => Answer::with("image/png", [png(), vec![0; 512 << 10]].concat()).gzip(),
        "/endless" => Answer::with("image/png", png())
            .framing(Framing::Chunked)
            .then(Step::Repeat(vec![0; 16 << 10], 1 << 20)),
        "/slow" => (0..100).fold(Answer::with("image/png", "").framing(Framing::Chunked), |answer, _| {
            answer.then(Step::Send(vec![0x89])).then(Step::Pause(Duration::from_millis(100)))
        }),
        "/silent" => Answer::empty().first(Step::Stall),
        "/broken" => Answer::with("image/png", png()).broken_after(20, Step::Cut),
        "/loop" => found("/loop"),
        "/metadata" => found("http://169.254.169.254/latest/meta-data"),
        "/loopback" => found(&format!("http://127.0.0.1:{port}/a.png")),
        "/mapped" => found(&format!("http://[::ffff:127.0.0.1]:{port}/a.png")),
        "/disguised" => found(&format!("http://2130706433:{port}/a.png")),
        "/scheme" => found("file:///etc/passwd"),
        "/nowhere" => Answer::empty().status(302),
        path => panic!("{path}"),
    }
}

/// A gateway in front of the provider `cloud`, and of `claude`, whose row says that it fetches nothing.
fn gateway(upstream: &Upstream, more: &str) -> Gateway {
    let url = upstream.url();
    Gateway::with(&format!(
        "egress: {{allow_private: [localhost]}}\n\
         media: {{file_bytes: 64KiB, request_bytes: 96KiB, timeout: 3s{more}}}\n\
         providers:\n  \
           cloud: {{base_url: \"{url}\", local: true, dialects: [bedrock_converse]}}\n  \
           claude: {{base_url: \"{url}\", local: true, dialects: [anthropic_messages], quirks: {{media_urls: []}}}}\n"
    ))
}

fn address(files: &Upstream, path: &str) -> String {
    format!("http://localhost:{}{path}", files.address().port())
}

/// A chat with these images.
fn chat(urls: &[String]) -> Value {
    let mut parts = vec![json!({"type": "text", "text": "What is this?"})];
    parts.extend(urls.iter().map(|url| json!({"type": "image_url", "image_url": {"url": url}})));
    json!({"model": MODEL, "messages": [{"role": "user", "content": parts}]})
}

fn ask(gateway: &Gateway, path: &str, body: &Value) -> Reply {
    Ask::post(path, body.to_string())
        .header("x-ostia-provider", "cloud")
        .header("authorization", "Bearer sk-client")
        .header("cookie", "session=1")
        .to(gateway)
}

#[test]
fn each_clients_image_reaches_the_provider_as_bytes() {
    let (upstream, files) = (bedrock(), files());
    let gateway = gateway(&upstream, "");
    let url = address(&files, "/a.png");
    let text = json!({"type": "text", "text": "What?"});
    let bodies = [
        ("/v1/chat/completions".to_owned(), chat(std::slice::from_ref(&url))),
        (
            "/v1/responses".to_owned(),
            json!({"model": MODEL, "input": [{"role": "user", "content": [{"type": "input_text", "text": "What?"},
                   {"type": "input_image", "image_url": url}]}]}),
        ),
        (
            "/v1/messages".to_owned(),
            json!({"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": [text,
                   {"type": "image", "source": {"type": "url", "url": url}}]}]}),
        ),
        (
            format!("/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"),
            json!({"contents": [{"role": "user", "parts": [{"text": "What?"}, {"fileData": {"fileUri": url, "mimeType": "image/png"}}]}]}),
        ),
    ];
    for (count, (path, body)) in bodies.iter().enumerate() {
        let reply = ask(&gateway, path, body);
        assert_eq!((reply.status, reply.header("x-ostia-dropped")), (200, None), "{path}: {}", reply.text());
        let image = json!({"image": {"format": "png", "source": {"bytes": PNG}}});
        assert_eq!(upstream.last().json()["messages"][0]["content"][1], image, "{path}");
        let seen = files.last();
        assert_eq!((files.count(), seen.method.as_str()), (count + 1, "GET"), "{path}");
        // Nothing of the request goes along.
        for name in ["authorization", "cookie", "x-ostia-provider", "referer"] {
            assert_eq!(seen.header(name), None, "{name}");
        }
    }
}

#[test]
fn types_and_places_are_found_out() {
    let (upstream, files) = (bedrock(), files());
    let gateway = gateway(&upstream, "");
    for path in ["/lying", "/packed", "/moved", "/b.png?v=ü"] {
        let reply = ask(&gateway, "/v1/chat/completions", &chat(&[address(&files, path)]));
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let image = &upstream.last().json()["messages"][0]["content"][1]["image"];
        assert_eq!(*image, json!({"format": "png", "source": {"bytes": PNG}}), "{path}");
    }
    let file = json!({"type": "input_file", "file_url": address(&files, "/a.pdf")});
    let body = json!({"model": MODEL, "input": [{"role": "user", "content": [file]}]});
    let reply = ask(&gateway, "/v1/responses", &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(upstream.last().json()["messages"][0]["content"][0]["document"]["format"], "pdf");
}

#[test]
fn an_address_that_stands_ten_times_is_fetched_once() {
    let (upstream, files) = (bedrock(), files());
    let url = address(&files, "/a.png");
    let reply = ask(&gateway(&upstream, ""), "/v1/chat/completions", &chat(&vec![url; 10]));
    assert_eq!((reply.status, files.count()), (200, 1), "{}", reply.text());
    assert_eq!(upstream.last().json()["messages"][0]["content"].as_array().unwrap().len(), 11);
}

#[test]
fn another_target_gets_what_the_first_one_got() {
    let files = files();
    let failing = Upstream::always(Answer::json("{}").status(500));
    let upstream = Upstream::always(Answer::json(anthropic::message("A pixel.")));
    let gateway = Gateway::with(&format!(
        "egress: {{allow_private: [localhost]}}\n\
         providers:\n  \
           cloud: {{base_url: \"{}\", local: true, dialects: [bedrock_converse]}}\n  \
           claude: {{base_url: \"{}\", local: true, dialects: [anthropic_messages], quirks: {{media_urls: []}}}}\n",
        failing.url(),
        upstream.url()
    ));
    let config = json!({"retry": {"attempts": 1}, "strategy": {"mode": "fallback"},
                        "targets": [{"provider": "cloud"}, {"provider": "claude"}]});
    let body = chat(&[address(&files, "/a.png")]);
    let ask = Ask::post("/v1/chat/completions", body.to_string())
        .header("x-ostia-config", &config.to_string())
        .header("authorization", "Bearer sk-client");
    let reply = ask.to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!((files.count(), upstream.count()), (1, 1));
    assert!(failing.count() > 1, "no retry");
    let source = json!({"type": "base64", "media_type": "image/png", "data": PNG});
    assert_eq!(upstream.last().json()["messages"][0]["content"][1]["source"], source);
}

#[test]
fn providers_that_fetch_get_the_address_and_those_that_do_not_are_told_anew() {
    let files = files();
    let url = address(&files, "/a.png");
    // A vendor that fetches: not a byte is changed.
    let upstream = Upstream::always(Answer::json(openai::chat("A pixel.")));
    let gateway = gateway(&upstream, "");
    let body = format!(
        r#"{{ "model":"m",  "messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{url}"}}}}]}}] }}"#
    );
    let reply = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body.clone()).to(&gateway);
    assert_eq!((reply.status, upstream.last().text()), (200, body.clone()));
    assert_eq!(files.count(), 0);
    // One whose row says that it takes bytes only, in the client's own format.
    let reply = Ask::post_at(&upstream, "ollama", "/v1/chat/completions", body).to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = upstream.last();
    assert_eq!(seen.target, "/v1/chat/completions");
    let part = &seen.json()["messages"][0]["content"][0]["image_url"]["url"];
    assert_eq!(*part, format!("data:image/png;base64,{PNG}"));
    assert_eq!(files.count(), 1);
    // And without any address all is handed on as it came.
    let plain = r#"{ "model":"m",  "messages":[{"role":"user","content":"see http://a.example"}] }"#;
    Ask::post_at(&upstream, "ollama", "/v1/chat/completions", plain).to(&gateway);
    assert_eq!(upstream.last().text(), plain);
}

#[test]
fn hostile_servers_are_bounded() {
    let (upstream, files) = (bedrock(), files());
    let gateway = gateway(&upstream, "");
    for (path, why) in [
        ("/page", "the file is no image: its bytes are text/html"),
        ("/gone", "the file was not there: its server answered with status 404"),
        ("/part", "the file was not there: its server answered with status 206"),
        ("/large", "the file has more than 65536 bytes (media.file_bytes)"),
        ("/endless", "the file has more than 65536 bytes (media.file_bytes)"),
        ("/bomb", "the file has more than 65536 bytes (media.file_bytes)"),
        ("/slow", "the file was not there within 3000 ms (media.timeout)"),
        ("/silent", "the file was not there within 3000 ms (media.timeout)"),
        ("/broken", "the file broke off on its way"),
        ("/loop", "the file is moved more than 3 times"),
        ("/metadata", "the file may not be fetched: its host is at no public address"),
        ("/loopback", "the file may not be fetched: its host is at no public address"),
        ("/mapped", "the file may not be fetched: its host is at no public address"),
        ("/disguised", "the file may not be fetched: its host is an address in disguise"),
        (
            "/scheme",
            "the file is moved (status 302), and its new address must begin with https:// or http://",
        ),
        ("/nowhere", "the file is moved (status 302) to nowhere"),
    ] {
        let started = Instant::now();
        let reply = ask(&gateway, "/v1/chat/completions", &chat(&[address(&files, path)]));
        refused(&reply, "messages[0].content[1].image_url.url", why);
        assert!(started.elapsed() < Duration::from_secs(15), "{path}: {:?}", started.elapsed());
    }
    assert!(files.sent_bytes() < 24 << 20, "{} bytes were taken", files.sent_bytes());
    assert_eq!(upstream.count(), 0);
    // It is all there still.
    let reply = ask(&gateway, "/v1/chat/completions", &chat(&[address(&files, "/a.png")]));
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[track_caller]
fn refused(reply: &Reply, param: &str, why: &str) {
    let body = reply.json();
    let message = body["error"]["message"].as_str().unwrap_or_default();
    assert_eq!((reply.status, &body["error"]["param"]), (400, &json!(param)), "{body}");
    assert!(message.contains(why) && message.contains(param), "{message} lacks {why}");
    assert_eq!(body["error"]["code"], "file_unusable");
}

/// Clients of a gateway on this machine may name its hosts in a header, but content is the word of anybody.
#[test]
fn addresses_on_private_networks_are_refused() {
    let (upstream, files) = (bedrock(), files());
    let gateway = gateway(&upstream, "");
    let port = files.address().port();
    // A name that stands for an address of this machine, or for none.
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_lowercase();
    for host in
        ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "metadata.google.internal", "a.internal", &own]
    {
        let url = format!("http://{host}:{port}/a.png");
        let reply = ask(&gateway, "/v1/chat/completions", &chat(&[url]));
        refused(&reply, "messages[0].content[1].image_url.url", "the file ");
        assert!(!reply.text().contains("127.0.0.1"), "{}", reply.text());
    }
    let url = format!("http://user:secret@localhost:{port}/a.png");
    let reply = ask(&gateway, "/v1/chat/completions", &chat(&[url]));
    refused(&reply, "messages[0].content[1].image_url.url", "its host must not hold a user");
    assert_eq!((files.count(), upstream.count()), (0, 0));
}

#[test]
fn a_request_has_bounds_of_its_own() {
    let (upstream, files) = (bedrock(), files());
    let gateway = gateway(&upstream, ", files: 20");
    let urls: Vec<String> = (0..50).map(|at| format!("{}?at={at}", address(&files, "/a.png"))).collect();
    let reply = ask(&gateway, "/v1/chat/completions", &chat(&urls));
    refused(&reply, "messages[0].content[1].image_url.url", "is one of 50 at addresses");
    assert_eq!(files.count(), 0);
    let half = address(&files, "/half");
    let urls = ["", "#1", "#2"].map(|mark| format!("{half}{mark}"));
    let reply = ask(&gateway, "/v1/chat/completions", &chat(&urls));
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("98304 bytes together"), "{}", reply.text());
    assert_eq!(upstream.count(), 0);
}

#[test]
fn the_operator_may_forbid_it() {
    let (upstream, files) = (bedrock(), files());
    let body = chat(&[address(&files, "/a.png")]);
    for (more, why) in [
        (", fetch: false", "which the gateway may not do (media.fetch)"),
        (", https_only: true", "the gateway fetches from https:// only"),
    ] {
        let reply = ask(&gateway(&upstream, more), "/v1/chat/completions", &body);
        refused(&reply, "messages[0].content[1].image_url.url", why);
    }
    assert_eq!((files.count(), upstream.count()), (0, 0));
}

#[test]
fn a_dry_run_fetches_nothing() {
    let (upstream, files) = (bedrock(), files());
    let url = address(&files, "/a.png");
    let body = json!({"request": chat(std::slice::from_ref(&url))});
    let told = ask(&gateway(&upstream, ""), "/v1/explain", &body).json();
    assert_eq!(told["calls"][0]["fetches"], json!([url]), "{told}");
    assert_eq!(told["calls"][0]["dropped"], json!([]), "{told}");
    assert_eq!((files.count(), upstream.count()), (0, 0));
}

/// Ids of files mean something to the vendor that gave them alone.
#[test]
fn ids_of_other_vendors_are_refused() {
    let upstream = bedrock();
    let gateway = gateway(&upstream, "");
    let file = json!({"type": "file", "file": {"file_id": "file-abc"}});
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": [file]}]});
    let reply = ask(&gateway, "/v1/chat/completions", &body);
    refused(&reply, "messages[0].content[0].file.file_id", "this file lies with OpenAI");
    let image = json!({"type": "image", "source": {"type": "file", "file_id": "file_011CN"}});
    let body = json!({"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": [image]}]});
    let reply = ask(&gateway, "/v1/messages", &body);
    let message = reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("`messages[0].content[0].source.file_id`"), "{message}");
    assert_eq!((reply.status, upstream.count()), (400, 0));
}
