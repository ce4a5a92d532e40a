//! Google, generateContent: <https://ai.google.dev/api/generate-content>. Its server refuses every field that it does not
//! know, at any depth ("Unknown name ...: Cannot find field").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Asked;
use super::rule::{Bound, Checked, Word, begins, bounds, each, fields, join, one_of, require};
use super::schema::Takes;
use crate::model::spelled;

const FIELDS: &[&str] = &[
    "cachedContent",
    "contents",
    "generationConfig",
    "labels",
    "model",
    "safetySettings",
    "serviceTier",
    "store",
    "systemInstruction",
    "toolConfig",
    "tools",
];
const GENERATION: &[&str] = &[
    "candidateCount",
    "enableEnhancedCivicAnswers",
    "frequencyPenalty",
    "imageConfig",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "seed",
    "speechConfig",
    "stopSequences",
    "temperature",
    "thinkingConfig",
    "topK",
    "topP",
];
const PART: &[&str] = &[
    "codeExecutionResult",
    "executableCode",
    "fileData",
    "functionCall",
    "functionResponse",
    "inlineData",
    "mediaResolution",
    "partMetadata",
    "text",
    "thought",
    "thoughtSignature",
    "videoMetadata",
];
const TOOL: &[&str] =
    &["codeExecution", "fileSearch", "functionDeclarations", "googleMaps", "googleSearch", "urlContext"];
const BOUNDS: &[(&str, Bound)] = &[
    ("/generationConfig/stopSequences", Bound::Items(5)),
    ("/generationConfig/maxOutputTokens", Bound::Number(1.0, f64::MAX)),
    ("/generationConfig/temperature", Bound::Number(0.0, 2.0)),
    (
        "/generationConfig/thinkingConfig/thinkingLevel",
        Bound::OneOf(&["minimal", "low", "medium", "high", "MINIMAL", "LOW", "MEDIUM", "HIGH"]),
    ),
    ("/toolConfig/functionCallingConfig/mode", Bound::OneOf(&["AUTO", "ANY", "NONE", "VALIDATED"])),
];
/// "Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or
/// dashes (-), with a maximum length of 64."
const NAME: Word = Word { chars_max: 64, signs: "_.:-", begins_with_letter: true };
/// `parameters` has an older form of schemas: <https://ai.google.dev/api/caching#Schema>.
const SCHEMA: Takes = Takes {
    not_at_top: &[],
    keywords: Some(&[
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
        "propertyOrdering",
        "default",
        "items",
        "minimum",
        "maximum",
    ]),
    names: None,
    items: true,
    required: true,
};
const JSON_SCHEMA: Takes =
    Takes { not_at_top: &[], keywords: None, names: None, items: false, required: false };
const BEFORE_3: &[&str] = &["gemini-2", "gemini-1"];
/// Stands for the signature of calls that are not the model's own
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
const FOREIGN: &str = "skip_thought_signature_validator";
/// How the signature begins that LangChain for JavaScript has in its code for calls without one (@langchain/google-genai,
/// `DUMMY_SIGNATURE`).
const LANGCHAINS: &str =
    "ErYCCrMCAdHtim9kOoOkrPiCNVsmlpMIKd7ZMxgiFbVQOkgp7nlLcDMzVsZwIzvuT7nQROivoXA72ccC2lSDvR0Gh7dk";

pub(super) fn check(asked: &Asked<'_>) -> Checked {
    let body = &spelled(asked.body);
    let asked = &Asked { body, ..*asked };
    fields(body, FIELDS, "")?;
    if let Some(generation) = body.get("generationConfig") {
        fields(generation, GENERATION, "generationConfig")?;
    }
    bounds(body, BOUNDS)?;
    thinking(asked)?;
    tools(asked)?;
    if let Some(system) = body.get("systemInstruction") {
        fields(system, &["parts", "role"], "systemInstruction")?;
        parts(asked, &system["parts"], "systemInstruction.parts")?;
    }
    require(
        body["contents"].as_array().is_some_and(|all| !all.is_empty()),
        "contents",
        "contents is not specified",
    )?;
    for (path, content) in each(&body["contents"], "contents") {
        fields(content, &["role", "parts"], &path)?;
        one_of(&content["role"], &["user", "model"], &join(&path, "role"))?;
        parts(asked, &content["parts"], &join(&path, "parts"))?;
    }
    turns(asked)
}

fn thinking(asked: &Asked<'_>) -> Checked {
    let thinking = &asked.body["generationConfig"]["thinkingConfig"];
    let path = "generationConfig.thinkingConfig";
    if let Some(_known) = thinking.as_object() {
        fields(thinking, &["includeThoughts", "thinkingBudget", "thinkingLevel"], path)?;
    }
    let (level, budget) = (!thinking["thinkingLevel"].is_null(), !thinking["thinkingBudget"].is_null());
    require(!(level && budget), path, "thinking_level and thinking_budget are mutually exclusive")?;
    require(!level || !begins(asked.model, BEFORE_3), path, "thinking level is not supported for this model")
}

fn tools(asked: &Asked<'_>) -> Checked {
    let (mut declares, mut hosted) = (false, false);
    for (path, tool) in each(&asked.body["tools"], "tools") {
        fields(tool, TOOL, &path)?;
        declares |= tool["functionDeclarations"].is_array();
        hosted |= tool["googleSearch"].is_object() || tool["codeExecution"].is_object();
        for (path, function) in each(&tool["functionDeclarations"], &join(&path, "functionDeclarations")) {
            let known = [
                "name",
                "description",
                "parameters",
                "parametersJsonSchema",
                "behavior",
                "response",
                "responseJsonSchema",
            ];
            fields(function, &known, &path)?;
            NAME.check(&function["name"], &join(&path, "name"))?;
            let both = function.get("parameters").is_some() && function.get("parametersJsonSchema").is_some();
            require(!both, &path, "parameters and parameters_json_schema are mutually exclusive")?;
            if let Some(schema) = function.get("parameters") {
                let path = join(&path, "parameters");
                SCHEMA.check(schema, &path)?;
                let none = schema["properties"].as_object().is_none_or(serde_json::Map::is_empty);
                require(!none, &join(&path, "properties"), "should be non-empty for OBJECT type")?;
            }
            if let Some(schema) = function.get("parametersJsonSchema") {
                JSON_SCHEMA.check(schema, &join(&path, "parametersJsonSchema"))?;
            }
        }
    }
    let old = begins(asked.model, BEFORE_3);
    require(!(old && declares && hosted), "tools", "tool use with function calling is unsupported")?;
    let json = asked.body["generationConfig"]["responseMimeType"] == "application/json";
    require(
        !(old && declares && json),
        "tools",
        "function calling with a response mime type: 'application/json' is unsupported",
    )?;
    let server_side = asked.body["toolConfig"]["includeServerSideToolInvocations"] == true;
    require(
        old || server_side || !(declares && hosted),
        "toolConfig",
        "include_server_side_tool_invocations has to be true beside built-in tools",
    )
}

fn parts(asked: &Asked<'_>, list: &Value, path: &str) -> Checked {
    require(
        list.as_array().is_some_and(|parts| !parts.is_empty()),
        path,
        "must include at least one parts field",
    )?;
    for (path, part) in each(list, path) {
        fields(part, PART, &path)?;
        let data = [
            "text",
            "functionCall",
            "functionResponse",
            "inlineData",
            "fileData",
            "executableCode",
            "codeExecutionResult",
        ];
        let count = data.iter().filter(|name| part.get(**name).is_some()).count();
        require(count == 1, &path, "required oneof field 'data' must have one initialized field")?;
        if let Some(call) = part.get("functionCall") {
            fields(call, &["id", "name", "args"], &join(&path, "functionCall"))?;
            NAME.check(&call["name"], &join(&path, "functionCall.name"))?;
            require(
                call["args"].is_object() || call.get("args").is_none(),
                &join(&path, "functionCall.args"),
                "expected an object",
            )?;
        }
        if let Some(response) = part.get("functionResponse") {
            fields(
                response,
                &["id", "name", "response", "parts", "willContinue", "scheduling"],
                &join(&path, "functionResponse"),
            )?;
            NAME.check(&response["name"], &join(&path, "functionResponse.name"))?;
            require(
                response["response"].is_object(),
                &join(&path, "functionResponse.response"),
                "expected an object",
            )?;
        }
        if let Some(signature) = part["thoughtSignature"].as_str() {
            let own = signature.replace('-', "+").replace('_', "/") == STANDARD.encode(asked.proof);
            require(
                own || signature == FOREIGN
                    || signature == STANDARD.encode(FOREIGN)
                    || signature.starts_with(LANGCHAINS),
                &join(&path, "thoughtSignature"),
                "corrupted thought signature",
            )?;
        }
    }
    Ok(())
}

/// A turn with calls stands behind one of the user or one with results; behind it stands one with as many results. From Gemini 3
/// on the first call of a turn has a signature, which is looked at behind the user's last words only
/// (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
fn turns(asked: &Asked<'_>) -> Checked {
    let count = |content: &Value, kind: &str| {
        content["parts"].as_array().into_iter().flatten().filter(|part| part.get(kind).is_some()).count()
    };
    let contents = asked.body["contents"].as_array().into_iter().flatten();
    let speaks = |content: &&Value| content["role"] == "user" && count(content, "text") > 0;
    let mut earlier =
        contents.clone().count() - contents.rev().take_while(|content| !speaks(content)).count();
    let (mut calls, mut before) = (0, "");
    for (path, content) in each(&asked.body["contents"], "contents") {
        let results = count(content, "functionResponse");
        require(
            results == calls,
            &path,
            "ensure that the number of function response parts is equal to the number of function call parts of the function call turn",
        )?;
        calls = count(content, "functionCall");
        require(
            calls == 0 || before == "user",
            &path,
            "ensure that function call turn comes immediately after a user turn or after a function response turn",
        )?;
        let path = join(&path, "parts");
        let first = each(&content["parts"], &path).find(|(_, part)| part.get("functionCall").is_some());
        let is_earlier = earlier > 0;
        earlier = earlier.saturating_sub(1);
        if let (Some((path, part)), false) = (first, is_earlier || begins(asked.model, BEFORE_3)) {
            let words = "function call is missing a thought_signature in functionCall parts";
            require(part["thoughtSignature"].is_string(), &path, words)?;
        }
        before = content["role"].as_str().unwrap_or_default();
    }
    require(calls == 0, "contents", "function call turn has no function response turn")?;
    require(before == "user", "contents", "ensure that a single turn request ends with a user role")
}
