//! What the messages of a realtime session say that it cost. Nothing else in them is looked at: they pass as they are.
//!
//! Events of OpenAI's form (<https://platform.openai.com/docs/api-reference/realtime-server-events/response/done>), which Azure and
//! xAI speak too, and messages of Gemini Live (<https://ai.google.dev/api/live#UsageMetadata>).

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::json::{Document, Node};
use crate::{Meter, Metered, Usage, gemini_generate};

/// What a session has cost so far: the sum over its answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    usage: Option<Usage>,
}

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage\""));
static USAGE_GOOGLE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usageMetadata\""));

impl Spent {
    /// The tokens; `None` where no message has said any.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// Takes note of a whole message that came from a provider. Most have no count, which is seen without reading them.
    pub fn message(&mut self, message: &[u8]) {
        let is_google = USAGE_GOOGLE.find(message).is_some();
        if !is_google && USAGE.find(message).is_none() {
            return;
        }
        let Ok(document) = Document::parse(message) else { return };
        let told = match is_google {
            true => document.root().some("usageMetadata").and_then(of_live),
            false => of_event(document.root()),
        };
        if let Some(told) = told {
            self.usage = Some(self.usage.unwrap_or_default().plus(&told));
        }
    }
}

/// The count of an answer that is done, or of what was said by the user and written down, which another model does.
fn of_event(event: Node<'_>) -> Option<Usage> {
    let kind = event.str("type")?;
    let (counts, is_other) = match kind.as_ref() {
        "response.done" => (event.some("response")?.some("usage")?, false),
        "conversation.item.input_audio_transcription.completed" => (event.some("usage")?, true),
        _ => return None,
    };
    let has_tokens = ["input_tokens", "output_tokens"].iter().any(|name| counts.u64(name).is_some());
    match is_other {
        false => has_tokens.then(|| decode(counts)),
        // It has a price of its own, and may count seconds and no tokens.
        true => {
            let tokens = if has_tokens { decode(counts).total() } else { 1 };
            Some(Usage { metered: Metered::one(Meter::OtherModels, tokens.max(1)), ..Usage::default() })
        }
    }
}

/// Like that of an answer, but for the word for what was written.
fn of_live(counts: Node<'_>) -> Option<Usage> {
    let told = gemini_generate::usage(counts)?;
    let Some(completion) = counts.u64("responseTokenCount") else { return Some(told) };
    let total =
        counts.u64("totalTokenCount").filter(|total| *total != told.prompt.saturating_add(completion));
    Some(Usage { completion, total, ..told })
}

fn decode(counts: Node<'_>) -> Usage {
    let detail = |group: &str, name: &str| counts.some(group).and_then(|details| details.u64(name));
    let (prompt, completion) =
        (counts.u64("input_tokens").unwrap_or_default(), counts.u64("output_tokens").unwrap_or_default());
    Usage {
        prompt,
        completion,
        cached: detail("input_token_details", "cached_tokens"),
        cached_audio: counts
            .some("input_token_details")
            .and_then(|details| details.some("cached_tokens_details")?.u64("audio_tokens")),
        audio_prompt: detail("input_token_details", "audio_tokens"),
        audio_completion: detail("output_token_details", "audio_tokens"),
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(messages: &[&str], expected: Option<Usage>) {
        let mut spent = Spent::default();
        messages.iter().for_each(|message| spent.message(message.as_bytes()));
        assert_eq!(spent.usage(), expected, "{messages:?}");
    }

    const DONE: &str = r#"{"type":"response.done","event_id":"e1","response":{"id":"r","status":"completed","output":[],
        "usage":{"total_tokens":30,"input_tokens":20,"output_tokens":10,
        "input_token_details":{"text_tokens":5,"audio_tokens":15,"cached_tokens":4},
        "output_token_details":{"text_tokens":2,"audio_tokens":8}}}}"#;

    #[test]
    fn answers_are_added_up() {
        let once = Usage {
            prompt: 20,
            completion: 10,
            cached: Some(4),
            audio_prompt: Some(15),
            audio_completion: Some(8),
            ..Usage::default()
        };
        check(&[DONE], Some(once));
        let twice = Usage {
            prompt: 40,
            completion: 20,
            cached: Some(8),
            audio_prompt: Some(30),
            audio_completion: Some(16),
            ..Usage::default()
        };
        check(&[DONE, r#"{"type":"response.output_text.delta","delta":"\"usage\""}"#, DONE], Some(twice));
    }

    #[test]
    fn what_another_model_wrote_down_is_known_to_cost_something() {
        let tokens = r#"{"type":"conversation.item.input_audio_transcription.completed","transcript":"hi",
            "usage":{"type":"tokens","total_tokens":9,"input_tokens":7,"output_tokens":2,"input_token_details":{"audio_tokens":7}}}"#;
        let of_other =
            |tokens| Usage { metered: Metered::one(Meter::OtherModels, tokens), ..Usage::default() };
        check(&[tokens], Some(of_other(9)));
        let seconds = r#"{"type":"conversation.item.input_audio_transcription.completed","transcript":"hi",
            "usage":{"type":"duration","seconds":3}}"#;
        check(&[seconds], Some(of_other(1)));
    }

    #[test]
    fn google_says_it_in_its_own_form() {
        let message = r#"{"usageMetadata":{"promptTokenCount":3,"responseTokenCount":4,"candidatesTokenCount":4,"totalTokenCount":7},
            "serverContent":{"turnComplete":true}}"#;
        check(&[message], Some(Usage { prompt: 3, completion: 4, ..Usage::default() }));
    }

    #[test]
    fn nothing_where_nothing_is_said() {
        check(&[], None);
        check(&["", "{", r#"{"type":"session.created","session":{"usage":{"input_tokens":1}}}"#], None);
        check(&[r#"{"type":"response.done","response":{"status":"failed","usage":null}}"#], None);
        check(&[r#"{"type":"response.done","response":"usage","usage":3}"#], None);
    }
}
