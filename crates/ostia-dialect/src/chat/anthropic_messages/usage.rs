//! Tokens: <https://platform.claude.com/docs/en/api/messages>, `Usage`.
//!
//! The vendor counts what a cache gave and took beside `input_tokens`; in the hub both are part of the prompt. Where one answer took
//! several turns of models, `iterations` counts each of them, and only their sum is what is billed: the totals, which clients are told, leave out a
//! summary of the conversation (<https://platform.claude.com/docs/en/build-with-claude/compaction-threshold>) and models that were asked for
//! advice (<https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool>).

use crate::chat::usage::Charge;
use crate::json::{Node, Writer};
use crate::{Meter, Metered, ServiceTier, Usage};

/// What a vendor's own tool does that has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerTool {
    /// Runs code in a sandbox, which is charged for by a time that nobody tells
    /// (<https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool>).
    Code,
    /// Looks at the web.
    Web,
}

/// What the tool of this name does.
pub(crate) fn server_tool(name: &str) -> Option<ServerTool> {
    match name {
        "code_execution" | "bash_code_execution" | "text_editor_code_execution" => Some(ServerTool::Code),
        "web_search" | "web_fetch" => Some(ServerTool::Web),
        _ => None,
    }
}

/// What has been counted so far: an answer says it at once, a stream in several events, where the later value counts.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_written: Option<u64>,
    cache_written_1h: Option<u64>,
    web_searches: Option<u64>,
    tier: Option<ServiceTier>,
    charge: Option<Charge>,
    thinking: Option<u64>,
    earlier: Metered,
    of_other_models: u64,
    runs_code: bool,
    searches_by_code: bool,
}

impl Tokens {
    /// Takes what this object says.
    pub(super) fn observe(&mut self, usage: Node<'_>) {
        self.totals(usage);
        if let Some(iterations) = usage.some("iterations") {
            self.iterations(iterations);
        }
    }

    /// Takes note of a tool that the vendor ran. Code that runs for the searches that the model makes from it is not charged for.
    pub(super) fn tool_use(&mut self, block: Node<'_>) {
        if block.str("type").as_deref() != Some("server_tool_use") {
            return;
        }
        let is_of_code =
            block.some("caller").is_some_and(|caller| caller.str("type").as_deref() != Some("direct"));
        match block.str("name").and_then(|name| server_tool(&name)) {
            Some(ServerTool::Code) => self.runs_code = true,
            Some(ServerTool::Web) => self.searches_by_code |= is_of_code,
            None => {}
        }
    }

    /// Takes what these turns have more than the totals. Those of another model than the one that answered last have prices of
    /// their own.
    fn iterations(&mut self, iterations: Node<'_>) {
        let is_advice = |turn: &Node<'_>| turn.str("type").as_deref() == Some("advisor_message");
        let Some(last) = iterations.items().filter(|turn| !is_advice(turn)).last() else { return };
        let model = last.str("model");
        let is_own = |turn: &Node<'_>| match (turn.str("model"), &model) {
            (Some(own), Some(model)) => own == *model,
            _ => !is_advice(turn),
        };
        let mut sums = [Tokens::default(), Tokens::default()];
        iterations.items().for_each(|turn| sums[usize::from(!is_own(&turn))].add(turn));
        let [own, others] = sums;
        self.earlier = Metered::default();
        if let (Some(own), Some(told)) = (own.usage(), self.usage()) {
            let more = |meter, of: fn(&Usage) -> u64| Metered::one(meter, of(&own).saturating_sub(of(&told)));
            self.earlier = more(Meter::EarlierInput, |usage| usage.prompt)
                .plus(&more(Meter::EarlierCached, |usage| usage.cached.unwrap_or(0)))
                .plus(&more(Meter::EarlierCacheWritten, |usage| usage.cache_written.unwrap_or(0)))
                .plus(&more(Meter::EarlierCacheWritten1h, |usage| usage.cache_written_1h.unwrap_or(0)))
                .plus(&more(Meter::EarlierOutput, |usage| usage.completion));
        }
        self.of_other_models = others.usage().map_or(0, |usage| usage.total());
    }

    fn add(&mut self, turn: Node<'_>) {
        let mut one = Tokens::default();
        one.totals(turn);
        for (sum, one) in [
            (&mut self.input, one.input),
            (&mut self.output, one.output),
            (&mut self.cache_read, one.cache_read),
            (&mut self.cache_written, one.cache_written),
            (&mut self.cache_written_1h, one.cache_written_1h),
        ] {
            *sum = one.map(|one| sum.unwrap_or_default().saturating_add(one)).or(*sum);
        }
    }

    fn totals(&mut self, usage: Node<'_>) {
        let details = usage.some("output_tokens_details");
        // <https://platform.claude.com/docs/en/build-with-claude/prompt-caching#1-hour-cache-duration>
        let created = usage.some("cache_creation");
        let of_tools = usage.some("server_tool_use");
        for (known, newer) in [
            (&mut self.input, usage.u64("input_tokens")),
            (&mut self.output, usage.u64("output_tokens")),
            (&mut self.cache_read, usage.u64("cache_read_input_tokens")),
            (&mut self.cache_written, usage.u64("cache_creation_input_tokens")),
            (
                &mut self.cache_written_1h,
                created.and_then(|created| created.u64("ephemeral_1h_input_tokens")),
            ),
            (&mut self.web_searches, of_tools.and_then(|tools| tools.u64("web_search_requests"))),
            (&mut self.thinking, details.and_then(|details| details.u64("thinking_tokens"))),
        ] {
            *known = newer.or(*known);
        }
        let is_fast = usage.str("speed").as_deref() == Some("fast");
        let tier = usage.str("service_tier").map(|tier| ServiceTier::named(&tier));
        self.tier = is_fast.then_some(ServiceTier::Fast).or(tier).or(self.tier);
        self.charge = Charge::decode(usage).or(self.charge);
    }

    fn code_sessions(&self) -> Metered {
        Metered::one(Meter::CodeSessions, u64::from(self.runs_code && !self.searches_by_code))
    }

    /// The hub's count of it.
    pub(super) fn usage(&self) -> Option<Usage> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let count = |tokens: Option<u64>| tokens.unwrap_or(0);
        Some(Usage {
            prompt: count(self.input)
                .saturating_add(count(self.cache_read))
                .saturating_add(count(self.cache_written)),
            completion: count(self.output),
            cached: self.cache_read,
            cache_written: self.cache_written,
            cache_written_1h: self.cache_written_1h,
            metered: self
                .code_sessions()
                .with(Meter::WebSearches, count(self.web_searches))
                .with(Meter::OtherModels, self.of_other_models)
                .plus(&self.earlier),
            tier: self.tier,
            charge: self.charge,
            reasoning: self.thinking,
            ..Usage::default()
        })
    }
}

/// What the vendor charges for by the tools of a whole answer, beside what its count of tokens says.
pub(crate) fn tools(message: Node<'_>) -> Metered {
    let mut tokens = Tokens::default();
    let content = message.some("content");
    content.iter().flat_map(Node::items).for_each(|block| tokens.tool_use(block));
    tokens.code_sessions()
}

/// Reads an object that says all at once.
pub(crate) fn decode(usage: Node<'_>) -> Option<Usage> {
    let mut tokens = Tokens::default();
    tokens.observe(usage);
    tokens.usage()
}

/// Writes the fields of the object: three parts of the prompt. Unknown is zero. Some vendors tell of more cached tokens than
/// the prompt has (Grok at Azure); clients add the parts up, so that they are held to it.
pub(super) fn encode(w: &mut Writer, usage: &Usage) {
    let read = usage.cached.unwrap_or(0).min(usage.prompt);
    let written = usage.cache_written.unwrap_or(0).min(usage.prompt - read);
    w.field_u64("input_tokens", usage.prompt - read - written);
    w.field_u64("cache_creation_input_tokens", written);
    w.field_u64("cache_read_input_tokens", read);
    if let Some(hour) = usage.cache_written_1h {
        w.field_object("cache_creation", |w| {
            w.field_u64("ephemeral_5m_input_tokens", written.saturating_sub(hour));
            w.field_u64("ephemeral_1h_input_tokens", hour.min(written));
        });
    }
    w.field_u64("output_tokens", usage.completion);
    if let Some(thinking) = usage.reasoning {
        w.field_object("output_tokens_details", |w| w.field_u64("thinking_tokens", thinking));
    }
}
