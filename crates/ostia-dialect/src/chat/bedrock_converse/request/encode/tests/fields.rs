//! Fields of the top, and what only some makers' models have.

use serde_json::{Value, json};

use super::{CLAUDE, OWN, of_chat, of_messages};

const NOVA_2: &str = "us.amazon.nova-2-lite-v1:0";
const GPT_OSS: &str = "openai.gpt-oss-120b-1:0";

/// What a Chat Completions request of this model becomes, the conversation left out.
#[track_caller]
fn check(model: &str, fields: Value, expected: Value, lost: &[&str]) {
    let (mut body, dropped) = of_chat(model, fields);
    assert_eq!(body["messages"].take(), json!([{"role": "user", "content": [{"text": "q"}]}]));
    body.as_object_mut().unwrap().remove("messages");
    assert_eq!((body, dropped), (expected, lost.iter().map(|&path| path.to_owned()).collect()));
}

#[test]
fn the_inference_configuration() {
    check(CLAUDE, json!({"stream": true}), json!({}), &[]);
    check(
        CLAUDE,
        json!({"max_tokens": 9, "temperature": 0, "stop": "X"}),
        json!({"inferenceConfig": {"maxTokens": 9, "temperature": 0, "stopSequences": ["X"]},
               "additionalModelResponseFieldPaths": ["/stop_sequence"]}),
        &[],
    );
    check(
        "anthropic.claude-3-haiku-20240307-v1:0",
        json!({"stream": true, "top_p": 0.5, "temperature": 0.25, "stop": ["X"], "top_k": 4,
               "additional_model_response_field_paths": ["/delta/stop_sequence", "/x"]}),
        json!({"inferenceConfig": {"temperature": 0.25, "topP": 0.5, "stopSequences": ["X"]},
               "additionalModelRequestFields": {"top_k": 4},
               "additionalModelResponseFieldPaths": ["/delta/stop_sequence", "/x"]}),
        &[],
    );
    check(
        CLAUDE,
        json!({"seed": 1, "n": 2, "presence_penalty": 1, "frequency_penalty": 1, "logprobs": true, "top_logprobs": 2,
               "logit_bias": {"1": 2}, "parallel_tool_calls": false, "user": "u", "web_search_options": {}, "store": true}),
        json!({}),
        &[
            "parallel_tool_calls",
            "store",
            "n",
            "seed",
            "presence_penalty",
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "web_search_options",
            "user",
        ],
    );
}

#[test]
fn the_vendors_own_fields_in_both_spellings() {
    let guard = json!({"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"});
    for (guardrail, performance, model_fields) in [
        ("guardrailConfig", "performanceConfig", "additionalModelRequestFields"),
        ("guardrail_config", "performance_config", "additional_model_request_fields"),
    ] {
        check(
            CLAUDE,
            json!({guardrail: guard, performance: {"latency": "optimized"}, model_fields: {"top_k": 3, "x": [1]}, "top_k": 4}),
            json!({"guardrailConfig": guard, "performanceConfig": {"latency": "optimized"},
                   "additionalModelRequestFields": {"top_k": 3, "x": [1]}}),
            &[],
        );
    }
    check(
        CLAUDE,
        json!({"prompt_variables": {"a": {"text": "b"}}, "project_identifier": "p", "guardrail_config": null, "of_tomorrow": 1}),
        json!({"promptVariables": {"a": {"text": "b"}}, "projectIdentifier": "p"}),
        &["of_tomorrow"],
    );
}

#[test]
fn tiers() {
    for (tier, expected, lost) in [
        ("auto", json!({}), &[][..]),
        ("default", json!({"serviceTier": {"type": "default"}}), &[]),
        ("flex", json!({"serviceTier": {"type": "flex"}}), &[]),
        ("priority", json!({"serviceTier": {"type": "priority"}}), &[]),
        ("reserved", json!({"serviceTier": {"type": "reserved"}}), &[]),
        ("scale", json!({}), &["service_tier"]),
    ] {
        check(CLAUDE, json!({"service_tier": tier}), expected, lost);
    }
}

#[test]
fn metadata_that_the_vendor_takes() {
    let long = "x".repeat(257);
    check(
        CLAUDE,
        json!({"metadata": {"team": "a@b.example:1/2", "é": "a", "b": "ü", "c": long, "d": ""}, "requestMetadata": {"own": "1"}}),
        json!({"requestMetadata": {"own": "1", "team": "a@b.example:1/2", "d": ""}}),
        &["metadata.é", "metadata.b", "metadata.c"],
    );
    let many: serde_json::Map<String, Value> = (10..28).map(|at| (format!("k{at}"), json!("v"))).collect();
    let (body, dropped) = of_chat(CLAUDE, json!({"metadata": many}));
    assert_eq!(body["requestMetadata"].as_object().unwrap().len(), 16);
    assert_eq!(dropped, ["metadata.k26", "metadata.k27"]);
    let (body, dropped) = of_messages(CLAUDE, json!({"metadata": {"user_id": "u", "team": "t", "n": 1}}));
    assert_eq!(body["requestMetadata"], json!({"team": "t"}));
    assert_eq!(dropped, ["metadata.n", "user"]);
}

#[test]
fn how_anthropics_models_are_told_to_think() {
    check(
        CLAUDE,
        json!({"reasoning": {"max_tokens": 2000}, "max_tokens": 4000, "temperature": 0.5, "top_k": 4}),
        json!({"inferenceConfig": {"maxTokens": 4000},
               "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}}}),
        &["top_k", "temperature"],
    );
    // Room for the thoughts, where the client bounds nothing.
    check(
        CLAUDE,
        json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        json!({"inferenceConfig": {"maxTokens": 64000},
               "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}}}),
        &[],
    );
    let (body, dropped) = of_messages(
        "global.anthropic.claude-opus-4-6-v1",
        json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}, "anthropic_beta": ["a", "b,a"], "top_p": 0.5}),
    );
    assert_eq!(
        body["additionalModelRequestFields"],
        json!({"thinking": {"type": "adaptive"}, "anthropic_beta": ["a", "b"]})
    );
    assert_eq!(body["outputConfig"], json!({"effort": "max"}));
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 4000}));
    assert_eq!(dropped, ["top_p"]);
    // A profile's name tells no model.
    let profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456";
    let (body, _) = of_messages(profile, json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}));
    assert_eq!(body["additionalModelRequestFields"]["thinking"]["budget_tokens"], 1024);
}

#[test]
fn how_others_are_told_to_think() {
    check(
        GPT_OSS,
        json!({"reasoning_effort": "high", "max_tokens": 9}),
        json!({"inferenceConfig": {"maxTokens": 9}, "additionalModelRequestFields": {"reasoning_effort": "high"}}),
        &[],
    );
    check(
        NOVA_2,
        json!({"reasoning_effort": "low", "top_k": 5, "temperature": 0.5}),
        json!({"inferenceConfig": {"temperature": 0.5},
               "additionalModelRequestFields": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"},
                                                "inferenceConfig": {"topK": 5}}}),
        &[],
    );
    check(
        NOVA_2,
        json!({"reasoning_effort": "high", "max_tokens": 9, "temperature": 0.5, "top_p": 0.5, "top_k": 5}),
        json!({"additionalModelRequestFields": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}}),
        &["top_k", "temperature", "top_p", "max_tokens"],
    );
    let medium = json!({"additionalModelRequestFields": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}});
    check(NOVA_2, json!({"reasoning": {"max_tokens": 2000}}), medium, &["thinking.budget_tokens"]);
    check(NOVA_2, json!({"reasoning_effort": "none"}), json!({}), &[]);
    check(
        "us.meta.llama4-scout-17b-instruct-v1:0",
        json!({"reasoning_effort": "low", "top_k": 4}),
        json!({}),
        &["reasoning_effort", "top_k"],
    );
    check(
        "cohere.command-r-v1:0",
        json!({"top_k": 4}),
        json!({"additionalModelRequestFields": {"k": 4}}),
        &[],
    );
}

#[test]
fn output_after_a_schema() {
    let format = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema":
        {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}, "maxItems": 3}}, "required": ["a"], "additionalProperties": false}}}});
    let (body, dropped) = of_chat(CLAUDE, format.clone());
    let told = &body["outputConfig"]["textFormat"];
    assert_eq!(told["type"], "json_schema");
    let definition = &told["structure"]["jsonSchema"];
    assert_eq!((&definition["name"], &definition["description"]), (&json!("n"), &json!("d")));
    let schema: Value = serde_json::from_str(definition["schema"].as_str().unwrap()).unwrap();
    assert_eq!(schema["properties"]["a"]["maxItems"], Value::Null);
    assert_eq!(dropped, ["response_format.json_schema.schema.properties.a.maxItems"]);
    for model in [
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "amazon.nova-pro-v1:0",
        "us.meta.llama3-3-70b-instruct-v1:0",
    ] {
        check(model, format.clone(), json!({}), &["response_format"]);
    }
    check(CLAUDE, json!({"response_format": {"type": "json_object"}}), json!({}), &["response_format"]);
    let (body, dropped) = of_chat("qwen.qwen3-235b-a22b-2507-v1:0", format);
    assert!(
        body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]
            .as_str()
            .unwrap()
            .contains("maxItems")
    );
    assert_eq!(dropped, Vec::<String>::new());
}

#[test]
fn what_of_a_request_is_counted() {
    let (body, _) = of_chat(
        CLAUDE,
        json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}], "max_tokens": 4000,
               "thinking": {"type": "enabled", "budget_tokens": 2000}, "service_tier": "flex", "metadata": {"a": "b"},
               "tools": [{"type": "function", "function": {"name": "f"}}]}),
    );
    let counted = OWN.count_body(CLAUDE, body.to_string().as_bytes());
    let counted: Value = serde_json::from_slice(&counted).unwrap();
    let mut expected =
        json!({"messages": body["messages"], "system": body["system"], "toolConfig": body["toolConfig"]});
    expected["additionalModelRequestFields"] = body["additionalModelRequestFields"].clone();
    assert_eq!(counted, json!({"input": {"converse": expected}}));
    assert_eq!(OWN.decode_count(br#"{"inputTokens":23}"#), Some(23));
    assert_eq!(OWN.decode_count(br#"{"input_tokens":23}"#), None);
}
