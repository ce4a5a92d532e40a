//! Addresses at a vendor's own hosts in answers that are handed on: whoever follows one comes back to the gateway, and by it to the vendor,
//! with the operator's key. The gateway's key reaches no vendor.

use ostia_testkit::{Answer, Framing, Request, Step, Upstream, gzip};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::https::authority as server;
use crate::outward::authority::Authority;
use crate::outward::front::Front;
use crate::outward::proxy::{Proxy, Script};
use crate::wire::{Ask, Reply};

/// How the client calls the gateway.
const HERE: &str = "http://localhost";

/// A gateway with a key of its own, and this provider with the operator's.
fn gateway(row: &str) -> Gateway {
    Gateway::with(&format!("auth: {{keys: [pk-gateway]}}\nproviders: {{{row}}}\n"))
}

/// A request as a vendor's SDK sends it that was told the gateway's key and base URL.
fn ask(method: &str, path: &str, provider: &str) -> Ask {
    Ask::new(method, path).header("authorization", "Bearer pk-gateway").header("x-ostia-provider", provider)
}

/// Where an address that was told leads, asked with the same headers.
fn follow(method: &str, told: &Value, provider: &str, gateway: &Gateway) -> Reply {
    let told = told.as_str().unwrap();
    let path = told.strip_prefix(HERE).unwrap_or_else(|| panic!("not at the gateway: {told}"));
    ask(method, path, provider).to(gateway)
}

/// A vendor whose address is `{own}` in its answers. It answers what it is not asked for with the request line.
fn vendor<const N: usize>(answers: [(&'static str, &'static str); N]) -> Upstream {
    Upstream::serve(move |request: &Request| {
        let line = format!("{} {}", request.method, request.target);
        assert!(!format!("{:?}", request.headers).contains("pk-gateway"), "{request:?}");
        match answers.iter().find(|(own, _)| *own == line) {
            Some((_, answer)) => Answer::json(answer.replace("{own}", &own(request))),
            None => Answer::json(json!({"asked": line}).to_string()),
        }
    })
}

fn own(request: &Request) -> String {
    format!("http://{}", request.header("host").unwrap())
}

/// <https://docs.fal.ai/documentation/model-apis/inference/queue>
#[test]
fn a_queue_is_followed_to_its_end() {
    let begun = r#"{ "request_id":"j1", "status_url":"{own}/fal-ai/flux/requests/j1/status?logs=1",
        "response_url":"{own}/fal-ai/flux/requests/j1","cancel_url":"{own}/fal-ai/flux/requests/j1/cancel",
        "images":[{"url":"{own}/files/a.png"}], "queue_position":0 }"#;
    let upstream =
        vendor([("POST /fal-ai/flux", begun), ("GET /fal-ai/flux/requests/j1/status?logs=1", begun)]);
    let gateway = gateway(&format!("fal: {{base_url: '{}', api_key: sk-operator}}", upstream.url()));
    for path in ["/v1/fal-ai/flux", "/v1/proxy/fal-ai/flux"] {
        let submit = ask("POST", path, "fal").header("content-type", "application/json").body("{}");
        let reply = submit.to(&gateway);
        // Nothing else is changed, not even white space.
        let expected = begun
            .replace("{own}/fal-ai", &format!("{HERE}/v1/proxy/fal-ai"))
            .replace("{own}", &upstream.url());
        assert_eq!((reply.status, reply.text()), (200, expected.as_str()), "{path}");
        assert_eq!(reply.header("content-length"), Some(expected.len().to_string().as_str()));
        let begun = reply.json();
        let status = follow("GET", &begun["status_url"], "fal", &gateway);
        assert_eq!(status.text(), expected, "it tells of them again");
        let response = follow("GET", &begun["response_url"], "fal", &gateway);
        assert_eq!(response.json()["asked"], "GET /fal-ai/flux/requests/j1");
        let cancelled = follow("PUT", &begun["cancel_url"], "fal", &gateway);
        assert_eq!(cancelled.json()["asked"], "PUT /fal-ai/flux/requests/j1/cancel");
    }
    let keys = upstream.requests().into_iter().map(|request| request.header("authorization"));
    assert!(keys.eq(std::iter::repeat_n(Some("Key sk-operator".to_owned()), 8)));
}

/// <https://replicate.com/docs/reference/http>
#[test]
fn predictions_and_their_pages_are_followed() {
    let prediction = r#"{"id":"p1","input":{"next":"{own}/v1/x"},"output":["{own}/v1/out"],"urls":{"get":"{own}/v1/predictions/p1","cancel":"{own}/v1/predictions/p1/cancel","stream":"https://stream.replicate.com/v1/files/s1","web":"https://replicate.com/p/p1"}}"#;
    let page = r#"{"previous":null,"next":"{own}/v1/predictions?cursor=cD0y","results":[{"urls":{"get":"{own}/v1/predictions/p1"}},{"urls":{}}]}"#;
    let file = r#"{"id":"f1","urls":{"get":"{own}/v1/files/f1"}}"#;
    let upstream = vendor([
        ("POST /v1/predictions", prediction),
        ("GET /v1/predictions", page),
        ("POST /v1/files", file),
    ]);
    let gateway = gateway(&format!("replicate: {{base_url: '{}/v1', api_key: sk-operator}}", upstream.url()));
    let begun = ask("POST", "/v1/predictions", "replicate").body("{}").to(&gateway).json();
    let got = follow("GET", &begun["urls"]["get"], "replicate", &gateway);
    assert_eq!(got.json()["asked"], "GET /v1/predictions/p1");
    let cancelled = follow("POST", &begun["urls"]["cancel"], "replicate", &gateway);
    assert_eq!(cancelled.json()["asked"], "POST /v1/predictions/p1/cancel");
    // What the model was told and what it made is the client's matter. With a base URL of the operator's no call goes to the vendor's
    // other hosts.
    let at = |path: &str| format!("{}/v1{path}", upstream.url());
    assert_eq!((&begun["input"]["next"], &begun["output"][0]), (&json!(at("/x")), &json!(at("/out"))));
    assert_eq!(begun["urls"]["stream"], "https://stream.replicate.com/v1/files/s1");
    let page = ask("GET", "/v1/predictions", "replicate").to(&gateway).json();
    let next = follow("GET", &page["next"], "replicate", &gateway);
    assert_eq!(next.json()["asked"], "GET /v1/predictions?cursor=cD0y");
    let first = follow("GET", &page["results"][0]["urls"]["get"], "replicate", &gateway);
    assert_eq!(first.json()["asked"], "GET /v1/predictions/p1");
    // It goes into the input of a prediction: the vendor cannot ask the gateway for it.
    let file = ask("POST", "/v1/files", "replicate").body("x").to(&gateway).json();
    assert_eq!(file["urls"]["get"], at("/files/f1"));
}

/// <https://learn.microsoft.com/rest/api/aiservices/document-models/analyze-document>
#[test]
fn operations_in_headers_are_followed() {
    let upstream = Upstream::serve(|request: &Request| {
        assert_eq!(request.header("ocp-apim-subscription-key").as_deref(), Some("sk-operator"));
        let operation = format!("{}/documentintelligence/results/o1?api-version=2024-11-30", own(request));
        match request.method.as_str() {
            "POST" => Answer::empty()
                .status(202)
                .header("operation-location", &operation)
                .header("x-own", &operation),
            _ => Answer::json(json!({"asked": request.target}).to_string()),
        }
    });
    let gateway = gateway(&format!(
        "azure-document-intelligence: {{base_url: '{}', api_key: sk-operator, settings: {{azure_resource_name: r}}}}",
        upstream.url()
    ));
    let path = "/v1/proxy/documentintelligence/documentModels/m:analyze?api-version=2024-11-30";
    let reply = ask("POST", path, "azure-document-intelligence").body("{}").to(&gateway);
    assert_eq!(reply.status, 202);
    assert!(reply.header("x-own").unwrap().starts_with(&upstream.url()));
    let told = json!(reply.header("operation-location").unwrap());
    let operation = follow("GET", &told, "azure-document-intelligence", &gateway);
    assert_eq!(operation.json()["asked"], "/documentintelligence/results/o1?api-version=2024-11-30");
}

/// Of every provider, whatever its row says.
#[test]
fn redirects_to_the_vendors_own_host_lead_here() {
    let check = |status: u16, location: &str, expected: &str| {
        let location = location.to_owned();
        let upstream = Upstream::serve(move |request| {
            Answer::empty().status(status).header("location", &location.replace("{own}", &own(request)))
        });
        let gateway =
            gateway(&format!("openai: {{base_url: '{}/v1', api_key: sk-operator}}", upstream.url()));
        let reply = ask("GET", "/v1/assistants", "openai").to(&gateway);
        let expected = expected.replace("{own}", &upstream.url());
        assert_eq!((reply.status, reply.header("location")), (status, Some(expected.as_str())));
    };
    // The name of what was made; clients look for its id.
    check(201, "{own}/v1/realtime/calls/rtc_1", "{own}/v1/realtime/calls/rtc_1");
    check(307, "{own}/v1/assistants/?a=b", "http://localhost/v1/proxy/assistants/?a=b");
    check(307, "/v1/assistants/", "/v1/proxy/assistants/");
    check(307, "/other", "/other");
    check(307, "assistants/", "assistants/");
    check(307, "{own}/other", "{own}/other");
    check(307, "https://files.example/f1?signature=x", "https://files.example/f1?signature=x");
}

/// How the client calls the gateway is how addresses are told.
#[test]
fn the_clients_own_words_for_the_gateway() {
    let upstream = vendor([("GET /j", r#"{"status_url":"{own}/j1"}"#)]);
    let row = format!("fal: {{base_url: '{}', api_key: sk-operator}}", upstream.url());
    let plain = gateway(&row);
    let told = |ask: Ask| ask.to(&plain).json()["status_url"].as_str().unwrap().to_owned();
    let asked = || ask("GET", "/v1/j", "fal");
    assert_eq!(told(asked().host("gateway.example:8443")), "http://gateway.example:8443/v1/proxy/j1");
    assert_eq!(told(asked().host("[::1]:1")), "http://[::1]:1/v1/proxy/j1");
    assert_eq!(told(asked().header("x-forwarded-proto", "https")), "https://localhost/v1/proxy/j1");
    assert_eq!(told(asked().header("x-forwarded-proto", "javascript")), "http://localhost/v1/proxy/j1");
    assert_eq!(told(asked().host("a/b")), format!("{}/j1", upstream.url()), "no name that can be repeated");
    let authority = server::Authority::new("a");
    let encrypted = server::start(
        &authority.identity("gateway"),
        &format!("auth: {{keys: [pk-gateway]}}\nproviders: {{{row}}}\n"),
    );
    let reply = authority.client().ask(&encrypted, &asked()).unwrap();
    assert_eq!(reply.json()["status_url"], "https://localhost/v1/proxy/j1");
}

/// What is no JSON within the bound, or has none of these fields, is not touched.
#[test]
fn other_answers_stay_as_they_come() {
    let told = |answer: Answer| {
        let upstream = Upstream::always(answer);
        let gateway = gateway(&format!("fal: {{base_url: '{}', api_key: sk-operator}}", upstream.url()));
        ask("GET", "/v1/proxy/j", "fal").header("accept-encoding", "gzip").to(&gateway)
    };
    let queue = r#"{"status_url":"http://127.0.0.1:1/j"}"#;
    for answer in [
        Answer::json(queue),
        Answer::json(r#"{"status_url": "#),
        Answer::json(" [1.0] ").framing(Framing::Chunked),
        Answer::json(queue).gzip(),
        Answer::json("not packed").header("content-encoding", "gzip"),
        Answer::json(queue).header("content-encoding", "compress"),
        Answer::with("text/plain", queue),
        Answer::stream("data: {\"status_url\":\"http://127.0.0.1:1/j\"}\n\n"),
        Answer::json(""),
        Answer::empty().status(204),
        Answer::json(queue).status(404),
    ] {
        let reply = told(answer.clone());
        assert!(reply.whole && reply.body == answer.body(), "{answer:?}: {reply:?}");
        let is_packed = format!("{answer:?}").contains("content-encoding");
        assert_eq!(reply.header("content-encoding").is_some(), is_packed, "{answer:?}");
    }
}

#[test]
fn packed_answers_and_those_that_come_in_pieces() {
    let text = "{\"status_url\":\"{own}/j1\"}";
    for way in ["packed", "pieces", "bytes", "long", "padded"] {
        let upstream = Upstream::serve(move |request| {
            let body = text.replace("{own}", &own(request)).into_bytes();
            let answer = Answer::empty().header("content-type", "application/json; charset=utf-8");
            match way {
                "packed" => answer.header("content-encoding", "gzip").then(Step::Send(gzip(&body))),
                "pieces" => body.chunks(7).fold(answer.framing(Framing::Chunked), |answer, piece| {
                    answer.then(Step::Send(piece.to_vec()))
                }),
                "bytes" => body.chunks(1).fold(answer.framing(Framing::Close), |answer, piece| {
                    answer.then(Step::Send(piece.to_vec()))
                }),
                // Beyond the bound, which it may say or not.
                "long" => answer.then(Step::Send([&body[..], &vec![b' '; 1 << 20]].concat())),
                _ => answer
                    .framing(Framing::Chunked)
                    .then(Step::Send(body))
                    .then(Step::Repeat(vec![b' '; 1 << 10], 1 << 10)),
            }
        });
        let gateway = gateway(&format!("fal: {{base_url: '{}', api_key: sk-operator}}", upstream.url()));
        let reply = ask("GET", "/v1/proxy/j", "fal").header("accept-encoding", "gzip").to(&gateway);
        let is_read = !matches!(way, "long" | "padded");
        let own = if is_read { format!("{HERE}/v1/proxy") } else { upstream.url() };
        assert!(reply.whole && reply.header("content-encoding").is_none(), "{way}");
        assert_eq!(reply.text().trim_end(), text.replace("{own}", &own), "{way}");
        assert_eq!(reply.body.len() > 1 << 20, !is_read, "{way}");
    }
}

#[test]
fn an_answer_that_breaks_off_breaks_off_here() {
    let upstream =
        Upstream::always(Answer::json(r#"{"status_url":"http://127.0.0.1:1/j"}"#).broken_after(9, Step::Cut));
    let gateway = gateway(&format!("fal: {{base_url: '{}', api_key: sk-operator}}", upstream.url()));
    let reply = ask("GET", "/v1/proxy/j", "fal").to(&gateway);
    assert!(!reply.whole, "{reply:?}");
}

/// A vendor with one host for submits, and one in each region that has jobs.
#[test]
fn a_job_at_another_host_of_the_vendors_is_asked_for_there() {
    let upstream = Upstream::serve(|request: &Request| match request.target.as_str() {
        "/v1/submit" => {
            Answer::json(r#"{"polling_url":"https://api.eu.vendor.example/v1/get_result?id=j1"}"#)
        }
        _ => Answer::json(json!({"asked": request.target, "at": request.header("host")}).to_string()),
    });
    let authority = Authority::new();
    let pair = authority.give(&["api.vendor.example", "api.eu.vendor.example"]);
    let front = Front::before(&upstream, &pair, None);
    let proxy = Proxy::new(Script::Connect(front.address));
    let gateway = Setup::new()
        .env("https_proxy", &format!("http://{}", proxy.address))
        .file("ca.pem", &authority.pem)
        .config(
            "auth: {keys: [pk-gateway]}\nupstream: {tls: {ca: ca.pem}}\nproviders: {own: {base_url: 'https://api.vendor.example', \
             api_key: sk-operator, addresses: {fields: [polling_url], hosts: ['api.*.vendor.example']}}}\n",
        )
        .start();
    let begun = ask("POST", "/v1/proxy/v1/submit", "own").body("{}").to(&gateway).json();
    assert_eq!(begun["polling_url"], "http://localhost/v1/proxy/@api.eu.vendor.example/v1/get_result?id=j1");
    let job = follow("GET", &begun["polling_url"], "own", &gateway).json();
    assert_eq!(
        (&job["asked"], &job["at"]),
        (&json!("/v1/get_result?id=j1"), &json!("api.eu.vendor.example"))
    );
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-operator"));
    assert_eq!(proxy.lines().last().unwrap(), "CONNECT api.eu.vendor.example:443 HTTP/1.1");
    let asked = upstream.count();
    for host in [
        "evil.example",
        "api.vendor.example.evil.example",
        "api.a.b.vendor.example",
        "api.eu.vendor.example:8443",
        "u@api.eu.vendor.example",
    ] {
        let reply = ask("GET", &format!("/v1/proxy/@{host}/x"), "own").to(&gateway);
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("host_refused")), "{host}");
    }
    // At a host that the client chose, its own word about hosts counts for nothing.
    let chosen = Upstream::always(Answer::json(r#"{"polling_url":"https://api.eu.vendor.example/j"}"#));
    let at = |path: &str| ask("GET", path, "own").header("x-ostia-custom-host", &chosen.url());
    assert_eq!(at("/v1/proxy/j").to(&gateway).json()["polling_url"], "https://api.eu.vendor.example/j");
    assert_eq!(at("/v1/proxy/@api.eu.vendor.example/j").to(&gateway).status, 400);
    assert_eq!(
        (upstream.count(), proxy.lines().iter().filter(|line| line.contains("evil")).count()),
        (asked, 0)
    );
}
