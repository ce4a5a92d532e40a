//! A call whose arguments come in pieces, each with the JSON path of its place (`streamFunctionCallArguments`):
//! <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc>.

use serde_json::{Map, Value};

use crate::json::{Node, SurrogateJoiner};
use crate::{Block, Content, Signature, ToolKind};

/// Deepest place that a piece may name.
const STEPS_MAX: usize = 64;
/// Most places of an array that a piece may skip: an index is a claim, and all places before it have to be made.
const SKIP_MAX: usize = 64;

/// A call in the making.
#[derive(Debug)]
pub(in crate::chat::gemini_generate) struct PartialCall {
    id: String,
    name: String,
    arguments: Value,
    signature: Option<Signature>,
    /// Where the last text stands, and its end.
    text: (Vec<Step>, SurrogateJoiner),
}

impl PartialCall {
    /// The first piece: the name, and perhaps arguments that are known already.
    pub(in crate::chat::gemini_generate) fn new(call: Node<'_>, signature: Option<Signature>) -> PartialCall {
        let text = |name| call.str(name).unwrap_or_default().into_owned();
        let known = call.some("args").and_then(|args| serde_json::from_str(args.text()).ok());
        let arguments = known.filter(Value::is_object).unwrap_or_else(|| Value::Object(Map::new()));
        let (id, name) = (text("id"), text("name"));
        PartialCall { id, name, arguments, signature, text: Default::default() }
    }

    /// A signature that came with a later piece.
    pub(in crate::chat::gemini_generate) fn sign(&mut self, signature: Signature) {
        self.signature = Some(signature);
    }

    /// Sets the pieces of `partialArgs` in their places; a piece without a place or a value is passed over.
    pub(in crate::chat::gemini_generate) fn take(&mut self, call: Node<'_>) {
        for piece in call.some("partialArgs").iter().flat_map(Node::items) {
            let steps = piece.str("jsonPath").and_then(|path| steps(&path));
            let Some(steps) = steps else { continue };
            if steps != self.text.0 {
                self.end_text();
                self.text.0.clone_from(&steps);
            }
            if let Some(value) = value(piece, &mut self.text.1) {
                set(&mut self.arguments, &steps, value);
            }
        }
    }

    /// A half character at the end of a text stays alone.
    fn end_text(&mut self) {
        if let Some(half) = self.text.1.end() {
            set(&mut self.arguments, &self.text.0, Value::String(half.to_owned()));
        }
    }

    /// The call with all that came.
    pub(in crate::chat::gemini_generate) fn into_block(mut self) -> Block {
        self.end_text();
        let (arguments, kind) = (self.arguments.to_string(), ToolKind::Function);
        let content = Content::ToolCall { id: self.id, name: self.name, arguments, kind };
        Block { signature: self.signature, ..Block::new(content) }
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Item(usize),
}

fn value(piece: Node<'_>, halves: &mut SurrogateJoiner) -> Option<Value> {
    if let Some(text) = piece.some("stringValue") {
        return halves.join(text).map(|text| Value::String(text.into_owned()));
    }
    let names = ["numberValue", "boolValue"];
    let told = names.iter().find_map(|name| piece.some(name));
    match told {
        Some(value) => serde_json::from_str(value.text()).ok(),
        None => piece.get("nullValue").map(|_| Value::Null),
    }
}

/// The steps of a path such as `$.orders[0].name` or `$['a.b']`; `None` where it is no such path.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == STEPS_MAX {
            return None;
        }
        let (step, behind) = step(rest)?;
        steps.push(step);
        rest = behind;
    }
    (!steps.is_empty()).then_some(steps)
}

fn step(text: &str) -> Option<(Step, &str)> {
    if let Some(text) = text.strip_prefix('.') {
        let end = text.find(['.', '[']).unwrap_or(text.len());
        return (end > 0).then(|| (Step::Field(text[..end].to_owned()), &text[end..]));
    }
    let text = text.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(text) = text.strip_prefix(quote) {
            let end = text.find(quote)?;
            return Some((Step::Field(text[..end].to_owned()), text[end + 1..].strip_prefix(']')?));
        }
    }
    let (index, behind) = text.split_once(']')?;
    Some((Step::Item(index.parse().ok()?), behind))
}

/// Puts the value in its place, making objects and arrays on the way; text is joined to text that stands there.
fn set(root: &mut Value, steps: &[Step], value: Value) {
    let place = steps.iter().try_fold(root, |place, step| match step {
        Step::Field(name) => {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            Some(&mut place[name.as_str()])
        }
        Step::Item(index) => item(place, *index),
    });
    match (place, value) {
        (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
        (Some(place), value) => *place = value,
        (None, _) => {}
    }
}

fn item(place: &mut Value, index: usize) -> Option<&mut Value> {
    if !place.is_array() {
        *place = Value::Array(Vec::new());
    }
    let items = place.as_array_mut()?;
    if index > items.len() + SKIP_MAX {
        return None;
    }
    if items.len() <= index {
        items.resize(index + 1, Value::Null);
    }
    items.get_mut(index)
}

#[cfg(test)]
mod tests;
