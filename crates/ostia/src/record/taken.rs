//! What an attempt took: as its provider tells it, or where nothing was told, as much as went out and came in.

use ostia_dialect::observe::{Count, tokens, with_asked};
use ostia_dialect::{Api, FaultKind, Operation, Usage as Told};
use ostia_store::Outcome;

use super::account::Made;

/// What a request asked for, as far as it says what an attempt takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// What kind of call it is; none of one that is handed on unread.
    operation: Option<Operation>,
    /// Tokens that its text may have.
    tokens: u64,
}

impl Asked {
    pub(super) fn of(operation: Option<&str>, text_bytes: u64) -> Asked {
        let operation = operation.and_then(Api::from_name).map(Api::operation);
        Asked { operation, tokens: tokens(text_bytes) }
    }

    /// Is it charged for by the tokens of texts, so that they can be estimated?
    fn is_text(self) -> bool {
        let texts = |operation: Operation| {
            matches!(operation, Operation::Conversation(_) | Operation::Completion | Operation::Embeddings(_))
        };
        self.operation.is_some_and(texts)
    }

    /// Is it a conversation?
    fn is_conversation(self) -> bool {
        self.operation.is_some_and(|operation| matches!(operation, Operation::Conversation(_)))
    }

    /// Are there tokens in its answer? Vectors are none.
    fn is_answered_in_words(self) -> bool {
        !matches!(self.operation, Some(Operation::Embeddings(_)))
    }

    /// May its vendor charge for it at all?
    fn is_charged(self) -> bool {
        self.operation.is_some_and(|operation| match operation {
            Operation::Conversation(_)
            | Operation::Completion
            | Operation::Embeddings(_)
            | Operation::Images
            | Operation::ImageEdits
            | Operation::ImageVariations
            | Operation::Speech
            | Operation::Transcription
            | Operation::Translation
            | Operation::Ocr
            | Operation::Rerank(_)
            | Operation::Realtime => true,
            Operation::CountTokens(_)
            | Operation::Moderation(_)
            | Operation::Files
            | Operation::Batches
            | Operation::FineTunes => false,
        })
    }
}

/// What an attempt took.
pub(super) struct Taken {
    pub(super) used: Option<Told>,
    /// Not all of it was told: what is missing is estimated.
    pub(super) is_estimated: bool,
    /// It took something, and nobody knows how much.
    pub(super) is_uncounted: bool,
}

/// What an attempt took, as its provider tells it; where it broke off before that was told, as much as went out and came in.
pub(super) fn taken(made: &Made, asked: Asked) -> Taken {
    // Less what was spent before it.
    let told = made.observed.usage().map(|used| made.spent.as_ref().map_or(used, |spent| used.minus(spent)));
    let metered = with_asked(told.unwrap_or_default(), &made.asked);
    let used = (told.is_some() || !metered.is_empty()).then(|| Told { metered, ..told.unwrap_or_default() });
    let counts = Taken { used, is_estimated: false, is_uncounted: false };
    let is_whole = made.outcome == Outcome::Answered || made.observed.finish.is_some();
    // Tools that an answer shows traces of are no count of its tokens.
    let is_counted = used.is_some() && !(asked.is_conversation() && made.observed.count == Count::None);
    if made.is_part || made.is_from_cache() || !has_worked(made) || is_counted && is_whole {
        return counts;
    }
    match asked.is_text() {
        true => {
            let used = used.unwrap_or_default();
            let asked_tokens = made.text_bytes.map_or(asked.tokens, tokens);
            let prompt = if used.prompt == 0 { asked_tokens } else { used.prompt };
            let said = if asked.is_answered_in_words() { tokens(made.observed.said_bytes) } else { 0 };
            let completion = used.completion.max(said);
            Taken {
                used: Some(Told { prompt, completion, total: None, ..used }),
                is_estimated: true,
                ..counts
            }
        }
        false => Taken { is_uncounted: used.is_none() && asked.is_charged(), ..counts },
    }
}

/// Has its provider done something that it may charge for, as far as is known? One that gave an answer has, and one whose answer was
/// not waited for any longer. An error is no answer, and without a connection there is no work.
fn has_worked(made: &Made) -> bool {
    let kind = made.failure.as_ref().map(|failure| failure.cause.kind);
    // Some tell an error with a status of success; what broke off, or is no answer, was work all the same.
    let is_refused = made.outcome == Outcome::Failed
        && !matches!(kind, None | Some(FaultKind::Upstream | FaultKind::Timeout));
    match made.status {
        Some(101 | 200..=299) => !is_refused,
        Some(_) => false,
        None => made.is_late || made.outcome == Outcome::Abandoned,
    }
}
