//! What an error means: one function, asked for every error of every vendor.

use super::table::{Row, Sign, rows};
use super::{Fault, FaultKind};

/// Finds out what kind of failure this is, from what the vendor says of it, and the status where the answer has none.
///
/// `more` are words beside the message that the client does not see.
pub(crate) fn classify(fault: &mut Fault, status: Option<u16>, more: Option<&str>) {
    let row = sign_of(fault, status, more);
    fault.kind = match (row, status) {
        (Some(row), _) => row.kind,
        (None, status) => FaultKind::of_status(status.unwrap_or(502)),
    };
    fault.status = status.unwrap_or(fault.kind.status());
}

/// The first row whose sign is there, and can be believed with this status: codes before words before types.
fn sign_of(fault: &Fault, status: Option<u16>, more: Option<&str>) -> Option<Row> {
    let codes = [fault.code.as_deref(), fault.vendor_type.as_deref()];
    let is_coded = |is: &dyn Fn(&str) -> bool| codes.into_iter().flatten().any(is);
    let find = |holds: &dyn Fn(Sign) -> bool| {
        rows().find(|row| status.is_none_or(|status| is_believed(row, status)) && holds(row.sign))
    };
    let message = [Some(fault.message.as_str()), more];
    find(&|sign| matches!(sign, Sign::Code(word) if is_coded(&|code| is_same(code, word))))
        .or_else(|| {
            let texts = message.map(|text| text.map(str::to_ascii_lowercase));
            find(&|sign| {
                matches!(sign, Sign::Words(pieces) if texts.iter().flatten().any(|text| says(text, pieces)))
            })
        })
        .or_else(|| {
            find(&|sign| match sign {
                Sign::Type(word) => is_coded(&|code| is_same(code, word)),
                Sign::TypeBegins(word) => is_coded(&|code| code.starts_with(word)),
                Sign::Code(_) | Sign::Words(_) => false,
            })
        })
}

/// Does this sign tell the truth beside this status? A server that breaks down may quote anything, and where the status
/// says it better, it counts.
fn is_believed(row: &Row, status: u16) -> bool {
    match (row.sign, row.kind) {
        (Sign::Type(_) | Sign::TypeBegins(_), _) => false,
        // "Request too large ... on tokens per minute" comes with 413, and the same code as a limit in time.
        (_, FaultKind::RateLimit) => status == 429,
        (_, FaultKind::Authentication) => matches!(status, 400 | 401 | 403),
        (Sign::Code(_), _) => true,
        // Together refuses with 403 what is too long.
        (Sign::Words(_), FaultKind::ContextLength) => matches!(status, 400 | 403 | 413 | 422),
        (Sign::Words(_), FaultKind::ContentPolicy) => matches!(status, 400 | 403 | 422 | 451),
        (Sign::Words(_), FaultKind::Quota) => matches!(status, 400 | 402 | 403 | 429),
        (Sign::Words(_), FaultKind::Overloaded) => matches!(status, 500 | 502),
        (Sign::Words(_), _) => false,
    }
}

/// Are these one word? `DataInspectionFailed` is `data_inspection_failed`.
fn is_same(left: &str, right: &str) -> bool {
    let plain = |text: &'_ str| -> Vec<u8> {
        text.bytes().filter(|byte| !b"_-. ".contains(byte)).map(|byte| byte.to_ascii_lowercase()).collect()
    };
    // Most pairs differ in the first letter.
    let first = |text: &str| text.bytes().next().map(|byte| byte.to_ascii_lowercase());
    first(left) == first(right) && plain(left) == plain(right)
}

/// Are these pieces in a text of small letters, one behind the other?
fn says(text: &str, pieces: &[&str]) -> bool {
    let mut rest = text;
    pieces.iter().all(|piece| {
        let piece = piece.to_ascii_lowercase();
        let Some(at) = rest.find(&piece) else { return false };
        rest = &rest[at + piece.len()..];
        true
    })
}

#[cfg(test)]
mod tests;
