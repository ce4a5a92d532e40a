//! Which dialect of an upstream says a request best, where it speaks several.

use crate::chat::ollama_chat;
use crate::chat::rules::{self, Rules};
use crate::chat::tools::client_run;
use crate::chat::tools::hosted::{self, Like, is_tool_search};
use crate::{Content, Dialect, EncodeOptions, Reasoning, Request, Tool};

/// What it costs that a dialect cannot say something, in an order of magnitude each: the request is refused, something of
/// it is lost, or little is: a setting of a tool, a proof of an earlier turn.
const REFUSED: u32 = 100;
const LOST: u32 = 10;
const LITTLE: u32 = 1;

/// The dialect in which most of the request arrives; the first of those that are equal. `None` where there are none.
pub fn best_dialect(
    dialects: impl Iterator<Item = Dialect> + Clone,
    request: &Request,
    options: &EncodeOptions,
) -> Option<Dialect> {
    let is_ollama = dialects.clone().any(|dialect| dialect == Dialect::OllamaChat);
    let mut best: Option<(u32, Dialect)> = None;
    for dialect in dialects {
        let mut cost = cost(dialect, request, options);
        if is_ollama {
            cost += unheard_by_ollama(dialect, request);
        }
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, dialect));
        }
    }
    best.map(|(_, dialect)| dialect)
}

fn cost(dialect: Dialect, request: &Request, options: &EncodeOptions) -> u32 {
    let rules = &Rules::for_request(dialect, request);
    let is_chat = dialect == Dialect::OpenaiChat;
    let can_search = match dialect {
        Dialect::OpenaiChat => rules.chat_search && (rules.openai || options.takes("web_search_options")),
        Dialect::OpenaiResponses => options.takes("web_search"),
        Dialect::OllamaChat | Dialect::ReplicateText => false,
        Dialect::AnthropicMessages | Dialect::GeminiGenerate | Dialect::CohereChat => true,
        Dialect::BedrockConverse => false,
    };
    let mut cost = 0;
    if is_chat && rules::is_refused_at_chat(request, rules) {
        cost += REFUSED;
    }
    let mut searches = request.web_search.is_some();
    for tool in &request.tools {
        match tool {
            Tool::Function { .. } => {}
            Tool::Custom { .. } if dialect.has_custom_tools() && options.takes("custom_tools") => {}
            Tool::Custom { .. } => cost += LOST,
            Tool::Hosted { dialect: owner, .. } if options.has_types_of(*owner, dialect) => {}
            Tool::Hosted { name, .. } if client_run::is_client_run(tool) || is_tool_search(name) => {
                cost += LITTLE
            }
            Tool::Hosted { dialect: owner, .. } if *owner == dialect => {}
            Tool::Hosted { name, .. } => match hosted::like(name, dialect) {
                Some(Like::Search) => searches = true,
                Some(Like::Tool) => cost += LITTLE,
                None => cost += REFUSED,
            },
        }
    }
    if searches && !can_search {
        cost += LOST;
    }
    let blocks = request.messages.iter().flat_map(|message| &message.blocks);
    let is_strange = |owner: Dialect| owner != dialect;
    let forgets = blocks.filter(|block| match &block.content {
        Content::Foreign { dialect: owner, .. } => is_strange(*owner),
        _ => block.signature.as_ref().is_some_and(|signature| is_strange(signature.dialect)),
    });
    cost + if forgets.count() > 0 { LITTLE } else { 0 }
}

/// What Ollama reads in its own API and passes over in those that it copies, without a word: its own fields in both; in Chat
/// Completions `top_k` (openai/openai.go in ollama/ollama, `FromChatRequest`). There is no word there either for a model that is not
/// to think, that every server of that format would take.
fn unheard_by_ollama(dialect: Dialect, request: &Request) -> u32 {
    let is_chat = dialect == Dialect::OpenaiChat;
    let losses = [
        dialect != Dialect::OllamaChat && ollama_chat::request::has_own_fields(request),
        is_chat && request.sampling.top_k.is_some(),
        is_chat && request.reasoning.as_ref().is_some_and(Reasoning::is_off),
    ];
    losses.iter().filter(|is_lost| **is_lost).count() as u32 * LOST
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ClientDialect;
    use crate::test_support::decoded;

    const ALL: [Dialect; 3] = [Dialect::OpenaiChat, Dialect::OpenaiResponses, Dialect::AnthropicMessages];

    #[track_caller]
    fn check(client: ClientDialect, body: &str, expected: Dialect) {
        let request = decoded(client, body).unwrap();
        assert_eq!(
            best_dialect(ALL.into_iter(), &request, &EncodeOptions::default()),
            Some(expected),
            "{body}"
        );
    }

    #[test]
    fn what_ollama_reads_in_its_own_api_only_is_told_there() {
        let (chat, own) = (Dialect::OpenaiChat, Dialect::OllamaChat);
        let messages = Dialect::AnthropicMessages;
        let check = |dialects: &[Dialect], fields: &str, expected: Dialect| {
            let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"q"}}]{fields}}}"#);
            let request = decoded(ClientDialect::OpenaiChat, &body).unwrap();
            let best = best_dialect(dialects.iter().copied(), &request, &EncodeOptions::default());
            assert_eq!(best, Some(expected), "{fields}");
        };
        let all = [chat, own, messages];
        check(&all, "", chat);
        check(&all, r#","temperature":1,"reasoning_effort":"low""#, chat);
        for fields in [
            r#","options":{"num_ctx":1}"#,
            r#","keep_alive":"1m""#,
            r#","think":true"#,
            r#","min_p":0.1"#,
            r#","top_k":4"#,
            r#","reasoning_effort":"none""#,
        ] {
            check(&all, fields, own);
            check(
                &[messages, own],
                fields,
                if fields.contains("top_k") || fields.contains("none") { messages } else { own },
            );
            check(&[chat, messages], fields, chat);
        }
    }

    #[test]
    fn the_dialect_follows_request_and_model() {
        let (chat, responses, messages) = (ALL[0], ALL[1], ALL[2]);
        let tool = r#""tools":[{"name":"f","input_schema":{"type":"object"}}]"#;
        let search = r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#;
        let bash = r#""tools":[{"type":"bash_20250124","name":"bash"}]"#;
        let code = r#""tools":[{"type":"code_execution_20250825","name":"code_execution"}]"#;
        let cases = [
            ("gpt-4o", "", chat),
            ("gpt-5.6", "", chat),
            ("gpt-5.6", tool, responses),
            ("gpt-5.4", tool, chat),
            ("gpt-5.4", &format!(r#"{tool},"thinking":{{"type":"adaptive"}}"#), responses),
            ("gpt-5", tool, chat),
            ("gpt-5.3-codex", "", responses),
            ("gpt-4o", search, responses),
            ("gpt-4o-search-preview", search, chat),
            ("any", code, messages),
            ("any", bash, messages),
        ];
        for (model, fields, expected) in cases {
            let comma = if fields.is_empty() { "" } else { "," };
            let body = format!(
                r#"{{"model":"{model}","max_tokens":9,"messages":[{{"role":"user","content":"q"}}]{comma}{fields}}}"#
            );
            check(ClientDialect::AnthropicMessages, &body, expected);
        }
        // Elsewhere it is a function, which this model takes at Responses only while it thinks.
        let body = format!(
            r#"{{"model":"gpt-5.6","max_tokens":9,"messages":[{{"role":"user","content":"q"}}],{bash}}}"#
        );
        let asked = decoded(ClientDialect::AnthropicMessages, &body).unwrap();
        assert_eq!(
            best_dialect([chat, responses].into_iter(), &asked, &EncodeOptions::default()),
            Some(responses)
        );
        for tool in [
            r#"{"type":"shell"}"#,
            r#"{"type":"namespace","name":"n","tools":[]}"#,
            r#"{"type":"tool_search"}"#,
        ] {
            let body = format!(r#"{{"model":"m","input":"q","tools":[{tool}]}}"#);
            check(ClientDialect::OpenaiResponses, &body, responses);
        }
        let thought = r#"{"role":"assistant","content":[{"type":"redacted_thinking","data":"x"},{"type":"text","text":"t"}]}"#;
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"q"}},{thought}]}}"#
        );
        check(ClientDialect::AnthropicMessages, &body, messages);
    }
}
