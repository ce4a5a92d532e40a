//! Amazon Bedrock, InvokeModel with a model of Anthropic's: the body of Messages
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html>),
//! less what Anthropic alone has.

use serde_json::Value;

use super::rule::{Checked, begins, each, fields, join, one_of, require};
use super::{Asked, anthropic};

/// What the body says beside what Messages says.
const VERSION: &str = "bedrock-2023-05-31";
/// Fields of Messages that are refused: "Extra inputs are not permitted". In order: fumito-ito/AnthropicSwiftSDK#19 twice,
/// UKGovernmentBEIS/inspect_ai#3851, and what <https://platform.claude.com/docs/en/build-with-claude/overview> has at Anthropic
/// only.
const REFUSED: &[&str] = &[
    "model",
    "stream",
    "cache_control",
    "container",
    "inference_geo",
    "mcp_servers",
    "service_tier",
    "speed",
];
/// "invalid beta flag": router-for-me/CLIProxyAPI#4750, anthropics/claude-code#49648 and #56595, BerriAI/litellm#19877.
const REFUSED_BETAS: &[&str] = &[
    "claude-code-",
    "code-execution-",
    "extended-cache-ttl-",
    "fast-mode-",
    "files-api-",
    "mcp-",
    "oauth-",
    "prompt-caching-",
    "redact-thinking-",
    "skills-",
    "web-fetch-",
    "web-search-",
];
/// Tools that Anthropic runs itself.
const REFUSED_TOOLS: &[&str] = &["web_search_", "web_fetch_", "code_execution_", "advisor_", "mcp_toolset"];

pub(super) fn check(asked: &Asked<'_>) -> Checked {
    let mut body = asked.body.clone();
    one_of(&body["anthropic_version"], &[VERSION], "anthropic_version")?;
    for field in REFUSED {
        require(body.get(*field).is_none(), field, "Extra inputs are not permitted")?;
    }
    let mut betas = Vec::new();
    for (path, beta) in each(&asked.body["anthropic_beta"], "anthropic_beta") {
        let beta = beta.as_str().unwrap_or_default();
        require(!beta.is_empty() && !begins(beta, REFUSED_BETAS), &path, "invalid beta flag")?;
        betas.push(beta);
    }
    require(asked.betas.is_empty(), "anthropic-beta", "is a field of the body here")?;
    tools(&body["tools"])?;
    marks_and_sources(&body, "")?;
    if let Some(body) = body.as_object_mut() {
        body.remove("anthropic_version");
        body.remove("anthropic_beta");
    }
    // The names of models are those of Anthropic behind region and vendor.
    let model = asked.model.rsplit_once("anthropic.").map_or(asked.model, |(_, model)| model);
    anthropic::check(&Asked { model, body: &body, betas: &betas.join(","), proof: asked.proof })
}

/// `eager_input_streaming`: anthropics/claude-code#33180.
fn tools(tools: &Value) -> Checked {
    each(tools, "tools").try_for_each(|(path, tool)| {
        let kind = tool["type"].as_str().unwrap_or_default();
        require(!begins(kind, REFUSED_TOOLS), &join(&path, "type"), "this tool is not supported")?;
        let eager = tool.get("eager_input_streaming").is_none();
        require(eager, &join(&path, "eager_input_streaming"), "Extra inputs are not permitted")
    })
}

/// Marks for the cache have a type and a time only (Wei-Shaw/claude-relay-service#965); images and documents come as they are
/// (<https://platform.claude.com/docs/en/build-with-claude/vision>).
fn marks_and_sources(value: &Value, path: &str) -> Checked {
    match value {
        Value::Object(object) => object.iter().try_for_each(|(name, value)| {
            let path = join(path, name);
            match name.as_str() {
                // Whatever a tool says is the client's.
                "input_schema" | "input" => return Ok(()),
                "cache_control" if value.is_object() => fields(value, &["ttl", "type"], &path)?,
                "source" if value.is_object() => {
                    one_of(&value["type"], &["base64", "content", "text"], &join(&path, "type"))?;
                }
                _ => {}
            }
            marks_and_sources(value, &path)
        }),
        Value::Array(_) => each(value, path).try_for_each(|(path, item)| marks_and_sources(item, &path)),
        _ => Ok(()),
    }
}
