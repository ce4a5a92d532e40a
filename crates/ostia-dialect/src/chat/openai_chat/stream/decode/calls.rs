//! Which call a piece of `tool_calls` belongs to, and when a call can be told.
//!
//! The index says which, with exceptions: some servers give every call the index 0 or none, some repeat id and name with
//! every piece, some send a new id with every piece. Id and name may come later than the first piece (pipecat-ai/pipecat
//! #5023, vercel/ai#14722), and the name in pieces (continuedev/continue#5849).

use std::borrow::Cow;

use crate::chat::tools::arguments::Progress;
use crate::json::{Node, SurrogateJoiner};
use crate::{Block, Content, Fault, Signature, ToolKind};

/// Most calls of one choice.
const CALLS_MAX: usize = 4096;
/// Most bytes of arguments that come before the names of their calls.
const EARLY_BYTES_MAX: usize = 1 << 20;

/// The calls of one choice, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    early_bytes: usize,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    position: u64,
    id: String,
    name: String,
    kind: ToolKind,
    signature: Option<Signature>,
    /// Arguments that came before the call could be told.
    early: String,
    is_told: bool,
    progress: Progress,
    halves: SurrogateJoiner,
}

/// What a chunk says of a call.
#[derive(Debug)]
pub(super) struct Piece<'d> {
    pub(super) position: u64,
    pub(super) id: Cow<'d, str>,
    pub(super) name: Cow<'d, str>,
    pub(super) kind: ToolKind,
    pub(super) arguments: Option<Node<'d>>,
    pub(super) signature: Option<Signature>,
}

/// What there is to tell of a call after a piece.
pub(super) enum News {
    Nothing,
    /// The call can be told.
    Begin,
    /// More arguments, and the proof of the call.
    More(String, Option<Signature>),
}

impl Piece<'_> {
    /// Does it name any call? Snowflake sends empty shells where there is none.
    pub(super) fn is_anonymous(&self) -> bool {
        self.id.is_empty() && self.name.is_empty()
    }

    /// Has it no arguments?
    pub(super) fn is_bare(&self) -> bool {
        self.arguments.is_none_or(|arguments| arguments.as_str().is_some_and(|text| text.is_empty()))
    }
}

impl Calls {
    /// The call that this piece goes on with.
    pub(super) fn find(&self, piece: &Piece<'_>) -> Option<usize> {
        let last = |is_this: &dyn Fn(&Call) -> bool| self.calls.iter().rposition(is_this);
        let by_id = last(&|call| {
            let is_near = call.position == piece.position || piece.name.is_empty();
            !piece.id.is_empty() && call.id == piece.id && is_near && call.may_be_called(&piece.name)
        });
        by_id.or_else(|| self.at(piece.position).filter(|at| self.calls[*at].goes_on_with(piece)))
    }

    /// The last call with this index.
    pub(super) fn at(&self, position: u64) -> Option<usize> {
        self.calls.iter().rposition(|call| call.position == position)
    }

    /// A call that begins with this piece, which has still to be [taken](Calls::take).
    pub(super) fn add(&mut self, piece: &Piece<'_>) -> Result<usize, Fault> {
        if self.calls.len() == CALLS_MAX {
            return Err(Fault::upstream(format!("The provider sent more than {CALLS_MAX} tool calls.")));
        }
        self.calls.push(Call {
            position: piece.position,
            id: String::new(),
            name: String::new(),
            kind: piece.kind,
            signature: None,
            early: String::new(),
            is_told: false,
            progress: Progress::default(),
            halves: SurrogateJoiner::default(),
        });
        Ok(self.calls.len() - 1)
    }

    /// Adds a piece to its call.
    pub(super) fn take(&mut self, at: usize, piece: Piece<'_>) -> Result<News, Fault> {
        let call = &mut self.calls[at];
        if call.id.is_empty() && !call.is_told {
            call.id = piece.id.into_owned();
        }
        let more = match piece.arguments {
            // Some servers send the arguments as an object.
            Some(arguments) => call.halves.join(arguments).unwrap_or(Cow::Borrowed(arguments.text())),
            None => Cow::Borrowed(""),
        };
        call.progress.take(&more);
        if call.is_told {
            return Ok(News::More(more.into_owned(), piece.signature));
        }
        if *piece.name != call.name {
            call.name.push_str(&piece.name);
        }
        call.kind = piece.kind;
        call.early.push_str(&more);
        call.signature = piece.signature.or(call.signature.take());
        self.early_bytes += more.len();
        // Where arguments are spoken of, the name is whole; an id may still come with the first of them.
        let is_ready = !call.progress.is_blank() || piece.arguments.is_some() && !call.id.is_empty();
        if is_ready && !call.name.is_empty() {
            return Ok(News::Begin);
        }
        if self.early_bytes > EARLY_BYTES_MAX {
            return Err(Fault::upstream("The provider sent the arguments of a tool call without its name."));
        }
        Ok(News::Nothing)
    }

    /// The calls that have a name and have not been told: nothing shows that more of the name will come.
    pub(super) fn untold(&self) -> Vec<usize> {
        let untold = self.calls.iter().enumerate().filter(|(_, call)| !call.is_told && !call.name.is_empty());
        untold.map(|(at, _)| at).collect()
    }

    /// Is there a call whose arguments break off?
    pub(super) fn is_cut(&self) -> bool {
        self.calls.iter().any(|call| call.kind == ToolKind::Function && call.progress.is_cut())
    }

    /// Are there arguments of a call that has no name?
    pub(super) fn is_nameless(&self) -> bool {
        self.calls.iter().any(|call| call.name.is_empty() && !call.progress.is_blank())
    }

    /// The block of a call, as far as it has come.
    pub(super) fn tell(&mut self, at: usize) -> Block {
        let call = &mut self.calls[at];
        call.is_told = true;
        let (id, name) = (call.id.clone(), call.name.clone());
        let arguments = std::mem::take(&mut call.early);
        self.early_bytes -= arguments.len();
        let content = Content::ToolCall { id, name, arguments, kind: call.kind };
        Block { signature: call.signature.take(), ..Block::new(content) }
    }

    /// Is the call whole, so that nothing more of it can come? Of free text that is never known.
    pub(super) fn is_whole(&self, at: usize) -> bool {
        let call = &self.calls[at];
        call.kind == ToolKind::Function && call.progress.is_whole()
    }

    /// What stands for a half character at the end of a call.
    pub(super) fn last_half(&mut self, at: usize) -> Option<&'static str> {
        self.calls[at].halves.end()
    }

    /// Is the call told?
    pub(super) fn is_told(&self, at: usize) -> bool {
        self.calls[at].is_told
    }

    /// A proof for a call that is not told yet.
    pub(super) fn sign(&mut self, at: usize, signature: Signature) {
        self.calls[at].signature = Some(signature);
    }
}

impl Call {
    fn may_be_called(&self, name: &str) -> bool {
        name.is_empty() || name == self.name || !self.is_told
    }

    /// Does this piece, which has the call's index and not its id, go on with it?
    fn goes_on_with(&self, piece: &Piece<'_>) -> bool {
        let has_other_id = !piece.id.is_empty() && !self.id.is_empty() && piece.id != self.id;
        if piece.name.is_empty() {
            // Some servers make up an id for every piece.
            return !(has_other_id && self.progress.is_whole());
        }
        // A second call of the same tool names it again, behind arguments that are whole.
        !has_other_id && self.may_be_called(&piece.name) && !self.progress.is_whole()
    }
}
