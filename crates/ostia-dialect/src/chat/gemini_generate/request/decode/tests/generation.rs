use serde_json::{Value, json};

use super::{ask, check, check_same, read, refuses};
use crate::{Logprobs, OutputFormat, Reasoning};

fn config(config: Value) -> Value {
    ask(json!({"generationConfig": config}))
}

#[test]
fn settings_come_out_as_they_went_in() {
    check_same(&config(json!({
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "enableAffectiveDialog": true,
        "responseModalities": ["TEXT"],
        "temperature": 0.50, "topP": 1, "topK": 40, "seed": 7, "presencePenalty": 0.1, "frequencyPenalty": 0.2,
        "maxOutputTokens": 9, "candidateCount": 2, "stopSequences": ["a"], "responseLogprobs": true, "logprobs": 3,
    })));
    check_same(&config(json!({"responseModalities": ["TEXT", "IMAGE"]})));
    check_same(&config(json!({"responseMimeType": "application/json"})));
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false});
    check_same(&config(json!({"responseMimeType": "application/json", "responseJsonSchema": schema})));
}

#[test]
fn snake_case_is_the_same() {
    let snake = json!({"top_k": 40.0, "max_output_tokens": 9, "stop_sequences": ["a"], "response_mime_type":
        "application/json", "response_schema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}});
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let camel = json!({"topK": 40, "maxOutputTokens": 9, "stopSequences": ["a"], "responseMimeType":
        "application/json", "responseJsonSchema": schema});
    check(&config(snake), &config(camel), &[]);
}

#[test]
fn output_has_the_shape_of_the_type_and_schema() {
    let format = |fields: Value| read(&config(fields)).output_format;
    let schema = json!({"type": "string"});
    assert_eq!(format(json!({})), None);
    assert_eq!(format(json!({"responseMimeType": "text/plain"})), Some(OutputFormat::Text));
    assert_eq!(format(json!({"responseMimeType": "application/json"})), Some(OutputFormat::JsonObject));
    let Some(OutputFormat::JsonSchema { schema: said, .. }) =
        format(json!({"responseSchema": {"type": "STRING"}}))
    else {
        panic!()
    };
    assert_eq!(said.to_value(), schema);
}

/// The answer in such a type is one word without quotes, which no other vendor can be made to say.
#[test]
fn types_of_the_vendors_own_stay_its_own() {
    let own = config(
        json!({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["x", "y"]}}),
    );
    check_same(&own);
    let request = read(&own);
    assert_eq!(request.output_format, None);
    let paths: Vec<&str> = request.extra.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["generationConfig.responseMimeType", "generationConfig.responseSchema"]);
}

#[test]
fn probabilities_are_asked_for_by_the_flag() {
    let logprobs = |fields: Value| read(&config(fields)).sampling.logprobs;
    assert_eq!(logprobs(json!({"responseLogprobs": true})), Some(Logprobs { top: None }));
    assert_eq!(logprobs(json!({"responseLogprobs": true, "logprobs": 2})), Some(Logprobs { top: Some(2) }));
    assert_eq!(logprobs(json!({"responseLogprobs": false})), None);
    let alone = read(&config(json!({"logprobs": 2})));
    assert_eq!((alone.sampling.logprobs, alone.extra[0].0.as_str()), (None, "generationConfig.logprobs"));
}

#[test]
fn thinking_is_a_level_or_a_budget() {
    let hidden = || Reasoning { visible: Some(false), ..Reasoning::default() };
    let on = Some(true);
    for (said, heard) in [
        (json!({"thinkingBudget": 0}), Reasoning { enabled: Some(false), ..hidden() }),
        (json!({"thinking_budget": 100}), Reasoning { enabled: on, budget_tokens: Some(100), ..hidden() }),
        (json!({"thinkingBudget": -1}), Reasoning { enabled: on, adaptive: true, ..hidden() }),
        (json!({"thinkingLevel": "LOW"}), Reasoning { effort: Some("low".into()), ..hidden() }),
        (json!({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}), hidden()),
        (json!({"include_thoughts": true}), Reasoning { enabled: on, visible: on, ..Reasoning::default() }),
        (
            json!({"includeThoughts": true, "thinkingLevel": "high"}),
            Reasoning { enabled: on, visible: on, effort: Some("high".into()), ..Reasoning::default() },
        ),
    ] {
        let body = config(json!({"thinkingConfig": said}));
        assert_eq!(read(&body).reasoning, Some(heard), "{said}");
    }
    for said in [
        json!({"thinkingBudget": 0}),
        json!({"thinkingBudget": 2000}),
        json!({"thinkingBudget": -1, "includeThoughts": true}),
        json!({"includeThoughts": true}),
    ] {
        check_same(&config(json!({"thinkingConfig": said})));
    }
    let odd = config(json!({"thinkingConfig": {"thinkingBudget": 5, "odd": 1}}));
    check(
        &odd,
        &config(json!({"thinkingConfig": {"thinkingBudget": 5}})),
        &["generationConfig.thinkingConfig.odd"],
    );
}

#[test]
fn settings_that_are_none_name_the_field() {
    for (name, value) in [
        ("temperature", json!("hot")),
        ("topK", json!([])),
        ("maxOutputTokens", json!(-1)),
        ("candidateCount", json!(1.5)),
        ("stopSequences", json!("a")),
        ("responseMimeType", json!(1)),
        ("responseSchema", json!("x")),
        ("responseJsonSchema", json!([])),
        ("responseLogprobs", json!("yes")),
        ("responseModalities", json!("TEXT")),
        ("thinkingConfig", json!(1)),
    ] {
        refuses(&config(json!({name: value})), &format!("generationConfig.{name}"));
    }
    let thinking = |name: &str, value: Value| config(json!({"thinkingConfig": {name: value}}));
    refuses(&thinking("thinkingBudget", json!(-2)), "generationConfig.thinkingConfig.thinkingBudget");
    refuses(&thinking("thinkingLevel", json!(3)), "generationConfig.thinkingConfig.thinkingLevel");
    refuses(&thinking("includeThoughts", json!(3)), "generationConfig.thinkingConfig.includeThoughts");
}
