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
    /// Bedrock Converse, whose streams are binary.
    Bedrock,
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

/// What the client speaks beneath its requests, all by the same client ([`crate::load`]); the other workloads have a lighter
/// one, which speaks HTTP/1.1 alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTP/1.1: what the others are held against.
    Http1,
    /// HTTP/1.1 over TLS.
    Http1Tls,
    /// HTTP/2 by prior knowledge.
    Http2,
    /// HTTP/2 over TLS.
    Http2Tls,
    /// A WebSocket: frames that come back ([`Workload::body_bytes`] long) in place of answers.
    WebSocket,
}

impl Transport {
    /// Whether bytes are encrypted.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Http1Tls | Self::Http2Tls)
    }

    /// Whether several requests share a connection.
    #[must_use]
    pub fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Http2Tls)
    }
}

/// How a gateway is started: each has a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Serving {
    /// As it comes: an access log, no records.
    Default,
    /// Without an access log.
    LogOff,
    /// With records of all requests, without bodies.
    Records,
    /// With records and whole bodies.
    RecordsWithBodies,
    /// With TLS.
    Tls,
    /// HTTP/2 without TLS, for which nginx has to be told.
    Http2,
    /// While another configuration is put in force every [`RELOAD_EVERY_MS`].
    Reloading,
}

/// Time between two reloads.
pub const RELOAD_EVERY_MS: u64 = 100;

impl Serving {
    /// For the names of files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::LogOff => "log-off",
            Self::Records => "records",
            Self::RecordsWithBodies => "records-bodies",
            Self::Tls => "tls",
            Self::Http2 => "http2",
            Self::Reloading => "reloading",
        }
    }

    /// Whether nginx has the like.
    #[must_use]
    pub fn is_nginx_able(self) -> bool {
        match self {
            Self::Default | Self::LogOff | Self::Tls | Self::Http2 => true,
            Self::Records | Self::RecordsWithBodies | Self::Reloading => false,
        }
    }

    /// Whether a plain HTTP/1.1 request is answered.
    #[must_use]
    pub fn is_plain(self) -> bool {
        !matches!(self, Self::Tls | Self::Http2)
    }
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
    /// How the gateway is started.
    pub serving: Serving,
    /// What the client speaks; `None`: HTTP/1.1 by the light client.
    pub transport: Option<Transport>,
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
    /// Measures memory minute by minute, and once more after a rest.
    pub by_minute: bool,
    /// The relayed workload of the same shape. One that is translated, routed, or served or asked in another way is held against
    /// its figures, our own and nginx's (which can neither translate nor follow a config).
    pub yardstick: &'static str,
}

const UNARY: Workload = Workload {
    name: "unary-300",
    title: "chat, 300 B request, 1.3 KB answer, closed loop, 64 connections",
    call: Call::Chat,
    client: Client::Chat,
    upstream: Upstream::OpenAi,
    way: Way::Provider,
    serving: Serving::Default,
    transport: None,
    pace: Pace::Closed,
    connections: 64,
    body_bytes: 300,
    ramp_ms: 0,
    warm_ms: 1_200,
    window_ms: None,
    chunks: 0,
    chunk_gap_ms: 0,
    fresh_process: false,
    by_minute: false,
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

const PLAIN: Workload = Workload {
    name: "plain-300",
    title: "HTTP/1.1, the client of the next ones: chat, 300 B request, closed loop, 64 connections",
    transport: Some(Transport::Http1),
    yardstick: "plain-300",
    ..UNARY
};

const FRAMES: Workload = Workload {
    name: "frames-200",
    title: "WebSockets: a frame of 200 B and back, closed loop, 64 connections",
    transport: Some(Transport::WebSocket),
    body_bytes: 200,
    yardstick: "frames-200",
    ..UNARY
};

const PLAIN_SATURATED: Workload = Workload {
    name: "plain-saturated",
    title: "HTTP/1.1, the client of the next ones: streams of 64 chunks, 5 ms apart, 256 connections",
    transport: Some(Transport::Http1),
    yardstick: "plain-saturated",
    ..SATURATED
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
        name: "chat-bedrock-300",
        title: "OpenAI client, Bedrock upstream: chat, 300 B request, closed loop, 64 connections",
        upstream: Upstream::Bedrock,
        ..UNARY
    },
    Workload {
        name: "chat-bedrock-saturated",
        title: "OpenAI client, Bedrock upstream: streams of 64 chunks, 5 ms apart, 256 connections",
        upstream: Upstream::Bedrock,
        ..SATURATED
    },
    Workload {
        name: "log-off-300",
        title: "no access log: chat, 300 B request, closed loop, 64 connections",
        serving: Serving::LogOff,
        ..UNARY
    },
    Workload {
        name: "log-off-saturated",
        title: "no access log: streams of 64 chunks, 5 ms apart, 256 connections",
        serving: Serving::LogOff,
        ..SATURATED
    },
    Workload {
        name: "records-300",
        title: "records without bodies: chat, 300 B request, closed loop, 64 connections",
        serving: Serving::Records,
        ..UNARY
    },
    Workload {
        name: "records-saturated",
        title: "records without bodies: streams of 64 chunks, 5 ms apart, 256 connections",
        serving: Serving::Records,
        ..SATURATED
    },
    Workload {
        name: "records-bodies-300",
        title: "records with whole bodies: chat, 300 B request, closed loop, 64 connections",
        serving: Serving::RecordsWithBodies,
        ..UNARY
    },
    Workload {
        name: "records-bodies-saturated",
        title: "records with whole bodies: streams of 64 chunks, 5 ms apart, 256 connections",
        serving: Serving::RecordsWithBodies,
        ..SATURATED
    },
    Workload {
        name: "reloads-300",
        title: "a reload every 100 ms: chat, 300 B request, closed loop, 64 connections",
        serving: Serving::Reloading,
        ..UNARY
    },
    PLAIN,
    Workload {
        name: "tls-300",
        title: "HTTP/1.1 over TLS: chat, 300 B request, closed loop, 64 connections",
        serving: Serving::Tls,
        transport: Some(Transport::Http1Tls),
        ..PLAIN
    },
    Workload {
        name: "http2-300",
        title: "HTTP/2: chat, 300 B request, closed loop, 64 streams on 4 connections",
        serving: Serving::Http2,
        transport: Some(Transport::Http2),
        ..PLAIN
    },
    Workload {
        name: "http2-tls-300",
        title: "HTTP/2 over TLS: chat, 300 B request, closed loop, 64 streams on 4 connections",
        serving: Serving::Tls,
        transport: Some(Transport::Http2Tls),
        ..PLAIN
    },
    PLAIN_SATURATED,
    Workload {
        name: "tls-saturated",
        title: "HTTP/1.1 over TLS: streams of 64 chunks, 5 ms apart, 256 connections",
        serving: Serving::Tls,
        transport: Some(Transport::Http1Tls),
        ..PLAIN_SATURATED
    },
    Workload {
        name: "http2-saturated",
        title: "HTTP/2: streams of 64 chunks, 5 ms apart, 256 streams on 16 connections",
        serving: Serving::Http2,
        transport: Some(Transport::Http2),
        ..PLAIN_SATURATED
    },
    Workload {
        name: "http2-tls-saturated",
        title: "HTTP/2 over TLS: streams of 64 chunks, 5 ms apart, 256 streams on 16 connections",
        serving: Serving::Tls,
        transport: Some(Transport::Http2Tls),
        ..PLAIN_SATURATED
    },
    FRAMES,
    Workload {
        name: "frames-4k",
        title: "WebSockets: a frame of 4 KB and back, closed loop, 64 connections",
        body_bytes: 4_000,
        yardstick: "frames-4k",
        ..FRAMES
    },
    Workload {
        name: "sockets-1000",
        title: "memory: 1000 WebSockets held open, on which nothing passes",
        connections: 1_000,
        warm_ms: 3_000,
        window_ms: Some(2_000),
        fresh_process: true,
        yardstick: "sockets-1000",
        ..FRAMES
    },
    Workload {
        name: "sockets-bridged-1000",
        title: "memory: 1000 WebSockets of the Responses API held open after an answer of Anthropic's, on which nothing passes",
        client: Client::Responses,
        upstream: Upstream::Anthropic,
        connections: 1_000,
        body_bytes: 300,
        warm_ms: 3_000,
        window_ms: Some(2_000),
        fresh_process: true,
        yardstick: "sockets-1000",
        ..FRAMES
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
    Workload {
        name: "records-memory",
        title: "memory: records without bodies, chat, 300 B request, open loop, 2000 requests/s, minute by minute",
        serving: Serving::Records,
        pace: Pace::Open { per_second: 2_000 },
        window_ms: Some(60_000),
        fresh_process: true,
        by_minute: true,
        ..UNARY
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

    /// Whether it is relayed by a gateway as it comes, and asked in HTTP/1.1 without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let is_http1 = self
            .transport
            .is_none_or(|transport| matches!(transport, Transport::Http1 | Transport::WebSocket));
        self.is_relayed() && self.serving == Serving::Default && is_http1
    }

    /// Whether it is a WebSocket at which the gateway itself answers, over HTTP to the provider.
    #[must_use]
    pub fn is_bridged(&self) -> bool {
        self.transport == Some(Transport::WebSocket) && self.client == Client::Responses
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
            _ if self.is_bridged() => "/v1/responses",
            _ if self.transport == Some(Transport::WebSocket) => "/v1/realtime?model=gpt-realtime",
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
            (_, Upstream::Bedrock) => "amazon.nova-lite-v1:0",
        }
    }

    /// The provider's name in the gateway's request headers.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        match self.upstream {
            Upstream::OpenAi => "openai",
            Upstream::Anthropic => "anthropic",
            Upstream::Gemini => "google",
            Upstream::Bedrock => "bedrock",
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
            assert!(yardstick.is_plain() && yardstick.client == Client::Chat, "{}", workload.name);
            assert_eq!(workload.is_plain(), yardstick == workload, "{}", workload.name);
            let is_encrypted = workload.transport.is_some_and(Transport::is_tls);
            assert_eq!(is_encrypted, workload.serving == Serving::Tls, "{}", workload.name);
            assert_eq!(workload.transport.is_some(), yardstick.transport.is_some(), "{}", workload.name);
            assert_eq!(yardstick.call, workload.call, "{}", workload.name);
            // What is held open has no body that would count.
            assert!(
                workload.fresh_process || yardstick.body_bytes == workload.body_bytes,
                "{}",
                workload.name
            );
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
