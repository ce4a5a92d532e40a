//! `outputConfig`: the shape of the text, and the effort
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_OutputConfig.html>).

use super::model_fields::ModelFields;
use crate::chat::anthropic_messages::request::fit_schema;
use crate::chat::rules::{Maker, Rules};
use crate::json::{Json, Writer};
use crate::{OutputFormat, Request};

/// Writes the field, if there is anything for it.
pub(super) fn write(
    w: &mut Writer,
    request: &Request,
    rules: &Rules,
    fields: &ModelFields,
    dropped: &mut Vec<String>,
) {
    let format = match &request.output_format {
        None | Some(OutputFormat::Text) => None,
        Some(OutputFormat::JsonSchema { name, description, schema, strict: _ }) if rules.converse.formats => {
            Some(Format { name, description: description.as_deref(), schema: fitted(schema, rules, dropped) })
        }
        // "Some JSON" has no form here, and models that follow no schema have none at all.
        Some(OutputFormat::JsonObject | OutputFormat::JsonSchema { .. }) => {
            dropped.push("response_format".into());
            None
        }
    };
    let effort = fields.effort();
    if format.is_none() && effort.is_none() {
        return;
    }
    w.field_object("outputConfig", |w| {
        format.iter().for_each(|format| format.write(w));
        effort.into_iter().for_each(|level| w.field_str("effort", level));
    });
}

struct Format<'r> {
    name: &'r str,
    description: Option<&'r str>,
    schema: Json,
}

/// A model of Anthropic's takes a part of JSON Schema only, wherever it is served.
fn fitted(schema: &Json, rules: &Rules, dropped: &mut Vec<String>) -> Json {
    match rules.converse.maker {
        Maker::Anthropic => fit_schema(schema, "response_format.json_schema.schema", dropped),
        Maker::Nova | Maker::Openai | Maker::Cohere | Maker::Other => schema.clone(),
    }
}

impl Format<'_> {
    /// The schema goes as JSON in a text.
    fn write(&self, w: &mut Writer) {
        w.field_object("textFormat", |w| {
            w.field_str("type", "json_schema");
            w.field_object("structure", |w| {
                w.field_object("jsonSchema", |w| {
                    w.field_str("schema", self.schema.as_str());
                    w.field_str("name", self.name);
                    self.description.into_iter().for_each(|text| w.field_str("description", text));
                });
            });
        });
    }
}
