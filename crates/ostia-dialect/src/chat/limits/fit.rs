//! A request made to fit a vendor's limits, in place. The usual request, which fits, is only looked at.

use super::{Limits, ids, marks, names, numbers, user};
use crate::media::image_type_of;
use crate::{Block, Content, Fault, Media, MediaKind, Message, Request, Role, Source, Undo};

/// Makes a request fit; `dropped` gets the paths of what is lost.
///
/// # Errors
/// 400 where there is more than the vendor takes and nothing of it can be spared, naming the place.
pub(crate) fn fit(
    request: &mut Request,
    limits: &Limits,
    undo: &mut Undo,
    dropped: &mut Vec<String>,
) -> Result<(), Fault> {
    check_tools(request, limits)?;
    check_media(request, limits)?;
    stops(&mut request.sampling.stop, limits, dropped);
    numbers::apply(request, limits, dropped);
    user::apply(request, limits, dropped);
    media(&mut request.messages);
    if limits.blank_texts_refused.is_some() {
        blank_texts(&mut request.messages, dropped);
        check_last_turn(request)?;
    }
    marks::apply(request, limits, dropped);
    names::apply(request, &limits.tool_names.takes, undo);
    ids::apply(&mut request.messages, &limits.tool_ids.takes);
    Ok(())
}

/// Which tools could be spared only the client knows.
fn check_tools(request: &Request, limits: &Limits) -> Result<(), Fault> {
    let (count, limit) = (request.tools.len(), limits.tools.map(|limit| limit.takes));
    match limit.filter(|most| count > *most) {
        Some(most) => {
            let what =
                format!("Invalid `tools`: this provider takes {most} tools at most, and there are {count}.");
            Err(Fault::invalid(what).with_param("tools"))
        }
        None => Ok(()),
    }
}

/// Nor which image or document. What is at an address is not counted: the vendor does not fetch it.
fn check_media(request: &Request, limits: &Limits) -> Result<(), Fault> {
    for (kind, what, limit) in
        [(MediaKind::Image, "images", limits.images), (MediaKind::Document, "documents", limits.documents)]
    {
        let Some(most) = limit.map(|limit| limit.takes) else { continue };
        let count =
            request.messages.iter().flat_map(|message| &message.blocks).map(|block| count(block, kind));
        let count: usize = count.sum();
        if count > most {
            let what = format!(
                "Invalid `messages`: this provider takes {most} {what} at most, and there are {count}."
            );
            return Err(Fault::invalid(what).with_param("messages"));
        }
    }
    Ok(())
}

fn count(block: &Block, kind: MediaKind) -> usize {
    match &block.content {
        Content::Media(Media { source: Source::Url(url), .. }) if !url.starts_with("s3:") => 0,
        Content::Media(medium) => usize::from(medium.kind == kind),
        Content::ToolResult { content, .. } => content.iter().map(|block| count(block, kind)).sum(),
        Content::Text { .. }
        | Content::Refusal(_)
        | Content::Reasoning(_)
        | Content::ToolCall { .. }
        | Content::Foreign { .. } => 0,
    }
}

/// The first ones stay.
fn stops(stops: &mut Vec<String>, limits: &Limits, dropped: &mut Vec<String>) {
    let before = stops.len();
    if limits.blank_stops_refused.is_some() {
        stops.retain(|stop| !stop.trim().is_empty());
    }
    stops.truncate(limits.stops.map_or(usize::MAX, |limit| limit.takes));
    if stops.len() < before {
        dropped.push("stop".to_owned());
    }
}

/// Media types in small letters, those of images without parameters and as their bytes are: vendors compare them with
/// a short list (<https://github.com/BerriAI/litellm/issues/16202>), and some with the bytes
/// (<https://github.com/vybestack/llxprt-code/issues/2130>).
fn media(messages: &mut [Message]) {
    for block in messages.iter_mut().flat_map(|message| &mut message.blocks) {
        match &mut block.content {
            Content::Media(medium) => media_type(medium),
            Content::ToolResult { content, .. } => content.iter_mut().for_each(|block| {
                if let Content::Media(medium) = &mut block.content {
                    media_type(medium);
                }
            }),
            Content::Text { .. }
            | Content::Refusal(_)
            | Content::Reasoning(_)
            | Content::ToolCall { .. }
            | Content::Foreign { .. } => {}
        }
    }
}

fn media_type(medium: &mut Media) {
    let Some(mime) = &mut medium.mime else { return };
    if mime.bytes().any(|byte| byte.is_ascii_uppercase()) {
        *mime = mime.to_ascii_lowercase();
    }
    if medium.kind != MediaKind::Image {
        return;
    }
    if let Some((kind, _)) = mime.split_once(';') {
        *mime = kind.trim().to_owned();
    }
    let seen = match &medium.source {
        Source::Base64(data) => image_type_of(data),
        Source::Url(_) | Source::FileId(_) | Source::Text(_) => None,
    };
    let own = match seen {
        Some(seen) => seen,
        None if mime == "image/jpg" => "image/jpeg",
        None => return,
    };
    if mime != own {
        *mime = own.to_owned();
    }
}

/// Texts of nothing but white space say nothing any more: encoders leave them out. Before its calls the model writes such a
/// text itself, and that is taken back.
fn blank_texts(messages: &mut [Message], dropped: &mut Vec<String>) {
    let is_call = |block: &Block| matches!(block.content, Content::ToolCall { .. });
    for (at, message) in messages.iter_mut().enumerate() {
        let calls_from = message.blocks.iter().rposition(is_call).unwrap_or_default();
        let is_whole = message.role == Role::Tool && message.blocks.len() == 1;
        for (position, block) in message.blocks.iter_mut().enumerate().skip(calls_from) {
            if let Content::ToolResult { content, .. } = &mut block.content {
                let inside = if is_whole { String::new() } else { format!(".content[{position}]") };
                for (inner, block) in content.iter_mut().enumerate() {
                    silence(block, dropped, || format!("messages[{at}]{inside}.content[{inner}]"));
                }
            } else {
                silence(block, dropped, || format!("messages[{at}].content[{position}]"));
            }
        }
    }
}

fn silence(block: &mut Block, dropped: &mut Vec<String>, path: impl Fn() -> String) {
    let (Content::Text { text, .. } | Content::Refusal(text)) = &mut block.content else { return };
    if !text.is_empty() && text.trim_start().is_empty() {
        text.clear();
        dropped.push(path());
    }
}

/// Without a last turn of the user's that says nothing, the model would go on with its own words, which nobody asked
/// for, and which newer models refuse.
fn check_last_turn(request: &Request) -> Result<(), Fault> {
    let Some((last, before)) = request.messages.split_last() else { return Ok(()) };
    let is_last_word =
        before.iter().rfind(|message| says(message)).is_some_and(|message| message.role == Role::Assistant);
    if last.role != Role::User || says(last) || !is_last_word {
        return Ok(());
    }
    let at = before.len();
    let path = request.places.get(at).cloned().unwrap_or_else(|| format!("messages[{at}]"));
    let what = "the last turn has to say something to this provider";
    Err(Fault::invalid(format!("Invalid `{path}`: {what}")).with_param(path))
}

fn says(message: &Message) -> bool {
    message.blocks.iter().any(|block| match &block.content {
        Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text) => !text.is_empty(),
        Content::Media(_)
        | Content::ToolCall { .. }
        | Content::ToolResult { .. }
        | Content::Foreign { .. } => true,
    })
}
