//! What the Responses API remembers, for providers that do not: answers, conversations, answers in the making.
//!
//! In memory, with a bound on size and on age (`responses` in ostia.yaml); what was not used for longest goes first. Everything belongs to
//! the caller who made it, and does not exist for others. Objects are values: a change puts a new one in the old
//! one's place.

mod conversation;
mod objects;
mod running;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem;
use moka::ops::compute::Op;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use ostia_dialect::json::{Document, Json};
use ostia_dialect::openai_responses::input_items::{self, Item};
use ostia_dialect::openai_responses::request::{echo, store_options};
use ostia_dialect::openai_responses::response;
use ostia_dialect::relay::Splice;
use ostia_dialect::{Fault, FaultKind, RenderOptions};
use ostia_providers::prepare::ApiCall;

use crate::owner::Owner;
use crate::stream::stage::Stage;

use conversation::Conversation;
pub use objects::{is_known, serve};
pub use running::{BackgroundResponse, refusal};

/// Most items that one answer or conversation looks back on.
const ITEMS_MAX: usize = 20_000;
/// What an object weighs besides its texts, in bytes.
const OBJECT_BYTES: usize = 256;
/// Most bytes by which all objects together may outgrow their bound for a moment; an eighth of a small bound.
const SLACK_BYTES_MAX: usize = 1 << 20;

/// Everything that is remembered, shared by all cores. Only requests of the Responses API come here.
#[derive(Debug, Clone)]
pub struct ResponseStore {
    objects: Cache<String, Arc<Object>>,
    /// Bytes that came since room was made last, and how many may.
    unsettled: Arc<AtomicUsize>,
    slack: usize,
    /// Answers that are being made while nobody waits.
    running: Arc<AtomicUsize>,
    /// Bytes of the events that are held of such answers, and how many may be: as many as of everything else.
    log_bytes: Arc<AtomicUsize>,
    log_bytes_max: usize,
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
    /// What the model was given.
    input: Input,
    /// The conversation that it is part of: its own id, or that of the first answer that it goes on from.
    root: String,
    /// The Response object.
    body: Bytes,
    /// Whoever is making it, or has made it: they hold its events.
    running: Option<Arc<BackgroundResponse>>,
}

/// What a model was given.
#[derive(Debug, Clone)]
struct Input {
    /// The items of earlier turns.
    before: Vec<Item>,
    /// The request's own `input`: JSON. Its items are made when somebody asks for them.
    own: Bytes,
    /// What items without an id are named after.
    id_suffix: String,
}

impl Input {
    /// The request's own items.
    fn own(&self) -> Vec<Item> {
        let document = Document::parse(&self.own).ok();
        document.and_then(|own| input_items::list(own.root(), &self.id_suffix).ok()).unwrap_or_default()
    }

    /// The same on its own: what it was cut from would stay as long as it does.
    fn detached(&self) -> Input {
        Input { own: Bytes::copy_from_slice(&self.own), ..self.clone() }
    }

    /// All of them.
    fn items(&self) -> Vec<Item> {
        self.before.iter().cloned().chain(self.own()).collect()
    }

    fn bytes(&self) -> usize {
        bytes_of(&self.before) + self.own.len() + self.id_suffix.len()
    }
}

fn bytes_of(items: &[Item]) -> usize {
    items.iter().map(|item| size_of::<Item>() + item.id.len() + item.json.as_str().len()).sum()
}

impl ResponseStore {
    /// Nothing yet.
    pub fn new(bytes_max: u64, age_max: Duration) -> ResponseStore {
        let objects = Cache::builder()
            .max_capacity(bytes_max)
            .time_to_live(age_max)
            .weigher(|id: &String, object: &Arc<Object>| {
                u32::try_from(id.len() + object.bytes()).unwrap_or(u32::MAX)
            })
            .eviction_policy(EvictionPolicy::lru())
            .build();
        let slack = SLACK_BYTES_MAX.min(usize::try_from(bytes_max / 8).unwrap_or(usize::MAX));
        ResponseStore {
            objects,
            unsettled: Arc::default(),
            slack,
            running: Arc::default(),
            log_bytes: Arc::default(),
            log_bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
        }
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
        let object = Arc::new(Object { owner, what });
        let bytes = object.bytes();
        self.objects.insert(id.to_owned(), object);
        self.make_room(bytes);
    }

    /// Puts what `change` makes of an object in its place; two changes at once come one after the other. `None` leaves it.
    fn change(&self, owner: Owner, id: &str, change: impl FnOnce(&What) -> Option<What>) {
        let mut bytes = 0;
        self.objects.entry_by_ref(id).and_compute_with(|entry| {
            let object = entry.map(|entry| entry.into_value()).filter(|object| object.owner == owner);
            match object.and_then(|object| change(&object.what)) {
                Some(what) => {
                    let object = Arc::new(Object { owner, what });
                    bytes = object.bytes();
                    Op::Put(object)
                }
                None => Op::Nop,
            }
        });
        self.make_room(bytes);
    }

    /// After so many bytes came: lets go of what is too much. The cache would do it by itself, but only after a time, in
    /// which any number of large objects may come.
    fn make_room(&self, bytes: usize) {
        if self.unsettled.fetch_add(bytes, Ordering::Relaxed) + bytes > self.slack {
            self.unsettled.store(0, Ordering::Relaxed);
            self.objects.run_pending_tasks();
        }
    }

    fn remove(&self, id: &str) {
        self.objects.invalidate(id);
    }
}

impl Object {
    fn bytes(&self) -> usize {
        let bytes = match &self.what {
            What::Answer(saved) => saved.input.bytes() + saved.root.len() + saved.body.len(),
            What::Conversation(conversation) => bytes_of(&conversation.items),
        };
        OBJECT_BYTES + bytes
    }
}

impl Saved {
    /// The items that a next turn looks back on.
    fn context(&self) -> Vec<Item> {
        let mut items = self.input.items();
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
pub struct History {
    /// The body with all its items, where the client's own has not got them.
    pub body: Option<Bytes>,
    /// What has to be done with the answer.
    pub keep: Rc<StoreHandle>,
}

/// Who remembers an answer.
#[derive(Debug)]
pub struct StoreHandle {
    responses: ResponseStore,
    owner: Owner,
    /// The answer's id.
    id: String,
    /// The answer can be asked for later.
    store: bool,
    /// The conversation that it belongs to.
    conversation: Option<String>,
    /// The conversation, or the first answer that this one goes on from: itself, where it goes on from none.
    root: String,
    input: Input,
    render: RenderOptions,
}

/// Does a request refer to something that the gateway remembers?
pub fn is_remembered(responses: &ResponseStore, owner: Owner, call: &ApiCall<'_>) -> bool {
    if !call.refers_to_earlier() {
        return false;
    }
    let Ok(options) = store_options(&call.document) else { return false };
    let ids = [options.previous_response_id, options.conversation];
    ids.iter().flatten().any(|id| responses.get(owner, id).is_some())
}

/// Finds what a request refers to and puts it into the body. `render`: what its client is to see of the answer.
///
/// # Errors
/// 404 for what is not there, 400 for what makes no sense together.
pub fn recall(
    responses: &ResponseStore,
    owner: Owner,
    mut render: RenderOptions,
    call: &ApiCall<'_>,
) -> Result<History, Fault> {
    let (body, document) = (call.body, &call.document);
    let options = store_options(document)?;
    if options.background && !options.store {
        let fault = "`background` needs `store`: without it nobody could ask for the answer later.";
        return Err(Fault::invalid(fault).with_param("background"));
    }
    let before = context(responses, owner, &options)?;
    let own = document.root().expect("input")?;
    let has_all = before.is_empty() && memmem::find(own.text().as_bytes(), b"item_reference").is_none();
    let (own, joined) = match has_all {
        true => (body.slice(own.range()), None),
        false => {
            let joined = join(responses, owner, &before, &render.id_suffix, document);
            joined.map(|(own, body)| (own, Some(body)))?
        }
    };
    render.echo = echo(document);
    render.model = document.root().str("model").unwrap_or_default().into_owned();
    let id = response::id(&render);
    let previous = options.previous_response_id.as_deref().and_then(|id| responses.saved(owner, id));
    let root = previous.map(|saved| saved.root).or(options.conversation.clone());
    let keep = StoreHandle {
        responses: responses.clone(),
        owner,
        root: root.unwrap_or_else(|| id.clone()),
        id,
        store: options.store,
        conversation: options.conversation,
        input: Input { before, own, id_suffix: render.id_suffix.clone() },
        render,
    };
    Ok(History { body: joined, keep: Rc::new(keep) })
}

/// The request's own items with those that it only names, and the body with all that was said.
fn join(
    responses: &ResponseStore,
    owner: Owner,
    before: &[Item],
    id_suffix: &str,
    document: &Document<'_>,
) -> Result<(Bytes, Bytes), Fault> {
    if !document.is_whole() {
        let document = Document::of_request(document.text().as_bytes())?;
        return join(responses, owner, before, id_suffix, &document);
    }
    let mut items = before.to_vec();
    for item in input_items::list(document.root().expect("input")?, id_suffix)? {
        let item = if item.is_reference() { referred_to(responses, owner, &items, item)? } else { item };
        items.push(item);
    }
    if items.len() > ITEMS_MAX {
        let message = format!("A request looks back on {ITEMS_MAX} items at most.");
        return Err(Fault::invalid(message).with_param("input"));
    }
    let list = |items: &[Item]| {
        Json::build(|w| w.array(|w| items.iter().for_each(|item| w.raw(item.json.as_str()))))
    };
    let mut splice = Splice::new(document)?;
    splice.set("input", list(&items));
    let own = Bytes::copy_from_slice(list(&items[before.len()..]).as_str().as_bytes());
    Ok((own, splice.finish().into()))
}

fn context(
    responses: &ResponseStore,
    owner: Owner,
    store_options: &ostia_dialect::openai_responses::request::StoreOptions,
) -> Result<Vec<Item>, Fault> {
    match (&store_options.previous_response_id, &store_options.conversation) {
        (Some(_), Some(_)) => {
            let fault =
                "`previous_response_id` and `conversation` both say what came before: send one of them.";
            Err(Fault::invalid(fault).with_param("conversation"))
        }
        (Some(id), None) => match responses.saved(owner, id) {
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
        (None, Some(id)) => match responses.conversation(owner, id) {
            Some(conversation) => Ok(conversation.items),
            None => Err(not_found("Conversation", id).with_param("conversation")),
        },
        (None, None) => Ok(Vec::new()),
    }
}

/// An item that a request only names: one that stands before, or one of an answer that is remembered, whose id is in its own.
/// Clients name items of answers without naming the answer (the AI SDK does for every answer that is stored).
fn referred_to(
    responses: &ResponseStore,
    owner: Owner,
    before: &[Item],
    reference: Item,
) -> Result<Item, Fault> {
    let id = reference.id.as_str();
    let is_meant = |item: &Item| item.id == id;
    let remembered = || {
        let saved = responses.saved(owner, &input_items::answer_of(id)?)?;
        output(&saved.body).into_iter().find(is_meant)
    };
    before.iter().find(|item| is_meant(item)).cloned().or_else(remembered).ok_or_else(|| {
        let message = format!(
            "Item '{id}' is not among the items that this request looks back on, nor in an answer that is remembered: the \
             answer was not stored, is too old, or was made with another key. Send the item itself (`store: false`)."
        );
        Fault::invalid(message).with_param("input")
    })
}

fn not_found(what: &str, id: &str) -> Fault {
    let message =
        format!("{what} with id '{id}' not found: it does not exist, is too old, or belongs to another key.");
    Fault::new(FaultKind::NotFound, message).with_code("not_found")
}

/// What is to be seen of an answer that is remembered: under the id by which it can be asked for.
pub fn render_options(render: RenderOptions, keep: Option<&StoreHandle>) -> RenderOptions {
    match keep {
        Some(keep) => RenderOptions {
            id_suffix: keep.render.id_suffix.clone(),
            created: keep.render.created,
            echo: keep.render.echo.clone(),
            ..render
        },
        None => render,
    }
}

/// Remembering is a stage of the answer's way back, and the last one: what is kept is what the client gets.
impl Stage for Rc<StoreHandle> {
    fn whole(&mut self, body: &[u8]) {
        self.put(body);
    }
}

impl StoreHandle {
    /// The conversation that the answer is part of.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Remembers a whole answer.
    fn put(&self, body: &[u8]) {
        if self.store {
            self.save(body);
        }
        let Some(conversation) = &self.conversation else { return };
        let mut items = self.input.own();
        items.extend(output(body));
        self.responses.change(self.owner, conversation, |what| match what {
            What::Conversation(conversation) => Some(What::Conversation(conversation.with(items))),
            What::Answer(_) => None,
        });
    }

    /// Puts a Response object under its id. One that was begun and has been taken back since stays away.
    fn save(&self, body: &[u8]) {
        let saved = |running| {
            let (input, root) = (self.input.detached(), self.root.clone());
            What::Answer(Saved { input, root, body: Bytes::copy_from_slice(body), running })
        };
        let bytes = OBJECT_BYTES + self.input.bytes() + body.len();
        self.responses.objects.entry_by_ref(&self.id).and_compute_with(|entry| {
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
        self.responses.make_room(bytes);
    }
}
