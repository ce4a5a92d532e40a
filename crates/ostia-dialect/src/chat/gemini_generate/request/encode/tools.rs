//! `tools` and `toolConfig` (<https://ai.google.dev/api/caching#Tool>).

use crate::chat::gemini_generate::request::encode::subsets;
use crate::chat::rules::Rules;
use crate::json::{Document, Json, Writer};
use crate::{Dialect, Request, Tool, ToolChoice};

/// The vendor's tools that a client may ask for as functions of these names.
const NATIVE: [(&str, &str); 8] = [
    ("googleSearch", "googleSearch"),
    ("google_search", "googleSearch"),
    ("googleSearchRetrieval", "googleSearchRetrieval"),
    ("google_search_retrieval", "googleSearchRetrieval"),
    ("googleMaps", "googleMaps"),
    ("google_maps", "googleMaps"),
    ("computerUse", "computerUse"),
    ("computer_use", "computerUse"),
];

/// May the parameters of a function with this name be settings of the vendor's own tool, and no schema?
pub(crate) fn is_native(name: &str) -> bool {
    NATIVE.iter().any(|(known, _)| *known == name)
}

/// Tools and how to use them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// Entries of `functionDeclarations`.
    functions: Vec<Json>,
    /// Tools that the vendor runs, each a whole entry of `tools`.
    native: Vec<Json>,
    /// Mode and names of `functionCallingConfig`.
    calling: Option<(&'static str, Vec<String>)>,
    /// Both kinds are there, and the model is of a generation that then insists on telling the client about calls of
    /// the vendor's own tools (<https://ai.google.dev/gemini-api/docs/tool-combination>).
    tells_own_calls: bool,
}

/// Sorts the tools of a request.
pub(super) fn plan(request: &Request, rules: &Rules, dropped: &mut Vec<String>) -> Tools {
    let mut tools = Tools::default();
    for (position, tool) in request.tools.iter().enumerate() {
        tools.add(tool, &format!("tools[{position}]"), rules, dropped);
    }
    if let Some(search) = &request.web_search {
        let known =
            |tool: &Json| tool.as_str().contains("googleSearch") || tool.as_str().contains("google_search");
        if !tools.native.iter().any(known) {
            tools.native.push(native("googleSearch", "{}"));
        }
        // The usual size is nothing to ask for.
        let size = search.context_size.as_deref().filter(|size| *size != "medium");
        let options = [
            (size.is_some(), "web_search_options.search_context_size"),
            (search.user_location.is_some(), "web_search_options.user_location"),
        ];
        dropped.extend(options.iter().filter(|(sent, _)| *sent).map(|(_, name)| (*name).to_owned()));
    }
    tools.tells_own_calls = rules.signed_calls && !tools.functions.is_empty() && !tools.native.is_empty();
    match &request.tool_choice {
        // The mode of such a request is `VALIDATED`, and `AUTO` is refused.
        Some(ToolChoice::Auto) if tools.tells_own_calls => {}
        Some(choice) if !tools.functions.is_empty() => tools.calling = Some(calling(choice)),
        // The vendor's own tools cannot be forbidden.
        Some(ToolChoice::None) if tools.native.is_empty() => {}
        None | Some(ToolChoice::Auto) => {}
        Some(_) => dropped.push("tool_choice".to_owned()),
    }
    tools
}

/// The mode for a choice (<https://ai.google.dev/api/caching#FunctionCallingConfig>): names go only with `ANY` and with
/// `VALIDATED`, which lets the model answer in words too.
fn calling(choice: &ToolChoice) -> (&'static str, Vec<String>) {
    match choice {
        ToolChoice::Auto => ("AUTO", Vec::new()),
        ToolChoice::None => ("NONE", Vec::new()),
        ToolChoice::Required => ("ANY", Vec::new()),
        ToolChoice::Named(name) => ("ANY", vec![name.clone()]),
        ToolChoice::Allowed { names, required: true } => ("ANY", names.clone()),
        ToolChoice::Allowed { names, required: false } => ("VALIDATED", names.clone()),
    }
}

impl Tools {
    fn add(&mut self, tool: &Tool, path: &str, rules: &Rules, dropped: &mut Vec<String>) {
        match tool {
            Tool::Function { name, description, parameters, strict, cache_control } => {
                if *strict == Some(true) {
                    dropped.push(format!("{path}.strict"));
                }
                if cache_control.is_some() {
                    dropped.push(format!("{path}.cache_control"));
                }
                if let Some(tool) = as_native(name, parameters.as_ref()) {
                    return self.native.push(tool);
                }
                let path = format!("{path}.function.parameters");
                let schema = parameters.as_ref().and_then(|schema| parameter(schema, rules, &path, dropped));
                let key = if rules.json_schema { "parametersJsonSchema" } else { "parameters" };
                self.functions.push(Json::build(|writer| {
                    writer.object(|writer| {
                        writer.field_str("name", name);
                        if let Some(description) = description {
                            writer.field_str("description", description);
                        }
                        if let Some(schema) = schema {
                            writer.field_raw(key, &schema.to_string());
                        }
                    });
                }));
            }
            Tool::Hosted { dialect: Dialect::GeminiGenerate, value, .. } => self.native.push(value.clone()),
            Tool::Custom { .. } | Tool::Hosted { .. } => dropped.push(path.to_owned()),
        }
    }

    /// Writes both fields; `config` holds fields of `toolConfig` that the client sent in the vendor's own words.
    pub(super) fn write(&self, config: &[(String, Json)], writer: &mut Writer) {
        if !self.functions.is_empty() || !self.native.is_empty() {
            writer.field_array("tools", |writer| {
                self.native.iter().for_each(|tool| writer.raw(tool.as_str()));
                if !self.functions.is_empty() {
                    writer.object(|writer| {
                        writer.field_array("functionDeclarations", |writer| {
                            self.functions.iter().for_each(|function| writer.raw(function.as_str()));
                        });
                    });
                }
            });
        }
        if self.calling.is_some() || self.tells_own_calls || !config.is_empty() {
            writer.field_object("toolConfig", |writer| self.write_config(config, writer));
        }
    }

    fn write_config(&self, config: &[(String, Json)], writer: &mut Writer) {
        let own = |name: &str| config.iter().any(|(known, _)| known == name);
        if let Some((mode, names)) = self.calling.as_ref().filter(|_| !own("functionCallingConfig")) {
            writer.field_object("functionCallingConfig", |writer| {
                writer.field_str("mode", mode);
                if !names.is_empty() {
                    writer.field_array("allowedFunctionNames", |writer| {
                        names.iter().for_each(|name| writer.string(name));
                    });
                }
            });
        }
        if self.tells_own_calls && !own("includeServerSideToolInvocations") {
            writer.field_bool("includeServerSideToolInvocations", true);
        }
        config.iter().for_each(|(name, value)| writer.field_raw(name, value.as_str()));
    }
}

/// The schema of a function's arguments, which has to be an object. An object without properties is no schema to
/// models that take the older form.
fn parameter(
    schema: &Json,
    rules: &Rules,
    path: &str,
    dropped: &mut Vec<String>,
) -> Option<serde_json::Value> {
    let mut value = subsets::convert(schema, rules, path, dropped);
    let map = value.as_object_mut()?;
    if !rules.json_schema {
        map.get("properties").and_then(|properties| properties.as_object()).filter(|map| !map.is_empty())?;
    }
    if !map.contains_key("type") && !map.contains_key("$ref") {
        map.insert("type".to_owned(), "object".into());
    }
    Some(value)
}

/// A tool of the vendor that came as a function. Its parameters are settings of the tool; where they are a schema with
/// properties, the function is the client's own and only has the same name.
fn as_native(name: &str, parameters: Option<&Json>) -> Option<Json> {
    let (_, tool) = NATIVE.iter().find(|(known, _)| *known == name)?;
    let Some(parameters) = parameters else { return Some(native(tool, "{}")) };
    let document = Document::parse(parameters.as_str().as_bytes()).ok()?;
    let root = document.root();
    if root.some("properties").is_some_and(|properties| properties.fields().next().is_some()) {
        return None;
    }
    let is_schema = root.some("type").is_some() || root.some("properties").is_some();
    Some(native(tool, if root.is_object() && !is_schema { root.text() } else { "{}" }))
}

fn native(name: &str, settings: &str) -> Json {
    Json::build(|writer| writer.object(|writer| writer.field_raw(name, settings)))
}
