//! Amazon Bedrock, Converse: <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>.

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::Asked;
use super::rule::{
    Bound, Checked, Word, begins, bounds, each, fields, is_blank, join, one_of, refuse, require, unique,
};
use super::schema::Takes;

const FIELDS: &[&str] = &[
    "additionalModelRequestFields",
    "additionalModelResponseFieldPaths",
    "guardrailConfig",
    "inferenceConfig",
    "messages",
    "outputConfig",
    "performanceConfig",
    "projectIdentifier",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
    "system",
    "toolConfig",
];
const BOUNDS: &[(&str, Bound)] = &[
    ("/inferenceConfig/maxTokens", Bound::Number(1.0, f64::MAX)),
    ("/inferenceConfig/temperature", Bound::Number(0.0, 1.0)),
    ("/inferenceConfig/topP", Bound::Number(0.0, 1.0)),
    ("/inferenceConfig/stopSequences", Bound::Items(2500)),
    ("/serviceTier/type", Bound::OneOf(&["default", "flex", "priority", "reserved"])),
    ("/performanceConfig/latency", Bound::OneOf(&["standard", "optimized"])),
    ("/requestMetadata", Bound::Items(16)),
    ("/additionalModelResponseFieldPaths", Bound::Items(10)),
    ("/additionalModelRequestFields/thinking/budget_tokens", Bound::Number(1024.0, f64::MAX)),
    ("/outputConfig/textFormat/type", Bound::OneOf(&["json_schema"])),
];
const INFERENCE: &[&str] = &["maxTokens", "stopSequences", "temperature", "topP"];
/// What users and models say.
const USER: &[&str] =
    &["audio", "cachePoint", "document", "guardContent", "image", "text", "toolResult", "video"];
const MODEL: &[&str] =
    &["cachePoint", "citationsContent", "reasoningContent", "text", "toolResult", "toolUse"];
const RESULT: &[&str] = &["document", "image", "json", "searchResult", "text", "video"];
const IMAGES: &[&str] = &["gif", "jpeg", "png", "webp"];
const DOCUMENTS: &[&str] = &["csv", "doc", "docx", "html", "md", "pdf", "txt", "xls", "xlsx"];
const VIDEOS: &[&str] = &["flv", "mkv", "mov", "mp4", "mpeg", "mpg", "three_gp", "webm", "wmv"];
const WORD: Word = Word { chars_max: 64, signs: "_-", begins_with_letter: false };
const DOCUMENT_NAME: Word = Word { chars_max: 200, signs: " -()[]_", begins_with_letter: false };
const SCHEMA: Takes = Takes {
    not_at_top: &["oneOf", "anyOf", "allOf"],
    keywords: None,
    names: None,
    items: false,
    required: false,
};
const CACHE_POINTS_MAX: usize = 4;
const DOCUMENTS_MAX: usize = 5;
const IMAGES_MAX: usize = 20;
/// How the ids of makers' models go on behind the region.
const REGIONS: &[&str] = &["us.", "eu.", "apac.", "jp.", "au.", "global."];
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html>
const NO_SYSTEM: &[&str] = &["amazon.titan", "mistral.mistral-7b", "mistral.mixtral"];
const NO_TOOLS: &[&str] = &["amazon.titan", "mistral.mistral-7b", "mistral.mixtral", "deepseek.r1"];
const NO_CHOICE: &[&str] = &["meta.", "cohere.", "ai21."];
const RESULTS_ALONE: &[&str] = &["meta.", "mistral."];
const NO_STOP: &[&str] = &["openai.gpt-oss", "qwen."];
const STATUS: &[&str] = &["anthropic.", "amazon.nova"];
const CACHE: &[&str] = &["anthropic.", "amazon.nova"];
const PREFILL: &[&str] = &[
    "amazon.nova",
    "anthropic.claude-3",
    "anthropic.claude-sonnet-4-5",
    "anthropic.claude-opus-4-5",
    "anthropic.claude-haiku-4-5",
];
const ONE_OF_TEMPERATURE_AND_TOP_P: &[&str] =
    &["anthropic.claude-sonnet-4", "anthropic.claude-opus-4-1", "anthropic.claude-haiku-4"];
const NO_SAMPLING: &[&str] = &["anthropic.claude-opus-4-7", "anthropic.claude-opus-4-8"];

pub(super) fn check(asked: &Asked<'_>) -> Checked {
    let body = asked.body;
    let model = REGIONS.iter().find_map(|region| asked.model.strip_prefix(region)).unwrap_or(asked.model);
    fields(body, FIELDS, "")?;
    bounds(body, BOUNDS)?;
    inference(model, body)?;
    let tools = tools(model, body)?;
    system(model, body)?;
    turns(asked, model)?;
    calls_have_results(&body["messages"])?;
    let text = body["messages"].to_string();
    let uses = text.contains(r#""toolUse":{"#) || text.contains(r#""toolResult":{"#);
    require(
        tools || !uses,
        "toolConfig",
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
    )?;
    let points = body.to_string().matches(r#""cachePoint":{"#).count();
    require(points == 0 || begins(model, CACHE), "cachePoint", "this model does not allow prompt caching")?;
    require(points <= CACHE_POINTS_MAX, "cachePoint", "too many cache points")?;
    thinking(body)
}

fn inference(model: &str, body: &Value) -> Checked {
    let config = &body["inferenceConfig"];
    if config.is_null() {
        return Ok(());
    }
    fields(config, INFERENCE, "inferenceConfig")?;
    let stops = config["stopSequences"].as_array().is_some_and(|stops| !stops.is_empty());
    require(
        !stops || !begins(model, NO_STOP),
        "inferenceConfig.stopSequences",
        "This model doesn't support the stopSequences field. Remove stopSequences and try again.",
    )?;
    each(&config["stopSequences"], "inferenceConfig.stopSequences")
        .try_for_each(|(path, stop)| require(!is_blank(stop), &path, "is blank"))?;
    let both = !config["temperature"].is_null() && !config["topP"].is_null();
    require(
        !both || !begins(model, ONE_OF_TEMPERATURE_AND_TOP_P),
        "inferenceConfig.topP",
        "`temperature` and `top_p` cannot both be specified for this model",
    )?;
    let any = !config["temperature"].is_null() || !config["topP"].is_null();
    require(!any || !begins(model, NO_SAMPLING), "inferenceConfig", "unsupported with this model")
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html>
fn thinking(body: &Value) -> Checked {
    let thinking = &body["additionalModelRequestFields"]["thinking"];
    if !["enabled", "adaptive"].contains(&thinking["type"].as_str().unwrap_or_default()) {
        return Ok(());
    }
    let config = &body["inferenceConfig"];
    if let Some(budget) = thinking["budget_tokens"].as_u64() {
        let below = config["maxTokens"].as_u64().is_some_and(|most| budget < most);
        require(below, "inferenceConfig.maxTokens", "must be greater than `thinking.budget_tokens`")?;
    }
    let warm = config["temperature"].as_f64().is_none_or(|temperature| temperature >= 1.0);
    require(warm, "inferenceConfig.temperature", "may only be set to 1 when thinking is enabled")?;
    let choice = &body["toolConfig"]["toolChoice"];
    let forced = !choice["any"].is_null() || !choice["tool"].is_null();
    require(!forced, "toolConfig.toolChoice", "Thinking may not be enabled when tool_choice forces tool use.")
}

/// Are there tools?
fn tools(model: &str, body: &Value) -> Result<bool, super::Refusal> {
    let config = &body["toolConfig"];
    if config.is_null() {
        return Ok(false);
    }
    fields(config, &["toolChoice", "tools"], "toolConfig")?;
    require(!begins(model, NO_TOOLS), "toolConfig", "This model doesn't support tool use.")?;
    let path = "toolConfig.tools";
    let count = config["tools"].as_array().map_or(0, Vec::len);
    require(count > 0, path, "Member must have length greater than or equal to 1")?;
    let mut names = HashSet::new();
    for (path, tool) in each(&config["tools"], path) {
        let kind = one_key(tool, &["cachePoint", "systemTool", "toolSpec"], &path)?;
        if kind != "toolSpec" {
            let is_mark = kind == "cachePoint" && !model.starts_with("anthropic.");
            require(!is_mark, &path, "extraneous key [cachePoint] is not permitted")?;
            continue;
        }
        let (spec, path) = (&tool["toolSpec"], join(&path, "toolSpec"));
        fields(spec, &["description", "inputSchema", "name", "strict"], &path)?;
        WORD.check(&spec["name"], &join(&path, "name"))?;
        unique(&mut names, &spec["name"], &join(&path, "name"))?;
        let described = spec["description"].is_null() || !is_blank(&spec["description"]);
        require(described, &join(&path, "description"), "has to have at least 1 character")?;
        SCHEMA.check(&spec["inputSchema"]["json"], &join(&path, "inputSchema.json"))?;
    }
    let choice = &config["toolChoice"];
    if choice.is_null() {
        return Ok(true);
    }
    let kind = one_key(choice, &["any", "auto", "tool"], "toolConfig.toolChoice")?;
    let refused =
        kind != "auto" && begins(model, NO_CHOICE) || kind == "tool" && model.starts_with("mistral.");
    require(
        !refused,
        "toolConfig.toolChoice",
        "This model doesn't support the toolConfig.toolChoice field.",
    )?;
    let known = choice["tool"]["name"].as_str().is_none_or(|name| names.contains(name));
    require(known, "toolConfig.toolChoice.tool.name", "is not among the tools")?;
    Ok(true)
}

fn system(model: &str, body: &Value) -> Checked {
    if body["system"].is_null() {
        return Ok(());
    }
    require(!begins(model, NO_SYSTEM), "system", "This model doesn't support system messages.")?;
    each(&body["system"], "system").try_for_each(|(path, block)| {
        let kind = one_key(block, &["cachePoint", "guardContent", "text"], &path)?;
        require(kind != "text" || !is_blank(&block["text"]), &join(&path, "text"), "is blank")
    })
}

fn turns(asked: &Asked<'_>, model: &str) -> Checked {
    let messages = &asked.body["messages"];
    require(messages[0]["role"] == "user", "messages", "A conversation must start with a user message.")?;
    let mut before = "";
    let mut seen = Seen::default();
    for (path, message) in each(messages, "messages") {
        fields(message, &["content", "role"], &path)?;
        let role = message["role"].as_str().unwrap_or_default();
        one_of(&message["role"], &["assistant", "user"], &join(&path, "role"))?;
        require(role != before, &path, "A conversation must alternate between user and assistant roles.")?;
        before = role;
        let path = join(&path, "content");
        let content = &message["content"];
        require(content.as_array().is_some_and(|list| !list.is_empty()), &path, "is empty")?;
        for (path, block) in each(content, &path) {
            seen.block(asked, model, role, block, &path)?;
        }
        let has = |kind: &str| {
            content.as_array().is_some_and(|list| list.iter().any(|block| !block[kind].is_null()))
        };
        require(!has("document") || has("text"), &path, "a document has to stand beside a text")?;
        let mixed = has("toolResult") && ["text", "image", "document"].into_iter().any(has);
        require(
            !mixed || !begins(model, RESULTS_ALONE),
            &path,
            "Conversation blocks and tool result blocks cannot be provided in the same turn.",
        )?;
    }
    require(seen.images <= IMAGES_MAX, "messages", "too many images")?;
    require(
        seen.names.len() <= DOCUMENTS_MAX,
        "messages",
        "You can't include more than 5 documents in a request.",
    )?;
    let ends = before == "user" || begins(model, PREFILL);
    require(ends, "messages", "the conversation must end with a user message")
}

/// What stands somewhere in the messages.
#[derive(Default)]
struct Seen {
    names: HashSet<String>,
    images: usize,
}

impl Seen {
    fn block(&mut self, asked: &Asked<'_>, model: &str, role: &str, block: &Value, path: &str) -> Checked {
        let kind = one_key(block, if role == "user" { USER } else { MODEL }, path)?;
        let (inside, path) = (&block[kind], join(path, kind));
        match kind {
            "toolUse" => {
                WORD.check(&inside["toolUseId"], &join(&path, "toolUseId"))?;
                WORD.check(&inside["name"], &join(&path, "name"))?;
                require(inside["input"].is_object(), &join(&path, "input"), "expected an object")
            }
            "toolResult" => {
                let known = ["content", "status", "toolUseId"];
                fields(inside, &known, &path)?;
                let status = inside["status"].is_null() || begins(model, STATUS);
                require(status, &join(&path, "status"), "This model doesn't support the status field.")?;
                require(
                    inside["content"].as_array().is_some_and(|list| !list.is_empty()),
                    &join(&path, "content"),
                    "cannot be empty",
                )?;
                each(&inside["content"], &join(&path, "content")).try_for_each(|(path, part)| {
                    let kind = one_key(part, RESULT, &path)?;
                    self.medium(model, kind, &part[kind], &join(&path, kind))
                })
            }
            "reasoningContent" => {
                let proof = &inside["reasoningText"]["signature"];
                let own = proof.is_null() || proof.as_str() == Some(asked.proof);
                require(
                    own,
                    &join(&path, "reasoningText.signature"),
                    "Invalid `signature` in `thinking` block",
                )
            }
            "cachePoint" => one_of(&inside["type"], &["default"], &join(&path, "type")),
            _ => self.medium(model, kind, inside, &path),
        }
    }

    fn medium(&mut self, model: &str, kind: &str, inside: &Value, path: &str) -> Checked {
        match kind {
            "text" => {
                return require(
                    !is_blank(inside),
                    path,
                    "The text field in the ContentBlock object is blank.",
                );
            }
            "image" => {
                self.images += 1;
                one_of(&inside["format"], IMAGES, &join(path, "format"))?;
            }
            "video" => {
                one_of(&inside["format"], VIDEOS, &join(path, "format"))?;
                let sees = !model.starts_with("anthropic.");
                require(sees, path, "This model doesn't support the video content block that you provided.")?;
            }
            "document" => {
                one_of(&inside["format"], DOCUMENTS, &join(path, "format"))?;
                let name = join(path, "name");
                DOCUMENT_NAME.check(&inside["name"], &name)?;
                let spaced = inside["name"].as_str().is_some_and(|name| name.contains("  "));
                require(!spaced, &name, "more than one consecutive whitespace character")?;
                unique(&mut self.names, &inside["name"], &name)?;
            }
            _ => return Ok(()),
        }
        let source = &inside["source"];
        let path = join(path, "source");
        match one_key(source, &["bytes", "content", "s3Location", "text"], &path)? {
            "bytes" => {
                let bytes = source["bytes"].as_str().map(|data| BASE64_STANDARD.decode(data));
                let fits = bytes.is_some_and(|bytes| bytes.is_ok_and(|bytes| !bytes.is_empty()));
                require(fits, &join(&path, "bytes"), "is empty, or not in base64")
            }
            "s3Location" => {
                let place = source["s3Location"]["uri"].as_str().unwrap_or_default();
                require(place.starts_with("s3://"), &join(&path, "s3Location.uri"), "is no place in S3")
            }
            _ => Ok(()),
        }
    }
}

/// The key of a union, which has one.
fn one_key<'v>(value: &'v Value, known: &[&str], path: &str) -> Result<&'v str, super::Refusal> {
    let Some(fields) = value.as_object() else { return refuse(path, "expected an object") };
    match fields.keys().collect::<Vec<_>>().as_slice() {
        [key] if known.contains(&key.as_str()) => Ok(key),
        [key] => refuse(join(path, key), "extraneous key is not permitted"),
        _ => refuse(path, "has to have one key"),
    }
}

/// The results of all calls of a turn stand in the next one, and nowhere else.
fn calls_have_results(messages: &Value) -> Checked {
    let mut open: HashSet<String> = HashSet::new();
    for (path, message) in each(messages, "messages") {
        let path = join(&path, "content");
        let blocks: Vec<_> = each(&message["content"], &path).collect();
        for (path, block) in blocks.iter().filter(|(_, block)| !block["toolResult"].is_null()) {
            let id = block["toolResult"]["toolUseId"].as_str().unwrap_or_default();
            require(
                open.remove(id),
                path,
                "the number of toolResult blocks exceeds the number of toolUse blocks",
            )?;
        }
        require(
            open.is_empty(),
            &path,
            "Expected toolResult blocks for the toolUse blocks of the turn before",
        )?;
        let calls = blocks.iter().filter_map(|(_, block)| block["toolUse"]["toolUseId"].as_str());
        open.extend(calls.map(str::to_owned));
    }
    require(
        open.is_empty(),
        "messages",
        "Expected toolResult blocks for the toolUse blocks of the turn before",
    )
}
