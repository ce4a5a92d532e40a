//! What vendors and models take, and how they say that they fail, as a page for people: the tables that requests are made
//! to fit by and errors are understood by, with their sources. docs/vendors.md is made of it.

mod limits;

use std::fmt::Write;

use ostia_dialect::limits::Limits;
use ostia_dialect::rules::{
    CachePoints, Chat, Converse, ForcedCalls, Off, Row, Rules, Sampling, Thinking, ToolUse, rows,
};
use ostia_dialect::tools::schema::SchemaRules;
use ostia_dialect::{Dialect, fault};

use crate::title;

/// Dialects that share their rows of models.
const MODELS: [(&str, Dialect); 4] = [
    ("OpenAI Chat Completions and Responses", Dialect::OpenaiChat),
    ("Anthropic Messages", Dialect::AnthropicMessages),
    ("Google generateContent", Dialect::GeminiGenerate),
    ("Bedrock Converse, besides the models of Anthropic", Dialect::BedrockConverse),
];

/// The page in Markdown.
pub fn markdown() -> String {
    let mut page = String::new();
    bounds(&mut page);
    schemas(&mut page);
    models(&mut page);
    failures(&mut page);
    page
}

// Writing into a String cannot fail.

fn bounds(page: &mut String) {
    let _ = writeln!(page, "## Limits of requests\n");
    for dialect in Dialect::ALL {
        let _ = writeln!(page, "### {}\n\n| | takes | source |\n|---|---|---|", title(dialect));
        for entry in limits::entries(&Limits::of(dialect)) {
            let _ = writeln!(page, "| {} | {} | {} |", entry.what, entry.takes, link(entry.source));
        }
        page.push('\n');
    }
}

fn schemas(page: &mut String) {
    let _ = writeln!(
        page,
        "## Schemas of tools\n\n| | refused at the top | further | source |\n|---|---|---|---|"
    );
    for dialect in Dialect::ALL {
        // A model of the older form, where there are two.
        let Some(takes) = SchemaRules::of(dialect, "gemini-2.0-flash") else { continue };
        let refused: Vec<String> = takes.refused_at_top.iter().map(|word| format!("`{word}`")).collect();
        let further = [
            takes.properties_required.then(|| "`properties` is required".to_owned()),
            takes.items_required.then(|| "`items` of an array are required".to_owned()),
            takes.names.map(|rule| {
                format!(
                    "names of properties: letters, digits and `{}`, {} at most",
                    rule.marks, rule.chars_max
                )
            }),
        ];
        let further: Vec<String> = further.into_iter().flatten().collect();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} |",
            title(dialect),
            refused.join(", "),
            further.join("; "),
            link(takes.source)
        );
    }
    page.push('\n');
}

fn models(page: &mut String) {
    let _ = writeln!(page, "## Models\n\nThe first row that fits a model's name counts.\n");
    for (name, dialect) in MODELS {
        let _ = writeln!(page, "### {name}\n\n| models | what they take | source |\n|---|---|---|");
        // Anthropic's models take the same wherever they are served.
        let is_told = |row: &&Row| dialect != Dialect::BedrockConverse || !row.models.contains(&"claude");
        for row in rows(dialect).iter().filter(is_told) {
            let _ =
                writeln!(page, "| {} | {} | {} |", named(row), words(row.rules, dialect), link(row.source));
        }
        page.push('\n');
    }
}

/// The words of a name, and the versions.
fn named(row: &Row) -> String {
    let mut text = row.models.join(" ");
    if row.from != (0, 0) {
        let _ = write!(text, " from {}.{}", row.from.0, row.from.1);
    }
    if row.below.0 != u32::MAX {
        let _ = write!(text, ", below {}.{}", row.below.0, row.below.1);
    }
    text
}

fn words(rules: &Rules, dialect: Dialect) -> String {
    let gemini = dialect == Dialect::GeminiGenerate;
    let claude = dialect == Dialect::AnthropicMessages;
    let by_converse = dialect == Dialect::BedrockConverse;
    let levels = rules.efforts.unwrap_or_default().join(", ");
    let facts: [(bool, &str); 21] = [
        (rules.sampling == Sampling::Either, "`temperature` or `top_p`, not both"),
        (
            rules.sampling == Sampling::Thoughtless,
            "no `temperature`, `top_p`, `logprobs` and `logit_bias` while it thinks",
        ),
        (rules.sampling == Sampling::Fixed, "no `temperature`, `top_p` and `top_k`"),
        (!rules.penalties, "no penalties"),
        (!rules.token_scores && rules.sampling != Sampling::Thoughtless, "no `logprobs` and `logit_bias`"),
        (!rules.stop, "no `stop`"),
        (!rules.parallel_tool_calls, "no `parallel_tool_calls`"),
        (!rules.max_tokens, "`max_completion_tokens` and no `max_tokens`"),
        (!rules.verbosity, "no `verbosity`"),
        (!rules.forced_tools, "no forced call of a tool"),
        (!rules.prefill, "no prefill: the conversation ends with the user"),
        (!rules.beside_functions, "functions alone: no search and no JSON output beside them"),
        (claude && !rules.system_turns, "no turns of the role `system`"),
        (rules.chat == Chat::NoFunctionsWhileThinking, "functions while thinking at Responses only"),
        (rules.chat == Chat::Nothing, "at Responses only"),
        (rules.openai && rules.chat_search, "searches the web at Chat Completions"),
        (rules.has_no_efforts() && !claude && !by_converse, "does not think"),
        (rules.thinking == Thinking::Never, "does not think"),
        (rules.thinking == Thinking::Adaptive, "no budget of thoughts: as many as it sees fit"),
        (gemini && rules.thinking == Thinking::Budget, "thinks on a budget"),
        (claude && rules.off == Off::Never, "always thinks"),
    ];
    let mut said: Vec<String> =
        facts.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words.to_owned()).collect();
    if !levels.is_empty() {
        said.push(format!("efforts {levels}"));
    }
    if by_converse {
        said.extend(rules.has_no_efforts().then(|| "is not told how much to think".to_owned()));
        said.extend(converse(&rules.converse).map(str::to_owned));
    }
    if claude {
        said.push(format!("{} tokens of output at most", rules.output_tokens_max));
    }
    if said.is_empty() { "everything, as far as we know".to_owned() } else { said.join("; ") }
}

/// What a model of Converse's does not take of it.
fn converse(takes: &Converse) -> impl Iterator<Item = &'static str> {
    let facts = [
        (!takes.system, "no system prompt"),
        (takes.tools == ToolUse::Whole, "no tools in streams"),
        (takes.tools == ToolUse::Never, "no tools"),
        (takes.forced_calls == ForcedCalls::Any, "no forced call of one tool"),
        (
            takes.forced_calls == ForcedCalls::Never && takes.tools != ToolUse::Never,
            "no forced call of a tool",
        ),
        (!takes.mixed_results, "results of calls alone in their turn"),
        (!takes.status, "no word for a tool that failed"),
        (takes.cache_points == CachePoints::Words, "cache points for five minutes, and not among tools"),
        (takes.cache_points == CachePoints::Never, "no cache points"),
        (!takes.formats, "no output after a schema"),
        (!takes.video, "no video"),
    ];
    facts.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words)
}

fn failures(page: &mut String) {
    let _ = writeln!(page, "## Failures\n\n| sent by | sign | means | source |\n|---|---|---|---|");
    for row in fault::rows() {
        let _ = writeln!(
            page,
            "| {} | `{}` | {} | {} |",
            row.vendor,
            row.sign.to_string().replace('|', "\\|"),
            row.kind.as_str(),
            link(row.source)
        );
    }
}

/// An address as a link; an issue of a repository as one to GitHub.
fn link(source: &str) -> String {
    let one = |word: &str| match word.split_once('#') {
        _ if word.starts_with("https://") => format!("<{word}>"),
        Some((repository, number)) if is_repository(repository) && is_number(number) => {
            format!("[{word}](https://github.com/{repository}/issues/{number})")
        }
        _ => word.to_owned(),
    };
    let words: Vec<String> = source
        .split(' ')
        .map(|word| {
            let bare = word.trim_end_matches([',', ';']);
            format!("{}{}", one(bare), &word[bare.len()..])
        })
        .collect();
    words.join(" ")
}

fn is_repository(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.split_once('/').is_some_and(|(owner, name)| {
        [owner, name].iter().all(|part| !part.is_empty() && part.chars().all(plain))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_links() {
        for (source, linked) in [
            ("https://x.test/a; b/c#12", "<https://x.test/a>; [b/c#12](https://github.com/b/c/issues/12)"),
            ("a/b#1, the error says so", "[a/b#1](https://github.com/a/b/issues/1), the error says so"),
            ("https://x.test/#part (tools)", "<https://x.test/#part> (tools)"),
        ] {
            assert_eq!(link(source), linked);
        }
    }

    #[test]
    fn every_table_is_there_and_every_row_has_a_source() {
        let page = markdown();
        for heading in ["## Limits", "## Schemas", "## Models", "## Failures"] {
            assert!(page.contains(heading), "{heading}");
        }
        let rows: Vec<&str> =
            page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")).collect();
        assert!(rows.len() > 150, "{}", rows.len());
        assert!(rows.iter().all(|row| !row.ends_with("|  |")), "{page}");
    }
}
