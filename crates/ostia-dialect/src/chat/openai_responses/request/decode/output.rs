//! What the answer is to look like, and how much is to be thought before it.

use crate::json::{Json, Node, optional_bool, optional_str, report_unknown};
use crate::{Fault, OutputFormat, Request};

/// `text`: the format of the answer, and how many words it takes.
pub(super) fn text(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    value.expect_fields()?;
    if let Some(format) = value.some("format") {
        request.output_format = Some(decode_format(format, &mut request.extra)?);
    }
    if let Some(verbosity) = value.some("verbosity") {
        verbosity.expect_str()?;
        request.extra.push(("verbosity".to_owned(), Json::of(verbosity)));
    }
    report_unknown(value, &["format", "verbosity"], &mut request.extra);
    Ok(())
}

fn decode_format(value: Node<'_>, unknown: &mut Vec<(String, Json)>) -> Result<OutputFormat, Fault> {
    let kind = value.expect("type")?;
    report_unknown(value, &["type", "name", "description", "schema", "strict"], unknown);
    match kind.expect_str()?.as_ref() {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::JsonObject),
        "json_schema" => {
            let schema = value.expect("schema")?;
            schema.expect_fields()?;
            Ok(OutputFormat::JsonSchema {
                name: value.expect("name")?.expect_str()?.into_owned(),
                description: optional_str(value, "description")?,
                schema: Json::of(schema),
                strict: optional_bool(value, "strict")?,
            })
        }
        _ => Err(kind.invalid("must be text, json_object or json_schema")),
    }
}

/// `reasoning`: a summary that is asked for shows the thoughts. How long the summary is to be only this
/// vendor's models understand.
pub(super) fn reasoning(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    value.expect_fields()?;
    if let Some(effort) = optional_str(value, "effort")? {
        request.reasoning.get_or_insert_default().effort = Some(effort);
    }
    for name in ["summary", "generate_summary"] {
        let Some(summary) = value.some(name) else { continue };
        request.reasoning.get_or_insert_default().visible = Some(true);
        if summary.expect_str()? != "auto" {
            request.extra.push(("reasoning.summary".to_owned(), Json::of(summary)));
        }
    }
    report_unknown(value, &["effort", "summary", "generate_summary"], &mut request.extra);
    Ok(())
}
