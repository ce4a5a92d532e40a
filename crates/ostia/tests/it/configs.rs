//! What a routing config and the operator's file change about a call.

use ostia_testkit::vendor::{anthropic, openai};
use ostia_testkit::{Answer, Upstream};
use serde_json::json;

use crate::gateway::Gateway;
use crate::wire::Ask;

const BODY: &str = r#"{ "model":"m", "temperature":1.0, "user":"u", "messages":[{"role":"user","content":"x","name":"n"}] }"#;

#[test]
fn fields_are_set_and_left_out() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    for (config, expected) in [
        (
            json!({"override_params": {"temperature": 0.5, "x": [1]}}),
            r#"{ "model":"m", "temperature":0.5, "user":"u", "messages":[{"role":"user","content":"x","name":"n"}],"x":[1] }"#,
        ),
        (
            json!({"override_params": {"model": "other"}}),
            r#"{ "model":"other", "temperature":1.0, "user":"u", "messages":[{"role":"user","content":"x","name":"n"}] }"#,
        ),
        (
            json!({"default_params": {"temperature": 0.5, "seed": 7}}),
            r#"{ "model":"m", "temperature":1.0, "user":"u", "messages":[{"role":"user","content":"x","name":"n"}],"seed":7 }"#,
        ),
    ] {
        let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY);
        let reply = ask.header("x-ostia-config", &config.to_string()).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(upstream.last().text(), expected, "{config}");
    }
    // What is left out is left out last, whoever set it.
    let dropped = json!({"drop_params": ["user", "messages[*].name", "seed"], "override_params": {"user": "v"}, "default_params": {"seed": 1}});
    let dropped = dropped.to_string();
    let ask =
        Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY).header("x-portkey-config", &dropped);
    assert_eq!(ask.to(&gateway).status, 200);
    let expected = r#"{ "model":"m", "temperature":1.0, "messages":[{"role":"user","content":"x"}] }"#;
    assert_eq!(upstream.last().text(), expected);
}

/// One request of each dialect, and what sets, fills in and leaves out the bound of its answer, relayed and translated.
#[test]
fn the_bound_of_an_answer_is_one_under_all_its_names() {
    let gateway = Gateway::start();
    let openai = Upstream::always(Answer::json(openai::chat("x")));
    let anthropic = Upstream::always(Answer::json(anthropic::message("x")));
    let messages = json!([{"role": "user", "content": "x"}]);
    let chat = |name: &str| json!({"model": "m", "messages": messages, (name): 9});
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}], "generationConfig": {"maxOutputTokens": 9}});
    let response = json!({"model": "m", "input": "x", "max_output_tokens": 9});
    let check = |path: &str, body: &serde_json::Value, config: &serde_json::Value, expected: Option<u64>| {
        for (provider, upstream) in [("openai", &openai), ("anthropic", &anthropic)] {
            let ask = Ask::post_at(upstream, provider, path, body.to_string());
            let reply = ask.header("x-ostia-config", &config.to_string()).to(&gateway);
            let relayed_response = provider == "openai" && path == "/v1/responses";
            assert!(reply.status == 200 || relayed_response, "{config} {path} {provider}: {}", reply.text());
            let sent = crate::json(&upstream.last().text());
            let names = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
            let bounds: Vec<_> = names.iter().filter_map(|name| sent[*name].as_u64()).collect();
            match expected {
                // Messages has to have a bound: where nobody gives one it is the gateway's.
                None if provider == "anthropic" => assert!(bounds.len() == 1 && bounds[0] > 9, "{sent}"),
                expected => {
                    assert_eq!(bounds, expected.into_iter().collect::<Vec<_>>(), "{config} {path} {sent}")
                }
            }
        }
    };
    for name in ["max_tokens", "max_completion_tokens", "max_output_tokens"] {
        for (path, body) in [
            ("/v1/chat/completions", &chat("max_tokens")),
            ("/v1/chat/completions", &chat("max_completion_tokens")),
            ("/v1/responses", &response),
            ("/v1beta/models/m:generateContent", &gemini),
        ] {
            check(path, body, &json!({"override_params": {(name): 7}}), Some(7));
            check(path, body, &json!({"default_params": {(name): 7}}), Some(9));
            check(path, body, &json!({"drop_params": [name]}), None);
        }
        let bare = json!({"model": "m", "messages": messages});
        check("/v1/chat/completions", &bare, &json!({"default_params": {(name): 7}}), Some(7));
        let message = chat("max_tokens");
        check("/v1/messages", &message, &json!({"override_params": {(name): 7}}), Some(7));
        check("/v1/messages", &message, &json!({"default_params": {(name): 7}}), Some(9));
    }
}

#[test]
fn provider_options_do_what_their_headers_do() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let options = [
        ("openai_organization", "openai-organization"),
        ("openai_project", "openai-project"),
        ("openai_beta", "openai-beta"),
        ("anthropic_beta", "anthropic-beta"),
        ("anthropic_version", "anthropic-version"),
    ];
    for (option, header) in options {
        let config = format!(r#"{{"provider":"openai","{option}":"of-the-config"}}"#);
        for (path, body) in [("/v1/chat/completions", BODY), ("/v1/files", "{}")] {
            let ask = Ask::post_at(&upstream, "openai", path, body).header("x-ostia-config", &config);
            assert_eq!(ask.clone().to(&gateway).status, 200);
            assert_eq!(upstream.last().header(header).as_deref(), Some("of-the-config"), "{path}");
            assert_eq!(ask.header(header, "of-the-client").to(&gateway).status, 200);
            assert_eq!(upstream.last().header(header).as_deref(), Some("of-the-config"), "{path}");
        }
    }
    for fim in [r#""true""#, "true"] {
        let config = format!(r#"{{"provider":"mistral-ai","mistral_fim_completion":{fim}}}"#);
        let ask = Ask::post_at(&upstream, "mistral-ai", "/v1/chat/completions", BODY);
        assert_eq!(ask.header("x-ostia-config", &config).to(&gateway).status, 200);
        assert!(upstream.last().target.ends_with("/fim/completions"), "{}", upstream.last().target);
    }
    let bad = r#"{"provider":"openai","openai_project":"a\nb"}"#;
    let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", BODY);
    let reply = ask.header("x-ostia-config", bad).to(&gateway);
    assert_eq!((reply.status, reply.json()["error"]["param"].as_str()), (400, Some("openai_project")));
}

#[test]
fn what_is_not_left_out_stays_byte_for_byte() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let body = "{\"seed\" : 12345678901234567890123,\r\n  \"user\":\"u\", \"top_p\":1E-0, \"x\":[1.50 , {\"y\":\"\\u00e9\\/\", \"z\":-0}, 3],\n \
                \"seed\": 7.0, \"model\":\"m\",\"messages\" : [ {\"role\":\"user\", \"name\":\"n\" ,\"content\":\"x\" } ] }\n";
    let without =
        |parts: &[&str]| parts.iter().fold(body.to_owned(), |text, part| text.replacen(part, "", 1));
    for (paths, expected) in [
        (json!(["user"]), without(&[",\r\n  \"user\":\"u\""])),
        (json!(["x[0]", "x[0].z"]), without(&["1.50 , ", ", \"z\":-0"])),
        (
            json!(["messages[*].name", "seed"]),
            without(&["\"seed\" : 12345678901234567890123,\r\n  ", ",\n \"seed\": 7.0", ", \"name\":\"n\""]),
        ),
        (json!(["nothing", "x[9]", "messages[*].tool_calls[0]"]), body.to_owned()),
    ] {
        let config = json!({"drop_params": paths}).to_string();
        let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body);
        let reply = ask.header("x-ostia-config", &config).to(&gateway);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(upstream.last().text(), expected, "{config}");
    }
    let config = json!({"drop_params": vec!["a"; 101]}).to_string();
    let ask = Ask::post_at(&upstream, "openai", "/v1/chat/completions", body);
    let reply = ask.header("x-ostia-config", &config).to(&gateway);
    assert_eq!(reply.status, 400, "{}", reply.text());
    // The same for what the provider's row leaves out and spells in its own way.
    let body = "{\"model\":\"m\", \"messages\":[ {\"role\" : \"developer\",  \"content\":[ 1.0 ] },\n {\"name\":\"n\", \"role\":\"user\" } ] }";
    let expected = "{\"model\":\"m\", \"messages\":[ {\"role\" : \"developer\",  \"content\":[ 1.0 ] },\n {\"role\":\"user\" } ] }";
    let reply = Ask::post_at(&upstream, "groq", "/v1/chat/completions", body).to(&gateway);
    assert_eq!(reply.header("x-ostia-dropped"), Some("messages[1].name"));
    assert_eq!(upstream.last().text(), expected);
    let reply = Ask::post_at(&upstream, "cerebras", "/v1/chat/completions", body).to(&gateway);
    assert_eq!((reply.status, upstream.last().text()), (200, body.replace("developer", "system")));
}

#[test]
fn fields_are_set_where_the_call_is_translated_too() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(anthropic::message("x")));
    let config = json!({
        "override_params": {"max_tokens": 77, "model": "claude-x"}, "default_params": {"stop": ["z"]},
        "drop_params": ["temperature"]
    });
    let ask = Ask::post_at(&upstream, "anthropic", "/v1/chat/completions", BODY);
    assert_eq!(ask.header("x-ostia-config", &config.to_string()).to(&gateway).status, 200);
    let seen = upstream.last().json();
    assert_eq!(
        (&seen["max_tokens"], &seen["model"], &seen["stop_sequences"]),
        (&json!(77), &json!("claude-x"), &json!(["z"]))
    );
    assert!(seen.get("temperature").is_none());
}

#[test]
fn a_config_with_one_target_names_it_all() {
    let gateway = Gateway::start();
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let leaf = json!({
        "provider": "openai", "api_key": "sk-config", "custom_host": upstream.url(), "forward_headers": ["x-team"]
    });
    let one = json!({"strategy": {"mode": "loadbalance"}, "targets": [leaf]});
    for (config, index) in [(&leaf, "config"), (&one, "config.targets[0]")] {
        let ask = Ask::post("/v1/chat/completions", BODY)
            .header("x-team", "red")
            .header("x-ostia-config", &config.to_string());
        let reply = ask.to(&gateway);
        assert_eq!(
            (reply.status, reply.header("x-ostia-last-used-option-index")),
            (200, Some(index)),
            "{}",
            reply.text()
        );
        let seen = upstream.last();
        assert_eq!(seen.header("authorization").as_deref(), Some("Bearer sk-config"));
        assert_eq!((seen.header("x-team").as_deref(), seen.text().as_str()), (Some("red"), BODY));
    }
}

#[test]
fn a_vendors_own_spellings() {
    let gateway = Gateway::start();
    let parts = openai::chat("x")
        .replace(r#""content":"x""#, r#""content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#);
    let upstream = Upstream::always(Answer::json(parts));
    let body =
        r#"{"model":"mistral-small","seed":3,"logprobs":true,"messages":[{"role":"user","content":"x"}]}"#;
    let ask = Ask::post_at(&upstream, "mistral-ai", "/v1/chat/completions", body);
    let reply = ask.to(&gateway);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = upstream.last().json();
    assert_eq!((&seen["random_seed"], seen.get("seed"), seen.get("logprobs")), (&json!(3), None, None));
    assert_eq!(reply.header("x-ostia-dropped"), Some("logprobs"));
    assert_eq!(reply.json()["choices"][0]["message"]["content"], "ab");
    assert_eq!(ask.header("x-ostia-lossless", "true").to(&gateway).status, 400);
}

#[test]
fn a_provider_of_the_operators_own() {
    let upstream = Upstream::always(Answer::json(openai::chat("x")));
    let config = format!(
        "default_provider: box\nproviders:\n  box:\n    base_url: '{}/api'\n    dialects: [openai_chat]\n    \
         headers: {{ x-site: rome }}\n    auth: {{ header: x-key }}\n    api_key: sk-box\n    models: [small]\n",
        upstream.url()
    );
    let gateway = Gateway::with(&config);
    for ask in [
        Ask::post("/v1/chat/completions", BODY),
        Ask::post("/v1/chat/completions", BODY).header("x-ostia-provider", "box"),
        Ask::post("/v1/chat/completions", BODY.replace("\"m\"", "\"@box/m\"")),
    ] {
        let reply = ask.to(&gateway);
        assert_eq!((reply.status, reply.header("x-ostia-provider")), (200, Some("box")), "{}", reply.text());
        let seen = upstream.last();
        assert_eq!((seen.target.as_str(), seen.text().as_str()), ("/api/chat/completions", BODY));
        assert_eq!(
            (seen.header("x-key").as_deref(), seen.header("x-site").as_deref()),
            (Some("sk-box"), Some("rome"))
        );
        assert_eq!(seen.header("authorization"), None);
    }
}
