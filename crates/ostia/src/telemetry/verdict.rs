//! What a collector's answer means: taken, to be sent again later, or refused
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>, <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response>).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost::Message;

use crate::log::name;

/// Longest wait that a collector may ask for.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// What became of what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken, but for so many, for this reason.
    Taken {
        /// How many were not.
        rejected: u64,
        /// Why, in the collector's words; also where all of it was taken.
        why: String,
    },
    /// It may be sent again, after this time where the collector says one.
    Later {
        /// How long to wait.
        after: Option<Duration>,
        /// What went wrong.
        why: String,
    },
    /// It is not wanted, now and later.
    Refused {
        /// Why.
        why: String,
    },
}

/// What the answer to an export says of what was not taken, the same for all signals: the first field holds how many, and why.
#[derive(Clone, PartialEq, Message)]
struct ExportAnswer {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status` (<https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto>), as errors of HTTP and trailers of
/// gRPC have it.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types_any::Any>,
}

/// The two well-known types that are needed.
mod prost_types_any {
    use prost::Message;

    /// `google.protobuf.Any`.
    #[derive(Clone, PartialEq, Message)]
    pub struct Any {
        #[prost(string, tag = "1")]
        pub type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        pub value: Vec<u8>,
    }

    /// `google.rpc.RetryInfo`, with its `google.protobuf.Duration`.
    #[derive(Clone, PartialEq, Message)]
    pub struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        pub retry_delay: Option<Delay>,
    }

    /// `google.protobuf.Duration`.
    #[derive(Clone, PartialEq, Message)]
    pub struct Delay {
        #[prost(int64, tag = "1")]
        pub seconds: i64,
        #[prost(int32, tag = "2")]
        pub nanos: i32,
    }
}

/// Of an answer by HTTP.
pub fn of_http(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Verdict {
    match status {
        200..=299 => taken(body),
        429 | 502 | 503 | 504 => Verdict::Later { after: bounded(retry_after), why: of_status(status, body) },
        _ => Verdict::Refused { why: of_status(status, body) },
    }
}

/// What an answer by gRPC says: the code, if it says one, the message, the details in base64, and the body behind its prefix.
#[derive(Debug, Clone, Copy, Default)]
pub struct GrpcAnswer<'a> {
    /// `grpc-status`.
    pub code: Option<u16>,
    /// `grpc-message`.
    pub message: &'a str,
    /// `grpc-status-details-bin`.
    pub details: &'a str,
    /// The message of the answer.
    pub body: &'a [u8],
}

/// Of an answer by gRPC.
pub fn of_grpc(answer: GrpcAnswer<'_>) -> Verdict {
    const OK: u16 = 0;
    const RESOURCE_EXHAUSTED: u16 = 8;
    // Cancelled, deadline exceeded, aborted, out of range, unavailable, data loss.
    const PASSING: [u16; 6] = [1, 4, 10, 11, 14, 15];
    let Some(code) = answer.code else {
        return Verdict::Later { after: None, why: "it answers without a grpc-status".to_owned() };
    };
    let why = || format!("grpc-status {code} {}", name(answer.message)).trim_end().to_owned();
    let after = retry_delay(answer.details);
    match code {
        OK => taken(answer.body),
        RESOURCE_EXHAUSTED if after.is_some() => Verdict::Later { after, why: why() },
        _ if PASSING.contains(&code) => Verdict::Later { after, why: why() },
        _ => Verdict::Refused { why: why() },
    }
}

fn taken(body: &[u8]) -> Verdict {
    // What cannot be read is an answer all the same.
    let partial = ExportAnswer::decode(body).unwrap_or_default().partial_success.unwrap_or_default();
    let rejected = u64::try_from(partial.rejected).unwrap_or_default();
    Verdict::Taken { rejected, why: name(&partial.error_message).into() }
}

fn of_status(status: u16, body: &[u8]) -> String {
    let told = RpcStatus::decode(body).map(|status| status.message).unwrap_or_default();
    format!("status {status} {}", name(&told)).trim_end().to_owned()
}

/// How long the details of a status ask to wait.
fn retry_delay(details: &str) -> Option<Duration> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let bytes = LENIENT.decode(details).or_else(|_| STANDARD_NO_PAD.decode(details)).ok()?;
    let details = RpcStatus::decode(&*bytes).ok()?.details;
    let info = details.iter().find(|any| any.type_url.ends_with("google.rpc.RetryInfo"))?;
    let delay = prost_types_any::RetryInfo::decode(&*info.value).ok()?.retry_delay?;
    let (seconds, nanos) = (u64::try_from(delay.seconds).ok()?, u32::try_from(delay.nanos).ok()?);
    bounded(Some(Duration::new(seconds, nanos.min(999_999_999))))
}

fn bounded(wait: Option<Duration>) -> Option<Duration> {
    wait.map(|wait| wait.min(WAIT_MAX))
}

/// What `Retry-After` says: seconds, or a date (RFC 9110, section 10.2.3). `now`: the time of day.
pub fn retry_after(value: &str, now: std::time::SystemTime) -> Option<Duration> {
    let seconds = value.trim().parse().ok().map(Duration::from_secs);
    seconds.or_else(|| {
        let date = httpdate::parse_http_date(value).ok()?;
        Some(date.duration_since(now).unwrap_or_default())
    })
}

/// How long to wait before the next try, where nobody says: longer each time, and not for all at the same moment. `random`: from 0 to 1.
pub fn backoff(tries: u32, random: f64) -> Duration {
    const FIRST: Duration = Duration::from_secs(1);
    const LAST: Duration = Duration::from_secs(30);
    let wait = FIRST.saturating_mul(1u32.checked_shl(tries).unwrap_or(u32::MAX)).min(LAST);
    wait.mul_f64(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn partial(rejected: i64, error_message: &str) -> Vec<u8> {
        let partial = PartialSuccess { rejected, error_message: error_message.to_owned() };
        ExportAnswer { partial_success: Some(partial) }.encode_to_vec()
    }

    fn details(seconds: i64) -> String {
        let info =
            prost_types_any::RetryInfo { retry_delay: Some(prost_types_any::Delay { seconds, nanos: 0 }) };
        let any = prost_types_any::Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: info.encode_to_vec(),
        };
        let status = RpcStatus { message: String::new(), details: vec![any] };
        STANDARD_NO_PAD.encode(status.encode_to_vec())
    }

    fn taken(rejected: u64, why: &str) -> Verdict {
        Verdict::Taken { rejected, why: why.to_owned() }
    }

    fn later(seconds: Option<u64>, why: &str) -> Verdict {
        Verdict::Later { after: seconds.map(Duration::from_secs), why: why.to_owned() }
    }

    fn refused(why: &str) -> Verdict {
        Verdict::Refused { why: why.to_owned() }
    }

    #[test]
    fn answers_by_http() {
        let check = |status: u16, wait: Option<u64>, body: &[u8], expected: Verdict| {
            assert_eq!(of_http(status, wait.map(Duration::from_secs), body), expected, "{status}");
        };
        check(200, None, b"", taken(0, ""));
        check(202, None, b"{\"no\": \"protobuf\"}", taken(0, ""));
        check(200, None, &partial(3, "too old"), taken(3, "too old"));
        check(200, None, &partial(-1, ""), taken(0, ""));
        check(429, Some(7), b"", later(Some(7), "status 429"));
        check(503, Some(86_400), b"", later(Some(300), "status 503"));
        check(502, None, b"<html>", later(None, "status 502"));
        let status = RpcStatus { message: "no such tenant".to_owned(), details: Vec::new() };
        check(400, None, &status.encode_to_vec(), refused("status 400 no such tenant"));
        check(500, None, b"", refused("status 500"));
        check(307, None, b"", refused("status 307"));
    }

    #[test]
    fn answers_by_grpc() {
        let check = |code: Option<u16>, details: &str, body: &[u8], expected: Verdict| {
            assert_eq!(of_grpc(GrpcAnswer { code, message: "m", details, body }), expected, "{code:?}");
        };
        check(Some(0), "", &partial(2, "x"), taken(2, "x"));
        check(Some(14), "", b"", later(None, "grpc-status 14 m"));
        check(Some(14), &details(4), b"", later(Some(4), "grpc-status 14 m"));
        check(Some(8), &details(4), b"", later(Some(4), "grpc-status 8 m"));
        check(Some(8), "", b"", refused("grpc-status 8 m"));
        check(Some(8), "no base64!", b"", refused("grpc-status 8 m"));
        check(Some(16), "", b"", refused("grpc-status 16 m"));
        check(None, "", b"", later(None, "it answers without a grpc-status"));
    }

    #[test]
    fn waits() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let check = |value: &str, expected: Option<u64>| {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value}");
        };
        check("7", Some(7));
        check("Sun, 06 Nov 1994 08:49:47 GMT", Some(10));
        check("Sun, 06 Nov 1994 08:49:07 GMT", Some(0));
        check("soon", None);
        assert_eq!(backoff(0, 1.0), Duration::from_secs(1));
        assert_eq!(backoff(2, 0.0), Duration::from_secs(2));
        assert_eq!(backoff(40, 1.0), Duration::from_secs(30));
    }
}
