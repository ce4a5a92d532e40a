//! The file's own sections.

use super::Shape::{self, *};
use super::provider::PROVIDER;
use super::routing::CONFIG;
use crate::models::ability_names;
use crate::{TOKENS_MAX, WORKERS_MAX};

/// The whole file.
pub(crate) static FILE: Shape = Fields(FIELDS, &[]);

static FIELDS: &[super::Field] = &[
    (
        "listen",
        Text,
        "Where clients connect: IP address and port, or localhost:PORT. Default: 127.0.0.1:8787",
    ),
    ("tls", Fields(TLS, &["cert", "key"]), "HTTPS for clients. Without it they connect in plain HTTP"),
    ("auth", Fields(AUTH, &[]), "Who may use the gateway"),
    (
        "hosts",
        List(&Text),
        "Without auth.keys: names by which clients call the gateway (gateway.internal, *.lan)",
    ),
    ("cors", Fields(CORS, &[]), "Which web pages may use the gateway"),
    ("default_provider", Text, "Whom to ask where a request names nobody"),
    (
        "strict_model_names",
        Bool,
        "A provider is named in a model with @ only, as @provider/model. Default: false",
    ),
    (
        "providers",
        Map(&PROVIDER),
        "Providers by id: what differs for a known one, the whole row for your own",
    ),
    ("configs", Map(&CONFIG), "Routing configs by name, for x-ostia-config, for keys and for config"),
    ("config", Text, "The name of the config of requests that bring none and name no provider"),
    ("aliases", Map(&CONFIG), "Models that stand for a config: one name, several targets"),
    ("prices", Map(&PRICE), "For balancing by cost: PROVIDER/MODEL or MODEL to what a million tokens cost"),
    (
        "catalog",
        Text,
        "File in which `ostia catalog update` puts a newer catalogue of models. Default: catalog.bin in the data directory",
    ),
    (
        "models",
        Map(&MODEL),
        "PROVIDER/MODEL to what the catalogue of models does not know of it, or knows otherwise",
    ),
    (
        "model_checks",
        Bool,
        "Refuse what the catalogue says a model cannot take: images, PDF, audio, video. Default: true",
    ),
    ("console", Bool, "Serve the console at /console. Default: true"),
    ("egress", Fields(EGRESS, &[]), "Where the gateway may connect to"),
    ("upstream", Fields(UPSTREAM, &[]), "How connections to providers and other hosts are made"),
    ("timeouts", Fields(TIMEOUTS, &[]), "How long the parts of a call may take"),
    ("limits", Fields(LIMITS, &[]), "How large things may get"),
    (
        "websockets",
        Fields(WEBSOCKETS, &[]),
        "How large messages of WebSockets may get, and how long one may be open",
    ),
    ("media", Fields(MEDIA, &[]), "Files at addresses, for providers that take bytes only"),
    ("responses", Fields(RESPONSES, &[]), "What is remembered for clients of the Responses API, in memory"),
    ("records", RECORDS, "What is kept of each request, in the data directory; or off"),
    ("telemetry", Fields(TELEMETRY, &[]), "What is told of requests to OpenTelemetry and to Prometheus"),
    (
        "batches",
        Fields(BATCHES, &[]),
        "Batches that the gateway runs itself, and their files, in the data directory",
    ),
    ("workers", Count(1, WORKERS_MAX), "Threads. Default: one per core"),
];

static TLS: &[super::Field] = &[
    (
        "cert",
        Text,
        "PEM file with the gateway's certificate, and behind it those between it and its authority",
    ),
    ("key", Text, "PEM file with the private key of the certificate"),
    (
        "client_ca",
        Text,
        "PEM file with authorities: clients must show a certificate of one of them. Default: none",
    ),
    ("min_version", Words(|| vec!["1.2", "1.3"]), "The oldest version of TLS that is spoken. Default: 1.2"),
];

static AUTH: &[super::Field] = &[
    ("keys", List(&KEY), "Keys of which a client must show one. Without any, whoever can connect is let in"),
    (
        "admin_keys",
        List(&Secret),
        "Keys for what the gateway tells of all requests: /v1/logs, traces and analytics",
    ),
];

static KEY: Shape = Either(&[Secret, Fields(KEY_FIELDS, &["key"])]);

static KEY_FIELDS: &[super::Field] = &[
    ("key", Secret, "The key: ${NAME}, file:/path, or the key itself"),
    ("name", Text, "What conditions and records call the key"),
    ("config", Text, "The name of the config of requests that show the key and bring none"),
    (
        "bodies",
        Words(|| vec!["full", "errors", "off"]),
        "Of which of its requests bodies are kept. Default: as records.bodies says",
    ),
];

static CORS: &[super::Field] =
    &[("origins", List(&Text), "Origins of web pages: https://app.example.com, or * for all")];

static PRICE: Shape = Fields(
    &[
        ("input", Amount, "What a million tokens of a prompt cost"),
        ("output", Amount, "What a million tokens of an answer cost"),
    ],
    &["input", "output"],
);

static MODEL: Shape = Fields(
    &[
        ("base", Text, "PROVIDER/MODEL that it is, where its own name does not tell, as a deployment's"),
        ("name", Text, "What people call it"),
        ("aliases", List(&Text), "More names that its provider takes for it"),
        ("context", Count(1, TOKENS_MAX), "Tokens that a prompt may have"),
        ("output", Count(1, TOKENS_MAX), "Tokens that an answer may have"),
        ("can", List(&ABILITY), "What it can do"),
        ("cannot", List(&ABILITY), "What it cannot do"),
        ("retires_on", Text, "From which day on it does not answer, like 2027-01-31"),
        ("currency", Text, "Of the prices, three letters. Default: USD"),
        (
            "prices",
            Map(&Amount),
            "By unit (input, output, cached_input, ...), for a million tokens; with input>200000, for longer prompts; with output_images/1024x1792/hd, for an image of this size and quality",
        ),
    ],
    &[],
);

static ABILITY: Shape = Words(ability_names);

static EGRESS: &[super::Field] = &[
    (
        "allow_private",
        List(&Text),
        "Private networks (10.0.0.0/8), addresses and hosts (*.internal) that may be reached",
    ),
    ("allow_hosts", List(&Text), "If not empty: the only hosts that a request may choose for itself"),
];

static UPSTREAM: &[super::Field] = &[
    ("tls", Fields(TRUST, &[]), "Whom to trust"),
    (
        "proxy",
        Secret,
        "The proxy before public hosts (http://NAME:PASSWORD@HOST:PORT, https, socks5, socks5h), or none. Default: the environment's",
    ),
    ("http2", Bool, "Speak HTTP/2 where a server behind TLS chooses it. Default: false"),
];

static TRUST: &[super::Field] = &[
    ("ca", Text, "A file (PEM) with further certificate authorities to trust"),
    ("system_roots", Bool, "Trust what the system trusts. Default: true"),
];

static TIMEOUTS: &[super::Field] = &[
    ("connect", Time, "Resolving, connecting and the TLS handshake together. Default: 5s"),
    ("first_byte", Time, "From sending the request to the head of the answer. Default: 120s"),
    ("idle", Time, "Between two pieces of an answer. Default: 120s"),
    (
        "keep_alive",
        TimeOrOff,
        "How long a client hears nothing on an open stream before a sign of life. Default: 15s",
    ),
    ("total", Time, "The whole call with all its attempts. Default: 600s"),
    ("drain", Time, "How long open calls may go on when the gateway stops. Default: 30s"),
];

static LIMITS: &[super::Field] = &[
    ("body_bytes", Bytes(1 << 10, 4 << 30), "Largest body that is read into memory. Default: 64MiB"),
    ("header_bytes", Bytes(1 << 10, 1 << 20), "Largest head of a request. Default: 64KiB"),
    ("connections", Count(1, 1_000_000), "Open client connections over all threads. Default: 65536"),
    ("streams", Count(1, 10_000), "Calls at once on one HTTP/2 connection. Default: 128"),
];

static WEBSOCKETS: &[super::Field] = &[
    ("frame_bytes", Bytes(1 << 10, 1 << 30), "Largest frame. Default: 16MiB"),
    (
        "message_bytes",
        Bytes(1 << 10, 4 << 30),
        "Largest message, which may be several frames. Default: 64MiB",
    ),
    ("idle", Time, "How long nothing may pass, not even a ping, before it is closed. Default: 10m"),
    ("total", Time, "How long it may be open. Default: 60m"),
];

static MEDIA: &[super::Field] = &[
    ("fetch", Bool, "Fetch them; otherwise such a request is refused. Default: true"),
    ("https_only", Bool, "Only from addresses that begin with https://. Default: false"),
    ("file_bytes", Bytes(1 << 10, 1 << 30), "The largest file. Default: 20MiB"),
    ("request_bytes", Bytes(1 << 10, 1 << 30), "All files of a request together. Default: 50MiB"),
    ("files", Count(1, 1000), "Most files of a request. Default: 20"),
    ("timeout", Time, "How long all files of a request may take. Default: 15s"),
];

const RECORDS: Shape = Either(&[Words(|| vec!["off"]), Fields(RECORDS_FIELDS, &[])]);

static RECORDS_FIELDS: &[super::Field] = &[
    (
        "store",
        Private,
        "The server in which they are kept: postgres://USER:${PASSWORD}@HOST/DATABASE, or clickhouse://... Default: a file in the data directory",
    ),
    (
        "password",
        Secret,
        "The password of that server: file:/path, ${NAME}, or itself. A file that changes is read again",
    ),
    (
        "bodies",
        Words(|| vec!["full", "errors", "off"]),
        "Of which requests bodies are kept. Default: full where only this machine can connect, else off",
    ),
    ("body_bytes", Bytes(1 << 10, 16 << 20), "How much of each body is kept. Default: 64KiB"),
    ("mask", List(&Text), "Fields of bodies that are not kept: user, messages.*.content"),
    ("keep", Age, "How long records and sums are kept, without bodies. Default: 400d"),
    ("bytes", Bytes(1 << 20, 1 << 50), "How much of them, the oldest go first. Default: 4GiB"),
    ("keep_bodies", Age, "How long bodies are kept. Default: 7d"),
    ("bodies_bytes", Bytes(1 << 20, 1 << 50), "How much of them, compressed. Default: 2GiB"),
];

static TELEMETRY: &[super::Field] = &[
    (
        "otlp",
        Either(&[Words(|| vec!["off"]), Fields(OTLP, &[])]),
        "What is sent by OTLP; or off, whatever the environment's OTEL_EXPORTER_OTLP_ENDPOINT says",
    ),
    ("metrics", Fields(METRICS, &[]), "What /metrics tells"),
];

static OTLP: &[super::Field] = &[
    (
        "endpoint",
        Text,
        "The collector. Default: OTEL_EXPORTER_OTLP_ENDPOINT, else http://localhost:4318 (4317 for grpc)",
    ),
    (
        "protocol",
        Words(|| crate::OtlpProtocol::ALL.map(crate::OtlpProtocol::as_str).to_vec()),
        "How it is spoken to. Default: http/protobuf",
    ),
    ("headers", Map(&Secret), "Headers of each call, by name: ${NAME}, file:/path, or the value itself"),
    ("traces", Bool, "A span for each request and each attempt. Default: true"),
    ("metrics", Bool, "Times, tokens and counts. Default: true"),
    ("logs", Bool, "A log record for each request. Default: true"),
    ("content", Bool, "With bodies, as far as records.bodies keeps them. Default: false"),
];

static METRICS: &[super::Field] = &[
    ("requests", Bool, "Count requests though no records are kept (records: off). Default: false"),
    ("labels", List(&METRIC_LABEL), "Further labels: model, key. Default: none"),
    ("values", Count(1, 10_000), "Values of each of these labels; further ones are `other`. Default: 100"),
];

static METRIC_LABEL: Shape = Words(|| vec!["model", "key"]);

static BATCHES: &[super::Field] = &[
    ("concurrency", Count(1, 10_000), "Rows that are asked at once, all batches together. Default: 16"),
    ("file_bytes", Bytes(1 << 10, 1 << 40), "Largest file of rows. Default: 200MiB"),
    ("bytes", Bytes(1 << 10, 1 << 50), "All files of rows and of answers together. Default: 10GiB"),
    ("keep", Age, "How long files and batches are kept. Default: 30d"),
];

static RESPONSES: &[super::Field] = &[
    ("keep", Time, "How long answers and conversations are remembered. Default: 24h"),
    ("bytes", Bytes(1 << 10, 64 << 30), "How much of them, all callers together. Default: 64MiB"),
];
