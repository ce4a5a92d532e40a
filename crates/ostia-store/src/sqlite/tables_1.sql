CREATE TABLE requests (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    started_ms INTEGER NOT NULL,
    trace_id TEXT NOT NULL,
    operation TEXT,
    key TEXT,
    provider TEXT,
    model TEXT,
    status INTEGER NOT NULL,
    end TEXT NOT NULL,
    duration_us INTEGER NOT NULL,
    tokens INTEGER,
    -- 10^-9 of a dollar, rounded down: to filter by. The exact sum is in the document.
    cost_nano INTEGER,
    -- All of it, as JSON.
    document TEXT NOT NULL,
    request_state TEXT NOT NULL,
    response_state TEXT NOT NULL
) STRICT;
CREATE INDEX requests_by_time ON requests (started_ms);
CREATE INDEX requests_by_trace ON requests (trace_id);

-- Other names by which a request is found: the providers' own.
CREATE TABLE names (
    name TEXT NOT NULL,
    request INTEGER NOT NULL,
    PRIMARY KEY (name, request)
) STRICT, WITHOUT ROWID;
CREATE INDEX names_by_request ON names (request);

CREATE TABLE bodies (
    request INTEGER PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    request_packed BLOB,
    response_packed BLOB
) STRICT;

-- Sums by minute (width 60000), hour and day, each with all of its requests and attempts.
CREATE TABLE sums (
    width_ms INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    currency TEXT NOT NULL,
    requests INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    left INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failed_attempts INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    reasoning_tokens INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    -- A decimal number, exact.
    cost TEXT NOT NULL,
    duration_us INTEGER NOT NULL,
    durations BLOB NOT NULL,
    PRIMARY KEY (width_ms, start_ms, provider, model, key, currency)
) STRICT, WITHOUT ROWID;

-- How much there is, so that nobody has to count.
CREATE TABLE totals (
    name TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO totals VALUES ('documents', 0), ('bodies', 0);
