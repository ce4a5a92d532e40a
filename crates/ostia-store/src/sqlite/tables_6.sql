-- Requests of traces that have feedback: each trace is looked for in `ids` once, and not for each question.
CREATE TABLE requests_with_feedback (
    request INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL
) STRICT;
CREATE INDEX feedback_of_trace ON requests_with_feedback (trace_id, request);
CREATE TRIGGER requests_with_feedback_taken AFTER DELETE ON requests BEGIN
    DELETE FROM requests_with_feedback WHERE request = old.number;
END;

INSERT OR IGNORE INTO requests_with_feedback SELECT number, trace_id FROM requests
WHERE number IN (
    SELECT number FROM requests WHERE id IN (SELECT trace_id FROM feedback)
    UNION ALL
    SELECT request FROM segments CROSS JOIN (SELECT DISTINCT id_hash(trace_id) AS of_trace FROM feedback)
    CROSS JOIN ids ON ids.segment = segments.segment AND hash = of_trace
)
AND trace_id IN (SELECT trace_id FROM feedback);
