//! What a request asks for beside its conversation, as a map of facts, in the form in which one vendor would
//! have it. As in [`crate::normal`], what is left out or put alike here is so by design.

use std::collections::BTreeMap;

use ostia_dialect::json::Json;
use ostia_dialect::{Dialect, OutputFormat, Reasoning, Request, Tool, ToolChoice, WebSearch};
use serde_json::{Map, Value, json};

/// What Google's newest models insist on, where there are tools of the client's and of their own.
const TELLS_OWN_CALLS: &str = "toolConfig.includeServerSideToolInvocations";

/// A fact, and the paths by which its loss may be reported.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub value: Value,
    excuses: Vec<String>,
    /// Paths below those count too: of a schema, parts may be lost.
    is_deep: bool,
}

impl Fact {
    /// Is this a report of its loss?
    pub fn is_named_by(&self, path: &str) -> bool {
        self.excuses.iter().any(|excuse| {
            path.strip_prefix(excuse.as_str())
                .is_some_and(|rest| rest.is_empty() || self.is_deep && rest.starts_with(['.', '[']))
        })
    }
}

/// The facts of a request by name, as this vendor would have them.
pub fn facts(request: &Request, upstream: Dialect) -> BTreeMap<String, Fact> {
    let mut facts = Facts { upstream, all: BTreeMap::new() };
    facts.tools(request);
    facts.choice(request);
    facts.format(request.output_format.as_ref());
    facts.sampling(request);
    facts.rest(request);
    facts.all
}

struct Facts {
    upstream: Dialect,
    all: BTreeMap<String, Fact>,
}

impl Facts {
    fn put(&mut self, name: &str, value: Value, excuses: &[&str]) {
        let excuses = excuses.iter().map(|path| (*path).to_owned()).collect();
        self.all.insert(name.to_owned(), Fact { value, excuses, is_deep: false });
    }

    fn put_schema(&mut self, name: &str, value: Value, path: &str) {
        self.all.insert(name.to_owned(), Fact { value, excuses: vec![path.to_owned()], is_deep: true });
    }

    fn tools(&mut self, request: &Request) {
        for (at, tool) in request.tools.iter().enumerate() {
            let path = format!("tools[{at}]");
            match tool {
                // Anthropic cannot name a subset of the tools: the others stay away.
                Tool::Function { name, .. } if self.leaves_away(request, name) => {}
                Tool::Function { .. } => self.function(tool, &path),
                Tool::Custom { name, value } => self.put(&format!("tool {name}"), value.to_value(), &[]),
                // What may not be called is not missed.
                Tool::Hosted { dialect, name, .. }
                    if self.leaves_away(request, name)
                        || *dialect != self.upstream
                            && matches!(request.tool_choice, Some(ToolChoice::Allowed { .. })) => {}
                Tool::Hosted { name, value, .. } => self.hosted(name, value, &path),
            }
        }
        request.web_search.iter().for_each(|search| self.search(search));
    }

    fn function(&mut self, tool: &Tool, path: &str) {
        let Tool::Function { name, description, parameters, strict, cache_control } = tool else { return };
        let key = |part: &str| format!("tool {name}{part}");
        self.put(&key(""), json!({"description": description}), &[]);
        // Strict functions have to be closed, and say so.
        let mut schema = parameters_of(parameters.as_ref());
        open(&mut schema);
        self.put_schema(&key(" parameters"), schema, &format!("{path}.function.parameters"));
        // A function that does not say so is not strict, but at OpenAI Responses, which is told.
        if *strict == Some(true) {
            self.put(&key(" strict"), true.into(), &[&format!("{path}.strict")]);
        }
        if let Some(marker) = cache_control {
            self.put(&key(" mark"), marker.to_value(), &[&format!("{path}.cache_control")]);
        }
    }

    /// A search by the vendor. A medium size is the usual one.
    fn search(&mut self, search: &WebSearch) {
        self.put("service search", Value::Null, &["web_search_options"]);
        if let Some(size) = search.context_size.as_deref().filter(|size| *size != "medium") {
            self.put(
                "search size",
                size.into(),
                &["web_search_options", "web_search_options.search_context_size"],
            );
        }
        if let Some(place) = &search.user_location {
            self.put(
                "search place",
                place_of(place),
                &["web_search_options", "web_search_options.user_location"],
            );
        }
    }

    /// A tool that a vendor runs goes by what it does. Each vendor's has settings of its own.
    fn hosted(&mut self, name: &str, value: &Json, path: &str) {
        let services = [("code", "code"), ("search", "search"), ("fetch", "fetch"), ("url", "fetch")];
        let (_, service) = services.iter().find(|(word, _)| name.contains(word)).expect("a known service");
        self.put(&format!("service {service}"), Value::Null, &[path]);
        let value = value.to_value();
        let settings = value.as_object().unwrap().iter();
        for (field, value) in settings.filter(|(field, _)| field != &"type" && field != &"name") {
            let is_default = *field == name || *value == json!({"type": "auto"});
            if !is_default {
                self.put(&format!("service {service} {field}"), value.clone(), &[&format!("{path}.{field}")]);
            }
        }
    }

    fn leaves_away(&self, request: &Request, tool: &str) -> bool {
        match &request.tool_choice {
            Some(ToolChoice::Allowed { names, .. }) if self.upstream == Dialect::AnthropicMessages => {
                names.iter().all(|name| name != tool)
            }
            _ => false,
        }
    }

    /// Without tools nothing can be chosen, and without the client's own there is nothing to call side by
    /// side. `auto` is the default, and so are several calls in one turn.
    fn choice(&mut self, request: &Request) {
        let has_tools = !request.tools.is_empty() || request.web_search.is_some();
        let runs_some = request.tools.iter().any(|tool| !matches!(tool, Tool::Hosted { .. }));
        let names_some = self.upstream != Dialect::AnthropicMessages;
        let choice = match &request.tool_choice {
            Some(ToolChoice::None) if has_tools => json!("none"),
            Some(ToolChoice::Required) => json!("required"),
            Some(ToolChoice::Allowed { required: true, .. }) if !names_some => json!("required"),
            Some(ToolChoice::Allowed { names, required: true }) if names.len() == 1 => json!(names[0]),
            Some(ToolChoice::Allowed { names, required }) if names_some => json!([names, required]),
            Some(ToolChoice::Named(name)) => json!(name),
            None | Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { .. }) => Value::Null,
        };
        let is_barred = choice == "none";
        if !choice.is_null() {
            self.put("choice", choice, &["tool_choice", "web_search_options"]);
        }
        if request.parallel_tool_calls == Some(false) && runs_some && !is_barred {
            self.put("one call", true.into(), &["parallel_tool_calls"]);
        }
    }

    /// Free text is the default. Anthropic and Google follow every schema exactly and give it no name.
    fn format(&mut self, format: Option<&OutputFormat>) {
        const PATH: &str = "response_format";
        match format {
            None | Some(OutputFormat::Text) => {}
            Some(OutputFormat::JsonObject) => self.put("format", "json".into(), &[PATH]),
            Some(OutputFormat::JsonSchema { name, description, schema, strict }) => {
                self.put("format", "schema".into(), &[PATH]);
                // Anthropic's schemas have to be closed, and say so.
                let mut schema = schema.to_value();
                if self.upstream == Dialect::AnthropicMessages {
                    open(&mut schema);
                }
                self.put_schema("format schema", schema, PATH);
                if let Some(text) = description {
                    self.put(
                        "format text",
                        text.as_str().into(),
                        &[PATH, "response_format.json_schema.description"],
                    );
                }
                if matches!(self.upstream, Dialect::OpenaiChat | Dialect::OpenaiResponses) {
                    self.put("format name", json!([name, strict]), &[PATH]);
                }
            }
        }
    }

    fn sampling(&mut self, request: &Request) {
        let sampling = &request.sampling;
        let numbers = [
            ("temperature", &sampling.temperature),
            ("top_p", &sampling.top_p),
            ("top_k", &sampling.top_k),
            ("seed", &sampling.seed),
            ("presence_penalty", &sampling.presence_penalty),
            ("frequency_penalty", &sampling.frequency_penalty),
            ("logit_bias", &sampling.logit_bias),
        ];
        for (name, number) in numbers {
            let number = number.as_ref().filter(|number| !self.is_default(name, number));
            number.iter().for_each(|number| self.put(name, number.as_str().into(), &[name]));
        }
        // OpenAI Responses takes no bound below 16, and says so.
        let excuse: &[&str] =
            if sampling.max_tokens.is_some_and(|most| most < 16) { &["max_completion_tokens"] } else { &[] };
        sampling.max_tokens.iter().for_each(|most| self.put("max_tokens", (*most).into(), excuse));
        // One answer is what comes anyway.
        sampling.n.iter().filter(|n| **n != 1).for_each(|n| self.put("n", (*n).into(), &["n"]));
        if !sampling.stop.is_empty() {
            self.put("stop", sampling.stop.clone().into(), &["stop"]);
        }
        if let Some(logprobs) = sampling.logprobs {
            self.put("logprobs", logprobs.top.unwrap_or(0).into(), &["logprobs", "top_logprobs"]);
        }
    }

    /// Models that think take nothing but these, and nobody has to say them.
    fn is_default(&self, name: &str, number: &Json) -> bool {
        number.as_str().parse() == Ok(1.0) && matches!(name, "temperature" | "top_p")
    }

    fn rest(&mut self, request: &Request) {
        self.put("stream", request.stream.into(), &[]);
        // At Google the usual tier has no name.
        let is_usual = |tier: &&String| {
            self.upstream == Dialect::GeminiGenerate && matches!(tier.as_str(), "auto" | "default")
        };
        let tier = request.service_tier.as_ref().filter(|tier| !is_usual(tier));
        tier.iter().for_each(|tier| self.put("tier", tier.as_str().into(), &["service_tier"]));
        let mut user = request.user.clone();
        let is_said = |(name, value): &&(String, Json)| value.as_str() != "null" && name != TELLS_OWN_CALLS;
        for (name, value) in request.extra.iter().filter(is_said) {
            match (name.as_str(), value.to_value()) {
                ("metadata", Value::Object(fields)) => self.metadata(fields, &mut user),
                (name, value) => self.put(name, value, &[name]),
            }
        }
        user.iter().for_each(|user| self.put("user", user.as_str().into(), &["user"]));
        if let Some(marker) = &request.cache_control {
            self.put("mark", marker.to_value(), &["cache_control"]);
        }
    }

    /// What the client notes of its request. At Anthropic the end user has no other place.
    fn metadata(&mut self, fields: Map<String, Value>, user: &mut Option<String>) {
        for (field, value) in fields {
            let path = format!("metadata.{field}");
            let id = value.as_str().filter(|_| field == "user_id");
            match id.filter(|id| user.as_deref().is_none_or(|user| user == *id)) {
                Some(id) if self.upstream == Dialect::AnthropicMessages => *user = Some(id.to_owned()),
                _ => self.put(&path, value, &[&path, "metadata"]),
            }
        }
    }
}

/// Takes back what closes the objects of a schema, and what says that nothing in them is required.
fn open(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| name != "additionalProperties" || *value != Value::Bool(false));
            fields.retain(|name, value| name != "required" || *value != json!([]));
            fields.values_mut().for_each(open);
        }
        Value::Array(values) => values.iter_mut().for_each(open),
        _ => {}
    }
}

/// A schema of arguments. That they are an object goes without saying.
fn parameters_of(schema: Option<&Json>) -> Value {
    schema.map_or_else(|| json!({"type": "object", "properties": {}}), Json::to_value)
}

/// A place, which Chat Completions has one level deeper.
fn place_of(place: &Json) -> Value {
    let mut value = place.to_value();
    let mut place = value["approximate"].take();
    if place.is_null() {
        place = value;
    }
    place.as_object_mut().unwrap().retain(|name, value| name != "type" && !value.is_null());
    place
}

/// How much is asked to be thought, as far as vendors can say it alike: is thinking asked for (`None`: the
/// model decides), with which effort, for how many tokens, to be shown?
#[derive(Debug, PartialEq)]
pub struct Wish {
    pub thinks: Option<bool>,
    pub effort: Option<String>,
    pub budget: Option<u64>,
    pub shown: Option<bool>,
}

/// What a request asks to be thought.
pub fn wish(reasoning: Option<&Reasoning>) -> Wish {
    let reasoning = reasoning.cloned().unwrap_or_default();
    let is_off = reasoning.enabled == Some(false) || reasoning.effort.as_deref() == Some("none");
    let asks = reasoning.effort.is_some()
        || reasoning.budget_tokens.is_some()
        || reasoning.enabled.is_some()
        || reasoning.adaptive;
    Wish {
        thinks: asks.then_some(!is_off),
        effort: reasoning.effort.filter(|_| !is_off),
        budget: reasoning.budget_tokens.filter(|_| !is_off),
        shown: reasoning.visible.filter(|_| !is_off),
    }
}
