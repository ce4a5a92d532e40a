//! Files, batches and jobs that train models, handed on to a provider as they are: whose they are is remembered by their ids while the
//! answers pass, so that a later request for one of them need not say whom to ask. The ids stay the provider's, and lead only whoever
//! made them.

use http::{Method, Response};
use ostia_dialect::json::Document;
use ostia_dialect::{Fault, FaultKind};
use ostia_store::{BatchesClosed, HandedOn};
use percent_encoding::percent_decode_str;

use super::batches::{sender, try_owner};
use crate::batches::{self, Batches};
use crate::client::ClientBody;
use crate::inbound::Inbound;
use crate::log::End;
use crate::message::body::{Body, Watcher};
use crate::message::inflate::Inflate;
use crate::provider_jobs::Recalled;
use crate::record::Record;
use crate::routing::{pass, routes};
use crate::target::{self, Asked};

/// Longest answer that is looked at for ids, in bytes. A file or a batch is told in far fewer.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Where answers hold ids.
const IDS: [&str; 4] = ["id", "input_file_id", "output_file_id", "error_file_id"];
/// The longest id that is remembered, in bytes.
const ID_BYTES_MAX: usize = 256;
/// What ids stand behind in paths.
const KINDS: [&str; 3] = ["files", "batches", "jobs"];
/// Most ids of a path that are looked up. None of a vendor's has more than one.
const PATH_IDS_MAX: usize = 4;

/// Hands a request on: about a thing of this id, or about all of them.
///
/// # Errors
/// 404 for a thing of somebody else's, and as [`pass::pass`].
pub async fn pass(
    inbound: Inbound<'_>,
    id: Option<&str>,
    body: ClientBody,
    record: &mut Record,
) -> Result<Response<Body>, Fault> {
    record.account().call(None);
    let found = match id {
        // Whoever is asked reads it decoded.
        Some(id) => find(inbound, &percent_decode_str(id).decode_utf8_lossy()).await?,
        None => None,
    };
    let is_open = inbound.gateway.names_nobody() && inbound.gateway.custom_host.is_none();
    let Some(found) = found.filter(|_| is_open) else {
        let answer = Box::pin(pass::pass(inbound, body, false, record)).await?;
        return Ok(remember(inbound, answer, record).await);
    };
    let recalled = Recalled::of(inbound, &found.headers, &found.provider)?;
    let inbound = recalled.inbound(inbound);
    let answer = Box::pin(pass::pass_at(inbound, &found.provider, body, record)).await?;
    Ok(remember(inbound, answer, record).await)
}

/// Looks at the path of a call that is handed on unread: it may name such a thing too, as a file of a vector store or behind
/// `/v1/proxy`.
///
/// # Errors
/// As [`find`].
pub async fn check_path(inbound: Inbound<'_>) -> Result<(), Fault> {
    for id in path_ids(inbound.parts.uri.path()) {
        find(inbound, &id).await?;
    }
    Ok(())
}

/// The ids that a path names, as a provider that decodes it reads them.
fn path_ids(path: &str) -> Vec<String> {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let behind = path.split('/').skip(1);
    let pairs = path.split('/').zip(behind).filter(|(kind, id)| KINDS.contains(kind) && !id.is_empty());
    pairs.take(PATH_IDS_MAX).map(|(_, id)| id.to_owned()).collect()
}

/// What is known of an id.
#[derive(Debug, Default)]
struct Known {
    /// Who has the caller's own thing of this id.
    own: Option<HandedOn>,
    /// Somebody else has one.
    is_anothers: bool,
}

/// Who has the caller's own thing of this id.
///
/// # Errors
/// 404 where it is somebody else's here, and the operator's key would lead there; 503 where too many ask.
pub async fn find(inbound: Inbound<'_>, id: &str) -> Result<Option<HandedOn>, Fault> {
    let Some(batches) = inbound.core.batches.as_ref().filter(|batches| batches.are_there()) else {
        return Ok(None);
    };
    let known = match known(inbound, batches, id).await {
        Ok(known) => known,
        // Calls that say whom to ask go on where the tables are another gateway's, or broken.
        Err(Some(BatchesClosed::Taken | BatchesClosed::Unreadable(_))) => Known::default(),
        // A client could bring this about by asking much, and then nothing would be checked.
        Err(None) => return Err(batches::refusal(None)),
    };
    if known.own.is_none() && known.is_anothers && uses_operators_account(inbound)? {
        let message =
            format!("No such object: {id}. It does not exist, is too old, or belongs to another key.");
        return Err(Fault::new(FaultKind::NotFound, message).with_param("id").with_code("not_found"));
    }
    Ok(known.own)
}

async fn known(inbound: Inbound<'_>, batches: &Batches, id: &str) -> Result<Known, Option<BatchesClosed>> {
    let (owner, id) = (try_owner(inbound, batches).await?, id.to_owned());
    let question = batches.try_ask(move |tables| {
        Ok(Known { own: tables.handed_on(&owner, &id)?, is_anothers: tables.is_anothers(&owner, &id)? })
    });
    question.await
}

/// Would anybody be asked for this with what is the operator's? Whoever cannot be asked sees nothing, and why is said elsewhere.
fn uses_operators_account(inbound: Inbound<'_>) -> Result<bool, Fault> {
    let is_operators = |leaf| {
        target::resolve(inbound, leaf, Asked::Unread(None)).is_ok_and(|target| !target.is_clients_account())
    };
    Ok(match routes::find(inbound, None)? {
        Some(route) => route.leaves().iter().any(|leaf| is_operators(Some(leaf))),
        None => is_operators(None),
    })
}

/// Has the ids in an answer remembered.
pub async fn remember(inbound: Inbound<'_>, answer: Response<Body>, record: &Record) -> Response<Body> {
    let is_told = answer.status().is_success() && inbound.parts.method != Method::DELETE;
    let (Some(batches), Some(provider)) = (&inbound.core.batches, record.provider()) else { return answer };
    if !is_told || inbound.gateway.custom_host.is_some() {
        return answer;
    }
    let (Ok(owner), Ok(inflate)) = (try_owner(inbound, batches).await, Inflate::of(answer.headers())) else {
        return answer;
    };
    // A config may have several targets, of which one has answered.
    let mut kept = sender::kept_headers(inbound);
    kept.retain(|(name, _)| !name.ends_with("-config"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_ids() {
        let check = |path: &str, expected: &[&str]| assert_eq!(path_ids(path), expected, "{path}");
        check("/v1/files", &[]);
        check("/v1/files/", &[]);
        check("/v1/files/file-1/content", &["file-1"]);
        check("/v1/files%2Ffile%2D1", &["file-1"]);
        check("/v1/proxy/openai/batches/batch_1/", &["batch_1"]);
        check("/v1/vector_stores/vs_1/files/file-1", &["file-1"]);
        check("/v1/proxy/fine_tuning/jobs/ftjob-1/events", &["ftjob-1"]);
        check("/v1/chat/completions", &[]);
    }
}
