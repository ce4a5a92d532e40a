//! What is measured, as data.

/// The client's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// OpenAI Chat Completions, and OpenAI's embeddings.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Messages,
}

/// The upstream's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// OpenAI Chat Completions, and OpenAI's embeddings.
    OpenAi,
    /// Anthropic Messages.
    Anthropic,
    /// Google generateContent.
    Gemini,
}

/// The operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// An answer in one piece.
    Chat,
    /// An answer as a stream, with usage.
    ChatStream,
    /// One embedding as floats.
    Embeddings,
}

/// What an answer must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// One answer in one piece.
    Chat,
    /// One embedding.
    Embedding,
    /// A stream of so many chunks, the usage and the dialect's end.
    Stream {
        /// Content chunks, each with its mark.
        chunks: u32,
    },
}

/// When the next request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// On every connection as soon as the last answer is whole.
    Closed,
    /// At fixed moments whatever happens; latency counts from the moment that it was due.
    Open {
        /// Requests due in a second.
        per_second: u32,
    },
}

/// How a request says where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By provider and host.
    Provider,
    /// By a routing config of two targets, one behind the other.
    Config,
    /// By the name of such a config.
    Name,
}

/// One way of loading a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// As in options and tables.
    pub name: &'static str,
    /// In words.
    pub title: &'static str,
    /// What is asked for.
    pub call: Call,
    /// Who asks.
    pub client: Client,
    /// Who answers.
    pub upstream: Upstream,
    /// How it says whom to ask.
    pub way: Way,
    /// How fast.
    pub pace: Pace,
    /// Connections; with an open pace the most that are opened.
    pub connections: usize,
    /// Length of the request's body, exactly.
    pub body_bytes: usize,
    /// Time over which closed-loop connections start, so that their streams do not run in step.
    pub ramp_ms: u64,
    /// Time before the measured window.
    pub warm_ms: u64,
    /// The measured window where it is not the one asked for.
    pub window_ms: Option<u64>,
    /// Content chunks of a stream.
    pub chunks: u32,
    /// Time between them; 0 is as fast as the socket takes them.
    pub chunk_gap_ms: u64,
    /// Measures memory: run on a process just started, with connections that all stay open.
    pub fresh_process: bool,
    /// The relayed workload of the same shape. A translated or routed one is held against its figures, nginx's
    /// (which can neither translate nor follow a config) and our own.
    pub yardstick: &'static str,
}

const UNARY: Workload = Workload {
    name: "unary-300",
    title: "chat, 300 B request, 1.3 KB answer, closed loop, 64 connections",
    call: Call::Chat,
    client: Client::Chat,
    upstream: Upstream::OpenAi,
    way: Way::Provider,
    pace: Pace::Closed,
    connections: 64,
    body_bytes: 300,
    ramp_ms: 0,
    warm_ms: 1_200,
    window_ms: None,
    chunks: 0,
    chunk_gap_ms: 0,
    fresh_process: false,
    yardstick: "unary-300",
};

const UNARY_10K: Workload = Workload {
    name: "unary-10k",
    title: "chat, 10 KB request, closed loop, 64 connections",
    body_bytes: 10_000,
    yardstick: "unary-10k",
    ..UNARY
};

const SPACED: Workload = Workload {
    name: "stream-spaced",
    title: "streams of 64 chunks, 20 ms apart, 20 connections",
    call: Call::ChatStream,
    connections: 20,
    ramp_ms: 1_200,
    warm_ms: 2_000,
    chunks: 64,
    chunk_gap_ms: 20,
    yardstick: "stream-spaced",
    ..UNARY
};

const SATURATED: Workload = Workload {
    name: "stream-saturated",
    title: "streams of 64 chunks, 5 ms apart, 256 connections",
    connections: 256,
    ramp_ms: 300,
    warm_ms: 2_500,
    chunk_gap_ms: 5,
    yardstick: "stream-saturated",
    ..SPACED
};

/// Everything that `run` measures, in its order.
pub const WORKLOADS: &[Workload] = &[
    UNARY,
    UNARY_10K,
    Workload {
        name: "unary-200k",
        title: "chat, 200 KB request, closed loop, 32 connections",
        connections: 32,
        body_bytes: 200_000,
        yardstick: "unary-200k",
        ..UNARY
    },
    Workload {
        name: "embeddings-300",
        title: "embeddings, 300 B request, 33 KB answer, closed loop, 64 connections",
        call: Call::Embeddings,
        yardstick: "embeddings-300",
        ..UNARY
    },
    Workload {
        name: "rate-500",
        title: "chat, 300 B request, open loop, 500 requests/s",
        pace: Pace::Open { per_second: 500 },
        connections: 256,
        yardstick: "rate-500",
        ..UNARY
    },
    SPACED,
    SATURATED,
    Workload {
        name: "routed-300",
        title: "a config of two targets in the header: chat, 300 B request, closed loop, 64 connections",
        way: Way::Config,
        ..UNARY
    },
    Workload {
        name: "named-300",
        title: "the same config by name: chat, 300 B request, closed loop, 64 connections",
        way: Way::Name,
        ..UNARY
    },
    Workload {
        name: "routed-saturated",
        title: "a config of two targets in the header: streams of 64 chunks, 5 ms apart, 256 connections",
        way: Way::Config,
        ..SATURATED
    },
    Workload {
        name: "translated-300",
        title: "OpenAI client, Anthropic upstream: chat, 300 B request, closed loop, 64 connections",
        upstream: Upstream::Anthropic,
        ..UNARY
    },
    Workload {
        name: "translated-10k",
        title: "OpenAI client, Anthropic upstream: chat, 10 KB request, closed loop, 64 connections",
        upstream: Upstream::Anthropic,
        ..UNARY_10K
    },
    Workload {
        name: "translated-spaced",
        title: "OpenAI client, Anthropic upstream: streams of 64 chunks, 20 ms apart, 20 connections",
        upstream: Upstream::Anthropic,
        ..SPACED
    },
    Workload {
        name: "translated-saturated",
        title: "OpenAI client, Anthropic upstream: streams of 64 chunks, 5 ms apart, 256 connections",
        upstream: Upstream::Anthropic,
        ..SATURATED
    },
    Workload {
        name: "responses-anthropic-300",
        title: "Responses client, Anthropic upstream: 300 B request, closed loop, 64 connections",
        client: Client::Responses,
        upstream: Upstream::Anthropic,
        ..UNARY
    },
    Workload {
        name: "responses-anthropic-10k",
        title: "Responses client, Anthropic upstream: 10 KB request, closed loop, 64 connections",
        client: Client::Responses,
        upstream: Upstream::Anthropic,
        ..UNARY_10K
    },
    Workload {
        name: "responses-anthropic-saturated",
        title: "Responses client, Anthropic upstream: streams of 64 chunks, 5 ms apart, 256 connections",
        client: Client::Responses,
        upstream: Upstream::Anthropic,
        ..SATURATED
    },
    Workload {
        name: "messages-openai-300",
        title: "Messages client, OpenAI upstream: 300 B request, closed loop, 64 connections",
        client: Client::Messages,
        ..UNARY
    },
    Workload {
        name: "messages-openai-10k",
        title: "Messages client, OpenAI upstream: 10 KB request, closed loop, 64 connections",
        client: Client::Messages,
        ..UNARY_10K
    },
    Workload {
        name: "messages-openai-saturated",
        title: "Messages client, OpenAI upstream: streams of 64 chunks, 5 ms apart, 256 connections",
        client: Client::Messages,
        ..SATURATED
    },
    Workload {
        name: "chat-gemini-300",
        title: "OpenAI client, Gemini upstream: 300 B request, closed loop, 64 connections",
        upstream: Upstream::Gemini,
        ..UNARY
    },
    Workload {
        name: "chat-gemini-10k",
        title: "OpenAI client, Gemini upstream: 10 KB request, closed loop, 64 connections",
        upstream: Upstream::Gemini,
        ..UNARY_10K
    },
    Workload {
        name: "chat-gemini-saturated",
        title: "OpenAI client, Gemini upstream: streams of 64 chunks, 5 ms apart, 256 connections",
        upstream: Upstream::Gemini,
        ..SATURATED
    },
    Workload {
        name: "streams-1000",
        title: "memory: 1000 streams held open, a chunk each 2 s",
        connections: 1_000,
        ramp_ms: 4_000,
        warm_ms: 9_000,
        window_ms: Some(2_000),
        chunks: 16,
        chunk_gap_ms: 2_000,
        fresh_process: true,
        yardstick: "streams-1000",
        ..SPACED
    },
];

/// Sent before memory is measured, so that what a process allocates once is not counted per stream.
pub const WARMING: &[Workload] = &[
    Workload { name: "warm-unary", title: "", connections: 8, warm_ms: 200, window_ms: Some(800), ..UNARY },
    Workload {
        name: "warm-stream",
        title: "",
        connections: 8,
        ramp_ms: 0,
        warm_ms: 200,
        window_ms: Some(800),
        chunks: 4,
        chunk_gap_ms: 1,
        ..SPACED
    },
];

impl Workload {
    /// The simplest of them.
    #[must_use]
    pub fn plain() -> &'static Self {
        &UNARY
    }

    /// The workload of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        WORKLOADS.iter().chain(WARMING).find(|workload| workload.name == name)
    }

    /// Whether the answers are streams.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.call == Call::ChatStream
    }

    /// Whether there is nothing to do but to forward, so that anything that forwards can serve.
    #[must_use]
    pub fn is_relayed(&self) -> bool {
        match (self.client, self.upstream) {
            _ if self.way != Way::Provider => false,
            (Client::Chat, Upstream::OpenAi) | (Client::Messages, Upstream::Anthropic) => true,
            (Client::Chat | Client::Responses | Client::Messages, _) => false,
        }
    }

    /// What every answer must have.
    #[must_use]
    pub fn expected(&self) -> Expected {
        match self.call {
            Call::Chat => Expected::Chat,
            Call::ChatStream => Expected::Stream { chunks: self.chunks },
            Call::Embeddings => Expected::Embedding,
        }
    }

    /// The path that the client asks for.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match (self.call, self.client) {
            (Call::Embeddings, _) => "/v1/embeddings",
            (Call::Chat | Call::ChatStream, Client::Chat) => "/v1/chat/completions",
            (Call::Chat | Call::ChatStream, Client::Responses) => "/v1/responses",
            (Call::Chat | Call::ChatStream, Client::Messages) => "/v1/messages",
        }
    }

    /// The model in the request.
    #[must_use]
    pub fn model(&self) -> &'static str {
        match (self.call, self.upstream) {
            (Call::Embeddings, _) => "text-embedding-3-small",
            (_, Upstream::OpenAi) => "gpt-4o-mini",
            (_, Upstream::Anthropic) => "claude-3-5-haiku-20241022",
            (_, Upstream::Gemini) => "gemini-2.5-flash",
        }
    }

    /// The provider's name in the gateway's request headers.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        match self.upstream {
            Upstream::OpenAi => "openai",
            Upstream::Anthropic => "anthropic",
            Upstream::Gemini => "google",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_unique_and_yardsticks_are_plain() {
        for (index, workload) in WORKLOADS.iter().enumerate() {
            assert!(WORKLOADS.iter().skip(index + 1).all(|other| other.name != workload.name));
            let yardstick = Workload::named(workload.yardstick).unwrap();
            assert!(yardstick.is_relayed() && yardstick.client == Client::Chat, "{}", workload.name);
            assert_eq!(workload.is_relayed(), yardstick == workload, "{}", workload.name);
            assert_eq!(yardstick.call, workload.call, "{}", workload.name);
            assert_eq!(yardstick.body_bytes, workload.body_bytes, "{}", workload.name);
            assert_eq!(yardstick.connections, workload.connections, "{}", workload.name);
        }
    }

    #[test]
    fn streams_of_the_memory_workload_outlast_the_window() {
        let workload = Workload::named("streams-1000").unwrap();
        let stream_ms = u64::from(workload.chunks - 1) * workload.chunk_gap_ms;
        assert!(stream_ms > workload.warm_ms + workload.window_ms.unwrap());
        assert!(workload.warm_ms > workload.ramp_ms + 2 * workload.chunk_gap_ms);
    }
}
