//! How much to think, and what shape the text must have:
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>, `/effort`, `/structured-outputs`.

use super::{beyond, optional_str};
use crate::json::{Json, Node};
use crate::{Fault, OutputFormat, Reasoning, Request};

/// The field `thinking`. A type that the hub has no word for stays as it is, for upstreams of this dialect.
pub(super) fn decode_thinking(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let kind = value.expect("type")?.expect_str()?;
    let mut wish = Reasoning { enabled: Some(true), ..request.reasoning.take().unwrap_or_default() };
    match kind.as_ref() {
        "enabled" => wish.budget_tokens = Some(value.expect("budget_tokens")?.expect_u64()?),
        "adaptive" => wish.adaptive = true,
        "disabled" => wish.enabled = Some(false),
        _ => {
            wish.enabled = None;
            request.reasoning = Some(wish).filter(|wish| *wish != Reasoning::default());
            request.extra.push(("thinking".into(), Json::of(value)));
            return Ok(());
        }
    }
    wish.visible = optional_str(value, "display")?.map(|display| display != "omitted");
    request.reasoning = Some(wish);
    request.extra.extend(beyond(value, &["type", "budget_tokens", "display"], "thinking."));
    Ok(())
}

/// The field `output_config`. What the hub does not know of it stays under its name.
pub(super) fn decode_config(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    if let Some(effort) = optional_str(value, "effort")? {
        request.reasoning.get_or_insert_default().effort = Some(effort);
    }
    if let Some(format) = value.some("format") {
        decode_format(format, request)?;
    }
    let extras: Vec<_> = beyond(value, &["effort", "format"], "").collect();
    if !extras.is_empty() {
        let rest = Json::build(|w| {
            w.object(|w| extras.iter().for_each(|(name, value)| w.field_raw(name, value.as_str())));
        });
        request.extra.push(("output_config".into(), rest));
    }
    Ok(())
}

/// Others mean by an effort that the model shall think; here it is for the whole answer. A client that names an effort and
/// leaves `thinking` out says nothing of thoughts: an explicit `null`, which counts as absent everywhere, keeps that for
/// upstreams of this dialect.
pub(super) fn mark_effort_alone(request: &mut Request) {
    let alone =
        request.reasoning.as_ref().is_some_and(|wish| wish.effort.is_some() && wish.enabled.is_none());
    if alone && request.extra.iter().all(|(name, _)| name != "thinking") {
        request.extra.push(("thinking".into(), Json::build(|w| w.null())));
    }
}

/// The field `format` of it, which has only one type.
///
/// The vendor's schemas need not name every property as required, which is what other vendors mean by `strict`.
pub(super) fn decode_format(value: Node<'_>, request: &mut Request) -> Result<(), Fault> {
    let kind = value.expect("type")?;
    if kind.expect_str()? != "json_schema" {
        return Err(kind.invalid("must be json_schema"));
    }
    let schema = value.expect("schema")?;
    schema.expect_fields()?;
    request.output_format = Some(OutputFormat::JsonSchema {
        name: optional_str(value, "name")?.unwrap_or_else(|| "response".into()),
        description: None,
        schema: Json::of(schema),
        strict: None,
    });
    request.extra.extend(beyond(value, &["type", "schema", "name"], "output_config.format."));
    Ok(())
}
