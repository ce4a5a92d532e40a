//! Answers that come later: vendors that answer a submit with a job, and are asked for it until it is done.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ostia_testkit::{Answer, Request, Upstream};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::store::told;
use crate::wire::{Ask, wait_until};

const GENERATIONS: &str = "/v1/images/generations";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const PATIENCE: Duration = Duration::from_secs(10);

/// A vendor whose jobs are done when they have been asked for so often. `{own}` in its answers stands for its address, `{files}` for that
/// of its images.
#[derive(Debug, Clone, Copy)]
struct Vendor {
    id: &'static str,
    model: &'static str,
    submit: &'static str,
    /// The header with the key, and what stands there.
    key: (&'static str, &'static str),
    begun: &'static str,
    open: &'static str,
    done: &'static str,
    status: &'static str,
    /// The path and the body of the result, where that is elsewhere.
    result: Option<(&'static str, &'static str)>,
    /// Method and path by which a job is given up.
    cancel: Option<(&'static str, &'static str)>,
}

const BFL: Vendor = Vendor {
    id: "black-forest-labs",
    model: "flux-pro-1.1",
    submit: "/v1/flux-pro-1.1",
    key: ("x-key", "sk-client"),
    begun: r#"{"id":"j1","polling_url":"{own}/v1/get_result?id=j1"}"#,
    open: r#"{"id":"j1","status":"Pending","result":null}"#,
    done: r#"{"id":"j1","status":"Ready","result":{"sample":"{files}/a.png","prompt":"pp","seed":1}}"#,
    status: "/v1/get_result?id=j1",
    result: None,
    cancel: None,
};
/// Asked for by `POST` (<https://docs.fireworks.ai/api-reference/get-generated-image-from-flux-kontex>).
const FIREWORKS: Vendor = Vendor {
    id: "fireworks-ai",
    model: "accounts/fireworks/models/flux-kontext-pro",
    submit: "/workflows/accounts/fireworks/models/flux-kontext-pro",
    key: ("authorization", "Bearer sk-client"),
    begun: r#"{"request_id":"j1"}"#,
    status: "/workflows/accounts/fireworks/models/flux-kontext-pro/get_result",
    ..BFL
};
const REPLICATE: Vendor = Vendor {
    id: "replicate",
    model: "black-forest-labs/flux-schnell",
    submit: "/models/black-forest-labs/flux-schnell/predictions",
    key: ("authorization", "Bearer sk-client"),
    begun: r#"{"id":"j1","status":"starting","output":null,"error":null,"urls":{"get":"{own}/predictions/j1","cancel":"{own}/predictions/j1/cancel"}}"#,
    open: r#"{"id":"j1","status":"processing","output":null,"error":null}"#,
    done: r#"{"id":"j1","status":"succeeded","output":["{files}/a.png"],"error":null}"#,
    status: "/predictions/j1",
    result: None,
    cancel: Some(("POST", "/predictions/j1/cancel")),
};
const FAL: Vendor = Vendor {
    id: "fal",
    model: "fal-ai/flux/dev",
    submit: "/fal-ai/flux/dev",
    key: ("authorization", "Key sk-client"),
    begun: r#"{"request_id":"j1","status":"IN_QUEUE","status_url":"{own}/fal-ai/flux/requests/j1/status","response_url":"{own}/fal-ai/flux/requests/j1","cancel_url":"{own}/fal-ai/flux/requests/j1/cancel"}"#,
    open: r#"{"status":"IN_PROGRESS","logs":null}"#,
    done: r#"{"status":"COMPLETED","metrics":{"inference_time":1.5}}"#,
    status: "/fal-ai/flux/requests/j1/status",
    result: Some((
        "/fal-ai/flux/requests/j1",
        r#"{"images":[{"url":"{files}/a.png","content_type":"image/png","width":1,"height":1}],"has_nsfw_concepts":[false],"prompt":"p","seed":1}"#,
    )),
    cancel: Some(("PUT", "/fal-ai/flux/requests/j1/cancel")),
};

impl Vendor {
    /// Serves it. `asks`: so often a job is asked for before it is done.
    fn serve(self, asks: usize, files: &Upstream) -> Upstream {
        let files = format!("http://localhost:{}", files.address().port());
        let asked = std::sync::atomic::AtomicUsize::new(0);
        Upstream::serve(move |request: &Request| {
            let own = format!("http://{}", request.header("host").unwrap_or_default());
            let told = |text: &str| Answer::json(text.replace("{own}", &own).replace("{files}", &files));
            let (name, key) = self.key;
            if request.header(name).as_deref() != Some(key) {
                return Answer::json(r#"{"detail":"no key"}"#).status(403);
            }
            let (method, target) = (request.method.as_str(), request.target.as_str());
            match (method, target) {
                ("POST", target) if target == self.submit => told(self.begun),
                (method, target) if target == self.status => {
                    // One vendor is told the id in a body.
                    let is_posted = self.id == FIREWORKS.id;
                    assert_eq!(method, if is_posted { "POST" } else { "GET" });
                    assert!(!is_posted || request.json() == json!({"id": "j1"}), "{request:?}");
                    let asked = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    told(if asked < asks { self.open } else { self.done })
                }
                ("GET", target) if self.result.is_some_and(|(path, _)| path == target) => {
                    told(self.result.map_or("", |(_, body)| body))
                }
                asked if Some(asked) == self.cancel => Answer::json("{}"),
                other => panic!("{}: {other:?}", self.id),
            }
        })
    }

    fn ask(self, upstream: &Upstream, more: Value) -> Ask {
        let mut body = json!({"model": self.model, "prompt": "a cat", "size": "1024x1024"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Ask::post_at(upstream, self.id, GENERATIONS, body.to_string())
    }
}

fn files() -> Upstream {
    Upstream::serve(|request: &Request| match request.target.as_str() {
        "/a.png" => Answer::with("image/png", PNG),
        _ => Answer::empty().status(404),
    })
}

fn gateway(more: &str) -> Gateway {
    Gateway::with(&format!("egress: {{allow_private: [localhost]}}\n{more}"))
}

/// However many calls there were, they are one attempt.
#[track_caller]
fn check_attempts(gateway: &Gateway, trace_id: &str) {
    let kept =
        told(gateway, &format!("/v1/traces/{trace_id}"), |kept| kept["data"][0]["attempts"].is_array());
    let attempts = kept["data"][0]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1, "{kept}");
    assert_eq!(attempts[0]["outcome"], "answered", "{kept}");
}

#[test]
fn jobs_are_asked_for_until_they_are_done() {
    let (gateway, files) = (gateway(""), files());
    for vendor in [BFL, FIREWORKS, REPLICATE, FAL] {
        for asks in [0, 2] {
            let upstream = vendor.serve(asks, &files);
            let reply = vendor.ask(&upstream, json!({})).header("x-ostia-trace-id", vendor.id).to(&gateway);
            assert_eq!(reply.status, 200, "{}: {}", vendor.id, reply.text());
            let url = format!("http://localhost:{}/a.png", files.address().port());
            assert_eq!(reply.json()["data"][0]["url"], url, "{}", vendor.id);
            assert_eq!(upstream.count(), 2 + asks + usize::from(vendor.result.is_some()), "{}", vendor.id);
            // All of it is one attempt.
            check_attempts(&gateway, vendor.id);
        }
    }
}

/// <https://docs.bfl.ai/api-reference/utility/get-result>: settled credits go before those of the submit, and both before a price list.
#[test]
fn a_job_that_says_what_it_costs_costs_that() {
    let (gateway, files) = (gateway(""), files());
    let begun =
        r#"{"id":"j1","polling_url":"{own}/v1/get_result?id=j1","cost":4.5,"input_mp":0,"output_mp":1.05}"#;
    let settled = r#"{"id":"j1","status":"Ready","result":{"sample":"{files}/a.png"},"cost":3}"#;
    for (trace_id, done, expected) in [("submit", BFL.done, "0.045"), ("settled", settled, "0.03")] {
        let vendor = Vendor { begun, done, model: "flux-2-pro", submit: "/v1/flux-2-pro", ..BFL };
        let reply =
            vendor.ask(&vendor.serve(1, &files), json!({})).header("x-ostia-trace-id", trace_id).to(&gateway);
        assert_eq!((reply.status, &reply.json()["usage"]), (200, &Value::Null), "{}", reply.text());
        let path = format!("/v1/traces/{trace_id}");
        let kept = told(&gateway, &path, |kept| kept["data"][0]["attempts"][0]["cost"].is_object());
        let cost = &kept["data"][0]["attempts"][0]["cost"];
        assert_eq!((&cost["amount"], &cost["priced_as"]), (&json!(expected), &json!("provider")), "{kept}");
    }
}

#[test]
fn base64_is_made_of_addresses() {
    let (gateway, files) = (gateway(""), files());
    for vendor in [BFL, FIREWORKS, REPLICATE, FAL] {
        let upstream = vendor.serve(0, &files);
        let reply = vendor.ask(&upstream, json!({"response_format": "b64_json"})).to(&gateway);
        assert_eq!(reply.status, 200, "{}: {}", vendor.id, reply.text());
        assert_eq!(reply.json()["data"][0]["b64_json"], BASE64_STANDARD.encode(PNG), "{}", vendor.id);
        // The key is for the vendor alone.
        assert_eq!(files.last().header("authorization"), None);
        assert_eq!(files.last().header("x-key"), None);
    }
}

#[test]
fn a_submit_may_be_answered_with_the_result() {
    let files = files();
    let done = REPLICATE.done.replace("{files}", &format!("http://localhost:{}", files.address().port()));
    let upstream = Upstream::always(Answer::json(done).status(201));
    let reply = REPLICATE.ask(&upstream, json!({})).to(&gateway(""));
    assert_eq!((reply.status, upstream.count()), (200, 1), "{}", reply.text());
    assert_eq!(upstream.last().header("prefer").as_deref(), Some("wait"));
}

#[test]
fn what_came_of_a_job_in_place_of_an_image_is_told() {
    let gateway = gateway("");
    let files = files();
    let check = |vendor: Vendor, done: &'static str, status: u16, code: &str, word: &str| {
        let upstream = Vendor { done, ..vendor }.serve(1, &files);
        let reply = vendor.ask(&upstream, json!({})).to(&gateway);
        let error = &reply.json()["error"];
        assert_eq!((reply.status, &error["code"]), (status, &json!(code)), "{}", reply.text());
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
        std::thread::sleep(Duration::from_millis(50));
        assert!(upstream.requests().iter().all(|request| !request.target.ends_with("/cancel")));
    };
    let moderated = r#"{"id":"j1","status":"Content Moderated","result":null,"details":{"Moderation Reasons":["Violence"]}}"#;
    check(FIREWORKS, moderated, 400, "content_policy_violation", "Violence");
    check(BFL, moderated, 400, "content_policy_violation", "Violence");
    check(BFL, r#"{"id":"j1","status":"Error","result":null}"#, 500, "job_failed", "`Error`");
    let failed = r#"{"id":"j1","status":"failed","error":"CUDA out of memory","output":null}"#;
    check(REPLICATE, failed, 500, "job_failed", "CUDA out of memory");
    let flagged = Vendor {
        result: Some((
            FAL.result.unwrap().0,
            r#"{"images":[{"url":"{files}/a.png"}],"has_nsfw_concepts":[true]}"#,
        )),
        ..FAL
    };
    check(flagged, FAL.done, 400, "content_policy_violation", "has_nsfw_concepts");
}

#[test]
fn errors_of_the_vendor_are_its_own() {
    let gateway = gateway("");
    let refused = Upstream::always(Answer::json(r#"{"detail":"Insufficient credits"}"#).status(402));
    let reply = BFL.ask(&refused, json!({})).to(&gateway);
    assert!(reply.text().contains("Insufficient credits"), "{}", reply.text());
    assert_eq!((reply.status, refused.count()), (402, 1));
    // The result of a job that the model refused.
    let upstream = Upstream::serve(|request: &Request| {
        let own = format!("http://{}", request.header("host").unwrap_or_default());
        match (request.method.as_str(), request.target.ends_with("/status")) {
            ("POST", _) => Answer::json(FAL.begun.replace("{own}", &own)),
            ("GET", true) => Answer::json(FAL.done),
            _ => Answer::json(
                r#"{"detail":[{"loc":["body","image_size"],"msg":"too large","type":"value_error"}]}"#,
            )
            .status(422),
        }
    });
    let reply = FAL.ask(&upstream, json!({})).to(&gateway);
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert!(reply.text().contains("too large"), "{}", reply.text());
}

/// Asks that fail for a while are made again; a key that is refused is not shown again.
#[test]
fn asks_that_fail_may_pass() {
    let gateway = gateway("");
    let check = |failure: u16, failures: usize, status: u16, requests: usize| {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let upstream = Upstream::serve(move |request: &Request| {
            let own = format!("http://{}", request.header("host").unwrap_or_default());
            if request.method == "POST" {
                return Answer::json(BFL.begun.replace("{own}", &own));
            }
            match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < failures {
                true => Answer::json(r#"{"detail":"no"}"#).status(failure),
                false => Answer::json(BFL.done.replace("{files}", "https://files.example")),
            }
        });
        let reply = BFL.ask(&upstream, json!({})).to(&gateway);
        assert_eq!((reply.status, upstream.count()), (status, requests), "{failure}: {}", reply.text());
    };
    check(503, 2, 200, 4);
    check(429, 3, 200, 5);
    check(503, 9, 503, 5);
    check(403, 9, 403, 2);
}

#[test]
fn a_key_goes_to_no_other_host() {
    let gateway = gateway("");
    let thief = Upstream::always(Answer::json(BFL.done));
    for url in [
        format!("{}/r", thief.url()),
        format!("http://localhost:{}/r", thief.address().port()),
        "https://api.us1.bfl.ai/v1/get_result?id=j1".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let begun = json!({"id": "j1", "polling_url": url}).to_string();
        let upstream = Upstream::always(Answer::json(begun));
        let reply = BFL.ask(&upstream, json!({})).to(&gateway);
        assert_eq!((reply.status, upstream.count()), (502, 1), "{url}: {}", reply.text());
    }
    assert_eq!(thief.count(), 0);
}

#[test]
fn a_job_that_nobody_waits_for_is_given_up() {
    let (gateway, files) = (gateway(""), files());
    for vendor in [REPLICATE, FAL] {
        let upstream = vendor.serve(usize::MAX, &files);
        let open = vendor.ask(&upstream, json!({})).open(&gateway);
        assert!(upstream.wait_for_requests(2, PATIENCE), "{}: it was not asked for", vendor.id);
        drop(open);
        let (method, path) = vendor.cancel.unwrap();
        let is_cancel = |request: &Request| request.method == method && request.target == path;
        wait_until(format!("{}: the job goes on", vendor.id), || upstream.requests().iter().any(is_cancel));
        let count = upstream.count();
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(upstream.count(), count, "{}: it is still asked for", vendor.id);
    }
}

#[test]
fn a_job_has_the_time_of_its_call() {
    let files = files();
    let gateway = gateway("timeouts: {total: 2s}");
    let upstream = FAL.serve(usize::MAX, &files);
    let began = Instant::now();
    let reply = FAL.ask(&upstream, json!({})).to(&gateway);
    assert_eq!(reply.status, 504, "{}", reply.text());
    assert!((2..6).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    let is_cancel = |request: &Request| request.target.ends_with("/cancel");
    wait_until("the job goes on", || upstream.requests().iter().any(is_cancel));
}

#[test]
fn pictures_go_along_where_models_take_them() {
    let (gateway, files) = (gateway(""), files());
    let picture = "--bnd\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nBYTES\r\n--bnd--\r\n";
    let form = |model: &str| {
        let field = |name: &str, text: &str| {
            format!("--bnd\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        field("model", model) + &field("prompt", "p") + picture
    };
    for (vendor, path, expected) in [
        (BFL, "input_image", "QllURVM="),
        (FIREWORKS, "input_image", "QllURVM="),
        (REPLICATE, "input.input_image", "data:image/png;base64,QllURVM="),
        (FAL, "image_url", "data:image/png;base64,QllURVM="),
    ] {
        let upstream = vendor.serve(0, &files);
        let ask =
            Ask::new("POST", "/v1/images/edits").header("content-type", "multipart/form-data; boundary=bnd");
        let reply = ask.body(form(vendor.model)).at(&upstream, vendor.id).to(&gateway);
        assert_eq!(reply.status, 200, "{}: {}", vendor.id, reply.text());
        let body: Value = serde_json::from_slice(&upstream.requests()[0].body).unwrap();
        let found = path.split('.').fold(&body, |body, name| &body[name]);
        assert_eq!(found, expected, "{body}");
    }
}

/// <https://www.assemblyai.com/docs/getting-started/transcribe-an-audio-file>
#[test]
fn a_recording_is_uploaded_and_its_transcript_asked_for() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let upstream = Upstream::serve(move |request: &Request| {
        assert_eq!(request.header("authorization").as_deref(), Some("KEY"));
        match (request.method.as_str(), request.target.as_str()) {
            ("POST", "/v2/upload") => Answer::json(r#"{"upload_url":"https://cdn.example/u/\"1\""}"#),
            ("POST", "/v2/transcript") => Answer::json(r#"{"id":"t-1","status":"queued"}"#),
            ("GET", "/v2/transcript/t-1") => match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => Answer::json(r#"{"id":"t-1","status":"processing","text":null}"#),
                _ => Answer::json(
                    r#"{"id":"t-1","status":"completed","text":"Hi there.","language_code":"en","audio_duration":2,"error":null,
                    "words":[{"text":"Hi","start":0,"end":500,"speaker":"A"},{"text":"there.","start":600,"end":1250,"speaker":"A"}]}"#,
                ),
            },
            other => panic!("{other:?}"),
        }
    });
    let gateway = Gateway::with(&format!(
        "providers:\n  speech:\n    base_url: \"{}\"\n    local: true\n    api_key: KEY\n    auth: {{header: authorization}}\n    \
         dialects: [assemblyai_transcripts]\n",
        upstream.url()
    ));
    let recording = |bytes: usize| (0..=250_u8).cycle().take(bytes).collect::<Vec<u8>>();
    for (bytes, format, expected) in
        [(10, "text", "Hi there.\n"), (3 << 20, "srt", "1\n00:00:00,000 --> 00:00:01,250\nHi there.\n\n")]
    {
        let mut body = format!(
            "--bnd\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nuniversal-3-pro\r\n--bnd\r\nContent-Disposition: \
             form-data; name=\"response_format\"\r\n\r\n{format}\r\n--bnd\r\nContent-Disposition: form-data; name=\"file\"; \
             filename=\"a.wav\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(&recording(bytes));
        body.extend_from_slice(b"\r\n--bnd--\r\n");
        let ask = Ask::new("POST", "/v1/audio/transcriptions")
            .header("content-type", "multipart/form-data; boundary=bnd")
            .header("x-ostia-provider", "speech")
            .header("x-ostia-trace-id", format)
            .body(body);
        let reply = ask.to(&gateway);
        assert_eq!((reply.status, reply.text()), (200, expected));
        let requests = upstream.requests();
        let uploaded = requests.iter().rfind(|request| request.target == "/v2/upload").unwrap();
        assert!(uploaded.body == recording(bytes));
        let submitted = requests.iter().rfind(|request| request.method == "POST").unwrap();
        let submitted: Value = serde_json::from_slice(&submitted.body).unwrap();
        assert_eq!(
            submitted,
            json!({"audio_url": "https://cdn.example/u/\"1\"", "speech_models": ["universal-3-pro"], "language_detection": true})
        );
        check_attempts(&gateway, format);
    }
}

/// Vendors that answer at once, in forms of their own.
#[test]
fn vendors_without_jobs_are_asked_in_their_own_form() {
    let gateway = gateway("");
    let encoded = BASE64_STANDARD.encode(PNG);
    let image = json!({"image": encoded, "finish_reason": "SUCCESS", "seed": 1}).to_string();
    let fireworks = json!({"id": "1", "base64": [encoded], "finishReason": "SUCCESS", "seed": 1}).to_string();
    for (provider, model, target, answer) in [
        ("stability-ai", "stable-image-core", "/v2beta/stable-image/generate/core", image.as_str()),
        ("segmind", "flux-schnell", "/flux-schnell", image.as_str()),
        (
            "fireworks-ai",
            "accounts/fireworks/models/flux-1-schnell-fp8",
            "/workflows/accounts/fireworks/models/flux-1-schnell-fp8/text_to_image",
            fireworks.as_str(),
        ),
    ] {
        let upstream = Upstream::always(Answer::json(answer));
        let body = json!({"model": model, "prompt": "a cat", "aspect_ratio": "16:9"}).to_string();
        let reply = Ask::post_at(&upstream, provider, GENERATIONS, body).to(&gateway);
        assert_eq!(reply.status, 200, "{provider}: {}", reply.text());
        assert_eq!(reply.json()["data"], json!([{"b64_json": encoded}]), "{provider}");
        let seen = upstream.last();
        assert_eq!(seen.target, target);
        assert!(seen.text().contains("a cat") && seen.text().contains("16:9"), "{}", seen.text());
        let is_form = provider == "stability-ai";
        let content_type = seen.header("content-type").unwrap();
        assert_eq!(content_type.starts_with("multipart/form-data; boundary="), is_form, "{content_type}");
        if provider != "segmind" {
            assert_eq!(seen.header("accept").as_deref(), Some("application/json"), "{provider}");
        }
    }
    let filtered = Upstream::always(Answer::json(r#"{"finish_reason":"CONTENT_FILTERED","image":""}"#));
    let body = json!({"model": "core", "prompt": "p"}).to_string();
    let reply = Ask::post_at(&filtered, "stability-ai", GENERATIONS, body).to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("content_policy_violation")));
    let errors = Upstream::always(
        Answer::json(r#"{"id":"1","name":"bad_request","errors":["prompt: too long"]}"#).status(400),
    );
    let body = json!({"model": "core", "prompt": "p"}).to_string();
    let reply = Ask::post_at(&errors, "stability-ai", GENERATIONS, body).to(&gateway);
    assert!(reply.text().contains("prompt: too long"), "{}", reply.text());
    assert_eq!(reply.status, 400);
}
