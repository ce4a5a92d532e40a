//! The field `text`: what shape the answer's words have. <https://platform.openai.com/docs/guides/structured-outputs>

use super::extra;
use crate::json::Writer;
use crate::{OutputFormat, Request};

/// The field, where there is anything to say. Free text is what the vendor gives unasked.
pub(super) fn write(w: &mut Writer, request: &Request) {
    let format = request.output_format.as_ref().filter(|format| **format != OutputFormat::Text);
    let verbosity = extra(request, "verbosity").or(extra(request, "text.verbosity"));
    if format.is_none() && verbosity.is_none() {
        return;
    }
    w.field_object("text", |w| {
        format.iter().for_each(|format| w.field_object("format", |w| write_format(w, format)));
        verbosity.iter().for_each(|verbosity| w.field_raw("verbosity", verbosity.as_str()));
    });
}

fn write_format(w: &mut Writer, format: &OutputFormat) {
    match format {
        OutputFormat::Text => w.field_str("type", "text"),
        OutputFormat::JsonObject => w.field_str("type", "json_object"),
        OutputFormat::JsonSchema { name, description, schema, strict } => {
            w.field_str("type", "json_schema");
            w.field_str("name", name);
            description.iter().for_each(|text| w.field_str("description", text));
            w.field_raw("schema", schema.as_str());
            strict.iter().for_each(|strict| w.field_bool("strict", *strict));
        }
    }
}
