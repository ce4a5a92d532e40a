//! Answers that come later: a vendor answers a submit with a job, which is asked for until it is done.
//!
//! What differs between vendors is a [`Job`] in the row of their API; here is decided what an answer means, and by whoever has a clock
//! and a network it is asked again. A submit may be answered with the result at once, where the vendor waits for it a while.

use std::borrow::Cow;

use crate::fault::{self, FaultKind};
use crate::json::{Document, Kind, Node, Writer};
use crate::{Fault, form::Piece};

/// Longest id of a job, in bytes.
const ID_BYTES_MAX: usize = 256;
/// As many times a job is asked for at the vendor's pace. What takes longer takes much longer.
const ASKS_AT_FULL_PACE: u32 = 20;
/// So many times longer are the pauses from then on.
const SLOWER: u64 = 3;

/// How the answer of an API is come by that answers a submit with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// Where it is asked for.
    pub status: Place,
    /// The field of what comes that says how far it is.
    pub state: &'static str,
    /// Words there that say that it is done.
    pub done: &'static [&'static str],
    /// Words there that say that nothing comes of it, and what that is.
    pub failed: &'static [(&'static str, FaultKind)],
    /// Where its reasons stand, by the names of fields from the outermost on; the first that is there counts.
    pub reasons: &'static [&'static [&'static str]],
    /// Where the result is, if that is not what said that it is done.
    pub result: Option<Place>,
    /// Where its answer streams, for a submit that asked for that.
    pub stream: Option<Place>,
    /// How it is given up.
    pub cancel: Option<(Method, Place)>,
    /// The field that the last answer may leave to the answer to the submit.
    pub told_at_submit: Option<&'static str>,
    /// So long is between two asks, in milliseconds.
    pub every_ms: u64,
}

/// Where something of a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the address in the answer to the submit, by the names of fields from the outermost on.
    At(&'static [&'static str]),
    /// At the address in this header of the answer to the submit.
    Header(&'static str),
    /// Behind the base URL, with the job's id for `{id}`. The field `id` of the answer to the submit holds it.
    Path(&'static str),
    /// Behind the path of the submit, by `POST`, with the job's id as `id` in JSON.
    Posted {
        /// What stands behind that path.
        behind: &'static str,
        /// The field of the answer to the submit that holds the id.
        id: &'static str,
    },
}

/// How a job is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

/// A place of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A whole URL, in the vendor's words. The key may go to the vendor's own hosts only.
    Url(String),
    /// A path behind the base URL.
    Path(String),
    /// By `POST`.
    Posted {
        /// What stands behind the path of the submit.
        behind: &'static str,
        /// The JSON that is sent.
        body: String,
    },
}

/// A job that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Where it is asked for.
    pub status: Address,
    /// Where its result is, if that is elsewhere.
    pub result: Option<Address>,
    /// Where its answer streams, if it does.
    pub stream: Option<Address>,
    /// How it is given up, where the answer says it.
    pub cancel: Option<(Method, Address)>,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Not yet.
    Open,
    /// The result is there.
    Done,
}

/// A file that is sent before the request that means it. The answer says where it is.
#[derive(Debug)]
pub struct Upload {
    /// The path behind the base URL.
    pub path: &'static str,
    /// What it is sent as.
    pub content_type: String,
    /// Its contents.
    pub body: Vec<Piece>,
    /// The field of the answer with its address.
    pub field: &'static str,
}

impl Job {
    /// What the answer to the submit says of the job. `header`: the value of one of its headers.
    ///
    /// # Errors
    /// 502 where it does not say where to ask.
    pub fn begun(&self, body: &[u8], header: impl Fn(&str) -> Option<String>) -> Result<Begun, Fault> {
        let document = parse(body)?;
        let root = document.root();
        let of = |place: Place| place.of(root, &header);
        let status = of(self.status).ok_or_else(|| {
            let told = fault::in_success(body);
            told.unwrap_or_else(|| {
                Fault::upstream("The provider's answer does not say where its job is to be asked for.")
            })
        })?;
        let cancel = self.cancel.and_then(|(method, place)| Some((method, of(place)?)));
        Ok(Begun { status, result: self.result.and_then(of), stream: self.stream.and_then(of), cancel })
    }

    /// How far an answer says that the job is. One without a word for it is still open: a submit may say nothing.
    ///
    /// # Errors
    /// What became of it, if nothing came of it; 502 for what is no answer.
    pub fn progress(&self, body: &[u8]) -> Result<Progress, Fault> {
        let document = parse(body)?;
        let root = document.root();
        let Some(state) = root.str(self.state) else { return Ok(Progress::Open) };
        if let Some((word, kind)) = self.failed.iter().find(|(word, _)| *word == state) {
            return Err(self.failure(root, word, *kind));
        }
        Ok(if self.done.contains(&&*state) { Progress::Done } else { Progress::Open })
    }

    /// The last answer with what it left to the answer to the submit; `None` where it is as it is.
    pub fn with_submitted(&self, submitted: &[u8], last: &[u8]) -> Option<Vec<u8>> {
        let name = self.told_at_submit?;
        let (submitted, document) =
            (Document::parse_to(submitted, 1).ok()?, Document::parse_to(last, 1).ok()?);
        let lacks_it = document.root().is_object() && document.root().some(name).is_none();
        let told = submitted.root().some(name).filter(|_| lacks_it)?;
        let mut w = Writer::with_capacity(last.len() + 64);
        w.object(|w| {
            document.root().fields().filter(|(field, _)| field != name).for_each(|(field, value)| {
                w.field_raw(&field, value.text());
            });
            w.field_raw(name, told.text());
        });
        Some(w.into_bytes())
    }

    fn failure(&self, root: Node<'_>, word: &str, kind: FaultKind) -> Fault {
        let reason = self.reasons.iter().find_map(|path| text_at(root, path).filter(|text| !text.is_empty()));
        let message = match reason {
            Some(reason) => format!("The provider's job ended with `{word}`: {reason}"),
            None => format!("The provider's job ended with `{word}`."),
        };
        let fault = Fault::new(kind, message);
        match kind {
            FaultKind::ContentPolicy => fault.with_code("content_policy_violation"),
            _ => fault.with_code("job_failed"),
        }
    }

    /// How long to wait before the job is asked for once more, in milliseconds, when it has been this many times.
    pub fn pause_ms(&self, asks: u32) -> u64 {
        if asks < ASKS_AT_FULL_PACE { self.every_ms } else { self.every_ms * SLOWER }
    }
}

impl Place {
    fn of(self, root: Node<'_>, header: impl Fn(&str) -> Option<String>) -> Option<Address> {
        match self {
            Place::At(path) => {
                text_at(root, path).filter(|url| !url.is_empty()).map(|url| Address::Url(url.into_owned()))
            }
            Place::Header(name) => header(name).filter(|url| !url.is_empty()).map(Address::Url),
            Place::Path(path) => {
                let id = root.str("id").filter(|id| is_id(id))?;
                Some(Address::Path(path.replace("{id}", &id)))
            }
            Place::Posted { behind, id } => {
                let id = root.str(id).filter(|id| is_id(id))?;
                Some(Address::Posted { behind, body: format!("{{\"id\":\"{id}\"}}") })
            }
        }
    }
}

/// Ids are letters and digits with few signs between. Anything else could lead to another place.
fn is_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(is_plain)
}

fn text_at<'d>(root: Node<'d>, path: &[&str]) -> Option<Cow<'d, str>> {
    let found = path.iter().try_fold(root, |node, name| node.some(name))?;
    match found.kind() {
        Kind::String => found.as_str(),
        Kind::Object | Kind::Array => Some(Cow::Borrowed(found.text())),
        Kind::Null | Kind::Bool | Kind::Number => None,
    }
}

fn parse(body: &[u8]) -> Result<Document<'_>, Fault> {
    let document = Document::parse(body)
        .map_err(|fault| Fault::upstream(format!("The provider's answer is {fault}.")))?;
    match document.root().is_object() {
        true => Ok(document),
        false => Err(Fault::upstream("The provider's answer is no job: it is no JSON object.")),
    }
}

/// Where an address in a vendor's answer is asked for with the vendor's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host<'u> {
    /// At the host that the submit went to: path and query.
    Same(&'u str),
    /// At another one of the vendor's: scheme and authority, and path and query.
    Other(&'u str, &'u str),
}

/// Where an address may be asked for, of a job at a host with this scheme and authority. `hosts`: ends of host names that are the
/// vendor's own. They count only where the submit went to one of these: what stands before a vendor answers for itself.
///
/// # Errors
/// 502 for an address to which the key may not go.
pub fn host_of<'u>(url: &'u str, base: &str, hosts: &[String]) -> Result<Host<'u>, Fault> {
    let refuse = || {
        Err(Fault::upstream(
            "The provider answered with a job at another host, to which its key may not go (poll_hosts in its row).",
        ))
    };
    let Some(scheme_bytes) = url.find("://") else { return refuse() };
    let path_at = url[scheme_bytes + 3..].find(['/', '?', '#', '\\']).map(|at| at + scheme_bytes + 3);
    let (origin, rest) = url.split_at(path_at.unwrap_or(url.len()));
    if !rest.starts_with('/')
        || rest.contains(['#', '\\'])
        || rest.bytes().any(|byte| byte <= b' ' || byte >= 0x7f)
    {
        return refuse();
    }
    if origin.eq_ignore_ascii_case(base) {
        return Ok(Host::Same(rest));
    }
    let is_vendors = |origin: &str| {
        let host = origin.strip_prefix("https://").unwrap_or_default();
        // A host alone: no port, and nobody's name before it.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let ends = |end: &String| {
            host.strip_suffix(end.as_str()).is_some_and(|begin| begin.is_empty() || begin.ends_with('.'))
        };
        host.bytes().all(is_plain) && hosts.iter().any(ends)
    };
    match is_vendors(origin) && is_vendors(base) {
        true => Ok(Host::Other(origin, rest)),
        false => refuse(),
    }
}

#[cfg(test)]
mod tests;
