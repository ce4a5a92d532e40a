//! The canonical request: a superset of what the dialects can say.

use crate::chat::rules::ModelFacts;
use crate::json::Json;
use crate::{ClientDialect, Dialect, MediaKind};

/// One call of a chat model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The upstream's model id.
    pub model: String,
    /// The name by which it is known what the model takes, where its own does not tell: behind a deployment, a profile or a tuned
    /// model is another.
    pub base_model: Option<String>,
    /// What is known of the model besides.
    pub facts: ModelFacts,
    /// The conversation, oldest first. System and developer turns stand where the client put them.
    pub messages: Vec<Message>,
    /// Tools that the model may call.
    pub tools: Vec<Tool>,
    /// Which of them it has to call.
    pub tool_choice: Option<ToolChoice>,
    /// May one turn hold several calls?
    pub parallel_tool_calls: Option<bool>,
    /// What shape the text must have.
    pub output_format: Option<OutputFormat>,
    /// How the next token is drawn, and how many of them.
    pub sampling: Sampling,
    /// How much to think before answering.
    pub reasoning: Option<Reasoning>,
    /// The model may search the web by the vendor's own means.
    pub web_search: Option<WebSearch>,
    /// Answer as a stream of events.
    pub stream: bool,
    /// Tell the usage at the end of a stream.
    pub include_usage: bool,
    /// The end user, for the vendor's abuse checks.
    pub user: Option<String>,
    /// `auto`, `default`, `flex`, `priority`, as the client wrote it.
    pub service_tier: Option<String>,
    /// A cache marker that is meant for the whole prompt.
    pub cache_control: Option<Json>,
    /// Top-level fields that the client's dialect has, or the client invented, and the hub does not know:
    /// name and value, in the order they came. Upstream encoders take what their vendor understands; the rest is dropped
    /// and reported.
    pub extra: Vec<(String, Json)>,
    /// Where each message stands in the client's own body (`input[3]`), for reports of what was dropped. Empty where that
    /// is `messages[i]`.
    pub places: Vec<String>,
    /// The same for tools. Empty where each is `tools[i]`.
    pub tool_places: Vec<String>,
    /// The dialect of the client that wrote it, where one did: what the fields in [`Request::extra`] mean is its vendor's word.
    pub client: Option<ClientDialect>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The operator.
    System,
    /// The operator, in OpenAI's newer word.
    Developer,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// The results of calls: every block is a [`Content::ToolResult`].
    Tool,
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// A name for the speaker, where the client gave one.
    pub name: Option<String>,
    /// What is said, in order. May be empty for an assistant turn.
    pub blocks: Vec<Block>,
}

/// A piece of a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The piece itself.
    pub content: Content,
    /// The vendor's proof that the piece is its own, to be handed back unchanged.
    pub signature: Option<Signature>,
    /// Anthropic's cache marker (`{"type":"ephemeral"}`), kept where the upstream has such a thing.
    pub cache_control: Option<Json>,
    /// Of a call: the container of its tool, in OpenAI's word, where it has one.
    pub namespace: Option<String>,
}

/// A vendor's opaque proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose proof: it means nothing to any other vendor.
    pub dialect: Dialect,
    /// The proof, as the vendor wrote it.
    pub value: String,
}

/// What a block holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Words, with the sources they quote.
    Text {
        /// The words.
        text: String,
        /// Sources, in the order given.
        citations: Vec<crate::Citation>,
    },
    /// The model declines.
    Refusal(String),
    /// The model thinks aloud.
    Reasoning(String),
    /// An image, a recording, a document.
    Media(Media),
    /// The model calls a tool.
    ToolCall {
        /// Joins call and result; empty where the upstream gave none.
        id: String,
        /// The tool.
        name: String,
        /// JSON for a function, free text for a custom tool. Kept as text: it may be cut off.
        arguments: String,
        /// Function or custom tool.
        kind: ToolKind,
    },
    /// What a tool answered.
    ToolResult {
        /// The call that this answers.
        id: String,
        /// The tool, where the client says it.
        name: Option<String>,
        /// The answer: text and media blocks.
        content: Vec<Block>,
        /// The tool failed.
        is_error: bool,
    },
    /// A block that only one vendor knows (a server tool's result, hidden reasoning): handed back to that vendor as
    /// it came and to nobody else.
    Foreign {
        /// Whose block.
        dialect: Dialect,
        /// The block, as the vendor wrote it.
        value: Json,
    },
}

/// Bytes of a body besides the texts that it holds.
const FRAME_BYTES: usize = 1024;

impl Request {
    /// The name by which it is known what the model takes.
    pub fn known_as(&self) -> &str {
        self.base_model.as_deref().unwrap_or(&self.model)
    }

    /// Where a tool stands in the client's own body.
    pub(crate) fn tool_place(&self, at: usize) -> String {
        self.tool_places.get(at).cloned().unwrap_or_else(|| format!("tools[{at}]"))
    }

    /// Takes the tools out, each with its place, to be put back with [`Request::put_tool`].
    pub(crate) fn take_tools(&mut self) -> Vec<(Tool, String)> {
        let places: Vec<String> = (0..self.tools.len()).map(|at| self.tool_place(at)).collect();
        self.tool_places.clear();
        std::mem::take(&mut self.tools).into_iter().zip(places).collect()
    }

    /// Adds a tool that stands at this place in the client's own body.
    pub(crate) fn put_tool(&mut self, tool: Tool, place: String) {
        self.tools.push(tool);
        self.tool_places.push(place);
    }

    /// About how many bytes a body takes that says all of this, so that it need not be moved while it is written.
    pub(crate) fn body_bytes(&self) -> usize {
        let blocks = self.messages.iter().flat_map(|message| &message.blocks);
        let tools = self.tools.iter().map(|tool| match tool {
            Tool::Function { description, parameters, .. } => {
                description.as_ref().map_or(0, String::len)
                    + parameters.as_ref().map_or(0, |schema| schema.as_str().len())
            }
            Tool::Custom { value, .. } | Tool::Hosted { value, .. } => value.as_str().len(),
        });
        FRAME_BYTES + blocks.map(Block::bytes).sum::<usize>() + tools.sum::<usize>()
    }
}

impl Block {
    fn bytes(&self) -> usize {
        match &self.content {
            Content::Text { text, .. } | Content::Refusal(text) | Content::Reasoning(text) => text.len(),
            Content::ToolCall { arguments, .. } => arguments.len(),
            Content::ToolResult { content, .. } => content.iter().map(Block::bytes).sum(),
            Content::Media(Media { source, .. }) => match source {
                Source::Url(text) | Source::Base64(text) | Source::FileId(text) | Source::Text(text) => {
                    text.len()
                }
            },
            Content::Foreign { value, .. } => value.as_str().len(),
        }
    }

    /// A block without marks.
    pub fn new(content: Content) -> Block {
        Block { content, signature: None, cache_control: None, namespace: None }
    }

    /// A block of words.
    pub fn text(text: impl Into<String>) -> Block {
        Block::new(Content::Text { text: text.into(), citations: Vec::new() })
    }
}

impl Message {
    /// A turn of one block of words.
    pub fn text(role: Role, text: impl Into<String>) -> Message {
        Message { role, name: None, blocks: vec![Block::text(text)] }
    }
}

/// An image, a recording, a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    /// What kind.
    pub kind: MediaKind,
    /// Where its bytes are.
    pub source: Source,
    /// Its media type (`image/png`), where known.
    pub mime: Option<String>,
    /// Its file name or title, where given.
    pub name: Option<String>,
    /// OpenAI's `detail` (`low`, `high`, `auto`), where given.
    pub detail: Option<String>,
}

/// Where the bytes of a medium are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// At an address (`https:`, `gs:`).
    Url(String),
    /// Here, in base64.
    Base64(String),
    /// With the vendor, under this id.
    FileId(String),
    /// Here, as plain text.
    Text(String),
}

/// How a tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolKind {
    /// With JSON arguments.
    Function,
    /// With free text (OpenAI's custom tools).
    Custom,
}

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool {
    /// The client runs it.
    Function {
        /// Its name.
        name: String,
        /// What it is for.
        description: Option<String>,
        /// JSON Schema of its arguments, as the client wrote it.
        parameters: Option<Json>,
        /// The arguments must follow the schema exactly.
        strict: Option<bool>,
        /// Anthropic's cache marker.
        cache_control: Option<Json>,
    },
    /// Free-text input, run by the client: the whole `custom` object as the client wrote it.
    Custom {
        /// Its name.
        name: String,
        /// The whole tool entry.
        value: Json,
    },
    /// The vendor runs it: the whole entry as the client wrote it.
    Hosted {
        /// Whose tool.
        dialect: Dialect,
        /// Its `type`, or for Gemini its only key.
        name: String,
        /// The whole tool entry.
        value: Json,
    },
}

/// Which tool has to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// None.
    None,
    /// At least one, whichever.
    Required,
    /// This one.
    Named(String),
    /// One of these (`required`) or any of these and none (`auto`).
    Allowed {
        /// The tools.
        names: Vec<String>,
        /// One must be called.
        required: bool,
    },
}

/// What shape the text must have.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputFormat {
    /// Free text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON after a schema.
    JsonSchema {
        /// A name for the schema.
        name: String,
        /// What it is for.
        description: Option<String>,
        /// The schema, as the client wrote it.
        schema: Json,
        /// Follow it exactly.
        strict: Option<bool>,
    },
}

/// How the next token is drawn, and how many. Numbers are kept as the client wrote them (`1` stays `1`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// Most tokens of the answer, reasoning included.
    pub max_tokens: Option<u64>,
    /// Heat.
    pub temperature: Option<Json>,
    /// Nucleus.
    pub top_p: Option<Json>,
    /// Most likely tokens considered.
    pub top_k: Option<Json>,
    /// Stop before any of these.
    pub stop: Vec<String>,
    /// For repeatable draws.
    pub seed: Option<Json>,
    /// Penalty on tokens that have come.
    pub presence_penalty: Option<Json>,
    /// Penalty by how often they have come.
    pub frequency_penalty: Option<Json>,
    /// How many answers.
    pub n: Option<u64>,
    /// Tell the log-probabilities.
    pub logprobs: Option<Logprobs>,
    /// Token biases, as the client wrote them.
    pub logit_bias: Option<Json>,
}

/// How many log-probabilities to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logprobs {
    /// Alternatives per token.
    pub top: Option<u64>,
}

/// How much to think.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasoning {
    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`: as the client wrote it.
    pub effort: Option<String>,
    /// Most tokens to think for.
    pub budget_tokens: Option<u64>,
    /// `Some(false)`: do not think; `Some(true)`: think, with effort and budget where given.
    pub enabled: Option<bool>,
    /// The model decides how much (Anthropic's `adaptive`, Gemini's budget of -1).
    pub adaptive: bool,
    /// Show the thoughts: `Some(false)` asks to hide them.
    pub visible: Option<bool>,
}

/// Largest budgets, in tokens, that an effort stands for: the same steps in which the halves that have budgets read the
/// efforts. More than the last is `high`.
const EFFORTS: [(u64, &str); 2] = [(1024, "low"), (8192, "medium")];
/// The effort of a larger budget.
const EFFORT_MAX: &str = "high";

impl Reasoning {
    /// The effort that a budget stands for.
    pub(crate) fn effort_of(budget_tokens: u64) -> &'static str {
        EFFORTS.iter().find(|(most, _)| budget_tokens <= *most).map_or(EFFORT_MAX, |(_, effort)| effort)
    }

    /// Is the model asked not to think?
    pub(crate) fn is_off(&self) -> bool {
        self.effort.as_deref() == Some("none") || self.enabled == Some(false) || self.budget_tokens == Some(0)
    }
}

/// The vendor may search the web.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WebSearch {
    /// `low`, `medium`, `high`.
    pub context_size: Option<String>,
    /// Where the user is, as the client wrote it (OpenAI's `user_location`).
    pub user_location: Option<Json>,
}
