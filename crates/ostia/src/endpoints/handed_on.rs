//! Files and batches that are handed on to a provider as they are: whose they are is remembered by their ids while the answers pass, so that
//! a later request for one of them need not say whom to ask. The ids stay the provider's, and lead only whoever made them.

use http::{Method, Response};
use ostia_dialect::Fault;
use ostia_dialect::json::Document;
use ostia_store::HandedOn;

use super::batches::{owner, sender};
use crate::batches::{self, Batches};
use crate::client::ClientBody;
use crate::inbound::Inbound;
use crate::log::End;
use crate::message::body::{Body, Watcher};
use crate::message::inflate::Inflate;
use crate::provider_batches::Recalled;
use crate::record::Record;
use crate::routing::pass;

/// Longest answer that is looked at for ids, in bytes. A file or a batch is told in far fewer.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Where answers hold ids.
const IDS: [&str; 4] = ["id", "input_file_id", "output_file_id", "error_file_id"];
/// The longest id that is remembered, in bytes.
const ID_BYTES_MAX: usize = 256;

/// Hands a request on: about a thing of this id, or about all of them.
///
/// # Errors
/// As [`pass::pass`].
pub async fn pass(
    inbound: Inbound<'_>,
    id: Option<&str>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    let found = match id {
        Some(id) => find(inbound, id).await?,
        None => None,
    };
    let Some(found) = found else {
        let answer = Box::pin(pass::pass(inbound, body, false, record)).await?;
        return Ok(remember(inbound, answer, record).await);
    };
    let recalled = Recalled::of(inbound, &found.headers, &found.provider)?;
    let inbound = recalled.inbound(inbound);
    let answer = Box::pin(pass::pass(inbound, body, false, record)).await?;
    Ok(remember(inbound, answer, record).await)
}

/// Who has the thing of this id, if the request leaves that open.
async fn find(inbound: Inbound<'_>, id: &str) -> Result<Option<HandedOn>, Fault> {
    let Inbound { core, gateway, .. } = inbound;
    let is_open = gateway.names_nobody() && gateway.custom_host.is_none();
    let Some(batches) = core.batches.as_ref().filter(|batches| is_open && batches.are_there()) else {
        return Ok(None);
    };
    let (owner, id) = (owner(inbound, batches).await?, id.to_owned());
    batches.ask(move |tables| tables.handed_on(&owner, &id)).await
}

/// Has the ids in an answer remembered.
pub async fn remember(inbound: Inbound<'_>, answer: Response<Body>, record: &Record) -> Response<Body> {
    let is_told = answer.status().is_success() && inbound.parts.method != Method::DELETE;
    // A config may have several targets, of which one has answered.
    let mut kept = sender::kept_headers(inbound);
    kept.retain(|(name, _)| !name.ends_with("-config"));
    let (Some(batches), Some(provider)) = (&inbound.core.batches, record.provider()) else { return answer };
    if !is_told || inbound.gateway.custom_host.is_some() {
        return answer;
    }
    let (Ok(owner), Ok(inflate)) = (owner(inbound, batches).await, Inflate::of(answer.headers())) else {
        return answer;
    };
    let found = HandedOn { provider: provider.to_owned(), headers: kept };
    let ids = Ids { batches: batches.clone(), owner, found: Some(found), inflate, text: Vec::new() };
    answer.map(|body| body.watched(ids))
}

/// Whoever looks for ids in an answer that passes.
#[derive(Debug)]
struct Ids {
    batches: Batches,
    owner: String,
    /// What is remembered of them, until it is.
    found: Option<HandedOn>,
    inflate: Option<Inflate>,
    text: Vec<u8>,
}

impl Watcher for Ids {
    /// The ids are remembered before the client has them.
    fn piece(&mut self, bytes: &bytes::Bytes) {
        if self.found.is_none() {
            return;
        }
        let plain = match &mut self.inflate {
            Some(inflate) => inflate.push(bytes).ok(),
            None => Some(bytes.clone()),
        };
        match plain.filter(|plain| self.text.len() + plain.len() <= ANSWER_BYTES_MAX) {
            Some(plain) => self.text.extend_from_slice(&plain),
            None => self.found = None,
        }
        if self.text.trim_ascii_end().ends_with(b"}") {
            self.look();
        }
    }

    fn end(&mut self, _: End) {}
}

impl Ids {
    fn look(&mut self) {
        let Ok(document) = Document::parse_to(&self.text, 1) else { return };
        let id =
            |name: &&str| document.root().str(name).filter(|id| !id.is_empty() && id.len() <= ID_BYTES_MAX);
        let ids: Vec<String> = IDS.iter().filter_map(id).map(|id| id.into_owned()).collect();
        let Some(found) = self.found.take().filter(|_| !ids.is_empty()) else { return };
        let (owner, now_s) = (self.owner.clone(), batches::now_s());
        self.batches.tell(move |tables| tables.remember_handed_on(&owner, &ids, &found, now_s));
    }
}
