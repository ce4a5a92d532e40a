-- One row for each request, or several of which the one of the latest version holds: a batch whose answer was lost is written
-- once more, and new prices are a new version. All questions ask FINAL, so that no row counts twice.
CREATE TABLE IF NOT EXISTS ostia_records (
    id String,
    -- Milliseconds since 1970.
    started_ms Int64,
    -- In the order of writing.
    number Int64,
    version UInt64,
    trace_id String,
    session Nullable(String),
    operation LowCardinality(Nullable(String)),
    key LowCardinality(Nullable(String)),
    provider LowCardinality(Nullable(String)),
    model LowCardinality(Nullable(String)),
    status UInt16,
    `end` LowCardinality(String),
    duration_us UInt64,
    -- Which of the borders of durations it falls below, and the same of the first token.
    duration_bucket UInt8,
    first_token_us Nullable(UInt64),
    first_token_bucket Nullable(UInt8),
    tokens Nullable(Int64),
    -- 10^-9 of a dollar, rounded down: to filter by.
    cost_nano Nullable(Int64),
    prompt_tokens UInt64,
    completion_tokens UInt64,
    -- Of a whole answer: attempts that failed at the target that answered, and whether others failed before.
    retries UInt32,
    fell_back UInt8,
    metadata Map(String, String),
    -- The providers' own names for it.
    request_ids Array(String),
    -- Its attempts, in turn.
    attempt_provider Array(LowCardinality(String)),
    attempt_model Array(LowCardinality(String)),
    attempt_failed Array(UInt8),
    attempt_prompt_tokens Array(UInt64),
    attempt_completion_tokens Array(UInt64),
    attempt_cached_tokens Array(UInt64),
    attempt_reasoning_tokens Array(UInt64),
    -- Nobody knows what it cost.
    attempt_unpriced Array(UInt8),
    -- Empty where it cost nothing that is known.
    attempt_currency Array(LowCardinality(String)),
    -- Exact.
    attempt_cost Array(Decimal(38, 18)),
    -- That cost is estimated.
    attempt_estimated Array(UInt8),
    request_state LowCardinality(String),
    response_state LowCardinality(String),
    -- All of it, as JSON.
    document String CODEC(ZSTD(3)),
    started DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(started_ms, 'UTC'),
    INDEX by_number number TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMMDD(fromUnixTimestamp64Milli(started_ms, 'UTC'))
ORDER BY (started_ms, id);

-- By which names a request is found: its own, its trace's, its session's, the providers'.
CREATE TABLE IF NOT EXISTS ostia_names (
    name String,
    kind LowCardinality(String),
    started_ms Int64,
    id String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(started_ms, 'UTC'))
ORDER BY (name, kind, started_ms, id);

CREATE MATERIALIZED VIEW IF NOT EXISTS ostia_names_of_records TO ostia_names AS
SELECT one.1 AS name, one.2 AS kind, started_ms, id
FROM ostia_records
ARRAY JOIN arrayConcat(
    [(id, 'id'), (trace_id, 'trace')],
    arrayMap(request_id -> (request_id, 'request'), request_ids),
    if(session IS NULL, [], [(assumeNotNull(session), 'session')])
) AS one;

-- As they were sent; the column is compressed.
CREATE TABLE IF NOT EXISTS ostia_bodies (
    started_ms Int64,
    id String,
    request Nullable(String) CODEC(ZSTD(3)),
    response Nullable(String) CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(fromUnixTimestamp64Milli(started_ms, 'UTC'))
ORDER BY (started_ms, id);

-- What was thought of a trace's answer; of each id the latest version holds.
CREATE TABLE IF NOT EXISTS ostia_feedback (
    id String,
    trace_id String,
    created_ms Int64,
    value Int64,
    weight Float64,
    -- An object of JSON.
    metadata Nullable(String),
    -- Whose key it was sent with.
    key Nullable(String),
    version UInt64,
    INDEX by_id id TYPE bloom_filter GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(created_ms, 'UTC'))
ORDER BY (trace_id, created_ms, id)
