-- Spans of applications, which stand beside the requests of their traces, and what they logged: of spans the row that came first
-- holds.
CREATE TABLE IF NOT EXISTS ostia_spans (
    trace_id String,
    span_id String,
    -- Whose key it was sent with; empty for operators. Nobody writes over another's span.
    key String,
    received_ms Int64,
    -- Among those that came at once.
    place UInt32,
    -- All of it, as JSON.
    document String CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(fromUnixTimestamp64Milli(received_ms, 'UTC'))
ORDER BY (trace_id, received_ms, place);

CREATE TABLE IF NOT EXISTS ostia_span_logs (
    trace_id String,
    received_ms Int64,
    place UInt32,
    document String CODEC(ZSTD(3))
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(fromUnixTimestamp64Milli(received_ms, 'UTC'))
ORDER BY (trace_id, received_ms, place)
