//! What readers paste: every snippet of README.md and of the pages below docs/, as it stands there.
//!
//! YAML has to pass `ostia check`, and calls of the gateway by curl are made. What becomes of all others says a table, in which
//! a snippet is known by its page and its first words. One of which nothing is known fails the test, and so does a row whose
//! snippet is gone.

mod markdown;
mod run;

use std::collections::BTreeSet;

use markdown::Snippet;

/// What is done with a snippet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// An `ostia.yaml`, or sections of one: `ostia check --strict` has nothing to say.
    File,
    /// A routing config, or some of its fields: `ostia check` finds no error in it.
    Config,
    /// The same; a request with it in `x-ostia-config` is answered by the second target, after three calls of the first.
    Fallback,
    /// The body of a dry run.
    DryRun,
    /// Calls of the gateway from a shell: they are answered, and not with an error.
    Call,
    /// A call from Python with a vendor's SDK: it is answered by this provider, which is shown this key.
    Python(&'static str, &'static str),
    /// Commands of `ostia`, in a folder that has this file. What they leave as `ostia.yaml` passes the check.
    Commands(&'static str, &'static str),
    /// It is not run, for this reason.
    NotRun(&'static str),
}

use Use::{Call, Commands, Config, DryRun, Fallback, File, NotRun, Python};

const LITELLM: &str = "model_list:\n  - model_name: fast\n    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}\n";
const PORTKEY: &str =
    r#"{"strategy": {"mode": "fallback"}, "targets": [{"provider": "openai"}, {"provider": "anthropic"}]}"#;
const TRIED: &str = "the settings of another program; what they come to is tried with the program itself, in `agents` and `packages`";
const UNTRIED: &str = "the settings of another program, which is not run here; its page says so";
const ANSWERS: &str = "what the gateway says, and nothing to paste";
const SYNOPSIS: &str = "what a command takes, and nothing to paste; `cli` runs each";
const PUBLISHED: &str =
    "needs what `cargo xtask dist` makes, and programs of others; `cargo xtask packaging` checks the parts";

/// Page, first line, and what is done with it.
const SNIPPETS: &[(&str, &str, Use)] = &[
    (
        "README.md",
        "cargo up          # builds",
        NotRun("builds the gateway; CI does, and this test has it built"),
    ),
    ("README.md", "from openai import OpenAI", Python("anthropic", "ANTHROPIC-KEY")),
    ("README.md", "from anthropic import Anthropic", Python("google", "GOOGLE-KEY")),
    ("README.md", "from google import genai", Python("openai", "OPENAI-KEY")),
    (
        "README.md",
        "from portkey_ai import Portkey",
        NotRun(
            "Portkey's SDK is not among those that `cargo xtask clients` installs; `headers` has the headers that it sends",
        ),
    ),
    ("README.md", "{\"strategy\": {\"mode\": \"fallback\"}, \"retry\"", Fallback),
    ("docs/apis.md", "from openai import OpenAI", NotRun("needs an image; `image_edits` sends such forms")),
    (
        "docs/audio.md",
        "from openai import OpenAI",
        NotRun("needs a recording; `audio` makes such calls with this SDK"),
    ),
    (
        "docs/audio.md",
        "from elevenlabs import ElevenLabs",
        NotRun("`clients::sdks_of_other_vendors` makes these calls with this SDK"),
    ),
    (
        "docs/batches.md",
        "import time",
        NotRun("needs a file of rows; `batches::runs::openais_sdk` makes these calls with this SDK"),
    ),
    (
        "docs/batches.md",
        "from openai import OpenAI",
        NotRun("needs a file of rows; `batches::remote::openais_sdk` makes these calls with this SDK"),
    ),
    (
        "docs/batches.md",
        "import anthropic",
        NotRun("waits for a batch; `batches::messages::anthropics_sdk` makes these calls with this SDK"),
    ),
    (
        "docs/fine-tuning.md",
        "from openai import OpenAI",
        NotRun("needs a file of examples; `batches::tunings::openais_sdk` makes these calls with this SDK"),
    ),
    ("docs/batches.md", "{\"custom_id\"", NotRun("a row of a file; `batches` sends such rows")),
    ("docs/batches.md", "{\"id\": \"batch_req_", NotRun(ANSWERS)),
    ("docs/clients/aider.md", "export OPENAI_API_BASE", NotRun(TRIED)),
    ("docs/clients/aider.md", "export ANTHROPIC_API_BASE", NotRun(TRIED)),
    ("docs/clients/claude-code.md", "export ANTHROPIC_BASE_URL", NotRun(TRIED)),
    ("docs/clients/codex.md", "model = \"@anthropic/claude-opus-4-8\"", NotRun(TRIED)),
    ("docs/clients/continue.md", "name: Ostia", NotRun(TRIED)),
    ("docs/clients/langchain.md", "from langchain_anthropic", NotRun(TRIED)),
    ("docs/clients/langchain.md", "new ChatOpenAI({", NotRun(TRIED)),
    ("docs/clients/librechat.md", "endpoints:", NotRun(UNTRIED)),
    ("docs/clients/open-webui.md", "docker run -p 3000:8080", NotRun(TRIED)),
    ("docs/clients/openai-agents.md", "from agents import Agent", NotRun(TRIED)),
    ("docs/clients/openai-agents.md", "import { Agent,", NotRun(TRIED)),
    ("docs/clients/vercel-ai-sdk.md", "import { createOpenAI }", NotRun(TRIED)),
    ("docs/coming-from/litellm.md", "ostia import litellm config.yaml", Commands("config.yaml", LITELLM)),
    ("docs/coming-from/portkey.md", "ostia import portkey config.json", Commands("config.json", PORTKEY)),
    ("docs/configuration.md", "ostia check --config ostia.yaml", Commands("ostia.yaml", "workers: 2\n")),
    ("docs/configuration.md", "ostia check [--config FILE]", NotRun(SYNOPSIS)),
    ("docs/configuration.md", "ostia.yaml:6:5: error", NotRun(ANSWERS)),
    ("docs/configuration.md", "ostia [serve]", NotRun(SYNOPSIS)),
    ("docs/console.md", "http://127.0.0.1:8787/console", NotRun("an address; `console` asks for it")),
    ("docs/console.md", "curl -s 'http://127.0.0.1:8787/v1/gateway/providers", NotRun("`console` asks so")),
    ("docs/console.md", "cd console && OSTIA=", NotRun("serves until it is stopped")),
    ("docs/deploy.md", "npx ostia --help", NotRun(PUBLISHED)),
    ("docs/deploy.md", "npm install ./target/packages", NotRun(PUBLISHED)),
    ("docs/deploy.md", "apt install ./ostia", NotRun(PUBLISHED)),
    ("docs/deploy.md", "docker build", NotRun(PUBLISHED)),
    ("docs/deploy.md", "kubectl create secret", NotRun(PUBLISHED)),
    ("docs/errors.md", "{\"type\": \"error\", \"error\"", NotRun(ANSWERS)),
    ("docs/errors.md", "{\"error\": {\"code\": 401", NotRun(ANSWERS)),
    ("docs/errors.md", "{\"error\": {\"message\": \"Missing `model`", NotRun(ANSWERS)),
    ("docs/headers.md", "{\"provider\": \"openai\", \"api_key\"", Config),
    (
        "docs/install.md",
        "ostia init        # a few questions",
        NotRun("the last of them serves until it is stopped; `cli` runs each"),
    ),
    ("docs/install.md", "ok    configuration  ostia.yaml", NotRun(ANSWERS)),
    ("docs/models.md", "ostia models --provider openai", NotRun("`models` and `cli` run each")),
    ("docs/models.md", "ostia catalog show", NotRun("`newer_catalogue` runs both")),
    ("docs/models.md", "cargo xtask catalog FOLDER", NotRun("needs the lists of others")),
    ("docs/operations.md", "2026-11-29T02:16:17.123Z 200 POST", NotRun(ANSWERS)),
    (
        "docs/operations.md",
        "ostia serve --log access=off",
        NotRun("each serves until it is stopped; `log` tries the filters"),
    ),
    (
        "docs/realtime.md",
        "new WebSocket(\"ws://127.0.0.1:8787",
        NotRun("needs a browser; `websockets::handshakes` sends what one sends"),
    ),
    (
        "docs/records.md",
        "CREATE ROLE ostia",
        NotRun("for a database's owner; `postgres` has such a database"),
    ),
    (
        "docs/records.md",
        "CREATE USER ostia",
        NotRun("for a server of ClickHouse's; `clickhouse` has no users to make"),
    ),
    ("docs/records.md", "curl -s 'http://127.0.0.1:8787/v1/logs?status", NotRun("`store` asks so")),
    (
        "docs/records.md",
        "curl -s http://127.0.0.1:8787/v1/logs/ID",
        NotRun("`store` asks so for what there is"),
    ),
    ("docs/records.md", "curl -s 'http://127.0.0.1:8787/v1/analytics/series", NotRun("`store` asks so")),
    ("docs/records.md", "curl -s 'http://127.0.0.1:8787/v1/analytics/cache", NotRun("`caches` asks so")),
    ("docs/records.md", "curl -s http://127.0.0.1:8787/v1/logs/exports", NotRun("`exports` asks so")),
    (
        "docs/records.md",
        "curl -s http://127.0.0.1:8787/v1/feedback",
        NotRun("needs a trace; `store` and `clients` send some"),
    ),
    ("docs/records.md", "ostia logs", NotRun("the second goes on until it is stopped; `store` runs each")),
    ("docs/routing.md", "{\n  \"strategy\": {\"mode\": \"fallback\"},", Config),
    ("docs/routing.md", "{\"strategy\": {\"mode\": \"fallback\", \"stop_on\"", Config),
    ("docs/routing.md", "{\"strategy\": {\"mode\": \"loadbalance\", \"balance\"", Config),
    ("docs/routing.md", "{\"strategy\": {\"mode\": \"loadbalance\", \"sticky\"", Config),
    ("docs/routing.md", "{\"strategy\": {\"mode\": \"conditional\",", Config),
    ("docs/routing.md", "{\"hedge\": {\"after\": 800", Config),
    ("docs/routing.md", "{\"request\": {\"model\": \"gpt-4o\"", DryRun),
    ("docs/routing.md", "{\n  \"result\": \"answered\"", NotRun(ANSWERS)),
    (
        "docs/telemetry.md",
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318",
        NotRun("serves until it is stopped; `telemetry::traces` starts so"),
    ),
    (
        "docs/telemetry.md",
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:8787/v1/otel",
        NotRun("variables of another program; `telemetry::joined` sends with its SDK"),
    ),
];

/// The rows of a snippet.
fn rows(snippet: &Snippet) -> Vec<usize> {
    (0..SNIPPETS.len()).filter(|row| snippet.is(SNIPPETS[*row].0, SNIPPETS[*row].1)).collect()
}

/// What is done with a snippet that has no row, by its language.
fn by_language(snippet: &Snippet) -> Option<Use> {
    match &*snippet.language {
        "yaml" => Some(File),
        "sh" if snippet.text.contains("curl ") && snippet.text.contains(run::ADDRESS) => Some(Call),
        _ => None,
    }
}

/// All snippets of a kind.
fn each(wanted: fn(Use) -> bool) -> Vec<(Snippet, Use)> {
    let known = |snippet: Snippet| {
        let used = rows(&snippet).first().map(|row| SNIPPETS[*row].2).or_else(|| by_language(&snippet));
        used.map(|used| (snippet, used))
    };
    let found: Vec<_> =
        markdown::all().into_iter().filter_map(known).filter(|(_, used)| wanted(*used)).collect();
    assert!(!found.is_empty(), "there is none of this kind");
    found
}

#[test]
fn every_snippet_is_known() {
    let mut used = BTreeSet::new();
    for snippet in markdown::all() {
        match (rows(&snippet).as_slice(), by_language(&snippet)) {
            ([], Some(_)) => {}
            ([], None) => panic!("{snippet}\nneeds a row among SNIPPETS that says what is done with it"),
            ([row], _) => {
                assert!(used.insert(*row), "{snippet}\nhas the row of another one: let it say more")
            }
            (_, _) => panic!("{snippet}\nhas several rows: let them say more of its beginning"),
        }
    }
    let gone: Vec<_> =
        (0..SNIPPETS.len()).filter(|row| !used.contains(row)).map(|row| SNIPPETS[row]).collect();
    assert!(gone.is_empty(), "these are not there any more: {gone:#?}");
}

#[test]
fn files_pass_the_check() {
    for (snippet, _) in each(|used| used == File) {
        run::check(&snippet.text, &["--strict"], &snippet);
    }
}

#[test]
fn configs_pass_the_check() {
    for (snippet, _) in each(|used| matches!(used, Config | Fallback)) {
        run::check(&run::file_of_config(&snippet.text), &[], &snippet);
    }
}

#[test]
fn a_fallback_does_as_the_page_says() {
    for (snippet, _) in each(|used| used == Fallback) {
        run::fallback(&snippet);
    }
}

#[test]
fn a_dry_run_is_answered() {
    for (snippet, _) in each(|used| used == DryRun) {
        run::dry_run(&snippet);
    }
}

#[test]
fn calls_from_a_shell_are_answered() {
    for (snippet, _) in each(|used| used == Call) {
        run::call(&snippet);
    }
}

#[test]
fn programs_in_python_are_answered() {
    for (snippet, used) in each(|used| matches!(used, Python(..))) {
        let Python(provider, key) = used else { continue };
        run::python(&snippet, provider, key);
    }
}

#[test]
fn commands_do_what_they_say() {
    for (snippet, used) in each(|used| matches!(used, Commands(..))) {
        let Commands(name, text) = used else { continue };
        run::commands(&snippet, name, text);
    }
}
