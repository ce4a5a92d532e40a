//! What the model says to an agent. It knows the tools by their names; how they want to be called it reads from what the
//! request offers, so that it follows the agent's version and the gateway's way of offering it.

use std::path::Path;

use ostia_testkit::model::{Call, Offer, Speech, Told, Turn};
use ostia_testkit::strict::{Refusal, Vendor};
use serde_json::{Value, json};

use super::{FILES, IMAGE, LAST_WORDS, TASK};

pub(super) const TURNS: usize = 3;
/// Stands for what the vendor signs.
pub(super) fn proof(vendor: Vendor) -> String {
    format!("proof of {vendor:?}>>>?")
}
/// What the agent's tools print, so that the results can be told from failures.
const MARKS: [&str; 2] = ["mark-1", "mark-2"];

/// The answer to what the model was told so far.
///
/// # Errors
/// Where something that matters has not reached it.
pub(super) fn turn(vendor: Vendor, body: &Value, work: &Path) -> Result<Turn, Refusal> {
    let speech = vendor.speech();
    let whole = speech.read(body);
    let asked = whole.iter().rposition(|piece| matches!(piece, Told::User(text) if text.contains(TASK)));
    require(asked.is_some(), "the task")?;
    // What stands before belongs to the session's earlier tasks.
    let told = &whole[asked.unwrap_or_default()..];
    let proof = proof(vendor);
    let tools = Tools(speech.offers(body));
    let results: Vec<&str> = told.iter().filter_map(result).collect();
    let thought = thinks(vendor, body).then(|| ("I have to write.".to_owned(), proof.clone()));
    let mut calls = match results.len() {
        0 => vec![tools.shell(0, work)?],
        1 => {
            require(results[0].contains(MARKS[0]), "the result of the first call")?;
            let is_asked = speech.takes_proofs() && thought.is_some() && !tools.are_of_continue();
            let proven = !is_asked || told.contains(&Told::Thought(proof));
            require(proven, "the thought's proof")?;
            let second = tools.member().map_or_else(|| tools.shell(1, work), Ok)?;
            [Some(tools.write(work)?), Some(second), tools.look(work)].into_iter().flatten().collect()
        }
        _ => {
            let called = told.iter().filter(|piece| matches!(piece, Told::Called(..))).count();
            require(results.len() == called, "a result of every call")?;
            require(said(told).contains(WORDS), "the model's own words")?;
            require(tools.look(work).is_none() || shows_an_image(speech, body), "the image")?;
            Vec::new()
        }
    };
    for (at, call) in calls.iter_mut().enumerate() {
        call.id = id(vendor, whole.len(), at);
    }
    // The first turn is a call alone, the second one has words beside its calls.
    let text = [None, Some(WORDS), Some(LAST_WORDS)][results.len().min(2)].map(str::to_owned);
    Ok(Turn { thought, text, calls })
}

/// Ids of calls as servers make them, here from how much was told before. Some servers that are compatible write names into
/// them and count anew in every turn.
fn id(vendor: Vendor, told: usize, at: usize) -> String {
    match vendor {
        Vendor::Compatible => format!("functions.tool:{at}"),
        Vendor::Anthropic | Vendor::Invoke => format!("toolu_01x{told}x{at}AbCdEfGhIjKlMnOpQrSt"),
        Vendor::Bedrock => format!("tooluse_{told}x{at}AbCdEfGhIjKlMnOpQr"),
        Vendor::OpenAiChat | Vendor::OpenAiResponses | Vendor::Google | Vendor::Ollama => {
            format!("call_{told}x{at}AbCdEfGhIjKlMnOpQrSt")
        }
    }
}

/// Is an image in the request, in the vendor's form? Agents scale images, so its bytes are not known.
fn shows_an_image(speech: Speech, body: &Value) -> bool {
    let sign = match speech {
        Speech::Chat | Speech::Cohere => r#""url":"data:image/"#,
        Speech::Responses => r#""image_url":"data:image/"#,
        Speech::Messages => r#""media_type":"image/"#,
        Speech::Gemini => r#""mimeType":"image/"#,
        Speech::Converse => r#""image":{"format":"#,
        Speech::Ollama => r#""images":[""#,
    };
    body.to_string().contains(sign)
}

/// What the model says beside its calls.
const WORDS: &str = "Now the second, and a look around.";

fn require(holds: bool, what: &str) -> Result<(), Refusal> {
    let words = "did not reach the model".to_owned();
    if holds { Ok(()) } else { Err(Refusal { path: what.into(), words }) }
}

fn result(piece: &Told) -> Option<&str> {
    match piece {
        Told::Result(_, words) => Some(words),
        Told::User(_) | Told::Thought(_) | Told::Said(_) | Told::Called(..) => None,
    }
}

/// All that the model said. Words may be in pieces.
fn said(told: &[Told]) -> String {
    let pieces = told.iter().filter_map(|piece| match piece {
        Told::Said(text) => Some(text.as_str()),
        Told::User(_) | Told::Thought(_) | Told::Called(..) | Told::Result(..) => None,
    });
    pieces.collect()
}

/// Was the model asked to think aloud, so that the client can give the proof back?
fn thinks(vendor: Vendor, body: &Value) -> bool {
    match vendor {
        Vendor::Anthropic | Vendor::Invoke => {
            ["enabled", "adaptive"].iter().any(|kind| body["thinking"]["type"] == *kind)
        }
        Vendor::OpenAiResponses => body["include"].to_string().contains("reasoning.encrypted_content"),
        Vendor::Google | Vendor::Compatible | Vendor::Ollama => true,
        Vendor::OpenAiChat => false,
        Vendor::Bedrock => {
            let kind = &body["additionalModelRequestFields"]["thinking"]["type"];
            ["enabled", "adaptive"].iter().any(|known| kind == known)
        }
    }
}

/// The tools on offer.
struct Tools(Vec<Offer>);

impl Tools {
    /// A tool by its name, or by the end of a joined one.
    fn find(&self, names: &[&str]) -> Option<&Offer> {
        let ends = |offer: &Offer, name: &str| {
            let before = offer.name.strip_suffix(name);
            before.is_some_and(|before| before.is_empty() || before.ends_with(|c: char| !c.is_alphanumeric()))
        };
        names.iter().find_map(|name| self.0.iter().find(|offer| ends(offer, name)))
    }

    fn need(&self, names: &[&str]) -> Result<&Offer, Refusal> {
        let offered: Vec<&str> = self.0.iter().map(|offer| offer.name.as_str()).collect();
        let missing = Refusal { path: "tools".into(), words: format!("none of {names:?} came: {offered:?}") };
        self.find(names).ok_or(missing)
    }

    /// Writes the first file, or looks at it and fails: with the agent's shell, or in a program that calls it.
    fn shell(&self, at: usize, work: &Path) -> Result<Call, Refusal> {
        let ((name, text), mark) = (FILES[0], MARKS[at]);
        let file = work.join(name).display().to_string();
        let line = match at {
            0 => format!("printf {text} > '{file}' && echo {mark}"),
            _ => format!("cat '{file}' && echo {mark} && exit 3"),
        };
        if let Some(shell) = self.find(&["exec_command", "Bash", "shell_command", "shell"]) {
            return Ok(call(shell, &line, &[("description", "Write or read the first file")]));
        }
        let program =
            format!("const r = await tools.exec_command({{cmd: {}}});\ntext(r.output);", json!(line));
        Ok(call(self.need(&["exec"])?, &program, &[]))
    }

    /// Writes the second file: with a tool for files, or a patch, or the shell.
    fn write(&self, work: &Path) -> Result<Call, Refusal> {
        let (name, text) = FILES[1];
        let file = work.join(name).display().to_string();
        if let Some(write) = self.find(&["Write"]) {
            return Ok(call(write, text, &[("file_path", &file), ("filepath", &file)]));
        }
        if let Some(patch) = self.find(&["apply_patch"]) {
            let patch_text = format!("*** Begin Patch\n*** Add File: {name}\n+{text}\n*** End Patch\n");
            return Ok(call(patch, &patch_text, &[]));
        }
        let line = format!("printf {text} > '{file}'");
        if let Some(shell) = self.find(&["exec_command"]) {
            return Ok(call(shell, &line, &[]));
        }
        let program = format!("await tools.exec_command({{cmd: {}}});\ntext('done');", json!(line));
        Ok(call(self.need(&["exec"])?, &program, &[]))
    }

    /// Continue gives no thought back, and its `Read` gives text alone.
    fn are_of_continue(&self) -> bool {
        self.find(&["Checklist"]).is_some()
    }

    /// Shows the model an image.
    fn look(&self, work: &Path) -> Option<Call> {
        let file = work.join(IMAGE).display().to_string();
        let tool = self.find(&["view_image", "Read"]).filter(|_| !self.are_of_continue());
        tool.map(|tool| call(tool, &file, &[]))
    }

    /// A call of a tool in a namespace, which fails for an agent that nobody started; what matters is that it comes back.
    fn member(&self) -> Option<Call> {
        self.find(&["close_agent", "interrupt_agent"]).map(|tool| call(tool, "nobody", &[]))
    }
}

/// Names of the one argument that matters, as tools have them. Free text in place of which a function stands has its own.
const MAIN_ARGUMENTS: [&str; 9] =
    ["cmd", "command", "content", "target", "input", "patch", "text", "path", "file_path"];

/// Calls a tool with this as its main argument, and with those of the others that it has.
fn call(tool: &Offer, main: &str, others: &[(&str, &str)]) -> Call {
    let Offer { namespace, name, schema } = tool.clone();
    let id = String::new();
    let Some(schema) = schema else { return Call { id, namespace, name, arguments: json!(main) } };
    let properties = &schema["properties"];
    let has = |name: &str| properties.get(name).is_some();
    let argument = MAIN_ARGUMENTS.into_iter().find(|name| has(name));
    let argument = argument.unwrap_or_else(|| panic!("{name} has no argument that we know: {schema}"));
    let value = match properties[argument]["type"] == "array" {
        true => json!(["bash", "-lc", main]),
        false => json!(main),
    };
    let mut arguments = json!({argument: value});
    for (name, value) in others.iter().filter(|(name, _)| has(name)) {
        arguments[*name] = json!(value);
    }
    Call { id, namespace, name, arguments }
}
