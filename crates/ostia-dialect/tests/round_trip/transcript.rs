//! A conversation as a flat list of what is said: who, what, and which reports of a loss excuse that it is
//! missing.

use std::collections::BTreeMap;

use ostia_dialect::{
    Block, Content, Dialect, Media, MediaKind, Message, Request, Role, Signature, Source, ToolKind,
};
use serde_json::Value;

/// Who speaks. A tool goes by the number of the call that it answers, because ids may be made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Operator,
    User,
    Model,
    Tool(usize),
}

/// One fact of a conversation. Marks follow what they are on.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Name(String),
    Words(String),
    Refusal(String),
    Thought(String),
    Call {
        name: String,
        arguments: Value,
        kind: ToolKind,
    },
    Result {
        name: String,
    },
    /// The tool failed.
    Failed,
    Media {
        kind: MediaKind,
        source: Source,
        mime: Option<String>,
    },
    FileName(String),
    Detail(String),
    Source(Option<String>),
    Foreign {
        dialect: Dialect,
        value: Value,
    },
    Proof(Signature),
    CacheMark(Value),
}

/// A fact, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub who: Who,
    pub said: Said,
    /// The number of its message.
    pub turn: usize,
    /// Paths by which its loss may be reported.
    pub excuses: Vec<String>,
}

/// All that is said in a request, and the number of each call by its id.
#[derive(Debug)]
pub struct Transcript {
    pub lines: Vec<Line>,
    pub calls: BTreeMap<String, usize>,
}

/// The transcript of a conversation.
pub fn transcript(request: &Request) -> Transcript {
    let calls = request.messages.iter().flat_map(|message| &message.blocks);
    let calls = calls.filter_map(|block| match &block.content {
        Content::ToolCall { id, name, .. } => Some((id.clone(), name.clone())),
        _ => None,
    });
    let names: Vec<(String, String)> = calls.collect();
    let calls = names.iter().enumerate().map(|(number, (id, _))| (id.clone(), number)).collect();
    let mut scribe = Scribe { lines: Vec::new(), names, turn: 0, who: Who::User };
    request.messages.iter().enumerate().for_each(|(turn, message)| scribe.message(turn, message));
    Transcript { lines: scribe.lines, calls }
}

/// The arguments of a function as a value; none are an empty object.
fn value_of(arguments: &str, kind: ToolKind) -> Value {
    match (kind, arguments.trim()) {
        (ToolKind::Custom, _) => arguments.into(),
        (ToolKind::Function, "") => serde_json::json!({}),
        (ToolKind::Function, text) => serde_json::from_str(text).unwrap(),
    }
}

struct Scribe {
    lines: Vec<Line>,
    /// Id and tool of each call.
    names: Vec<(String, String)>,
    turn: usize,
    who: Who,
}

impl Scribe {
    fn message(&mut self, turn: usize, message: &Message) {
        self.turn = turn;
        self.who = match message.role {
            Role::System | Role::Developer => Who::Operator,
            Role::User | Role::Tool => Who::User,
            Role::Assistant => Who::Model,
        };
        let path = format!("messages[{turn}]");
        if let Some(name) = &message.name {
            self.lines.push(self.line(Said::Name(name.clone()), vec![format!("{path}.name")]));
        }
        for (at, block) in message.blocks.iter().enumerate() {
            // A turn that is one result is the result itself.
            let is_whole = message.role == Role::Tool && message.blocks.len() == 1;
            let place = if is_whole { path.clone() } else { format!("{path}.content[{at}]") };
            self.block(block, &place);
        }
    }

    /// The block at this path.
    fn block(&mut self, block: &Block, place: &str) {
        match &block.content {
            Content::Text { text, citations } => {
                self.say(Said::Words(text.clone()), place);
                for citation in citations {
                    let value = citation.value.as_ref().map(|value| value.as_str().to_owned());
                    self.mark(Said::Source(value), place, "citations", Some("annotations"));
                }
            }
            Content::Refusal(text) => self.say(Said::Refusal(text.clone()), place),
            Content::Reasoning(text) => {
                self.mark(Said::Thought(text.clone()), place, "", Some("reasoning_content"));
            }
            Content::Media(media) => self.media(media, place),
            Content::ToolCall { name, arguments, kind, .. } => {
                let arguments = value_of(arguments, *kind);
                self.say(Said::Call { name: name.clone(), arguments, kind: *kind }, place);
            }
            Content::ToolResult { .. } => return self.result(block, place),
            Content::Foreign { dialect, value } => {
                self.say(Said::Foreign { dialect: *dialect, value: value.to_value() }, place);
            }
        }
        if let Some(signature) = &block.signature {
            self.mark(Said::Proof(signature.clone()), place, "signature", Some("reasoning_content"));
        }
        self.cache_mark(block, place);
    }

    fn media(&mut self, media: &Media, place: &str) {
        let Media { kind, source, mime, name, detail } = media;
        self.say(Said::Media { kind: *kind, source: source.clone(), mime: mime.clone() }, place);
        if let Some(name) = name {
            self.mark(Said::FileName(name.clone()), place, "file.filename", None);
        }
        if let Some(detail) = detail.as_ref().filter(|detail| *detail != "auto") {
            self.mark(Said::Detail(detail.clone()), place, "image_url.detail", None);
        }
    }

    fn result(&mut self, block: &Block, place: &str) {
        let Content::ToolResult { id, name, content, is_error } = &block.content else { return };
        let number = self.names.iter().position(|(known, _)| known == id);
        let called = number.map(|number| self.names[number].1.clone());
        let speaker = std::mem::replace(&mut self.who, Who::Tool(number.unwrap_or(usize::MAX)));
        self.say(Said::Result { name: name.clone().or(called).unwrap_or_default() }, place);
        if *is_error {
            self.mark(Said::Failed, place, "is_error", None);
        }
        self.cache_mark(block, place);
        for (at, inner) in content.iter().enumerate() {
            self.block(inner, &format!("{place}.content[{at}]"));
        }
        self.who = speaker;
    }

    fn cache_mark(&mut self, block: &Block, place: &str) {
        if let Some(marker) = &block.cache_control {
            self.mark(Said::CacheMark(marker.to_value()), place, "cache_control", None);
        }
    }

    fn say(&mut self, said: Said, place: &str) {
        self.lines.push(self.line(said, vec![place.to_owned()]));
    }

    /// A mark on the block at this path. Its loss is reported by the block, by its own field there, or by the
    /// field of the message that stands for all such marks.
    fn mark(&mut self, said: Said, place: &str, field: &str, of_message: Option<&str>) {
        let mut excuses = vec![place.to_owned(), format!("{place}.{field}")];
        excuses.extend(of_message.map(|field| format!("messages[{}].{field}", self.turn)));
        self.lines.push(self.line(said, excuses));
    }

    fn line(&self, said: Said, excuses: Vec<String>) -> Line {
        Line { who: self.who, said, turn: self.turn, excuses }
    }
}
