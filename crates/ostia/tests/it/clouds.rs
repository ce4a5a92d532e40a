//! Providers that need more than a key: regions, projects, resources; and models of one provider that are reached in other ways.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use ostia_testkit::vendor::openai;
use ostia_testkit::{Answer, Upstream};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::wire::Ask;

const CHAT: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

/// A client's request to a provider at an upstream of the test.
fn ask(path: &str, body: &str, provider: &str, host: &str) -> Ask {
    let ask = Ask::post(path, body).header("x-portkey-provider", provider);
    ask.header("x-portkey-custom-host", host).header("authorization", "Bearer secret-of-mine")
}

#[test]
fn azure_is_asked_by_deployment_or_by_its_newer_paths() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::start();
    let check = |headers: &[(&str, &str)], body: &str, path: &str, model: &str| {
        let ask = ask("/v1/chat/completions", body, "azure-openai", &format!("{}/openai", upstream.url()));
        let reply = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).to(&gateway);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let seen = upstream.last();
        assert_eq!((seen.target.as_str(), &seen.json()["model"]), (path, &json!(model)), "{headers:?}");
        assert_eq!(seen.header("api-key").as_deref(), Some("secret-of-mine"));
        assert_eq!(seen.header("authorization"), None);
        assert!(seen.headers.iter().all(|(name, _)| !name.contains("azure")), "{:?}", seen.headers);
    };
    check(&[], CHAT, "/openai/v1/chat/completions", "m");
    let old =
        [("x-portkey-azure-api-version", "2024-10-21"), ("x-portkey-azure-deployment-id", "gpt-of-mine")];
    let path = "/openai/deployments/gpt-of-mine/chat/completions?api-version=2024-10-21";
    check(&old, CHAT, path, "gpt-of-mine");
    let without = r#"{"messages":[{"role":"user","content":"x"}]}"#;
    check(&old, without, path, "gpt-of-mine");
    check(&old[..1], CHAT, "/openai/deployments/m/chat/completions?api-version=2024-10-21", "m");
    check(&[("x-ostia-azure-deployment-id", "d")], CHAT, "/openai/v1/chat/completions", "d");
}

#[test]
fn a_token_of_entra_goes_as_a_bearer() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let config = json!({"provider": "azure-openai", "api_key": "eyJ0.token.x", "custom_host": upstream.url(),
                        "deployment_id": "d", "api_version": "2024-10-21"});
    let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-config", &config.to_string());
    assert_eq!(ask.to(&Gateway::start()).status, 200);
    let seen = upstream.last();
    assert_eq!(seen.target, "/deployments/d/chat/completions?api-version=2024-10-21");
    assert_eq!(seen.header("authorization").as_deref(), Some("Bearer eyJ0.token.x"));
    assert_eq!(seen.header("api-key"), None);
}

#[test]
fn vertex_has_a_place_for_the_models_of_each_publisher() {
    let gateway = Gateway::start();
    let place = "projects/p/locations/europe-west4";
    let messages =
        r#"{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{"role":"user","content":"x"}]}"#;
    let check = |path: &str, body: &str, model: &str, answer: Value, want: &str| {
        let upstream = Upstream::always(Answer::json(answer.to_string()));
        let ask = ask(path, &body.replace("claude-sonnet-4-5", model), "vertex-ai", &upstream.url());
        let ask =
            ask.header("x-portkey-vertex-project-id", "p").header("x-ostia-vertex-region", "europe-west4");
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200, "{want}: {}", reply.text());
        let seen = upstream.last();
        assert_eq!(seen.target, want, "{model}");
        assert_eq!(seen.header("authorization").as_deref(), Some("Bearer secret-of-mine"));
        seen.json()
    };
    let claude = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "c",
        "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}});
    let raw = format!("/v1/{place}/publishers/anthropic/models/claude-sonnet-4-5:rawPredict");
    for model in ["claude-sonnet-4-5", "anthropic.claude-sonnet-4-5"] {
        let sent = check("/v1/messages", messages, model, claude.clone(), &raw);
        assert_eq!((sent.get("model"), &sent["anthropic_version"]), (None, &json!("vertex-2023-10-16")));
    }
    let sent = check("/v1/chat/completions", messages, "claude-sonnet-4-5", claude, &raw);
    assert_eq!((sent.get("model"), &sent["anthropic_version"]), (None, &json!("vertex-2023-10-16")));
    let gemini = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "x"}]}, "finishReason": "STOP"}]});
    let generate = format!("/v1beta1/{place}/publishers/google/models/gemini-3-pro:generateContent");
    check("/v1/chat/completions", CHAT, "m", gemini.clone(), &generate.replace("gemini-3-pro", "m"));
    let (tuned, own) =
        ("projects/77/locations/europe-west4/endpoints/456", format!("/v1beta1/{place}/endpoints/456"));
    check("/v1/chat/completions", messages, tuned, gemini.clone(), &format!("{own}:generateContent"));
    let google = r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#;
    check("/v1beta/models/gemini-3-pro:generateContent", google, "", gemini, &generate);
    let statistics = json!({"truncated": false, "token_count": 2.0});
    let vectors = json!({"predictions": [{"embeddings": {"values": [0.5], "statistics": statistics}}]});
    for model in ["text-embedding-005", "text-multilingual-embedding-002", "gemini-embedding-001"] {
        let predict = format!("/v1/{place}/publishers/google/models/{model}:predict");
        let input = format!(r#"{{"model":"{model}","input":"x","dimensions":1}}"#);
        let sent = check("/v1/embeddings", &input, model, vectors.clone(), &predict);
        let wanted = json!({"instances": [{"content": "x"}], "parameters": {"outputDimensionality": 1}});
        assert_eq!(sent, wanted);
        let content = r#"{"content":{"parts":[{"text":"x"}]},"taskType":"RETRIEVAL_QUERY"}"#;
        let path = format!("/v1beta/models/{model}:embedContent");
        let sent = check(&path, content, model, vectors.clone(), &predict);
        assert_eq!(sent["instances"], json!([{"content": "x", "task_type": "RETRIEVAL_QUERY"}]));
    }
    let chat: Value = serde_json::from_str(&openai::chat("x")).unwrap();
    let own = format!("/v1/{place}/endpoints/123/chat/completions");
    let named = CHAT.replace("\"m\"", "\"endpoints.123\"");
    check("/v1/chat/completions", &named, "m", chat.clone(), &own);
    let llama = CHAT.replace("\"m\"", "\"meta.llama-4\"");
    let sent = check(
        "/v1/chat/completions",
        &llama,
        "m",
        chat,
        &format!("/v1/{place}/endpoints/openapi/chat/completions"),
    );
    assert_eq!(sent["model"], "meta/llama-4");
}

#[test]
fn what_is_missing_is_named_with_all_its_places() {
    let gateway = Gateway::start();
    let reply = Ask::post("/v1/chat/completions", CHAT)
        .header("x-ostia-provider", "vertex-ai")
        .header("authorization", "Bearer k")
        .to(&gateway);
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("setting_missing")));
    for words in [
        "vertex_project_id",
        "x-ostia-vertex-project-id",
        "GOOGLE_CLOUD_PROJECT",
        "providers.vertex-ai.settings",
    ] {
        assert!(reply.text().contains(words), "{words}: {}", reply.text());
    }
    let bad = ask("/v1/chat/completions", CHAT, "vertex-ai", "http://127.0.0.1:1")
        .header("x-ostia-vertex-project-id", "p")
        .header("x-ostia-vertex-region", "evil.com/")
        .to(&gateway);
    assert_eq!((bad.status, &bad.json()["error"]["param"]), (400, &json!("vertex_region")), "{}", bad.text());
}

#[test]
fn headers_of_a_row_may_hold_settings() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::with(&format!(
        "providers:\n  own:\n    base_url: '{}'\n    dialects: [openai_chat]\n    auth: none\n    \
         headers: {{x-team: 'of {{team}}', x-json: '{{\"a\": 1}}'}}\n    settings: {{team: {{optional: true}}}}\n",
        upstream.url()
    ));
    let ask = || Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "own");
    assert_eq!(ask().to(&gateway).status, 200);
    let seen = upstream.last();
    assert_eq!((seen.header("x-team"), seen.header("x-json").as_deref()), (None, Some("{\"a\": 1}")));
    assert_eq!(ask().header("x-ostia-team", "red").to(&gateway).status, 200);
    assert_eq!(upstream.last().header("x-team").as_deref(), Some("of red"));
}

#[test]
fn a_provider_that_was_switched_off_is_not_asked() {
    let gateway = Gateway::start();
    let ask = || Ask::post("/v1/chat/completions", CHAT).header("authorization", "Bearer k");
    for id in ["palm", "anyscale", "lepton", "kluster-ai", "octoai"] {
        let reply = ask().header("x-ostia-provider", id).to(&gateway);
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!("provider_retired")), "{id}");
        assert!(
            reply.text().contains("switched off") || reply.text().contains("switched the"),
            "{}",
            reply.text()
        );
    }
    // A server of one's own that speaks as it did is another matter.
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let ask = ask().header("x-ostia-provider", "anyscale").header("x-ostia-custom-host", &upstream.url());
    assert_eq!(ask.to(&gateway).status, 200);
}

/// An own provider at `http://ZONE:PORT` of the upstream, with a key of the operator's.
fn zones(upstream: &Upstream, zone: &str) -> String {
    let port = upstream.address().port();
    format!(
        "providers:\n  own:\n    base_url: 'http://{{zone}}:{port}'\n    dialects: [openai_chat]\n    api_key: sk-operator\n    \
         settings: {{zone: {{kind: label, env: [OWN_ZONE], value: {zone}}}}}\n"
    )
}

#[test]
fn the_file_goes_before_the_environment() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let ask = || Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "own");
    let gateway =
        Setup::new().config(&zones(&upstream, "localhost")).env("OWN_ZONE", "nowhere-at-all").start();
    assert_eq!(ask().to(&gateway).status, 200);
    let gateway = Setup::new().config(&zones(&upstream, "null")).env("OWN_ZONE", "localhost").start();
    assert_eq!(ask().to(&gateway).status, 200);
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-operator"));
}

#[test]
fn a_part_of_the_host_that_a_client_chose_makes_it_the_clients_host() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let ask = |zone: &str| {
        let ask = Ask::post("/v1/chat/completions", CHAT).header("x-ostia-provider", "own");
        ask.header("x-ostia-zone", zone)
    };
    // The operator's own value, said by the client, changes nothing.
    let gateway = Gateway::with(&zones(&upstream, "localhost"));
    assert_eq!(ask("localhost").to(&gateway).status, 200);
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-operator"));
    // Another one is a host of the client's, and the operator's key does not go there.
    let gateway = Gateway::with(&zones(&upstream, "elsewhere"));
    let reply = ask("localhost").header("authorization", "Bearer sk-client").to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-client"));
    assert_eq!(ask("localhost").to(&gateway).status, 200);
    assert_eq!(upstream.last().header("authorization"), None);
    // Where clients may name a few hosts only, this is none of them.
    let gateway =
        Gateway::with(&(zones(&upstream, "elsewhere") + "egress: {allow_hosts: [api.example.com]}\n"));
    let refused = ask("localhost").to(&gateway);
    assert_eq!(refused.json()["error"]["code"], "invalid_custom_host", "{}", refused.text());
}

/// A key of IBM Cloud's is shown to its IAM alone, once for many calls; a token is shown as it is.
#[test]
fn watsonx_is_asked_with_a_token_that_is_given_for_the_key() {
    let iam = Upstream::serve(|request| match request.text().contains("apikey=key%2Dof%2Dmine") {
        true => Answer::json(r#"{"access_token":"eyJ.token.1","token_type":"Bearer","expires_in":3600}"#),
        false => Answer::json(
            r#"{"errorCode":"BXNIM0415E","errorMessage":"Provided API key could not be found."}"#,
        )
        .status(400),
    });
    let answer = r#"{"id":"chatcmpl-1","model_id":"ibm/granite","created":1,"created_at":"2026-01-01T00:00:00Z",
        "choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3},"system":{"warnings":[{"message":"old"}]}}"#;
    let event = |more: &str| {
        format!(
            "id: 1\nevent: message\ndata: {{\"id\":\"c\",\"model_id\":\"ibm/granite\",\"created\":1,{more}}}\n\n"
        )
    };
    let stream = [
        event(r#""choices":[{"index":0,"finish_reason":null,"delta":{"role":"assistant","content":"Hi"}}]"#),
        event(r#""choices":[{"index":0,"finish_reason":"stop","delta":{"content":""}}]"#),
        event(r#""choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"#),
    ]
    .concat();
    let upstream = Upstream::serve(move |request| match request.target.contains("chat_stream") {
        true => Answer::stream(stream.clone()),
        false => Answer::json(answer),
    });
    let gateway = Setup::new()
        .env("IBMCLOUD_IAM_API_ENDPOINT", &iam.url())
        .config(&format!(
            "providers:\n  watsonx: {{base_url: \"{}\", api_key: key-of-mine, settings: {{watsonx_project_id: p-1}}}}\n",
            upstream.url()
        ))
        .start();
    let body = |more: &str| {
        format!(
            r#"{{"model":"ibm/granite","messages":[{{"role":"user","content":"x"}}],"tool_choice":"auto"{more}}}"#
        )
    };
    for more in ["", r#","stream":true"#, r#","user":"u""#] {
        let ask = Ask::post("/v1/chat/completions", body(more)).header("x-ostia-provider", "watsonx");
        let reply = ask.to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            reply.whole && reply.text().contains("\"Hi\"") && !reply.text().contains("model_id"),
            "{}",
            reply.text()
        );
        let seen = upstream.last();
        let path = if more.contains("stream") { "chat_stream" } else { "chat" };
        assert_eq!(seen.target, format!("/ml/v1/text/{path}?version=2024-10-10"));
        assert_eq!(seen.header("authorization").as_deref(), Some("Bearer eyJ.token.1"));
        let messages = json!([{"role": "user", "content": "x"}]);
        let expected = json!({"model_id": "ibm/granite", "messages": messages, "tool_choice_option": "auto", "project_id": "p-1"});
        assert_eq!(seen.json(), expected);
    }
    assert_eq!((iam.count(), upstream.count()), (1, 3));
    // A host that the client chose, and the client's own key.
    let elsewhere = format!("http://localhost:{}", upstream.address().port());
    let ask = |key: &str| {
        ask("/v1/chat/completions", &body(""), "watsonx", &elsewhere)
            .without("authorization")
            .header("authorization", &format!("Bearer {key}"))
            .to(&gateway)
    };
    assert_eq!(ask("eyJ.of.mine").status, 200);
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer eyJ.of.mine"));
    let refused = ask("no-key");
    assert_eq!((refused.status, iam.count(), upstream.count()), (401, 2, 4), "{}", refused.text());
}

/// A user's key signs method, path, host, date and body; a key of the service's own is a bearer.
#[test]
fn oracle_is_asked_with_a_signature() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----",
        STANDARD.encode(der.as_ref())
    );
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::start();
    let ask = || {
        Ask::post("/v1/chat/completions", CHAT)
            .header("x-ostia-provider", "oracle")
            .header("x-ostia-custom-host", &upstream.url())
            .header("x-ostia-oracle-compartment-id", "ocid1.compartment.oc1..c")
    };
    let signed = |ask: Ask| {
        let names = [("user", "ocid1.user.oc1..u"), ("fingerprint", "20:3b"), ("private-key", pem.as_str())];
        names.iter().fold(ask, |ask, (name, value)| ask.header(&format!("x-ostia-oracle-{name}"), value))
    };
    let reply = signed(ask()).header("x-ostia-oracle-tenancy", "ocid1.tenancy.oc1..t").to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = upstream.last();
    let shown = seen.header("authorization").unwrap();
    let (head, signature) = shown.rsplit_once(",signature=\"").unwrap();
    assert_eq!(
        head,
        "Signature version=\"1\",keyId=\"ocid1.tenancy.oc1..t/ocid1.user.oc1..u/20:3b\",algorithm=\"rsa-sha256\",\
         headers=\"date (request-target) host content-length content-type x-content-sha256\""
    );
    let hash = STANDARD.encode(digest(&SHA256, seen.text().as_bytes()));
    let header = |name: &str| seen.header(name).unwrap();
    let text = format!(
        "date: {}\n(request-target): post {}\nhost: {}\ncontent-length: {}\ncontent-type: {}\nx-content-sha256: {hash}",
        header("date"),
        seen.target,
        header("host"),
        seen.text().len(),
        header("content-type"),
    );
    let signature = STANDARD.decode(signature.trim_end_matches('"')).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    public.verify(text.as_bytes(), &signature).expect("what was sent was signed");
    for name in ["compartmentid", "opc-compartment-id"] {
        assert_eq!(header(name), "ocid1.compartment.oc1..c");
    }
    assert!(!format!("{:?}", seen.headers).contains("PRIVATE KEY"));
    // By parts it is refused here, and a key of the service's own signs nothing.
    let refused = signed(ask()).to(&gateway);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("oracle_tenancy is missing"), "{}", refused.text());
    assert_eq!(ask().header("authorization", "Bearer sk-of-oracle").to(&gateway).status, 200);
    assert_eq!(upstream.last().header("authorization").as_deref(), Some("Bearer sk-of-oracle"));
}

/// The endpoint is the model, and what signs is a token made of AWS's keys.
#[test]
fn sagemaker_is_asked_by_endpoint_with_a_token() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let gateway = Gateway::start();
    let ask = |headers: &[(&str, &str)]| {
        let ask = Ask::post("/v1/chat/completions", CHAT.replace("\"m\"", "\"my-endpoint\""))
            .header("x-ostia-provider", "sagemaker")
            .header("x-ostia-custom-host", &upstream.url())
            .header("x-ostia-aws-access-key-id", "AKIDEXAMPLE")
            .header("x-ostia-aws-secret-access-key", "secret-of-mine")
            .header("x-ostia-aws-region", "eu-west-1");
        let reply = headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        upstream.last()
    };
    let seen = ask(&[]);
    assert_eq!(seen.target, "/endpoints/my-endpoint/openai/v1/chat/completions");
    assert_eq!(seen.json()["model"], "");
    let shown = seen.header("authorization").unwrap();
    assert!(shown.starts_with("Bearer sagemaker-api-key-"), "{shown}");
    assert!(!format!("{:?}", seen.headers).contains("secret-of-mine"));
    let seen = ask(&[("x-ostia-amzn-sagemaker-inference-component", "a b")]);
    assert_eq!(seen.target, "/endpoints/my-endpoint/inference-components/a%20b/openai/v1/chat/completions");
    // Containers of other forms are reached through the raw proxy, whose body is signed.
    let sent = r#"{"instances":[[1,2]]}"#;
    let reply = Ask::post("/v1/proxy/endpoints/mine/invocations", sent)
        .header("x-ostia-provider", "sagemaker-invoke")
        .header("x-ostia-custom-host", &upstream.url())
        .header("x-ostia-aws-access-key-id", "AKIDEXAMPLE")
        .header("x-ostia-aws-secret-access-key", "secret-of-mine")
        .to(&gateway);
    let seen = upstream.last();
    assert_eq!(
        (reply.status, seen.target.as_str()),
        (200, "/endpoints/mine/invocations"),
        "{}",
        reply.text()
    );
    assert_eq!(seen.text(), sent);
    let signature = seen.header("authorization").unwrap();
    assert!(signature.contains("/us-east-1/sagemaker/aws4_request"), "{signature}");
}
