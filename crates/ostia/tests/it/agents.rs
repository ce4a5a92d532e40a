//! Coding agents as clients: Codex, Claude Code and Continue, the packages that people install, each through a loop of three turns in
//! front of servers that hold every request against their vendor's rules and refuse what the vendor would. The model is a
//! script: it calls tools that write files, and speaks its last words only when their results have come back.
//!
//! `cargo verify` installs the agents and names the folder that has them in `OSTIA_TEST_AGENTS`.

mod claude_code;
mod codex;
mod continue_command;
mod folder;
mod script;
mod tap;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ostia_testkit::strict::{Refusal, Vendor};
use ostia_testkit::{Answer, Request, Upstream, dead_address};

use crate::gateway::Gateway;
use crate::wire::Ask;
pub(crate) use folder::Folder;
pub(crate) use tap::Tap;

/// What the agents are asked. Words of their own stand around it.
const TASK: &str = "Write the files first.txt and second.txt.";
/// What the model says at the end.
const LAST_WORDS: &str = "Both files are written.";
/// An image that the agent finds where it works.
const IMAGE: &str = "image.png";
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90wS\xde\0\0\0\x0cIDATx\xdac\xf8/\xc5\0\0\x035\x01\x1a\xf8\xeb\xff\xb3\0\0\0\0IEND\xaeB`\x82";
/// What the tools write.
const FILES: [(&str, &str); 2] = [("first.txt", "one"), ("second.txt", "two")];

/// How long one run of an agent may take; some start again before each of five vendors.
const PATIENCE: Duration = Duration::from_secs(300);

/// A model at a vendor, and which fields of the agent's requests may be left out there.
struct Target {
    vendor: Vendor,
    model: &'static str,
    may_drop: &'static [&'static [&'static str]],
}

/// Where an agent works and whom it asks.
struct Place<'a> {
    /// The session before this one goes on.
    goes_on: bool,
    /// `http://127.0.0.1:PORT`: the gateway.
    url: String,
    /// A routing config for the gateway, which names the target.
    config: String,
    folder: &'a Folder,
}

/// A provider of this vendor's.
fn row(vendor: Vendor, url: &str) -> (&'static str, String) {
    let (id, fields) = match vendor {
        Vendor::OpenAiChat => ("openai", "dialects: [openai_chat]"),
        Vendor::OpenAiResponses => ("openai", "dialects: [openai_responses]"),
        Vendor::Anthropic => ("anthropic", "dialects: [anthropic_messages]"),
        Vendor::Google => ("google", "dialects: [gemini_generate]"),
        Vendor::Bedrock => ("cloud", "dialects: [bedrock_converse, bedrock_count_tokens]"),
        Vendor::Invoke => ("bedrock", ""),
        Vendor::Compatible => ("box", "dialects: [openai_chat]"),
        Vendor::Ollama => ("ollama", "dialects: [ollama_chat]"),
    };
    (id, format!("providers:\n  {id}: {{base_url: \"{url}/v1\", local: true, {fields}}}\n"))
}

/// Runs an agent through its loop at each target in turn, in one session, and holds the outcome against what has to come of
/// it.
fn run(targets: &[&Target], label: &str, agent: impl Fn(&Place<'_>) -> Output) {
    let folder = Folder::new();
    std::fs::write(folder.work().join(IMAGE), PIXEL).unwrap();
    for (at, target) in targets.iter().enumerate() {
        let before = targets[..at].iter().map(|target| format!("{:?}, then ", target.vendor));
        let label =
            format!("{label} at {}{:?} ({})", before.collect::<String>(), target.vendor, target.model);
        visit(target, &folder, &label, |place| agent(&Place { goes_on: at > 0, ..place }));
        for (name, _) in FILES {
            std::fs::remove_file(folder.work().join(name)).unwrap();
        }
    }
}

/// One session for each order of targets.
fn run_each(orders: [&[&Target]; 2], label: &str, agent: impl Fn(&Place<'_>) -> Output + Sync) {
    thread::scope(|scope| {
        for order in orders {
            let agent = &agent;
            scope.spawn(move || run(order, label, agent));
        }
    });
}

fn visit(target: &Target, folder: &Folder, label: &str, agent: impl FnOnce(Place<'_>) -> Output) -> Tap {
    let &Target { vendor, model, may_drop } = target;
    let work = folder.work();
    let refused: Arc<Mutex<Vec<(Refusal, String)>>> = Arc::default();
    let refusals = refused.clone();
    let upstream = Upstream::serve(move |request| {
        answer(vendor, request, &work).unwrap_or_else(|refusal| {
            refusals.lock().unwrap().push((refusal.clone(), request.text()));
            vendor.refuse(&refusal)
        })
    });
    let (provider, config) = row(vendor, &upstream.url());
    let gateway = Gateway::with(&config);
    let tap = Tap::before(gateway.address);
    let config = serde_json::json!({"provider": provider, "override_params": {"model": model}}).to_string();
    let output = agent(Place { goes_on: false, url: format!("http://{}", tap.address), config, folder });
    let said =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    if let Some((Refusal { path, words }, body)) = refused.lock().unwrap().first() {
        let kept = folder.keep("refused.json", body);
        panic!("{label}: the vendor refuses {path}: {words}\nthe request: {kept}\n{said}");
    }
    assert!(output.status.success(), "{label}:\n{said}\nthe gateway:\n{}", gateway.printed());
    assert!(said.contains(LAST_WORDS), "{label}: no last words:\n{said}");
    for (name, text) in FILES {
        let written = std::fs::read_to_string(folder.work().join(name)).unwrap_or_default();
        assert_eq!(written.trim_end(), text, "{label}: {name}\n{said}");
    }
    assert_eq!(upstream.count(), script::TURNS, "{label}: each turn is one request\n{said}");
    let dropped = tap.header("x-ostia-dropped");
    let unforeseen: BTreeSet<&String> = dropped.iter().filter(|field| !is_among(field, may_drop)).collect();
    assert!(unforeseen.is_empty(), "{label}: left out: {unforeseen:?}");
    for request in tap.requests() {
        let reply = unary(&request).to(&gateway);
        assert_eq!(reply.status, 200, "{label}: not as a stream: {}", reply.text());
    }
    tap
}

/// The same request, but the answer comes in one piece.
fn unary(request: &Request) -> Ask {
    let mut body = request.json();
    body["stream"] = false.into();
    body.as_object_mut().map(|fields| fields.remove("stream_options"));
    let ask = Ask::new(&request.method, &request.target).body(body.to_string());
    let kept =
        request.headers.iter().filter(|(name, _)| !["host", "content-length"].contains(&name.as_str()));
    kept.fold(ask, |ask, (name, value)| ask.header(name, value))
}

/// Nothing of the surroundings reaches the agent, and whatever it asks beyond this machine meets a closed door.
pub(crate) fn sealed<'c>(command: &'c mut Command, home: &Path) -> &'c mut Command {
    let nobody = format!("http://{}", dead_address());
    command.env_clear().stdin(Stdio::null()).env("HOME", home).env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command.env("HTTPS_PROXY", &nobody).env("HTTP_PROXY", nobody).env("NO_PROXY", "127.0.0.1")
}

/// Runs an agent to its end, and no longer than it may take on a busy machine.
pub(crate) fn finish(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || done.send(child.wait_with_output()));
    outcome.recv_timeout(PATIENCE).map(Result::unwrap).unwrap_or_else(|_| {
        let _ = Command::new("kill").args(["-KILL", &id]).status();
        panic!("{command:?} has not ended after {PATIENCE:?}")
    })
}

/// What the vendor's server says.
fn answer(vendor: Vendor, request: &Request, work: &Path) -> Result<Answer, Refusal> {
    vendor.check(request, &script::proof(vendor))?;
    let body = request.json();
    let stream = body["stream"] == true || request.target.contains(":streamGenerateContent");
    script::turn(vendor, &body, work).map(|turn| fresh(&vendor.speech().answer(&turn, stream), stream))
}

/// With ids that no other answer has: agents join what has the same one.
pub(crate) fn fresh(answer: &Answer, stream: bool) -> Answer {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let ids = ["chatcmpl-1", "resp_1", "msg_01", "r-1", "msg_last", "rs_last"];
    let body = String::from_utf8(answer.body()).unwrap();
    let body =
        ids.iter().fold(body, |body, id| body.replace(&format!("\"{id}\""), &format!("\"{id}x{number}\"")));
    if stream { Answer::stream(body) } else { Answer::json(body) }
}

/// `tools[*].strict` stands for all tools, `input[*]` for all items and spans of them.
fn is_among(field: &str, lists: &[&[&str]]) -> bool {
    let is_index = |c: char| c.is_ascii_digit() || c == '-';
    let any = field.split('[').map(|part| match part.split_once(']') {
        Some((index, rest)) if !index.is_empty() && index.chars().all(is_index) => format!("*]{rest}"),
        _ => part.to_owned(),
    });
    let any = any.collect::<Vec<_>>().join("[");
    lists.iter().any(|list| list.contains(&any.as_str()))
}
