//! Spans and logs of applications, sent here by OTLP (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>): they join the view of their
//! traces, `GET /v1/traces/{id}`.
//!
//! Whoever sends them shows a key of `auth.keys`, and then they are that key's, or is an operator.

mod bounds;
mod decode;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, request};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{Busy, Done, ReadError};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::spawn_blocking;

use crate::client::ClientBody;
use crate::config::settings::Limits;
use crate::core::Core;
use crate::endpoints::logs::{busy, nothing_kept, now_ms, sender};
use crate::inbound::credentials::Credentials;
use crate::inbound::intake;
use crate::inbound::route::OtelPath;
use crate::message::body::Body;
use crate::message::media::media_type;
use decode::Decoded;

/// Largest export, unpacked, in bytes: as much as OpenTelemetry's collector takes by gRPC where nobody says otherwise.
const BODY_BYTES_MAX: usize = 4 << 20;
/// Exports that are larger are decoded on another thread: the requests of this core do not wait for them.
const BODY_BYTES_SMALL: usize = 32 << 10;
/// Exports that are decoded and written at once, on all cores: each takes some 64 MiB at most, where
/// all that [`bounds::OBJECTS_MAX`] allows are spans without anything. Further ones are to be sent again.
const EXPORTS_MAX: usize = 8;
static EXPORTS: Semaphore = Semaphore::const_new(EXPORTS_MAX);
/// How soon a sender may try again that finds no room, in seconds.
const TRY_AGAIN_S: HeaderValue = HeaderValue::from_static("1");

/// The two forms of OTLP in bodies of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
}

impl Form {
    fn of(media: &str) -> Option<Form> {
        match media {
            _ if media.eq_ignore_ascii_case("application/x-protobuf") => Some(Form::Protobuf),
            _ if media.eq_ignore_ascii_case("application/json") => Some(Form::Json),
            _ => None,
        }
    }

    fn media(self) -> HeaderValue {
        match self {
            Form::Protobuf => HeaderValue::from_static("application/x-protobuf"),
            Form::Json => HeaderValue::from_static("application/json"),
        }
    }

    /// Decodes an export, if it does not list too much.
    fn decode<T: Message + DeserializeOwned + Default>(
        self,
        path: OtelPath,
        body: &[u8],
    ) -> Result<T, Fault> {
        let is_too_much = match self {
            Form::Protobuf => bounds::is_too_much_protobuf(path, body),
            Form::Json => bounds::is_too_much_json(body),
        };
        if is_too_much {
            let message = format!(
                "An export may have {} spans or logs, attributes, events and links together: send less at once.",
                bounds::OBJECTS_MAX
            );
            return Err(Fault::invalid(message).with_status(413));
        }
        let told = |what: &str, why: String| Fault::invalid(format!("The body is no OTLP in {what}: {why}."));
        match self {
            Form::Protobuf => T::decode(body).map_err(|error| told("protobuf", error.to_string())),
            Form::Json => serde_json::from_slice(body).map_err(|error| told("JSON", error.to_string())),
        }
    }

    fn encode(self, answer: &(impl Message + Serialize)) -> Bytes {
        match self {
            Form::Protobuf => answer.encode_to_vec().into(),
            Form::Json => serde_json::to_vec(answer).unwrap_or_default().into(),
        }
    }
}

/// `google.rpc.Status`: an error in OTLP's words.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

/// Keeps what an application sends. What is wrong with all of it is said as OTLP has it, in the sender's form.
pub async fn answer(
    core: &Rc<Core>,
    parts: &request::Parts,
    credentials: &Credentials,
    path: OtelPath,
    body: ClientBody,
) -> Response<Body> {
    let form = Form::of(media_type(&parts.headers));
    let kept = match form {
        Some(form) => keep(core, parts, credentials, (path, form), body).await,
        None => Err(no_form()),
    };
    let form = form.unwrap_or(Form::Json);
    let (status, body) = match &kept {
        Ok(answer) => (StatusCode::OK, answer.clone()),
        Err(fault) => {
            (StatusCode::from_u16(fault.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), told(form, fault))
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, form.media());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, TRY_AGAIN_S);
    }
    response
}

fn no_form() -> Fault {
    let message = "Send OTLP as application/x-protobuf or application/json.";
    Fault::invalid(message).with_status(415)
}

fn told(form: Form, fault: &Fault) -> Bytes {
    // Codes of gRPC: unauthenticated, permission denied, unavailable, and invalid argument for the rest.
    let code = match fault.status {
        401 => 16,
        403 => 7,
        503 => 14,
        _ => 3,
    };
    match form {
        Form::Protobuf => Status { code, message: fault.message.clone() }.encode_to_vec().into(),
        Form::Json => json!({"code": code, "message": fault.message}).to_string().into(),
    }
}

async fn keep(
    core: &Rc<Core>,
    parts: &request::Parts,
    credentials: &Credentials,
    (path, form): (OtelPath, Form),
    body: ClientBody,
) -> Result<Bytes, Fault> {
    let key = sender(core, parts, credentials)?;
    let orders = core.orders.clone().ok_or_else(nothing_kept)?;
    let limits = &core.settings.limits;
    let limits = Limits { body_bytes_max: BODY_BYTES_MAX.min(limits.body_bytes_max), ..*limits };
    let body = intake::read_plain(body, &parts.headers, &limits).await;
    let body =
        body.map_err(|fault| if fault.status == 413 { too_large(limits.body_bytes_max) } else { fault })?;
    let _room = EXPORTS.try_acquire().map_err(|_| busy())?;
    let decoded = match body.len() {
        ..=BODY_BYTES_SMALL => decode(path, form, &body, key.as_deref()),
        _ => spawn_blocking(move || decode(path, form, &body, key.as_deref())).await.map_err(|_| busy())?,
    };
    let Decoded { joined, rejected, why } = decoded?;
    if !joined.spans.is_empty() || !joined.logs.is_empty() {
        let (tell, told) = oneshot::channel();
        // Whoever sent it may have left.
        let done = move |done: Done| drop(tell.send(done));
        orders.join(joined, now_ms(), done).map_err(|Busy| busy())?;
        written(told.await.map_err(|_| busy())?)?;
    }
    Ok(taken(path, form, rejected, why))
}

fn too_large(bytes_max: usize) -> Fault {
    let message = format!("An export may have {bytes_max} bytes, unpacked: send less at once.");
    Fault::invalid(message).with_status(413)
}

fn written(done: Done) -> Result<(), Fault> {
    match done {
        Ok(_) => Ok(()),
        Err(ReadError::Unreadable(why)) => {
            let message = "It cannot be written at the moment: try again later.";
            Err(Fault::new(FaultKind::Overloaded, message).with_status(503).with_detail(why))
        }
        Err(ReadError::TooSlow) => Err(busy()),
    }
}

fn decode(path: OtelPath, form: Form, body: &[u8], key: Option<&str>) -> Result<Decoded, Fault> {
    Ok(match path {
        OtelPath::Traces => decode::spans(form.decode::<ExportTraceServiceRequest>(path, body)?, key),
        OtelPath::Logs => decode::logs(form.decode::<ExportLogsServiceRequest>(path, body)?, key),
    })
}

/// The answer: nothing where all was taken, else how much was not, and why.
fn taken(path: OtelPath, form: Form, rejected: usize, error_message: String) -> Bytes {
    let count = i64::try_from(rejected).unwrap_or(i64::MAX);
    let is_partial = rejected > 0;
    match path {
        OtelPath::Traces => {
            let partial = ExportTracePartialSuccess { rejected_spans: count, error_message };
            form.encode(&ExportTraceServiceResponse { partial_success: is_partial.then_some(partial) })
        }
        OtelPath::Logs => {
            let partial = ExportLogsPartialSuccess { rejected_log_records: count, error_message };
            form.encode(&ExportLogsServiceResponse { partial_success: is_partial.then_some(partial) })
        }
    }
}
