//! Is what a client got right?

use super::case::{Case, Fault, Framing, Way, markers};
use super::{script, speech};
use crate::fetch::{End, Heard};
use crate::wire::Reply;
use ostia_testkit::model::Speech;

/// What a client got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Got {
    /// The provider's whole answer.
    Whole,
    /// The second provider's whole answer.
    Spare,
    /// The provider's bytes, which are not a whole answer, under the framing that it gave them.
    AsSent,
    /// An error in the client's format.
    Error(u16),
    /// Some of a stream, then an error event in the client's format.
    ErrorEvent,
    /// Some of a body, then the connection's end before it is whole.
    Cut,
}

/// Gives words where it is not.
pub fn judge(case: &Case, heard: &Heard) -> Result<(), String> {
    if heard.end == End::Late {
        return Err("it hangs".into());
    }
    let own = case.marker();
    if let Some(other) = markers(&heard.raw).find(|marker| *marker != own) {
        return Err(format!("it got something of {other}"));
    }
    let reply = heard.reply.as_ref().ok_or("no answer")?;
    if heard.surplus_bytes > 0 {
        return Err(format!("{} bytes behind the answer", heard.surplus_bytes));
    }
    let got = match case.way {
        Way::Asked(client) => asked(case, client, reply)?,
        Way::Passed { .. } => passed(case, reply)?,
    };
    if is_right(case, got) { Ok(()) } else { Err(format!("{got:?} is not right")) }
}

/// What a client got in its format.
fn asked(case: &Case, client: Speech, reply: &Reply) -> Result<Got, String> {
    if reply.status >= 400 {
        return error(client, reply);
    }
    if case.stream {
        return stream(case, client, reply);
    }
    if !reply.whole {
        return cut(case, reply);
    }
    let body = String::from_utf8_lossy(&reply.body);
    match serde_json::from_str(&body) {
        Ok(body) => said(case, &speech::read_whole(client, &body)),
        Err(_) if reply.body == script::sent_instead(case) => Ok(Got::AsSent),
        Err(error) => Err(format!("no JSON: {error}")),
    }
}

fn error(client: Speech, reply: &Reply) -> Result<Got, String> {
    let body = serde_json::from_slice(&reply.body).map_err(|error| format!("an error's body: {error}"))?;
    let is_good = reply.whole && speech::is_error(client, &body);
    if is_good {
        Ok(Got::Error(reply.status))
    } else {
        Err("an error that is not in the client's format".into())
    }
}

fn stream(case: &Case, client: Speech, reply: &Reply) -> Result<Got, String> {
    let read = speech::read_stream(client, reply)?;
    match (read.finished, read.failed) {
        (true, false) if reply.whole => said(case, &read.text),
        (false, true) if case.text("main").starts_with(&read.text) => Ok(Got::ErrorEvent),
        (true, false) => Err("the stream says its end, and its connection breaks".into()),
        (true, true) => Err("the stream says its end and an error".into()),
        (false, true) => Err(format!("other words: {}", read.text)),
        (false, false) => Err("the stream says neither its end nor an error".into()),
    }
}

fn said(case: &Case, text: &str) -> Result<Got, String> {
    match text {
        text if text == case.text("main") => Ok(Got::Whole),
        text if text == case.text("spare") => Ok(Got::Spare),
        _ => Err(format!("other words: {}", &text[..text.len().min(200)])),
    }
}

/// What a client got whose answer is handed on unread.
fn passed(case: &Case, reply: &Reply) -> Result<Got, String> {
    if !reply.whole {
        return cut(case, reply);
    }
    let sent = script::sent_instead(case);
    let by_spare = case.spare.map(|spare| script::sent_by_spare(case, spare));
    match reply.status {
        200 if reply.body == sent && is_whole(case.fault) => Ok(Got::Whole),
        _ if reply.body == sent => Ok(Got::AsSent),
        200 if Some(&reply.body) == by_spare.as_ref() => Ok(Got::Spare),
        400.. => error(Speech::Chat, reply),
        _ => Err("other bytes".into()),
    }
}

fn cut(case: &Case, reply: &Reply) -> Result<Got, String> {
    let sent = script::sent_instead(case);
    let goes_on = case.fault == Fault::CommentsForEver && reply.body.starts_with(&sent);
    if goes_on || sent.starts_with(&reply.body) { Ok(Got::Cut) } else { Err("other bytes, and cut".into()) }
}

/// The answer comes whole, whatever else is odd about it.
fn is_whole(fault: Fault) -> bool {
    matches!(fault, Fault::Nothing | Fault::Trickle | Fault::Informational | Fault::LongHeader)
}

/// May a case end so?
fn is_right(case: &Case, got: Got) -> bool {
    let alone = is_right_alone(case, got);
    match (case.spare, got) {
        (None, _) => alone,
        // The other provider is asked for every error, and for no answer that has begun.
        (Some(_), Got::Spare) => {
            status_of(case.fault).is_some()
                || [502, 504].iter().any(|status| is_right_alone(case, Got::Error(*status)))
        }
        (Some(_), Got::Error(_)) => false,
        (Some(_), Got::AsSent) if status_of(case.fault).is_some() => false,
        (Some(_), Got::Whole | Got::AsSent | Got::ErrorEvent | Got::Cut) => alone,
    }
}

/// The same where nobody else is asked.
fn is_right_alone(case: &Case, got: Got) -> bool {
    let expected = match case.fault {
        Fault::Nothing | Fault::Trickle | Fault::Informational | Fault::LongHeader => &[Got::Whole][..],
        Fault::FinBeforeHead
        | Fault::RstBeforeHead
        | Fault::HalfHead
        | Fault::GarbageHead
        | Fault::TwoLengths
        | Fault::Switching
        | Fault::HugeHeader => &[Got::Error(502)],
        Fault::SilentHead => &[Got::Error(504)],
        Fault::BodyFin | Fault::BodyRst | Fault::LengthTooLong | Fault::BadChunk | Fault::HugeChunk => {
            broken(case, &[Got::Error(502), Got::ErrorEvent])
        }
        Fault::SilentBody => broken(case, &[Got::Error(504), Got::ErrorEvent]),
        Fault::LengthTooShort | Fault::GarbageGzip | Fault::NoEnd | Fault::Empty if case.stream => {
            unread_or(case, &[Got::Error(502), Got::ErrorEvent])
        }
        Fault::LengthTooShort | Fault::GarbageGzip | Fault::NoEnd | Fault::Html | Fault::Empty => {
            unread_or(case, &[Got::Error(502)])
        }
        Fault::CommentsForEver if script::is_unread(case) => &[Got::Cut],
        Fault::CommentsForEver => &[Got::Error(504), Got::ErrorEvent],
        Fault::ErrorEvent => {
            unread_or(case, &[Got::Error(502), Got::Error(503), Got::Error(500), Got::ErrorEvent])
        }
        Fault::Status(_) if script::is_unread(case) => &[Got::AsSent],
        Fault::Status(status) => return got == Got::Error(status),
    };
    expected.contains(&got)
}

/// A body that breaks off: `read` where somebody reads it to its end, and a visible break where it is handed on as it
/// comes; or an error, where it broke before anything was handed on.
fn broken<'a>(case: &Case, read: &'a [Got]) -> &'a [Got] {
    let whole = script::sent_instead(case);
    let goes_on =
        is_relayed(case) && !case.stream && case.framing == Framing::Length && whole.len() > PEEK_BYTES_MAX;
    if script::is_unread(case) || goes_on { &[Got::Cut, Got::Error(502)] } else { read }
}

/// The gateway's own bound for bodies that it looks into.
const PEEK_BYTES_MAX: usize = 64 << 10;

fn unread_or<'a>(case: &Case, read: &'a [Got]) -> &'a [Got] {
    if script::is_unread(case) { &[Got::AsSent] } else { read }
}

/// The provider's bytes go on: it speaks the client's format, or nobody asks which.
fn is_relayed(case: &Case) -> bool {
    match case.way {
        Way::Asked(client) => client == case.upstream,
        Way::Passed { .. } => true,
    }
}

/// The provider's own status that says that it failed.
fn status_of(fault: Fault) -> Option<u16> {
    match fault {
        Fault::Status(status) => Some(status),
        _ => None,
    }
}
