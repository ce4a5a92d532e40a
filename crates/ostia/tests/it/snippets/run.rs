//! Runs snippets in front of a scripted upstream, in place of the providers that they name.

use std::path::Path;
use std::process::{Command, Output};

use ostia_testkit::strict::Vendor;
use ostia_testkit::vendor::{anthropic, gemini, openai};
use ostia_testkit::{Answer, Request, Upstream};

use super::markdown::Snippet;
use crate::agents::{Folder, sealed};
use crate::gateway::{Gateway, Setup};
use crate::programs;
use crate::wire::Ask;

/// What every provider says.
const SAID: &str = "On the Tiber.";
/// Where the pages have the gateway.
pub const ADDRESS: &str = "127.0.0.1:8787";
/// The key that readers have in their environment, whosever it is.
const READERS_KEY: &str = "sk-readers";
const READERS_KEYS: [&str; 5] =
    ["OPENAI_API_KEY", "COHERE_API_KEY", "VOYAGE_API_KEY", "MISTRAL_API_KEY", "GROQ_API_KEY"];
/// What is no conversation: how its path ends, and the answer.
const OTHERS: [(&str, &str); 5] = [
    ("/rerank", r#"{"data":[{"index":1,"relevance_score":0.9}]}"#),
    ("/embeddings", r#"{"data":[{"index":0,"embedding":[0.5]}]}"#),
    ("/moderations", r#"{"results":[{"categories":{"sexual":false},"category_scores":{"sexual":0.1}}]}"#),
    ("/ocr", r#"{"pages":[]}"#),
    ("/images/generations", r#"{"created":0,"data":[{"url":"https://images.example/1.png"}]}"#),
];

/// Passes these sections `ostia check`? Variables are set, each to its name.
pub fn check(text: &str, args: &[&str], snippet: &Snippet) {
    let mut setup = Setup::new().config(text).arg("check");
    if text.contains(".pem") || text.contains("file:/etc/") {
        // The files that it names are the reader's.
        setup = setup.arg("--no-secrets");
    }
    for name in text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name) {
        setup = setup.env(name, name);
    }
    let output = args.iter().fold(setup, |setup, arg| setup.arg(arg)).run();
    assert!(output.status.success(), "{snippet}\n{}", said(&output));
}

/// A file with this config, and rows for the providers of the reader's own that it names.
pub fn file_of_config(config: &str) -> String {
    let named = config.split("\"@").skip(1).filter_map(|rest| rest.split_once('"')).map(|(name, _)| name);
    let names: std::collections::BTreeSet<&str> = named.filter(|name| !name.contains('/')).collect();
    let rows: String = names
        .iter()
        .map(|name| format!("  {name}: {{ base_url: 'https://{name}.example', dialects: [openai_chat] }}\n"))
        .collect();
    let config = config.replace('\n', "\n    ");
    format!("providers:\n  openai: {{}}\n{rows}configs:\n  pasted:\n    {config}\n")
}

/// A gateway in front of one upstream that stands for all providers, each below its id.
fn gateway(upstream: &Upstream) -> Gateway {
    let row = |id: &&str| format!("  {id}: {{ base_url: '{}/{id}' }}\n", upstream.url());
    let all = ["openai", "anthropic", "google", "cohere", "voyage", "mistral-ai", "groq"];
    let rows: String = all.iter().map(row).collect();
    Gateway::with(&format!("providers:\n{rows}"))
}

/// The answer of the vendor at this path, which refuses what it would not take.
fn answer(request: &Request) -> Answer {
    let (vendor, answer) = match request.target.split('?').next().unwrap_or_default() {
        path if path.ends_with("/messages") => (Vendor::Anthropic, anthropic::message(SAID)),
        path if path.ends_with(":generateContent") => (Vendor::Google, gemini::generate(SAID)),
        path if path.ends_with("/chat/completions") => {
            let model = request.json()["model"].to_string();
            // Its answer is a verdict.
            let said = if model.contains("llama-guard") { "safe" } else { SAID };
            (Vendor::OpenAiChat, openai::chat(said))
        }
        path => {
            let other =
                OTHERS.iter().find(|(end, _)| path.ends_with(end)).map(|(_, answer)| Answer::json(*answer));
            return other.unwrap_or_else(|| Answer::json(openai::error(path, "t", "not_found")).status(404));
        }
    };
    match vendor.check(request, "") {
        Ok(()) => Answer::json(answer),
        Err(refusal) => vendor.refuse(&refusal),
    }
}

/// The upstream was asked once, as this provider, with this key.
#[track_caller]
fn was_asked(upstream: &Upstream, provider: &str, key: &str, snippet: &Snippet) {
    let seen = upstream.last();
    assert_eq!(upstream.count(), 1, "{snippet}");
    assert!(seen.target.starts_with(&format!("/{provider}/")), "{snippet}\n{}", seen.target);
    let is_shown =
        |name: &str| seen.header(name).is_some_and(|shown| shown.trim_start_matches("Bearer ") == key);
    assert!(
        ["authorization", "x-api-key", "x-goog-api-key"].into_iter().any(is_shown),
        "{snippet}\n{seen:?}"
    );
}

pub fn call(snippet: &Snippet) {
    if programs::curl().is_none() {
        return;
    }
    let upstream = Upstream::serve(answer);
    let gateway = gateway(&upstream);
    let folder = Folder::new();
    let mut shell = Command::new("sh");
    let keys = READERS_KEYS.map(|name| (name, READERS_KEY));
    sealed(&mut shell, &folder.home()).envs(keys).current_dir(folder.work());
    let output = shell.arg("-ec").arg(at(snippet, &gateway)).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let is_good = output.status.success() && !told.is_empty() && !told.contains("\"error\"");
    assert!(is_good, "{snippet}\n{}", said(&output));
    for seen in upstream.requests() {
        let shown = seen.header("authorization").or_else(|| seen.header("x-api-key"));
        assert!(shown.is_some_and(|key| key.ends_with(READERS_KEY)), "{snippet}\n{seen:?}");
    }
}

pub fn python(snippet: &Snippet, provider: &str, key: &str) {
    let Some(python) = programs::python() else { return };
    let upstream = Upstream::serve(answer);
    let gateway = gateway(&upstream);
    let folder = Folder::new();
    let output = sealed(&mut Command::new(python), &folder.home())
        .args(["-B", "-c", &at(snippet, &gateway)])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), SAID, "{snippet}\n{}", said(&output));
    was_asked(&upstream, provider, key, snippet);
}

/// The first target fails as often as it is asked.
pub fn fallback(snippet: &Snippet) {
    let upstream = Upstream::serve(|request| match request.target.starts_with("/openai/") {
        true => Answer::json(openai::error("no", "t", "x")).status(503).header("retry-after", "0"),
        false => answer(request),
    });
    let row = |id: &str| format!("  {id}: {{ base_url: '{}/{id}', api_key: sk-operator }}\n", upstream.url());
    let gateway = Gateway::with(&format!("providers:\n{}{}", row("openai"), row("anthropic")));
    let body = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello"}]}"#;
    let config = snippet.text.replace('\n', " ");
    let reply = Ask::post("/v1/chat/completions", body).header("x-ostia-config", &config).to(&gateway);
    assert!(reply.status == 200 && reply.text().contains(SAID), "{snippet}\n{}", reply.text());
    let asked: Vec<String> = upstream.requests().iter().map(|request| request.target.clone()).collect();
    let first = "/openai/chat/completions";
    assert_eq!(asked, [first, first, first, "/anthropic/messages"], "{snippet}");
    assert_eq!(upstream.last().json()["model"], "claude-sonnet-4-5");
}

pub fn dry_run(snippet: &Snippet) {
    let gateway = Gateway::start();
    let reply = Ask::post("/v1/explain", snippet.text.as_str()).to(&gateway);
    assert_eq!(reply.status, 200, "{snippet}\n{}", reply.text());
    assert!(reply.json()["calls"].as_array().is_some_and(|calls| calls.len() == 2), "{}", reply.text());
}

pub fn commands(snippet: &Snippet, name: &str, text: &str) {
    let folder = Folder::new();
    std::fs::write(folder.work().join(name), text).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_ostia")).parent().unwrap();
    let mut shell = Command::new("sh");
    sealed(&mut shell, &folder.home())
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .env("OPENAI_API_KEY", READERS_KEY)
        .current_dir(folder.work());
    let output = shell.arg("-ec").arg(&snippet.text).output().unwrap();
    assert!(output.status.success(), "{snippet}\n{}", said(&output));
    let left = std::fs::read_to_string(folder.work().join("ostia.yaml")).unwrap();
    check(&left, &["--strict"], snippet);
}

/// The snippet with the address of this gateway.
fn at(snippet: &Snippet, gateway: &Gateway) -> String {
    assert!(snippet.text.contains(ADDRESS), "{snippet}");
    snippet.text.replace(ADDRESS, &gateway.address.to_string())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
