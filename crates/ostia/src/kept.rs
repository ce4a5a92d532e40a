//! What the Responses API remembers, for providers that do not: answers, conversations, answers in the making.
//!
//! In memory, with a bound on size and on age (`responses` in ostia.yaml); what is oldest goes first. Everything belongs to
//! the caller whose key made it, and does not exist for others. Objects are values: a change puts a new one in the old
//! one's place.

mod conversation;
mod objects;
mod running;

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use ostia_dialect::json::{Document, Json};
use ostia_dialect::openai_responses::input_items::{self, Item};
use ostia_dialect::openai_responses::request::{echo, keeping};
use ostia_dialect::openai_responses::response;
use ostia_dialect::relay::Splice;
use ostia_dialect::{Fault, FaultKind, View};

use crate::call::Call;

use conversation::Conversation;
pub use objects::{is_known, serve};
pub use running::Running;

/// Most items that one answer or conversation looks back on.
const ITEMS_MAX: usize = 20_000;
/// What an object weighs besides its texts, in bytes.
const OBJECT_BYTES: usize = 256;

/// Everything that is remembered, shared by all cores. Only requests of the Responses API come here.
#[derive(Debug, Clone)]
pub struct Kept {
    objects: Cache<String, Arc<Object>>,
    hasher: RandomState,
}

/// Something that is remembered.
#[derive(Debug)]
struct Object {
    owner: Owner,
    what: What,
}

#[derive(Debug)]
enum What {
    Answer(Saved),
    Conversation(Conversation),
}

/// An answer, whole or in the making.
#[derive(Debug, Clone)]
struct Saved {
    /// What the model was given: the items of earlier turns, then those of the request.
    input: Vec<Item>,
    /// The Response object.
    body: Bytes,
    /// Whoever is making it, or has made it: they hold its events.
    running: Option<Arc<Running>>,
}

/// The caller whom something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner(u64);

impl Kept {
    /// Nothing yet.
    pub fn new(bytes_max: u64, age_max: Duration) -> Kept {
        let objects = Cache::builder()
            .max_capacity(bytes_max)
            .time_to_live(age_max)
            .weigher(|id: &String, object: &Arc<Object>| {
                u32::try_from(id.len() + object.bytes()).unwrap_or(u32::MAX)
            })
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Kept { objects, hasher: RandomState::new() }
    }

    /// Whoever shows the same key is the same caller.
    fn owner(&self, call: &Call) -> Owner {
        Owner(self.hasher.hash_one(call.credentials.iter().next().map(|key| key.expose())))
    }

    fn get(&self, owner: Owner, id: &str) -> Option<Arc<Object>> {
        self.objects.get(id).filter(|object| object.owner == owner)
    }

    fn saved(&self, owner: Owner, id: &str) -> Option<Saved> {
        match &self.get(owner, id)?.what {
            What::Answer(saved) => Some(saved.clone()),
            What::Conversation(_) => None,
        }
    }

    fn conversation(&self, owner: Owner, id: &str) -> Option<Conversation> {
        match &self.get(owner, id)?.what {
            What::Conversation(conversation) => Some(conversation.clone()),
            What::Answer(_) => None,
        }
    }

    fn insert(&self, owner: Owner, id: &str, what: What) {
        self.objects.insert(id.to_owned(), Arc::new(Object { owner, what }));
        self.make_room();
    }

    /// Puts what `change` makes of an object in its place; two changes at once come one after the other. `None` leaves it.
    fn change(&self, owner: Owner, id: &str, change: impl FnOnce(&What) -> Option<What>) {
        self.objects.entry_by_ref(id).and_compute_with(|entry| {
            let object = entry.map(|entry| entry.into_value()).filter(|object| object.owner == owner);
            match object.and_then(|object| change(&object.what)) {
                Some(what) => Op::Put(Arc::new(Object { owner, what })),
                None => Op::Nop,
            }
        });
        self.make_room();
    }

    /// Lets go of what is too much now. The cache would do it by itself, but later.
    fn make_room(&self) {
        self.objects.run_pending_tasks();
    }

    fn remove(&self, id: &str) {
        self.objects.invalidate(id);
    }
}

impl Object {
    fn bytes(&self) -> usize {
        let (items, more) = match &self.what {
            What::Answer(saved) => (&saved.input, saved.body.len()),
            What::Conversation(conversation) => (&conversation.items, 0),
        };
        OBJECT_BYTES + more + items.iter().map(|item| item.id.len() + item.json.as_str().len()).sum::<usize>()
    }
}

impl Saved {
    /// The items that a next turn looks back on.
    fn context(&self) -> Vec<Item> {
        let mut items = self.input.clone();
        items.extend(output(&self.body));
        items
    }
}

/// The items of a Response object's output.
fn output(body: &[u8]) -> Vec<Item> {
    let Ok(document) = Document::parse(body) else { return Vec::new() };
    let output = document.root().get("output").into_iter().flat_map(|list| list.items());
    output.map(Item::of).collect()
}

/// A request with everything that it refers to.
#[derive(Debug)]
pub struct Recalled {
    /// The body with all its items.
    pub body: Bytes,
    /// What has to be done with the answer.
    pub keep: Rc<Keep>,
}

/// Who remembers an answer.
#[derive(Debug)]
pub struct Keep {
    kept: Kept,
    owner: Owner,
    /// The answer's id.
    id: String,
    /// The answer can be asked for later.
    store: bool,
    /// The conversation that it belongs to.
    conversation: Option<String>,
    input: Vec<Item>,
    /// Where in `input` the request's own items begin.
    own_from: usize,
    view: View,
}

/// Does a request refer to something that the gateway remembers?
pub fn is_remembered(kept: &Kept, call: &Call, document: &Document<'_>) -> bool {
    let root = document.root();
    if root.some("previous_response_id").is_none() && root.some("conversation").is_none() {
        return false;
    }
    let Ok(full) = Document::parse(document.text().as_bytes()) else { return false };
    let Ok(keeping) = keeping(&full) else { return false };
    let owner = kept.owner(call);
    let ids = [keeping.previous_response_id, keeping.conversation];
    ids.iter().flatten().any(|id| kept.get(owner, id).is_some())
}

/// Finds what a request refers to and puts it into the body. `view` is what its client is to see of the answer.
///
/// # Errors
/// 404 for what is not there, 400 for what makes no sense together.
pub fn recall(kept: &Kept, call: &Call, mut view: View, document: &Document<'_>) -> Result<Recalled, Fault> {
    let owner = kept.owner(call);
    let full = Document::parse(document.text().as_bytes())
        .map_err(|fault| Fault::invalid(format!("The request body is {fault}.")))?;
    let keeping = keeping(&full)?;
    if keeping.background && !keeping.store {
        let fault = "`background` needs `store`: without it nobody could ask for the answer later.";
        return Err(Fault::invalid(fault).with_param("background"));
    }
    let context = context(kept, owner, &keeping)?;
    let root = full.root();
    let own = input_items::list(root.expect("input")?, &view.stem)?;
    let (own_from, referred) = (context.len(), own.iter().any(Item::is_reference));
    let mut input = context;
    for item in own {
        let item = if item.is_reference() { referred_to(&input, item)? } else { item };
        input.push(item);
    }
    if input.len() > ITEMS_MAX {
        return Err(
            Fault::invalid(format!("A request looks back on {ITEMS_MAX} items at most.")).with_param("input")
        );
    }
    let body = match own_from > 0 || referred {
        true => with_input(document, &input)?,
        false => Bytes::copy_from_slice(document.text().as_bytes()),
    };
    view.echo = echo(&full);
    view.model = root.str("model").unwrap_or_default().into_owned();
    let keep = Keep {
        kept: kept.clone(),
        owner,
        id: response::id(&view),
        store: keeping.store,
        conversation: keeping.conversation,
        input,
        own_from,
        view,
    };
    Ok(Recalled { body, keep: Rc::new(keep) })
}

fn context(
    kept: &Kept,
    owner: Owner,
    keeping: &ostia_dialect::openai_responses::request::Keeping,
) -> Result<Vec<Item>, Fault> {
    match (&keeping.previous_response_id, &keeping.conversation) {
        (Some(_), Some(_)) => {
            let fault =
                "`previous_response_id` and `conversation` both say what came before: send one of them.";
            Err(Fault::invalid(fault).with_param("conversation"))
        }
        (Some(id), None) => match kept.saved(owner, id) {
            Some(saved) => Ok(saved.context()),
            None => {
                let message = format!(
                    "Previous response with id '{id}' not found: it was not stored, is too old, or was made with another \
                     key or provider. Send the conversation in `input`."
                );
                let fault = Fault::invalid(message).with_param("previous_response_id");
                Err(fault.with_code("previous_response_not_found"))
            }
        },
        (None, Some(id)) => match kept.conversation(owner, id) {
            Some(conversation) => Ok(conversation.items),
            None => Err(not_found("Conversation", id).with_param("conversation")),
        },
        (None, None) => Ok(Vec::new()),
    }
}

fn referred_to(known: &[Item], reference: Item) -> Result<Item, Fault> {
    known.iter().find(|item| item.id == reference.id).cloned().ok_or_else(|| {
        let message =
            format!("Item '{}' is not among the items that this request looks back on.", reference.id);
        Fault::invalid(message).with_param("input")
    })
}

fn with_input(document: &Document<'_>, items: &[Item]) -> Result<Bytes, Fault> {
    let mut splice = Splice::new(document)?;
    let all = Json::build(|w| w.array(|w| items.iter().for_each(|item| w.raw(item.json.as_str()))));
    splice.set("input", all);
    Ok(splice.finish().into())
}

fn not_found(what: &str, id: &str) -> Fault {
    let message =
        format!("{what} with id '{id}' not found: it does not exist, is too old, or belongs to another key.");
    Fault::new(FaultKind::NotFound, message).with_code("not_found")
}

/// The view of an answer that is remembered: under the id by which it can be asked for.
pub fn view(view: View, keep: Option<&Keep>) -> View {
    match keep {
        Some(keep) => View {
            stem: keep.view.stem.clone(),
            created: keep.view.created,
            echo: keep.view.echo.clone(),
            ..view
        },
        None => view,
    }
}

impl Keep {
    /// Remembers a whole answer.
    pub fn put(&self, body: &[u8]) {
        if self.store {
            self.save(body);
        }
        let Some(conversation) = &self.conversation else { return };
        let mut items = self.input[self.own_from..].to_vec();
        items.extend(output(body));
        self.kept.change(self.owner, conversation, |what| match what {
            What::Conversation(conversation) => Some(What::Conversation(conversation.with(items))),
            What::Answer(_) => None,
        });
    }

    /// Puts a Response object under its id. One that was begun and has been taken back since stays away.
    fn save(&self, body: &[u8]) {
        let saved = |running| {
            What::Answer(Saved { input: self.input.clone(), body: Bytes::copy_from_slice(body), running })
        };
        self.kept.objects.entry_by_ref(&self.id).and_compute_with(|entry| {
            let before = entry.map(|entry| entry.into_value());
            let running = before.as_ref().and_then(|object| match &object.what {
                What::Answer(saved) => saved.running.clone(),
                What::Conversation(_) => None,
            });
            if running.as_ref().is_some_and(|running| running.is_cancelled()) {
                return Op::Nop;
            }
            Op::Put(Arc::new(Object { owner: self.owner, what: saved(running) }))
        });
        self.kept.make_room();
    }
}
