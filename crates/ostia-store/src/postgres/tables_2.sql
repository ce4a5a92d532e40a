-- Spans of applications, which stand beside the requests of their traces, and what they logged.
CREATE TABLE ostia.spans (
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    -- Whose key it was sent with; empty for operators. Nobody writes over another's span.
    key TEXT NOT NULL,
    received_ms BIGINT NOT NULL,
    -- All of it, as JSON.
    document TEXT NOT NULL,
    PRIMARY KEY (trace_id, span_id, key)
);
CREATE INDEX spans_by_time ON ostia.spans (received_ms);

CREATE TABLE ostia.span_logs (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trace_id TEXT NOT NULL,
    received_ms BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX span_logs_by_trace ON ostia.span_logs (trace_id);
CREATE INDEX span_logs_by_time ON ostia.span_logs (received_ms);
