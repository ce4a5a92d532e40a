//! Calls of the client's tools between the two forms that they have: an item of its own, or the arguments of a function.

use super::table::{ClientTool, Need, Shape, TOOLS};
use crate::json::{Document, Json, Node, Writer};

impl ClientTool {
    /// The tool whose calls are items of this type.
    pub(crate) fn of_call(kind: &str) -> Option<&'static ClientTool> {
        TOOLS.iter().find(|tool| tool.call == kind)
    }

    /// How the ids of its calls begin.
    pub(crate) fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// The item for a whole call, without an id of its own; `None` where the arguments do not make one: they were cut off,
    /// or the model has written something else.
    pub(crate) fn item(&self, call_id: &str, arguments: &str) -> Option<Json> {
        let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
        let document = Document::parse(arguments.as_bytes()).ok()?;
        let said = document.root();
        if !said.is_object() || !self.needs.iter().all(|need| need.is_met(said)) {
            return None;
        }
        Some(Json::build(|w| {
            w.object(|w| {
                w.field_str("type", self.call);
                w.field_str("call_id", call_id);
                w.field_str("status", "completed");
                w.field_object(self.field, |w| self.write_said(w, said));
                self.beside.iter().for_each(|(name, value)| w.field_raw(name, value));
            });
        }))
    }

    fn write_said(&self, w: &mut Writer, said: Node<'_>) {
        for (name, value) in self.defaults.iter().filter(|(name, _)| said.some(name).is_none()) {
            w.field_raw(name, value);
        }
        for (name, value) in said.fields().filter(|(_, value)| !value.is_null()) {
            w.field_raw(&name, value.text());
        }
    }

    /// The arguments in such an item, without what every item says.
    pub(super) fn arguments(&self, item: Node<'_>) -> String {
        let Some(said) = item.some(self.field) else { return "{}".to_owned() };
        if let Some(text) = said.as_str() {
            return text.into_owned();
        }
        let is_default = |name: &str, value: Node<'_>| self.defaults.contains(&(name, value.text()));
        let object = Json::build(|w| {
            w.object(|w| {
                let fields =
                    said.fields().filter(|(name, value)| !value.is_null() && !is_default(name, *value));
                fields.for_each(|(name, value)| w.field_raw(&name, value.text()));
            });
        });
        object.as_str().to_owned()
    }
}

impl Need {
    fn is_met(&self, said: Node<'_>) -> bool {
        if self.unless.is_some_and(|(field, value)| said.str(field).as_deref() == Some(value)) {
            return true;
        }
        let Some(value) = said.some(self.field) else { return false };
        match self.shape {
            Shape::Text => value.is_string(),
            Shape::Texts => value.is_array() && value.items().all(|item| item.is_string()),
            Shape::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word.as_ref())),
        }
    }
}
