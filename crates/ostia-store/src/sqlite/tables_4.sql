-- By which requests are found, over all time: ids of traces that are not the request's own, and of providers' requests. An id
-- is kept as a number (`id_hash`), which others may have too, so that whoever finds a request compares the id itself. A segment is of
-- 16,384 requests: random ids are written into a few pages, and not all over a table that grows for ever.
CREATE TABLE ids (
    segment INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    request INTEGER NOT NULL,
    PRIMARY KEY (segment, hash, request)
) STRICT, WITHOUT ROWID;

-- Each that there is, by one look-up in the table for each.
CREATE VIEW segments AS
WITH RECURSIVE found (segment) AS (
    SELECT min(segment) FROM ids
    UNION ALL
    SELECT (SELECT min(ids.segment) FROM ids WHERE ids.segment > found.segment) FROM found WHERE found.segment IS NOT NULL
)
SELECT segment FROM found WHERE segment IS NOT NULL;

INSERT OR IGNORE INTO ids SELECT number >> 14, id_hash(trace_id), number FROM requests WHERE trace_id <> id ORDER BY 1, 2;
INSERT OR IGNORE INTO ids SELECT request >> 14, id_hash(name), request FROM names ORDER BY 1, 2;

DROP TABLE names;
DROP INDEX requests_by_trace;
-- Requests of a session in the order of time. What they are filtered and added up by stands in their rows.
DROP INDEX requests_by_session;
CREATE INDEX requests_by_session ON requests (session, started_ms) WHERE session IS NOT NULL;
