//! `output_config`: the shape of the text and the effort.
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>

use super::extra;
use super::reasoning::Plan;
use super::schema;
use crate::json::{Document, Json, Writer};
use crate::{OutputFormat, Request};

/// The field, where any part of it is given. What the client says in the vendor's own words comes first.
pub(super) struct OutputConfig<'r> {
    own: Option<&'r Json>,
    effort: Option<&'static str>,
    format: Option<Json>,
}

impl<'r> OutputConfig<'r> {
    /// Reports an output format that the dialect has no words for.
    pub(super) fn of(request: &'r Request, plan: &Plan, dropped: &mut Vec<String>) -> OutputConfig<'r> {
        // `output_format` is the older name of `output_config.format`.
        let older = extra(request, "output_format").cloned();
        let format = older.or_else(|| format(request.output_format.as_ref(), dropped));
        let own = extra(request, "output_config");
        let is_object = |own: &&Json| own.as_str().starts_with('{');
        if own.is_some_and(|own| !is_object(&own)) {
            dropped.push("output_config".into());
        }
        OutputConfig { own: own.filter(is_object), effort: plan.effort, format }
    }

    /// The field `output_config`.
    pub(super) fn write(&self, out: &mut Writer) {
        let document = self.own.and_then(|own| Document::parse(own.as_str().as_bytes()).ok());
        let said = |name: &str| document.as_ref().is_some_and(|own| own.root().get(name).is_some());
        let effort = self.effort.filter(|_| !said("effort"));
        let format = self.format.as_ref().filter(|_| !said("format"));
        let fields = document.iter().flat_map(|own| own.root().fields());
        if document.is_none() && effort.is_none() && format.is_none() {
            return;
        }
        out.field_object("output_config", |out| {
            fields.for_each(|(name, value)| out.field_raw(&name, value.text()));
            effort.into_iter().for_each(|level| out.field_str("effort", level));
            format.into_iter().for_each(|format| out.field_raw("format", format.as_str()));
        });
    }
}

fn format(wish: Option<&OutputFormat>, dropped: &mut Vec<String>) -> Option<Json> {
    match wish? {
        OutputFormat::Text => None,
        // "Some JSON" has no form here: the vendor constrains to a schema or not at all.
        OutputFormat::JsonObject => {
            dropped.push("response_format".into());
            None
        }
        OutputFormat::JsonSchema { description, schema, .. } => {
            if description.is_some() {
                dropped.push("response_format.json_schema.description".into());
            }
            let schema = schema::fit(schema, "response_format.json_schema.schema", dropped);
            Some(Json::build(|out| {
                out.object(|out| {
                    out.field_str("type", "json_schema");
                    out.field_raw("schema", schema.as_str());
                });
            }))
        }
    }
}
