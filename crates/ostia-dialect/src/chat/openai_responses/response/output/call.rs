//! Calls of tools: those that the client answers, and the image that a model made.

use super::events::{Events, Place};
use crate::ToolKind;
use crate::chat::tools::client_run::ClientTool;
use crate::json::{Document, Json};

/// A `function_call` or `custom_tool_call` item in the making.
#[derive(Debug)]
pub(super) struct Call {
    place: Place,
    id: String,
    name: String,
    namespace: Option<String>,
    input: String,
    kind: ToolKind,
}

/// How the ids of such items begin.
pub(super) fn prefix(kind: ToolKind) -> &'static str {
    match kind {
        ToolKind::Function => "fc",
        ToolKind::Custom => "ctc",
    }
}

impl Call {
    pub(super) fn open(
        place: Place,
        id: &str,
        (namespace, name): (Option<&str>, &str),
        kind: ToolKind,
        events: &mut Events<'_>,
    ) -> Call {
        let (id, name, namespace) = (id.to_owned(), name.to_owned(), namespace.map(str::to_owned));
        let call = Call { place, id, name, namespace, input: String::new(), kind };
        events.item("response.output_item.added", call.place.index, &call.item(super::IN_PROGRESS));
        call
    }

    pub(super) fn extend(&mut self, input: &str, events: &mut Events<'_>) {
        if input.is_empty() {
            return;
        }
        self.input.push_str(input);
        let kind = match self.kind {
            ToolKind::Function => "response.function_call_arguments.delta",
            ToolKind::Custom => "response.custom_tool_call_input.delta",
        };
        events.tell(kind, |w| {
            self.place.write(w);
            w.field_str("delta", input);
        });
    }

    pub(super) fn close(self, status: &str, events: &mut Events<'_>) -> Json {
        match self.kind {
            ToolKind::Function => events.tell("response.function_call_arguments.done", |w| {
                self.place.write(w);
                w.field_str("name", &self.name);
                w.field_str("arguments", &self.input);
            }),
            ToolKind::Custom => events.tell("response.custom_tool_call_input.done", |w| {
                self.place.write(w);
                w.field_str("input", &self.input);
            }),
        }
        self.item(status)
    }

    fn item(&self, status: &str) -> Json {
        let (kind, input) = match self.kind {
            ToolKind::Function => ("function_call", "arguments"),
            ToolKind::Custom => ("custom_tool_call", "input"),
        };
        Json::build(|w| {
            w.object(|w| {
                w.field_str("id", &self.place.id);
                w.field_str("type", kind);
                w.field_str("status", status);
                w.field_str("call_id", &self.id);
                w.field_str("name", &self.name);
                self.namespace.iter().for_each(|namespace| w.field_str("namespace", namespace));
                w.field_str(input, &self.input);
            });
        })
    }
}

/// The client's tool that this item calls, and the id of the call, which may be empty. What the vendor itself has called
/// has none.
pub(super) fn of_tool(item: &Json) -> Option<(&'static ClientTool, String)> {
    let document = Document::parse_to(item.as_str().as_bytes(), 1).ok()?;
    let tool = ClientTool::of_call(&document.root().str("type")?)?;
    Some((tool, document.root().str("call_id")?.into_owned()))
}

/// A whole item as it was while it was made.
pub(super) fn in_progress(item: &Json) -> Json {
    let Ok(document) = Document::parse_to(item.as_str().as_bytes(), 1) else { return item.clone() };
    Json::build(|w| {
        w.object(|w| {
            for (name, value) in document.root().fields() {
                match name.as_ref() {
                    "status" => w.field_str("status", super::IN_PROGRESS),
                    name => w.field_raw(name, value.text()),
                }
            }
        });
    })
}

/// An `image_generation_call` item: the image in base64, when it is there.
pub(super) fn image(place: &Place, status: &str, mime: Option<&str>, result: Option<&str>) -> Json {
    Json::build(|w| {
        w.object(|w| {
            w.field_str("id", &place.id);
            w.field_str("type", "image_generation_call");
            w.field_str("status", status);
            if let Some(format) = mime.and_then(|mime| mime.strip_prefix("image/")) {
                w.field_str("output_format", format);
            }
            match result {
                Some(result) => w.field_str("result", result),
                None => w.key("result").null(),
            }
        });
    })
}
