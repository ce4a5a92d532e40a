//! A call whose file is sent before the request that means it, because the vendor takes files apart. Both are one attempt: it fails where
//! either does.

use http::Response;
use ostia_dialect::Fault;
use ostia_dialect::api::job::Upload;
use ostia_dialect::form::Piece;
use ostia_dialect::json::{Document, Json};
use ostia_providers::prepare::{ApiCall, Content, Outgoing};
use tokio::time::Instant;

use crate::errors::attempt_error::AttemptError;
use crate::exchange::Exchange;
use crate::exchange::finish;
use crate::exchange::receive;
use crate::message::body::Body;
use crate::record::Record;

/// Uploads, then asks, and answers.
///
/// # Errors
/// What the target answered in place of an answer, to either of the two.
pub async fn ask(
    exchange: Exchange<'_>,
    call: &ApiCall<'_>,
    mut prepared: Outgoing,
    upload: Box<Upload>,
    record: &mut Record,
) -> Result<Response<Body>, AttemptError> {
    let target = exchange.target;
    let base_url = target.destination.base_url();
    let end = Instant::now() + target.timeouts.total;
    let path = format!("{}{}", base_url.path, upload.path);
    let file = Content::Pieces { content_type: upload.content_type, pieces: upload.body };
    let request = exchange.request_of(path, file, call.body)?;
    record.dropped(std::mem::take(&mut prepared.dropped), target.lossless)?;
    let (before, began) = (exchange.booking.waited(), Instant::now());
    let answer = exchange.dispatch(request).await?;
    let answer = receive::json_of(answer, call.api, target).await?;
    if let Content::Pieces { pieces, .. } = &mut prepared.body {
        let address = address(answer.body(), upload.field)?;
        name(pieces, &address);
    }
    let request = exchange.outgoing(&mut prepared, call.body)?;
    let answer = exchange.again(base_url, request, end).await?;
    exchange.booking.set_waited(before + began.elapsed());
    finish::finish(answer, prepared.answer, exchange, call, record).await
}

/// Where the vendor keeps what was uploaded, as a string of JSON.
fn address(body: &[u8], field: &str) -> Result<Json, Fault> {
    let document = Document::parse_to(body, 1).ok();
    let found = document.as_ref().and_then(|document| document.root().some(field));
    let found = found.filter(|address| address.is_string());
    found
        .map(Json::of)
        .ok_or_else(|| Fault::upstream("The provider does not say where the uploaded file is."))
}

fn name(pieces: &mut [Piece], address: &Json) {
    for piece in pieces {
        if *piece == Piece::Uploaded {
            *piece = Piece::Bytes(address.as_str().as_bytes().to_vec());
        }
    }
}
