//! What a client of one dialect says arrives at a vendor of another, or is reported as lost; and so does what
//! comes back the same way.

use ostia_dialect::{ClientDialect, Dialect, Request};
use proptest::prelude::*;
use proptest::sample::select;

use crate::adapted::{Fact, Wish, facts, wish};
use crate::identity::{read, written};
use crate::normal::normal;
use crate::transcript::{Line, Said, transcript};
use crate::{conversations, holds, settings};

/// Reports that the wish to think was not met as it was said.
const THINKING: [&str; 5] =
    ["thinking", "reasoning", "reasoning_effort", "reasoning.enabled", "thinking.budget_tokens"];

/// Ends the report that the model cannot go on with a turn of its own, and is asked to by the user.
const PREFIX: &str = ".prefix";

/// Sends a client's request to a vendor of this dialect, and reads what the vendor was told.
fn tell(mut from: Request, upstream: ClientDialect, model: &str) -> Result<Request, TestCaseError> {
    from.model = model.to_owned();
    let encoded = written(upstream.dialect(), &mut from);
    let to = read(upstream, &encoded.body, &from);
    let shown = || format!("\n{}\ndropped {:?}\n", String::from_utf8_lossy(&encoded.body), encoded.dropped);
    compare(&from, upstream.dialect(), &encoded.dropped, &to).map_err(|why| {
        TestCaseError::fail(format!("to {}: {why}{}{from:?}", upstream.dialect().name(), shown()))
    })?;
    Ok(to)
}

/// Has all of a request arrived but what was reported?
fn compare(from: &Request, upstream: Dialect, dropped: &[String], to: &Request) -> Result<(), String> {
    let said = normal(transcript(from), upstream, &from.model, dropped);
    let mut heard = normal(transcript(to), upstream, &from.model, &[]);
    if dropped.iter().any(|path| path.ends_with(PREFIX)) {
        let asks = heard.pop().map(|line| line.said);
        assert!(matches!(&asks, Some(Said::Words(words)) if words.starts_with("Continue")), "{asks:?}");
    }
    arrives(&said, &heard)?;
    exist(dropped, from, upstream)?;
    let (asked, got) = (facts(from, upstream), facts(to, upstream));
    let is_excused = |fact: &Fact| dropped.iter().any(|path| fact.is_named_by(path));
    for (name, fact) in asked.iter().filter(|(_, fact)| !is_excused(fact)) {
        let arrived = got.get(name).map(|fact| &fact.value);
        if arrived != Some(&fact.value) {
            return Err(format!("asked for {name} {}, got {arrived:?}", fact.value));
        }
    }
    // Anthropic requires a limit of tokens.
    let is_required = |name: &str| name == "max_tokens" && upstream == Dialect::AnthropicMessages;
    if let Some(name) = got.keys().find(|name| !asked.contains_key(*name) && !is_required(name)) {
        return Err(format!("nobody asked for {name} {:?}", got[name]));
    }
    if dropped.iter().any(|path| THINKING.contains(&path.as_str())) {
        return Ok(());
    }
    thinks(&wish(from.reasoning.as_ref()), &wish(to.reasoning.as_ref()), upstream, &from.model)
}

/// Does every report of a loss name something that the client said?
fn exist(dropped: &[String], from: &Request, upstream: Dialect) -> Result<(), String> {
    // As a dialect has it that puts nothing alike.
    let (lines, asked) = (transcript(from).lines, facts(from, Dialect::CohereChat));
    let of_vendor = facts(from, upstream);
    let is_said = |path: &String| lines.iter().any(|line| line.excuses.contains(path));
    let is_asked = |path: &String| {
        asked.values().chain(of_vendor.values()).any(|fact| fact.is_named_by(path))
            || THINKING.contains(&path.as_str())
            || from.extra.iter().any(|(name, _)| name == path)
            || path == "parallel_tool_calls" && from.parallel_tool_calls.is_some()
            || path.ends_with(PREFIX)
    };
    let unknown = dropped.iter().find(|path| !is_said(path) && !is_asked(path));
    unknown.map_or(Ok(()), |path| Err(format!("nobody said {path}")))
}

/// Is everything that was said heard, in order, and nothing else?
fn arrives(said: &[Line], heard: &[Line]) -> Result<(), String> {
    let both = (0..said.len().max(heard.len())).map(|at| (said.get(at), heard.get(at)));
    for (said, heard) in both {
        if !said.zip(heard).is_some_and(|(said, heard)| is_alike(said, heard)) {
            return Err(format!("said {said:?}\nheard {heard:?}"));
        }
    }
    Ok(())
}

/// A type that the client left out may be told: vendors that require one are given what the bytes look like.
fn is_alike(said: &Line, heard: &Line) -> bool {
    let alike = match (&said.said, &heard.said) {
        (Said::Media { kind, source, mime }, Said::Media { kind: as_kind, source: at, mime: as_mime }) => {
            (kind, source) == (as_kind, at) && (mime.is_none() || mime == as_mime)
        }
        (said, heard) => said == heard,
    };
    said.who == heard.who && alike
}

/// Does the vendor think as it was asked to? How much is told in levels here and in tokens there, and no two
/// models have the same levels: a level is compared where it passes as it is, and so is a budget.
fn thinks(asked: &Wish, got: &Wish, upstream: Dialect, model: &str) -> Result<(), String> {
    let by_level = matches!(upstream, Dialect::OpenaiChat | Dialect::OpenaiResponses);
    let is_open = asked.effort.is_none() && asked.budget.is_none();
    // These think only where they are asked to.
    let is_lazy = model.starts_with("claude") || model.starts_with("gemini-2.0") || model == "gpt-4.1";
    let agrees = match (asked.thinks, got.thinks) {
        (Some(false), None) => is_lazy,
        // OpenAI's models have a least effort, and thinking less is not offered.
        (Some(false), Some(true)) => matches!(got.effort.as_deref(), Some("minimal" | "low")) && by_level,
        // How much is the model's to decide where nothing is said.
        (Some(true), None) => is_open,
        // Who wants to see thoughts wants some: Google's are asked for by that.
        (None, Some(true)) => asked.shown == Some(true) && upstream == Dialect::GeminiGenerate,
        (asked, got) => asked == got,
    };
    let levels = !by_level || asked.effort.is_none() || asked.effort == got.effort;
    let budgets = asked.budget.is_none() || asked.budget == got.budget || by_level && got.effort.is_some();
    // Chat Completions shows thoughts or not as the server likes; elsewhere they are hidden unless asked for.
    let shows = match asked.shown {
        Some(true) => got.shown == Some(true) || got.thinks != Some(true),
        Some(false) => got.shown != Some(true),
        None => true,
    };
    if agrees && levels && budgets && (shows || upstream == Dialect::OpenaiChat) {
        return Ok(());
    }
    Err(format!("asked to think {asked:?}, got {got:?}"))
}

/// Every request of this client's at vendors of the other dialects, there and back.
fn every(client: ClientDialect, upstream: ClientDialect) {
    let models = (select(settings::models(client.dialect())), select(settings::models(upstream.dialect())));
    let values = (conversations::request(client.dialect()), models);
    holds(&values, |(mut request, (own, other))| {
        let body = written(client.dialect(), &mut request).body;
        let said = read(client, &body, &request);
        let heard = tell(said, upstream, other)?;
        tell(heard, client, own).map(drop)
    });
}

/// Everything that the hub can hold, whichever client has said it, at vendors of this dialect.
fn all(upstream: ClientDialect) {
    let values = (conversations::request(upstream.dialect()), select(settings::models(upstream.dialect())));
    holds(&values, |(request, model)| tell(request, upstream, model).map(drop));
}

#[test]
fn all_to_chat() {
    all(ClientDialect::OpenaiChat);
}

#[test]
fn all_to_responses() {
    all(ClientDialect::OpenaiResponses);
}

#[test]
fn all_to_messages() {
    all(ClientDialect::AnthropicMessages);
}

#[test]
fn all_to_gemini() {
    all(ClientDialect::GeminiGenerate);
}

macro_rules! pairs {
    ($($name:ident: $client:ident to $upstream:ident;)*) => {$(
        #[test]
        fn $name() {
            every(ClientDialect::$client, ClientDialect::$upstream);
        }
    )*};
}

pairs! {
    chat_to_responses: OpenaiChat to OpenaiResponses;
    chat_to_messages: OpenaiChat to AnthropicMessages;
    chat_to_gemini: OpenaiChat to GeminiGenerate;
    responses_to_chat: OpenaiResponses to OpenaiChat;
    responses_to_messages: OpenaiResponses to AnthropicMessages;
    responses_to_gemini: OpenaiResponses to GeminiGenerate;
    messages_to_chat: AnthropicMessages to OpenaiChat;
    messages_to_responses: AnthropicMessages to OpenaiResponses;
    messages_to_gemini: AnthropicMessages to GeminiGenerate;
    gemini_to_chat: GeminiGenerate to OpenaiChat;
    gemini_to_responses: GeminiGenerate to OpenaiResponses;
    gemini_to_messages: GeminiGenerate to AnthropicMessages;
}
