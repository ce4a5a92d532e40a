//! Tools. The vendor has no choice among them (<https://docs.ollama.com/api/openai-compatibility>, `tool_choice`): one
//! that leaves tools out is said by not offering them, and one that forces a call is reported.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::chat::tools::schema;
use crate::json::{Document, Json, Node, Writer};
use crate::{Fault, Request, Tool, ToolChoice};

/// The tools that the model gets to see, with their places in the client's list.
pub(super) struct Offer<'a> {
    tools: Vec<(usize, &'a Tool)>,
    /// One of them has to be called.
    is_forced: bool,
}

impl<'a> Offer<'a> {
    /// All tools, or the chosen ones.
    ///
    /// Fails with 400 where none of the chosen tools exists.
    pub(super) fn of(request: &'a Request) -> Result<Offer<'a>, Fault> {
        let all = request.tools.iter().enumerate();
        let (names, is_forced) = match &request.tool_choice {
            None | Some(ToolChoice::Auto) => return Ok(Offer { tools: all.collect(), is_forced: false }),
            Some(ToolChoice::Required) => return Ok(Offer { tools: all.collect(), is_forced: true }),
            Some(ToolChoice::None) => return Ok(Offer { tools: Vec::new(), is_forced: false }),
            Some(ToolChoice::Named(name)) => (std::slice::from_ref(name), true),
            Some(ToolChoice::Allowed { names, required }) => (names.as_slice(), *required),
        };
        let tools: Vec<_> = all.filter(|(_, tool)| names.iter().any(|name| name == name_of(tool))).collect();
        if tools.is_empty() {
            let what = format!("Invalid `tool_choice`: no tool is called {}", names.join(", "));
            return Err(Fault::invalid(what).with_param("tool_choice"));
        }
        Ok(Offer { tools, is_forced })
    }
}

fn name_of(tool: &Tool) -> &str {
    match tool {
        Tool::Function { name, .. } | Tool::Custom { name, .. } | Tool::Hosted { name, .. } => name,
    }
}

/// Writes `tools`.
pub(super) fn write(offer: &Offer<'_>, request: &Request, w: &mut Writer, dropped: &mut Vec<String>) {
    let is_function = |tool: &Tool| matches!(tool, Tool::Function { .. });
    let (sayable, other): (Vec<_>, Vec<_>) = offer.tools.iter().partition(|(_, tool)| is_function(tool));
    dropped.extend(other.iter().map(|(place, _)| format!("tools[{place}]")));
    if !sayable.is_empty() {
        w.field_array("tools", |w| {
            sayable.iter().for_each(|(place, tool)| entry(w, *place, tool, dropped));
        });
    }
    if offer.is_forced && !request.tools.is_empty() {
        dropped.push("tool_choice".into());
    }
}

fn entry(w: &mut Writer, place: usize, tool: &Tool, dropped: &mut Vec<String>) {
    let Tool::Function { name, description, parameters, strict, cache_control } = tool else { return };
    w.object(|w| {
        w.field_str("type", "function");
        w.field_object("function", |w| {
            w.field_str("name", name);
            if let Some(description) = description {
                w.field_str("description", description);
            }
            // The template of a model reads the properties even of a tool that takes nothing.
            let parameters = parameters.as_ref().map_or(Cow::Borrowed(schema::NOTHING), with_objects);
            w.field_raw("parameters", &parameters);
        });
    });
    if *strict == Some(true) {
        dropped.push(format!("tools[{place}].strict"));
    }
    if cache_control.is_some() {
        dropped.push(format!("tools[{place}].cache_control"));
    }
}

/// Deepest nesting of properties that is looked into.
const DEPTH_MAX: usize = 64;

/// The schema with an object for each property: the server refuses `true`, which means the same as `{}` and is what some
/// generators write for a value of any kind (`cannot unmarshal bool into Go struct field ... of type api.ToolProperty`).
fn with_objects(schema: &Json) -> Cow<'_, str> {
    let document = Document::parse(schema.as_str().as_bytes());
    if !document.is_ok_and(|document| has_booleans(document.root(), DEPTH_MAX)) {
        return Cow::Borrowed(schema.as_str());
    }
    let mut value = schema.to_value();
    give_objects(&mut value, DEPTH_MAX);
    Cow::Owned(Json::from_value(&value).as_str().to_owned())
}

fn has_booleans(schema: Node<'_>, depth: usize) -> bool {
    let properties = schema.some("properties").into_iter().flat_map(|all| all.fields()).map(|(_, one)| one);
    let members = schema.some("anyOf").into_iter().flat_map(|all| all.items());
    depth > 0 && properties.chain(members).any(|one| one.as_bool().is_some() || has_booleans(one, depth - 1))
}

fn give_objects(schema: &mut Value, depth: usize) {
    let Some(map) = schema.as_object_mut().filter(|_| depth > 0) else { return };
    let object = |one: &mut Value| {
        if let Some(any) = one.as_bool() {
            *one = if any { json!({}) } else { json!({"not": {}}) };
        }
        give_objects(one, depth - 1);
    };
    if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(object);
    }
    if let Some(members) = map.get_mut("anyOf").and_then(Value::as_array_mut) {
        members.iter_mut().for_each(object);
    }
}
