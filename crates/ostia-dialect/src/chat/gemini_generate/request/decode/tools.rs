//! `tools` and `toolConfig` (<https://ai.google.dev/api/caching#Tool>).

use super::{expect, field, list, optional_str, report_unknown, schema};
use crate::json::{Json, Node, camel};
use crate::{Dialect, Fault, Request, Tool, ToolChoice, WebSearch};

/// Reads the tools: each entry may hold several kinds of them.
pub(super) fn decode(tools: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    for tool in list(tools) {
        for (name, value) in tool.expect_fields()?.filter(|(_, value)| !value.is_null()) {
            match camel(&name).as_str() {
                "functionDeclarations" => {
                    for declaration in list(value) {
                        let function = function(declaration, &mut request.extra)?;
                        request.tools.push(function);
                    }
                }
                name @ ("googleSearch" | "googleSearchRetrieval") => {
                    request.web_search = Some(WebSearch::default());
                    // Settings of the search are the vendor's own.
                    if value.fields().next().is_some() {
                        request.tools.push(hosted(name, value));
                    }
                }
                name => request.tools.push(hosted(name, value)),
            }
        }
    }
    Ok(())
}

fn hosted(name: &str, settings: Node<'_>) -> Tool {
    let value = Json::build(|writer| writer.object(|writer| writer.field_raw(name, settings.text())));
    Tool::Hosted { dialect: Dialect::GeminiGenerate, name: name.to_owned(), value }
}

fn function(declaration: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<Tool, Fault> {
    let name = expect(declaration, "name")?.expect_str()?.into_owned();
    report_unknown(declaration, &["name", "description", "parameters", "parametersJsonSchema"], unknown);
    let description = optional_str(declaration, "description")?;
    let parameters = match (field(declaration, "parametersJsonSchema"), field(declaration, "parameters")) {
        (Some(schema), _) => Some(schema.expect_fields().map(|_| Json::of(schema))?),
        (None, Some(schema)) => Some(schema::decode(schema)?),
        (None, None) => None,
    };
    Ok(Tool::Function { name, description, parameters, strict: None, cache_control: None })
}

/// Reads how the tools are used. Fields that only this vendor has go to [`Request::extra`] as `toolConfig.<field>`.
pub(super) fn config(config: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    for (name, value) in config.expect_fields()?.filter(|(_, value)| !value.is_null()) {
        match camel(&name).as_str() {
            "functionCallingConfig" => request.tool_choice = calling(value, request)?,
            name => request.extra.push((format!("toolConfig.{name}"), Json::of(value))),
        }
    }
    Ok(())
}

/// The choice that a mode stands for (<https://ai.google.dev/api/caching#FunctionCallingConfig>). `VALIDATED` without
/// names allows all functions.
fn calling(config: Node<'_>, request: &mut Request) -> Result<Option<ToolChoice>, Fault> {
    config.expect_fields()?;
    report_unknown(config, &["mode", "allowedFunctionNames"], &mut request.extra);
    let allowed = field(config, "allowedFunctionNames");
    let mut names = Vec::new();
    for name in allowed.map(list).unwrap_or_default() {
        names.push(name.expect_str()?.into_owned());
    }
    let Some(mode) = field(config, "mode") else { return Ok(None) };
    let choice = match (mode.expect_str()?.to_ascii_uppercase().as_str(), names.as_slice()) {
        ("ANY", []) => ToolChoice::Required,
        ("ANY", [name]) => ToolChoice::Named(name.clone()),
        ("ANY", _) => return Ok(Some(ToolChoice::Allowed { names, required: true })),
        ("VALIDATED", []) => validated(request),
        ("VALIDATED", _) => return Ok(Some(ToolChoice::Allowed { names, required: false })),
        ("AUTO", _) => ToolChoice::Auto,
        ("NONE", _) => ToolChoice::None,
        ("MODE_UNSPECIFIED", _) => return Ok(None),
        _ => return Err(mode.invalid("must be AUTO, ANY, NONE or VALIDATED")),
    };
    if let (ToolChoice::Auto | ToolChoice::None, Some(allowed)) = (&choice, allowed)
        && !names.is_empty()
    {
        request.extra.push((allowed.path(), Json::of(allowed)));
    }
    Ok(Some(choice))
}

fn validated(request: &Request) -> ToolChoice {
    let functions = request.tools.iter().filter_map(|tool| match tool {
        Tool::Function { name, .. } => Some(name.clone()),
        Tool::Custom { .. } | Tool::Hosted { .. } => None,
    });
    let names: Vec<String> = functions.collect();
    if names.is_empty() { ToolChoice::Auto } else { ToolChoice::Allowed { names, required: false } }
}
