-- Columns mean what they mean in SQLite (sqlite/tables_1.sql, tables_2.sql). All numbers are BIGINT, so that none is too large.
CREATE SEQUENCE ostia.numbers;

CREATE TABLE ostia.requests (
    id TEXT NOT NULL,
    started_ms BIGINT NOT NULL,
    -- In the order in which they were written.
    number BIGINT NOT NULL DEFAULT nextval('ostia.numbers'),
    trace_id TEXT NOT NULL,
    session TEXT,
    operation TEXT,
    key TEXT,
    provider TEXT,
    model TEXT,
    status BIGINT NOT NULL,
    "end" TEXT NOT NULL,
    duration_us BIGINT NOT NULL,
    first_token_us BIGINT,
    tokens BIGINT,
    -- 10^-9 of a dollar, rounded down: to filter by. The exact sum is in the document.
    cost_nano BIGINT,
    prompt_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    failed_attempts BIGINT NOT NULL,
    -- Of a whole answer: attempts that failed at the target that answered, and whether others failed before.
    retries BIGINT NOT NULL,
    fell_back BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    -- What each attempt cost, exact: `USD 0.00021,USD 0.1`.
    costs TEXT,
    metadata JSONB,
    -- All of it, as JSON.
    document TEXT NOT NULL,
    request_state TEXT NOT NULL,
    response_state TEXT NOT NULL,
    PRIMARY KEY (id, started_ms)
) PARTITION BY RANGE (started_ms);
CREATE INDEX requests_by_time ON ostia.requests (started_ms, number);
CREATE INDEX requests_by_number ON ostia.requests (number);
CREATE INDEX requests_by_session ON ostia.requests (session, started_ms) WHERE session IS NOT NULL;
CREATE INDEX requests_by_failure ON ostia.requests (status, started_ms) WHERE status >= 400;
CREATE INDEX requests_by_metadata ON ostia.requests USING gin (metadata jsonb_path_ops);

CREATE TABLE ostia.bodies (
    started_ms BIGINT NOT NULL,
    number BIGINT NOT NULL,
    -- Compressed already (zstd).
    request_packed BYTEA,
    response_packed BYTEA,
    PRIMARY KEY (started_ms, number)
) PARTITION BY RANGE (started_ms);
ALTER TABLE ostia.bodies ALTER request_packed SET STORAGE EXTERNAL, ALTER response_packed SET STORAGE EXTERNAL;

-- By what requests are looked for over all time: kind 0 is the request's own id, its trace or a provider's name for one of its
-- attempts, 1 is its session. Partitioned by 32 days.
CREATE TABLE ostia.names (
    name TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    started_ms BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (name, kind, started_ms, number)
) PARTITION BY RANGE (started_ms);

-- The days that have partitions, and how much is in them, so that nobody has to count.
CREATE TABLE ostia.days (
    day_ms BIGINT PRIMARY KEY,
    -- Its bodies are kept still.
    has_bodies BOOLEAN NOT NULL DEFAULT true,
    requests BIGINT NOT NULL DEFAULT 0,
    document_bytes BIGINT NOT NULL DEFAULT 0,
    body_bytes BIGINT NOT NULL DEFAULT 0,
    -- Of its request that was written last.
    last_number BIGINT NOT NULL DEFAULT 0
);

-- Sums by minute (width 60000), hour and day, each with all of its requests and attempts.
CREATE TABLE ostia.sums (
    width_ms BIGINT NOT NULL,
    start_ms BIGINT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    currency TEXT NOT NULL,
    requests BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    "left" BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    failed_attempts BIGINT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    cost NUMERIC NOT NULL,
    -- As much of it as is estimated.
    estimated NUMERIC NOT NULL,
    durations BYTEA NOT NULL,
    first_tokens BYTEA NOT NULL,
    PRIMARY KEY (width_ms, start_ms, provider, model, key, currency)
);

-- What was thought of a trace's answer.
CREATE TABLE ostia.feedback (
    id TEXT PRIMARY KEY,
    trace_id TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    value BIGINT NOT NULL,
    weight DOUBLE PRECISION NOT NULL,
    metadata TEXT,
    -- Whose key it was sent with.
    key TEXT
);
CREATE INDEX feedback_by_trace ON ostia.feedback (trace_id);
CREATE INDEX feedback_by_time ON ostia.feedback (created_ms);
