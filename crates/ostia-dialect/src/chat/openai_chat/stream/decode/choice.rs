//! The blocks of one choice.
//!
//! This format marks no block's end. Words are over when anything else begins. A call is over when its arguments are a
//! whole object and something else begins; until then others wait, because its pieces may come between theirs
//! (praxis-proxy/ai#266, headroomlabs-ai/headroom#2890). The finish reason ends all.

use super::calls::{Calls, News, Piece};
use crate::chat::block_queue::BlockQueue;
use crate::chat::openai_chat::part::thought_signature;
use crate::chat::openai_chat::response::{
    Words, call_signature, called, choice_extra, decode_words, failure, finish_of, native_finish,
};
use crate::json::{Json, Node, SurrogateJoiner};
use crate::{Block, Content, Delta, Event, Fault, ToolKind};

/// What is known of one choice.
#[derive(Debug)]
pub(super) struct Choice {
    index: u32,
    queue: BlockQueue<Speaker, Said>,
    calls: Calls,
    /// How many calls have begun.
    begun: usize,
    /// The block that is open.
    open: Option<Kind>,
    /// The ends of the words so far, by [`Words`].
    halves: [SurrogateJoiner; 3],
    is_stopped: bool,
}

/// What may be said side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    /// Words behind so many calls.
    Words(usize),
    /// The call of this number.
    Call(usize),
}

/// What a speaker says.
#[derive(Debug)]
enum Said {
    /// A piece of words, or a block that comes whole.
    Words(Block),
    /// A call begins.
    Begin(Block),
    More(Delta),
}

/// Which block is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Words(Words),
    Call,
}

impl Choice {
    pub(super) fn new(index: u32) -> Choice {
        Choice {
            index,
            queue: BlockQueue::default(),
            calls: Calls::default(),
            begun: 0,
            open: None,
            halves: Default::default(),
            is_stopped: false,
        }
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// How many bytes wait for an earlier block to end.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.queue.waiting_bytes()
    }

    /// Takes what a chunk says of the choice.
    pub(super) fn take(&mut self, choice: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        // Nothing may follow the end of a choice.
        if self.is_stopped {
            return Ok(());
        }
        let native = native_finish(choice);
        // Perplexity sends the whole message so far beside the delta: only the delta is new.
        if let Some(delta) = choice.some("delta").or(choice.some("message")) {
            self.delta(delta, events)?;
        }
        if let Some(fault) = failure(choice, native.as_deref()) {
            return Err(fault);
        }
        if let Some(value) = choice.some("logprobs") {
            events.push(Event::Logprobs { choice: self.index, value: Json::of(value) });
        }
        let extra = choice_extra(choice);
        events.extend(extra.map(|(name, value)| Event::Extra { choice: Some(self.index), name, value }));
        if native.is_some() { self.stop(native.as_deref(), events) } else { Ok(()) }
    }

    /// The choice ends, with the upstream's word for why, where it has one.
    pub(super) fn stop(&mut self, native: Option<&str>, events: &mut Vec<Event>) -> Result<(), Fault> {
        if self.is_stopped {
            return Ok(());
        }
        if native.is_none() && self.calls.is_cut() {
            return Err(Fault::upstream("The provider ended the stream in the middle of a tool call."));
        }
        self.is_stopped = true;
        for words in Words::ALL {
            if let Some(half) = self.halves[words as usize].end() {
                self.tell(Speaker::Words(self.begun), Said::Words(words.block(half.to_owned())), 0, events)?;
            }
        }
        self.begin_untold(events)?;
        if self.calls.is_nameless() {
            return Err(Fault::upstream("The provider sent arguments for a tool call that has no name."));
        }
        self.end_turn(events);
        while self.next_turn(events) {
            self.end_turn(events);
        }
        events.push(Event::Stop {
            choice: self.index,
            finish: finish_of(native.unwrap_or_default()),
            native: native.map(str::to_owned),
            stop_sequence: None,
        });
        Ok(())
    }

    fn delta(&mut self, delta: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let (mut blocks, halves) = (Vec::new(), &mut self.halves);
        let mut read =
            |words: Words, node: Node<'_>| halves[words as usize].join(node).unwrap_or_default().into_owned();
        decode_words(delta, &mut blocks, &mut read);
        for block in blocks {
            self.tell(Speaker::Words(self.begun), Said::Words(block), delta.text().len(), events)?;
        }
        for call in delta.some("tool_calls").iter().flat_map(|calls| calls.items()) {
            self.call(call, events)?;
        }
        match delta.some("function_call") {
            Some(call) => self.legacy_call(call, events),
            None => Ok(()),
        }
    }

    fn call(&mut self, call: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let position = call.u64("index").unwrap_or_default();
        let Some((inner, kind)) = called(call) else { return self.sign(position, call, events) };
        let piece = Piece {
            position,
            id: call.str("id").unwrap_or_default(),
            name: inner.str("name").unwrap_or_default(),
            kind,
            arguments: inner.some("arguments").or(inner.some("input")),
            signature: call_signature(call, inner),
        };
        self.piece(piece, call.text().len(), events)
    }

    /// A legacy call has neither index nor id: its name joins call and result.
    fn legacy_call(&mut self, call: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let name = call.str("name").unwrap_or_default();
        let arguments = call.some("arguments");
        let piece = Piece {
            position: 0,
            id: name.clone(),
            name,
            kind: ToolKind::Function,
            arguments,
            signature: None,
        };
        self.piece(piece, call.text().len(), events)
    }

    fn piece(&mut self, piece: Piece<'_>, bytes: usize, events: &mut Vec<Event>) -> Result<(), Fault> {
        let at = match self.calls.find(&piece) {
            Some(at) => at,
            None if !piece.is_anonymous() => {
                self.begin_untold(events)?;
                self.calls.add(&piece)?
            }
            None if piece.is_bare() => return Ok(()),
            None => {
                return Err(Fault::upstream("The provider sent arguments for a tool call that is not open."));
            }
        };
        match self.calls.take(at, piece)? {
            News::Nothing => Ok(()),
            News::Begin => self.begin(at, bytes, events),
            News::More(arguments, signature) => {
                if !arguments.is_empty() {
                    self.more(at, Delta::Arguments(arguments), bytes, events)?;
                }
                match signature {
                    Some(signature) => self.more(at, Delta::Signature(signature), bytes, events),
                    None => Ok(()),
                }
            }
        }
    }

    /// A call's proof may come by itself, behind its arguments.
    fn sign(&mut self, position: u64, call: Node<'_>, events: &mut Vec<Event>) -> Result<(), Fault> {
        let (Some(signature), Some(at)) = (thought_signature(call), self.calls.at(position)) else {
            return Ok(());
        };
        if self.calls.is_told(at) {
            return self.more(at, Delta::Signature(signature), call.text().len(), events);
        }
        self.calls.sign(at, signature);
        Ok(())
    }

    /// Calls whose name is there and of which nothing else has come begin before what follows them.
    fn begin_untold(&mut self, events: &mut Vec<Event>) -> Result<(), Fault> {
        self.calls.untold().into_iter().try_for_each(|at| self.begin(at, 0, events))
    }

    fn begin(&mut self, at: usize, bytes: usize, events: &mut Vec<Event>) -> Result<(), Fault> {
        let block = self.calls.tell(at);
        self.begun += 1;
        self.tell(Speaker::Call(at), Said::Begin(block), bytes, events)
    }

    /// More of a call that has begun. When it has ended only a proof may still come, too late to be told, or white space.
    fn more(&mut self, at: usize, delta: Delta, bytes: usize, events: &mut Vec<Event>) -> Result<(), Fault> {
        let speaker = Speaker::Call(at);
        if self.queue.open() == Some(speaker) || self.queue.waits(speaker) {
            return self.tell(speaker, Said::More(delta), bytes, events);
        }
        match delta {
            Delta::Arguments(more) if !more.trim().is_empty() => {
                Err(Fault::upstream("The provider sent arguments for a tool call that is not open."))
            }
            Delta::Arguments(_) | Delta::Signature(_) | Delta::Text(_) | Delta::Citation(_) => Ok(()),
        }
    }

    /// Says it, if it is the speaker's turn; else it waits.
    fn tell(
        &mut self,
        speaker: Speaker,
        said: Said,
        bytes: usize,
        events: &mut Vec<Event>,
    ) -> Result<(), Fault> {
        if self.queue.open() != Some(speaker) {
            if !self.is_over() {
                return self.queue.wait(speaker, said, bytes);
            }
            self.end_turn(events);
            self.queue.begin(speaker);
        }
        self.say(said, events);
        // Whoever is over makes room for those who wait.
        while self.queue.is_awaited() && self.is_over() {
            self.end_turn(events);
            self.next_turn(events);
        }
        Ok(())
    }

    /// May what is open end, if another begins?
    fn is_over(&self) -> bool {
        match self.queue.open() {
            Some(Speaker::Call(at)) => self.calls.is_whole(at),
            Some(Speaker::Words(_)) | None => true,
        }
    }

    fn end_turn(&mut self, events: &mut Vec<Event>) {
        if let Some(Speaker::Call(at)) = self.queue.open()
            && let Some(half) = self.calls.last_half(at)
        {
            self.say(Said::More(Delta::Arguments(half.to_owned())), events);
        }
        self.close(events);
        self.queue.end();
    }

    /// Lets the next one say what it has said while it waited.
    fn next_turn(&mut self, events: &mut Vec<Event>) -> bool {
        let Some((_, waited)) = self.queue.next() else { return false };
        waited.into_iter().for_each(|said| self.say(said, events));
        true
    }

    fn say(&mut self, said: Said, events: &mut Vec<Event>) {
        match said {
            Said::Words(block) => self.words(block, events),
            Said::Begin(block) => self.open(Kind::Call, block, events),
            Said::More(delta) => events.push(Event::Delta { choice: self.index, delta }),
        }
    }

    fn words(&mut self, block: Block, events: &mut Vec<Event>) {
        let Some(words) = Words::of(&block.content) else {
            self.close(events);
            events.push(Event::BlockStart { choice: self.index, block });
            events.push(Event::BlockEnd { choice: self.index });
            return;
        };
        if self.open == Some(Kind::Words(words)) {
            self.more_words(block.content, events);
        } else {
            self.open(Kind::Words(words), block, events);
        }
    }

    /// More of the open block.
    fn more_words(&self, content: Content, events: &mut Vec<Event>) {
        let (text, citations) = match content {
            Content::Text { text, citations } => (text, citations),
            Content::Refusal(text) | Content::Reasoning(text) => (text, Vec::new()),
            Content::Media(_)
            | Content::ToolCall { .. }
            | Content::ToolResult { .. }
            | Content::Foreign { .. } => return,
        };
        let said = (!text.is_empty()).then_some(Delta::Text(text));
        let deltas = said.into_iter().chain(citations.into_iter().map(Delta::Citation));
        events.extend(deltas.map(|delta| Event::Delta { choice: self.index, delta }));
    }

    fn open(&mut self, kind: Kind, block: Block, events: &mut Vec<Event>) {
        self.close(events);
        self.open = Some(kind);
        events.push(Event::BlockStart { choice: self.index, block });
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        if self.open.take().is_some() {
            events.push(Event::BlockEnd { choice: self.index });
        }
    }
}
