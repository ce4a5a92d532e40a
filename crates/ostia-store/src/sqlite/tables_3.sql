-- Spans of applications, which stand beside the requests of their traces, and what they logged.
CREATE TABLE spans (
    number INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    -- Whose key it was sent with; empty for operators. Nobody writes over another's span.
    key TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    -- All of it, as JSON.
    document TEXT NOT NULL,
    UNIQUE (trace_id, span_id, key)
) STRICT;

CREATE TABLE span_logs (
    number INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX span_logs_by_trace ON span_logs (trace_id);

INSERT INTO totals VALUES ('spans', 0);

-- As much of a cost as is estimated. A decimal number, exact.
ALTER TABLE sums ADD COLUMN estimated TEXT NOT NULL DEFAULT '0';
