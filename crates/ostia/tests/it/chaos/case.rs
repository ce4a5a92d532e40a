//! What a request is, and what becomes of it at the provider: the client and the provider look up the same case by its
//! number, which is the request's marker.

use std::time::Duration;

use fastrand::Rng;
use ostia_testkit::model::Speech;
use serde_json::json;

use super::speech;
use crate::wire::Ask;

/// An answer with so long a text is too large to be searched for a hidden error, and so is handed on as it comes.
const LONG_TEXT_BYTES: usize = 80 << 10;
/// One of so many has a long text.
const LONG_TEXT_EVERY: u32 = 10;
/// One of so many may be answered by a second provider.
const FALLBACK_EVERY: u32 = 4;
/// One of so many clients leaves early, within this time.
const LEAVES_EVERY: u32 = 12;
const LEAVES_MAX_MS: u64 = 600;

/// One request.
#[derive(Debug, Clone)]
pub struct Case {
    pub number: usize,
    pub way: Way,
    /// What the provider speaks.
    pub upstream: Speech,
    pub stream: bool,
    pub framing: Framing,
    pub fault: Fault,
    /// Bytes of the answer's text, roughly.
    text_bytes: usize,
    /// What a second provider speaks, if there is one.
    pub spare: Option<Speech>,
    /// The first is asked twice, if there is a second.
    retries: bool,
    pub leaves_after: Option<Duration>,
}

/// How a request reaches the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In this format.
    Asked(Speech),
    /// Below `/v1/proxy`: handed on unread. With a body or, as GET, without one.
    Passed { body: bool },
}

/// How the end of the provider's answer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Length,
    Chunked,
    Close,
}

/// What goes wrong at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Nothing,
    /// It closes before the head.
    FinBeforeHead,
    RstBeforeHead,
    /// It closes in the middle of the head.
    HalfHead,
    /// It closes in the middle of the body.
    BodyFin,
    BodyRst,
    /// Content-Length says more than comes, and less.
    LengthTooLong,
    LengthTooShort,
    GarbageHead,
    /// It says gzip and is none.
    GarbageGzip,
    /// A web page with status 200.
    Html,
    /// An error in its own format.
    Status(u16),
    /// Status 200 and no body.
    Empty,
    /// The answer comes in many small pieces.
    Trickle,
    /// It says nothing at all, and nothing more.
    SilentHead,
    SilentBody,
    /// A stream without its last events, and one that goes on for ever and says nothing.
    NoEnd,
    CommentsForEver,
    /// A stream whose last event is an error.
    ErrorEvent,
    /// The size of a chunk is no number, and more than a number holds.
    BadChunk,
    HugeChunk,
    /// Both Content-Length and Transfer-Encoding.
    TwoLengths,
    /// Status 101, which nobody asked for.
    Switching,
    /// Statuses 100 and 103 before the answer.
    Informational,
    /// A header of 60 KB, and of 1 MB.
    LongHeader,
    HugeHeader,
}

const FAULTS: [Fault; 28] = [
    Fault::Nothing,
    Fault::FinBeforeHead,
    Fault::RstBeforeHead,
    Fault::HalfHead,
    Fault::BodyFin,
    Fault::BodyRst,
    Fault::LengthTooLong,
    Fault::LengthTooShort,
    Fault::GarbageHead,
    Fault::GarbageGzip,
    Fault::Html,
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Empty,
    Fault::Trickle,
    Fault::SilentHead,
    Fault::SilentBody,
    Fault::NoEnd,
    Fault::CommentsForEver,
    Fault::ErrorEvent,
    Fault::BadChunk,
    Fault::HugeChunk,
    Fault::TwoLengths,
    Fault::Switching,
    Fault::Informational,
    Fault::LongHeader,
    Fault::HugeHeader,
];
/// What clients speak.
const CLIENTS: [Speech; 4] = [Speech::Chat, Speech::Responses, Speech::Messages, Speech::Gemini];

impl Case {
    /// The case with this number.
    pub fn of(number: usize, seed: u64) -> Case {
        let mut rng = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        let fault = FAULTS[rng.usize(0..FAULTS.len())];
        let mut case = Case::draw(number, fault, &mut rng);
        let mut one_of = |count: u32| rng.u32(0..count) == 0;
        let (falls_back, leaves) = (one_of(FALLBACK_EVERY), one_of(LEAVES_EVERY));
        // Silence twice over would outlast the deadline.
        case.retries = rng.bool() && fault != Fault::SilentHead;
        case.spare = falls_back.then(|| Speech::IN_EVENTS[rng.usize(0..Speech::IN_EVENTS.len())]);
        case.leaves_after = leaves.then(|| Duration::from_millis(rng.u64(0..LEAVES_MAX_MS)));
        case
    }

    /// The case with this number, in which nothing goes wrong.
    pub fn whole(number: usize, seed: u64) -> Case {
        let mut rng = Rng::with_seed(seed.wrapping_add(number as u64));
        Case::draw(number, Fault::Nothing, &mut rng)
    }

    fn draw(number: usize, fault: Fault, rng: &mut Rng) -> Case {
        let client = CLIENTS[rng.usize(0..CLIENTS.len())];
        let way = match rng.u8(0..6) {
            0 => Way::Passed { body: rng.bool() },
            _ => Way::Asked(client),
        };
        // Half of them need no translation.
        let upstream =
            if rng.bool() { client } else { Speech::IN_EVENTS[rng.usize(0..Speech::IN_EVENTS.len())] };
        let stream = rng.bool() || fault.is_of_streams();
        let framing = match fault.framing() {
            Some(framing) => framing,
            None => [Framing::Length, Framing::Chunked, Framing::Close][rng.usize(0..3)],
        };
        let text_bytes = if rng.u32(0..LONG_TEXT_EVERY) == 0 { LONG_TEXT_BYTES } else { 200 };
        Case {
            number,
            way,
            upstream,
            stream,
            framing,
            fault,
            text_bytes,
            spare: None,
            retries: false,
            leaves_after: None,
        }
    }

    /// How often its provider may read it. What a server may have read goes out again only where the config says so, and
    /// once where the method allows it (RFC 9110, section 9.2.2).
    pub fn times_read_max(&self) -> usize {
        let attempts = 1 + usize::from(self.spare.is_some() && self.retries);
        if self.way == (Way::Passed { body: false }) { 2 * attempts } else { attempts }
    }

    /// Unique, of one length, and like nothing else in an answer.
    pub fn marker(&self) -> String {
        format!("m{:05}z", self.number)
    }

    /// What this provider's answer says.
    pub fn text(&self, role: &str) -> String {
        let marker = self.marker();
        format!("{role} {marker} {}{marker}", "on ".repeat(self.text_bytes / 3))
    }

    /// The request as the client sends it. Its connection ends with the answer.
    pub fn ask(&self) -> Ask {
        let marker = self.marker();
        let ask = match self.way {
            Way::Asked(client) => {
                let (path, body) = speech::request(client, &marker, self.stream);
                Ask::post(path, body)
            }
            Way::Passed { body: true } => Ask::post("/v1/proxy/things", json!({"x": marker}).to_string()),
            Way::Passed { body: false } => Ask::new("GET", &format!("/v1/proxy/things/{marker}")),
        };
        let main = format!("main-{}", speech::name(self.upstream));
        let ask = ask.header("connection", "close");
        let Some(spare) = self.spare else { return ask.header("x-ostia-provider", &main) };
        let spare = format!("spare-{}", speech::name(spare));
        let targets = json!([{"provider": main}, {"provider": spare}]);
        let retry = json!({"attempts": u8::from(self.retries)});
        let config = json!({"strategy": {"mode": "fallback"}, "retry": retry, "targets": targets});
        ask.header("x-ostia-config", &config.to_string())
    }
}

impl Fault {
    /// It makes sense only with streams.
    fn is_of_streams(self) -> bool {
        matches!(self, Fault::NoEnd | Fault::CommentsForEver | Fault::ErrorEvent)
    }

    /// The framing without which it would be none.
    fn framing(self) -> Option<Framing> {
        match self {
            Fault::LengthTooLong | Fault::LengthTooShort | Fault::BodyFin => Some(Framing::Length),
            Fault::BadChunk | Fault::HugeChunk | Fault::TwoLengths => Some(Framing::Chunked),
            _ => None,
        }
    }
}

/// All markers in what came.
pub fn markers(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes.windows(7).filter_map(|window| {
        let is_one = window[0] == b'm' && window[6] == b'z' && window[1..6].iter().all(u8::is_ascii_digit);
        std::str::from_utf8(window).ok().filter(|_| is_one)
    })
}
