//! Libraries and agents that people build with, the packages of PyPI and npm, as clients: each drives the same loop of three
//! turns, in every format that it speaks, in front of servers that hold every request against their vendor's rules
//! (`ostia_testkit::strict`). What comes of it is a line of the table in docs/clients/README.md, and the test holds that the
//! line says so.
//!
//! `cargo xtask packages` installs them and says where they are; `cargo xtask packages --write` writes the table.

mod edits;
mod matrix;
mod script;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ostia_testkit::Upstream;
use ostia_testkit::strict::{Refusal, Vendor};

use crate::agents::{Folder, Tap, finish, sealed};
use crate::gateway::Gateway;
use crate::programs;

/// A package as a client, with one of its ways to ask.
struct Client {
    /// As people call it.
    name: &'static str,
    /// The folder of what is installed, `python/NAME` or `js/NAME`. The script is `python/NAME_client.py` or
    /// `js/NAME/client.mjs`.
    package: &'static str,
    /// The word for the format that the script understands, and the format as the table names it.
    api: (&'static str, &'static str),
}

const CHAT: &str = "Chat Completions";
const RESPONSES: &str = "Responses";
const MESSAGES: &str = "Messages";
const GEMINI: &str = "generateContent";

macro_rules! clients {
    ($($test:ident: $name:literal, $package:literal, [$($api:literal = $format:expr),*];)*) => {$(
        #[test]
        fn $test() {
            run(&[$(Client { name: $name, package: $package, api: ($api, $format) }),*]);
        }
    )*};
}

clients! {
    vercel_ai_sdk: "Vercel AI SDK", "js/ai-sdk",
        ["chat" = CHAT, "compatible" = "Chat Completions (`openai-compatible`)", "responses" = "Responses (the default)",
         "responses-stateless" = "Responses (`store: false`)", "messages" = MESSAGES, "gemini" = GEMINI];
    langchain_python: "LangChain (Python)", "python/langchain",
        ["chat" = CHAT, "responses" = RESPONSES, "messages" = MESSAGES, "gemini" = GEMINI];
    langchain_javascript: "LangChain (JavaScript)", "js/langchain",
        ["chat" = CHAT, "responses" = RESPONSES, "messages" = MESSAGES, "gemini" = GEMINI];
    llama_index: "LlamaIndex", "python/llama_index",
        ["chat" = CHAT, "responses" = RESPONSES, "messages" = MESSAGES, "gemini" = GEMINI];
    openai_agents_python: "OpenAI Agents (Python)", "python/openai_agents", ["chat" = CHAT, "responses" = RESPONSES];
    openai_agents_javascript: "OpenAI Agents (JavaScript)", "js/openai-agents", ["chat" = CHAT, "responses" = RESPONSES];
    pydantic_ai: "pydantic-ai", "python/pydantic_ai",
        ["chat" = CHAT, "responses" = RESPONSES, "messages" = MESSAGES, "gemini" = GEMINI];
    instructor: "instructor", "python/instructor", ["chat" = CHAT, "responses" = RESPONSES, "messages" = MESSAGES];
    litellm: "LiteLLM (its library)", "python/litellm",
        ["chat" = CHAT, "responses" = RESPONSES, "messages" = MESSAGES, "gemini" = GEMINI];
    aider: "aider", "python/aider", ["chat" = CHAT, "messages" = MESSAGES];
    llm: "llm", "python/llm", ["chat" = CHAT];
    open_webui: "Open WebUI", "python/open_webui", ["chat" = CHAT];
}

/// The lines of the agents stand for the tests in `agents`, which hold every one of their columns.
#[test]
fn the_table_has_the_versions_of_the_agents() {
    let manifest = include_str!("../clients/agents/package.json");
    let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
    let version = |package: &str| manifest["dependencies"][package].as_str().unwrap().to_owned();
    matrix::hold(&[
        format!("| Claude Code {} | Messages |", version("@anthropic-ai/claude-code")),
        format!("| Codex {} | Responses |", version("@openai/codex")),
        format!("| Continue (`cn`) {} | {CHAT} |", version("@continuedev/cli")),
        format!("| Continue (`cn`) {} | {MESSAGES} |", version("@continuedev/cli")),
    ]);
}

/// Runs a package in each of its formats in front of every vendor, one after the other in one process: it takes some of them
/// seconds to start.
fn run(clients: &[Client]) {
    let Some(packages) = programs::packages() else { return };
    let folder = Folder::new();
    let visits: Vec<Visit> = clients
        .iter()
        .flat_map(|client| matrix::VENDORS.map(|(vendor, model)| Visit::prepare(client, vendor, model)))
        .collect();
    let mut command = start(&clients[0], &packages, &folder);
    sealed(&mut command, &folder.home()).current_dir(folder.work());
    command.args(visits.iter().flat_map(|visit| &visit.words));
    let output = finish(&mut command);
    let said =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    let cells: Vec<Cell> =
        visits.iter().enumerate().map(|(number, visit)| visit.outcome(number, &said, &folder)).collect();
    let version = matrix::version(&packages, clients[0].package);
    let of_clients = clients.iter().zip(cells.chunks(matrix::VENDORS.len()));
    let lines: Vec<String> =
        of_clients.map(|(client, cells)| matrix::line(client.name, &version, client.api.1, cells)).collect();
    matrix::hold(&lines);
}

/// What came of one run.
struct Cell {
    /// The client went all the way, and nothing was refused.
    is_whole: bool,
    /// Fields that the gateway left out on the way to the vendor, as it reports them.
    dropped: BTreeSet<String>,
}

/// One run: a client's way to ask, in front of a vendor's server.
struct Visit {
    label: String,
    /// For the script: the format, the gateway, the model.
    words: [String; 3],
    refused: Arc<Mutex<Vec<(Refusal, String)>>>,
    /// Answers that the model gave.
    turns: Arc<AtomicUsize>,
    tap: Tap,
    gateway: Gateway,
    _upstream: Upstream,
}

impl Visit {
    fn prepare(client: &Client, vendor: Vendor, model: &str) -> Visit {
        let refused: Arc<Mutex<Vec<(Refusal, String)>>> = Arc::default();
        let turns: Arc<AtomicUsize> = Arc::default();
        let (refusals, count) = (refused.clone(), turns.clone());
        let server = Mutex::new(script::Server::new(vendor));
        let upstream = Upstream::serve(move |request| match server.lock().unwrap().answer(request) {
            Ok(answer) => {
                count.fetch_add(1, Ordering::SeqCst);
                answer
            }
            Err(refusal) => {
                refusals.lock().unwrap().push((refusal.clone(), request.text()));
                vendor.refuse(&refusal)
            }
        });
        let gateway = Gateway::with(&matrix::row(vendor, &upstream.url(), model));
        let tap = Tap::before(gateway.address);
        let model = format!("@{}/{model}", matrix::provider(vendor));
        let words = [client.api.0.to_owned(), format!("http://{}", tap.address), model];
        let label = format!("{}, {} at {vendor:?}", client.name, client.api.0);
        Visit { label, words, refused, turns, tap, gateway, _upstream: upstream }
    }

    /// `number`: which of the runs it was, as the script counts them. `said`: all that the script printed.
    fn outcome(&self, number: usize, said: &str, folder: &Folder) -> Cell {
        let words = said
            .split("\n== ")
            .find_map(|part| part.strip_prefix(&format!("{number}: ")))
            .unwrap_or("not run");
        let problem = match self.refused.lock().unwrap().first() {
            Some((Refusal { path, words: why }, body)) => {
                let kept = folder.keep(&format!("refused-{number}.json"), body);
                Some(format!("the vendor refuses {path}: {why}\nthe request: {kept}\n{words}"))
            }
            None if !words.starts_with("ok") => Some(format!("{words}\n{said}\n{}", self.gateway.printed())),
            None if self.turns.load(Ordering::SeqCst) < script::TURNS => {
                Some("it ended before its end".into())
            }
            None => None,
        };
        if let Some(problem) = &problem {
            eprintln!("{}: {problem}", self.label);
        }
        Cell {
            is_whole: problem.is_none(),
            dropped: self.tap.header("x-ostia-dropped").into_iter().collect(),
        }
    }
}

/// The command that runs a client's script.
fn start(client: &Client, packages: &Path, folder: &Folder) -> Command {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/packages");
    let installed = packages.join(client.package);
    if client.package.starts_with("python/") {
        let mut command = Command::new(installed.join("bin/python"));
        command.arg("-B").arg(scripts.join(format!("{}_client.py", client.package)));
        return command;
    }
    // Node finds packages above the script, not above the folder that it runs in.
    let own = folder.work().join("client");
    std::fs::create_dir(&own).unwrap();
    std::os::unix::fs::symlink(installed.join("node_modules"), own.join("node_modules")).unwrap();
    std::fs::copy(scripts.join("js/tool_loop.mjs"), folder.work().join("tool_loop.mjs")).unwrap();
    std::fs::copy(scripts.join(client.package).join("client.mjs"), own.join("client.mjs")).unwrap();
    let mut command = Command::new(node(&installed));
    command.arg(own.join("client.mjs"));
    command
}

/// The Node that the package brings, for one that needs a newer one than Debian's.
fn node(installed: &Path) -> PathBuf {
    let entries = std::fs::read_dir(installed.join("node_modules")).into_iter().flatten().flatten();
    let own = entries.map(|entry| entry.path().join("bin/node"));
    let own = own.filter(|path| path.parent().is_some_and(|bin| bin.parent().is_some_and(is_node)));
    own.into_iter().find(|path| path.is_file()).unwrap_or_else(|| "node".into())
}

fn is_node(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("node-"))
}
