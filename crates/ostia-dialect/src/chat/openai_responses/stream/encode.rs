//! Canonical events to the client's events.

#[cfg(test)]
mod tests;

use crate::chat::openai_responses::error;
use crate::chat::openai_responses::response::object::{Object, status};
use crate::chat::openai_responses::response::output::{COMPLETED, Events, IN_PROGRESS, INCOMPLETE, Output};
use crate::json::Json;
use crate::{Event, Fault, Finish, RenderOptions, Usage};

/// Most bytes of one stream of events: the whole answer has to be held for the last of them.
const STREAM_BYTES_MAX: usize = 512 << 20;

/// Writes a stream of response events, numbered from 0. The Response object stands in the first two and in
/// the last.
///
/// The API gives one answer: events of other choices than 0 say nothing.
#[derive(Debug)]
pub struct Encoder {
    options: RenderOptions,
    /// The number of the next event.
    number: u64,
    created: Option<u64>,
    model: String,
    output: Box<Output>,
    finish: Finish,
    usage: Option<Usage>,
    service_tier: Option<String>,
    extra: Vec<(String, Json)>,
    whole: Option<Json>,
    /// Bytes that may still be written.
    bytes_left: usize,
    is_over: bool,
}

impl Encoder {
    /// An encoder at the start of a stream.
    pub fn new(options: RenderOptions) -> Encoder {
        let output = Box::new(Output::new(&options.id_suffix));
        Encoder {
            options,
            number: 0,
            created: None,
            model: String::new(),
            output,
            finish: Finish::Stop,
            usage: None,
            service_tier: None,
            extra: Vec::new(),
            whole: None,
            bytes_left: STREAM_BYTES_MAX,
            is_over: false,
        }
    }

    /// Appends what the client is to see of `event`.
    pub fn push(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        let before = out.len();
        self.take(event, out);
        self.bytes_left = self.bytes_left.saturating_sub(out.len() - before);
        if self.bytes_left == 0 {
            let message =
                format!("The provider's answer takes more than {STREAM_BYTES_MAX} bytes of events.");
            self.fail(&Fault::upstream(message), out);
        }
    }

    /// Appends an error event, and the Response object that says the same. Nothing follows it, and
    /// it follows no end.
    pub fn fail(&mut self, fault: &Fault, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        self.output.close(INCOMPLETE, &mut Events::untold());
        let failed = Object { status: "failed", fault: Some(fault), ..self.object() }.json(&self.options);
        let mut events = Events::told(&mut self.number, out);
        events.tell("error", |w| error::write(w, fault));
        events.tell("response.failed", |w| w.field_raw("response", failed.as_str()));
    }

    /// The Response object, when the stream is whole.
    pub fn whole(&self) -> Option<Vec<u8>> {
        self.whole.as_ref().map(|object| object.as_str().as_bytes().to_vec())
    }

    fn take(&mut self, event: &Event, out: &mut Vec<u8>) {
        let mut events = Events::told(&mut self.number, out);
        match event {
            Event::Start { model, created, .. } => {
                (self.model, self.created) = (model.clone(), *created);
                self.start(out);
            }
            Event::BlockStart { choice: 0, block } => self.output.begin(block, &mut events),
            Event::Delta { choice: 0, delta } => self.output.extend(delta, &mut events),
            Event::BlockEnd { choice: 0 } => self.output.end(&mut events),
            Event::Logprobs { choice: 0, value } => self.output.logprobs(value, &mut events),
            Event::Stop { choice: 0, finish, .. } => {
                self.finish = *finish;
                self.output.close(status(*finish, self.output.refused()).0, &mut events);
            }
            Event::Extra { choice: None | Some(0), name, value } => self.extra(name, value),
            Event::Meta { service_tier, .. } => {
                self.service_tier = service_tier.clone().or(self.service_tier.take());
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Finish => self.end(out),
            // Another choice.
            Event::BlockStart { .. }
            | Event::Delta { .. }
            | Event::BlockEnd { .. }
            | Event::Logprobs { .. }
            | Event::Stop { .. }
            | Event::Extra { .. } => {}
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        let begun = Object { status: IN_PROGRESS, ..self.object() }.json(&self.options);
        let mut events = Events::told(&mut self.number, out);
        for kind in ["response.created", "response.in_progress"] {
            events.tell(kind, |w| w.field_raw("response", begun.as_str()));
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let (status, incomplete) = status(self.finish, self.output.refused());
        let whole = Object { status, incomplete, ..self.object() }.json(&self.options);
        let kind = if status == COMPLETED { "response.completed" } else { "response.incomplete" };
        Events::told(&mut self.number, out).tell(kind, |w| w.field_raw("response", whole.as_str()));
        self.whole = Some(whole);
        self.is_over = true;
    }

    /// A vendor's field; the last one of a name counts.
    fn extra(&mut self, name: &str, value: &Json) {
        self.extra.retain(|(known, _)| known != name);
        self.extra.push((name.to_owned(), value.clone()));
    }

    /// What is known of the answer so far.
    fn object(&self) -> Object<'_> {
        Object {
            created: self.created,
            model: &self.model,
            output: self.output.items(),
            usage: self.usage.as_ref(),
            service_tier: self.service_tier.as_deref(),
            extra: self.extra.iter().collect(),
            ..Object::default()
        }
    }
}
