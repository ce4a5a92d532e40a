-- Requests of traces of which somebody thought something: each trace is looked for in `ids` once, and not for each question.
CREATE TABLE thought_of (
    request INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL
) STRICT;
CREATE INDEX thought_of_by_trace ON thought_of (trace_id, request);
CREATE TRIGGER requests_thought_of_taken AFTER DELETE ON requests BEGIN
    DELETE FROM thought_of WHERE request = old.number;
END;

INSERT OR IGNORE INTO thought_of SELECT number, trace_id FROM requests
WHERE number IN (
    SELECT number FROM requests WHERE id IN (SELECT trace_id FROM feedback)
    UNION ALL
    SELECT request FROM segments CROSS JOIN (SELECT DISTINCT id_hash(trace_id) AS of_trace FROM feedback)
    CROSS JOIN ids ON ids.segment = segments.segment AND hash = of_trace
)
AND trace_id IN (SELECT trace_id FROM feedback);
