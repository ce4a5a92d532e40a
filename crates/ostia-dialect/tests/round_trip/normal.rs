//! What two vendors say in different ways by design. Nothing else is forgiven: what is not named here has to
//! arrive as it was, or be reported.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ostia_dialect::{Dialect, MediaKind, Source};
use serde_json::Value;

use crate::transcript::{Line, Said, Transcript, Who};

/// What Chat Completions says before what a tool has shown, which stands in a message behind the results.
const ATTACHED: &str = "Attached to the result of the call ";
/// The words of a result there that has none of its own.
const SEE_BELOW: &str = "The result is attached to the next message.";
/// Google's own stand-in for a signature that a call never had.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";
/// Names for files that came without one: OpenAI takes no bytes without a name.
const INVENTED_NAMES: [&str; 2] = ["document.pdf", "document.txt"];

/// The transcript in the form in which this vendor would have it said. `dropped`: what was reported as lost.
pub fn normal(transcript: Transcript, upstream: Dialect, model: &str, dropped: &[String]) -> Vec<Line> {
    let Transcript { mut lines, calls } = transcript;
    proofs(&mut lines, upstream, model);
    lost(&mut lines, upstream, dropped);
    let (chat, gemini) = (upstream == Dialect::OpenaiChat, upstream == Dialect::GeminiGenerate);
    let anthropic = upstream == Dialect::AnthropicMessages;
    lines.iter_mut().for_each(|line| media(line, upstream));
    if chat {
        attach(&mut lines, |id| calls.get(id).copied());
    }
    documents(&mut lines, upstream);
    if anthropic || gemini {
        refusals(&mut lines);
        // They have one place for all that the operator says, before the conversation.
        lines.sort_by_key(|line| line.who != Who::Operator);
    }
    if chat || gemini {
        results(&mut lines, gemini && !model.starts_with("gemini-3"));
    }
    if chat {
        words_first(&mut lines);
    }
    silence(&mut lines, anthropic);
    if gemini {
        // A stream brings the model's words in pieces, and each may come back as a part: in a row they are
        // one text.
        join(&mut lines, "", |line| line.who == Who::Model);
    }
    lines
}

/// What was reported as lost is not there: words around it are neighbours. Thoughts and sources are reported
/// by message; those that are the vendor's own go back to it all the same.
fn lost(lines: &mut Vec<Line>, upstream: Dialect, dropped: &[String]) {
    let proven: Vec<bool> = (0..lines.len()).map(|at| is_proven(lines, at)).collect();
    let mut proven = proven.into_iter();
    lines.retain(|line| {
        let is_proven = proven.next() == Some(true);
        let is_own = match &line.said {
            Said::Thought(_) => is_proven,
            Said::Source(value) => value.as_deref().is_some_and(|value| is_own_source(value, upstream)),
            Said::Proof(_) => true,
            _ => false,
        };
        let excuses = if is_own { &line.excuses[..1] } else { &line.excuses[..] };
        !excuses.iter().any(|path| dropped.contains(path))
    });
}

/// Has this vendor told of the source?
fn is_own_source(value: &str, upstream: Dialect) -> bool {
    let value: Value = serde_json::from_str(value).unwrap();
    let kind = value["type"].as_str().unwrap_or_default();
    match upstream {
        Dialect::AnthropicMessages => kind.ends_with("_location"),
        Dialect::OpenaiResponses => kind == "url_citation" && value["url"].is_string(),
        Dialect::OpenaiChat
        | Dialect::GeminiGenerate
        | Dialect::CohereChat
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::ReplicateText => false,
    }
}

fn is_proven(lines: &[Line], at: usize) -> bool {
    matches!(lines.get(at + 1), Some(Line { said: Said::Proof(_), .. }))
}

/// A medium in the words that all have for it. Media types have synonyms. Only Google tells the type of what
/// stands elsewhere; others find out. A file that the vendor has goes by its id alone in Chat Completions and
/// at Google.
fn media(line: &mut Line, upstream: Dialect) {
    let Said::Media { kind, source, mime } = &mut line.said else { return };
    let is_elsewhere = matches!(source, Source::Url(_) | Source::FileId(_));
    if is_elsewhere && upstream != Dialect::GeminiGenerate {
        *mime = None;
    }
    if matches!(source, Source::FileId(_))
        && matches!(upstream, Dialect::OpenaiChat | Dialect::GeminiGenerate)
    {
        (*kind, *mime) = (MediaKind::Document, None);
    }
    *mime = mime.take().map(|mime| match mime.as_str() {
        "audio/mpeg" => "audio/mp3".to_owned(),
        "audio/x-wav" | "audio/wave" => "audio/wav".to_owned(),
        _ => mime,
    });
}

/// Documents of text. All have them as text, whether they came so or as bytes, and of whichever textual type.
/// In Chat Completions they are words under their title, because OpenAI takes no files but PDFs; at Google
/// plain text is words.
fn documents(lines: &mut Vec<Line>, upstream: Dialect) {
    let mut at = 0;
    while at < lines.len() {
        let (is_plain, text) = match &lines[at].said {
            Said::Media { kind: MediaKind::Document, source: Source::Text(text), .. } => (true, text.clone()),
            Said::Media { kind: MediaKind::Document, source: Source::Base64(data), mime: Some(mime) }
                if mime.starts_with("text/") =>
            {
                (false, String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap())
            }
            _ => {
                at += 1;
                continue;
            }
        };
        lines[at].said = match upstream {
            Dialect::OpenaiChat => match lines.get(at + 1).map(|line| line.said.clone()) {
                Some(Said::FileName(name)) => {
                    lines.remove(at + 1);
                    Said::Words(format!("{name}:\n{text}"))
                }
                _ => Said::Words(text),
            },
            Dialect::GeminiGenerate if is_plain => Said::Words(text),
            _ => Said::Media { kind: MediaKind::Document, source: Source::Text(text), mime: None },
        };
        at += 1;
    }
}

/// Anthropic and Google have no refusals: the model just says so.
fn refusals(lines: &mut [Line]) {
    for line in lines {
        if let Said::Refusal(text) = &line.said {
            line.said = Said::Words(text.clone());
        }
    }
}

/// Chat Completions has no place for media in a result: they follow in a message that names the call.
fn attach(lines: &mut Vec<Line>, number: impl Fn(&str) -> Option<usize>) {
    let mut open = None;
    lines.retain_mut(|line| {
        let Said::Words(text) = &line.said else { return reattach(line, open) };
        let id = text.strip_prefix(ATTACHED).and_then(|rest| rest.strip_suffix(':'));
        let Some(number) = id.and_then(&number) else { return text != SEE_BELOW && reattach(line, open) };
        open = Some((number, line.turn));
        false
    });
}

/// What stands behind the name of a call, in the same message, its tool has shown.
fn reattach(line: &mut Line, open: Option<(usize, usize)>) -> bool {
    if let Some((number, _)) = open.filter(|(_, turn)| *turn == line.turn && line.who == Who::User) {
        line.who = Who::Tool(number);
    }
    true
}

/// The words of a result are one string, and what it shows stands behind the words of all of them: for Chat
/// Completions see [`attach`], for Google see `request::contents`. `apart`: models that see no media in an
/// answer have them as if the user showed them.
fn results(lines: &mut Vec<Line>, apart: bool) {
    let is_tool = |line: &Line| matches!(line.who, Who::Tool(_));
    for run in lines.chunk_by_mut(|a, b| is_tool(a) && is_tool(b)).filter(|run| is_tool(&run[0])) {
        let is_shown =
            |line: &Line| matches!(line.said, Said::Media { .. } | Said::FileName(_) | Said::Detail(_));
        run.sort_by_key(|line| is_shown(line));
        for line in run.iter_mut().filter(|line| apart && is_shown(line)) {
            line.who = Who::User;
        }
    }
    join(lines, "\n", is_tool);
    for line in lines.iter_mut().filter(|line| is_tool(line)) {
        // A result that is empty may have a line of its own or none.
        if let Said::Words(text) = &mut line.said {
            *text = text.trim_matches('\n').to_owned();
        }
        // Google takes an answer as an object, without the space around its tokens.
        if let Said::Words(text) = &mut line.said
            && let Ok(value @ Value::Object(_)) = serde_json::from_str::<Value>(text)
        {
            *text = value.to_string();
        }
    }
}

/// Joins the words of one speaker that follow one another.
fn join(lines: &mut Vec<Line>, between: &str, takes: impl Fn(&Line) -> bool) {
    let mut joined: Vec<Line> = Vec::new();
    for line in std::mem::take(lines) {
        match (joined.last_mut(), &line.said) {
            (Some(Line { who, said: Said::Words(before), .. }), Said::Words(text))
                if *who == line.who && takes(&line) =>
            {
                *before = [before.as_str(), text].join(between);
            }
            _ => joined.push(line),
        }
    }
    *lines = joined;
}

/// Chat Completions has calls in a field of their own, behind what the model says in the same turn.
fn words_first(lines: &mut [Line]) {
    let says = |line: &Line| line.who == Who::Model;
    for run in lines.chunk_by_mut(|a, b| says(a) && says(b)).filter(|run| says(&run[0])) {
        let mut called = false;
        let (calls, words): (Vec<Line>, Vec<Line>) = run.iter().cloned().partition(|line| {
            called = matches!(line.said, Said::Call { .. }) || called && is_mark(&line.said);
            called
        });
        run.iter_mut().zip(words.into_iter().chain(calls)).for_each(|(place, line)| *place = line);
    }
}

fn is_mark(said: &Said) -> bool {
    matches!(said, Said::Proof(_) | Said::CacheMark(_))
}

/// A proof means nothing to another vendor. Chat Completions carries Google's, on calls, unless the model is known to be
/// another's. Where a call has none, models of Google's that insist on one are given the word that passes for it.
fn proofs(lines: &mut Vec<Line>, upstream: Dialect, model: &str) {
    let mut on_call = false;
    lines.retain(|line| {
        let Said::Proof(proof) = &line.said else {
            on_call = matches!(line.said, Said::Call { .. });
            return true;
        };
        let is_own = proof.dialect == upstream;
        let is_carried = upstream == Dialect::OpenaiChat
            && proof.dialect == Dialect::GeminiGenerate
            && on_call
            && !model.starts_with("gpt");
        (is_own || is_carried) && proof.value != NO_SIGNATURE
    });
}

/// What says nothing: empty words and the marks on them, thoughts of which only another vendor's proof was
/// left, names that were made up, and those of turns that say nothing. A prefill may not end in white space
/// at Anthropic.
fn silence(lines: &mut Vec<Line>, trims: bool) {
    let mut at = 0;
    while at < lines.len() {
        let is_proven = is_proven(lines, at);
        let is_silent = match &lines[at].said {
            Said::Words(text) | Said::Refusal(text) | Said::Thought(text) => text.is_empty() && !is_proven,
            Said::FileName(name) => INVENTED_NAMES.contains(&name.as_str()),
            _ => false,
        };
        if !is_silent {
            at += 1;
            continue;
        }
        let is_name = matches!(lines.remove(at).said, Said::FileName(_));
        while !is_name && matches!(lines.get(at), Some(Line { said: Said::CacheMark(_), .. })) {
            lines.remove(at);
        }
    }
    let says = |line: &Line| !matches!(line.said, Said::Name(_));
    let turns: Vec<usize> = lines.iter().filter(|line| says(line)).map(|line| line.turn).collect();
    lines.retain(|line| says(line) || turns.contains(&line.turn));
    while trims && trim(lines) {}
}

/// Takes the white space off the end of a prefill. Is there more to take?
fn trim(lines: &mut Vec<Line>) -> bool {
    let is_mark = |line: &Line| matches!(line.said, Said::CacheMark(_) | Said::Source(_));
    let Some(at) = lines.iter().rposition(|line| !is_mark(line)) else { return false };
    let Line { who: Who::Model, said: Said::Words(text), .. } = &mut lines[at] else { return false };
    text.truncate(text.trim_end().len());
    let is_gone = text.is_empty();
    if is_gone {
        lines.truncate(at);
    }
    is_gone
}
