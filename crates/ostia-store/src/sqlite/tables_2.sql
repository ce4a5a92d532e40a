-- What is filtered and added up by, beside the document that says it all.
ALTER TABLE requests ADD COLUMN session TEXT;
ALTER TABLE requests ADD COLUMN first_token_us INTEGER;
ALTER TABLE requests ADD COLUMN prompt_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN completion_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN failed_attempts INTEGER NOT NULL DEFAULT 0;
-- Of a whole answer: attempts that failed at the target that answered, and whether others failed before.
ALTER TABLE requests ADD COLUMN retries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN fell_back INTEGER NOT NULL DEFAULT 0;
ALTER TABLE requests ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
-- What each attempt cost, exact: `USD 0.00021,USD 0.1`.
ALTER TABLE requests ADD COLUMN costs TEXT;
-- An object of JSON.
ALTER TABLE requests ADD COLUMN metadata TEXT;

UPDATE requests SET
    first_token_us = document ->> '$.first_token_us',
    metadata = nullif(document -> '$.metadata', '{}'),
    (attempts, failed_attempts, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, unpriced, costs) = (
        SELECT count(*),
            coalesce(sum(value ->> '$.outcome' IN ('failed', 'broken')), 0),
            coalesce(sum(value ->> '$.usage.prompt_tokens'), 0),
            coalesce(sum(value ->> '$.usage.completion_tokens'), 0),
            coalesce(sum(value ->> '$.usage.cached_tokens'), 0),
            coalesce(sum(value ->> '$.usage.reasoning_tokens'), 0),
            count(value ->> '$.cost_unknown'),
            group_concat((value ->> '$.cost.currency') || ' ' || (value ->> '$.cost.amount'))
        FROM json_each(document, '$.attempts')
    ),
    (retries, fell_back) = (
        SELECT coalesce(sum(value ->> '$.target' = document ->> '$.attempts[#-1].target'), 0),
            coalesce(max(value ->> '$.target' <> document ->> '$.attempts[#-1].target'), 0)
        FROM json_each(document, '$.attempts')
        WHERE value ->> '$.outcome' IN ('failed', 'broken') AND status < 400 AND end = 'whole'
    );

-- A narrow copy of all that is filtered and added up by, in the order of time: to look through it takes a hundredth of what the
-- documents would.
DROP INDEX requests_by_time;
CREATE INDEX requests_by_time ON requests (
    started_ms, status, end, provider, model, key, operation, session, duration_us, first_token_us, tokens, cost_nano,
    prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, attempts, failed_attempts, retries, fell_back, unpriced,
    costs, metadata
);
CREATE INDEX requests_by_failure ON requests (status, started_ms) WHERE status >= 400;
CREATE INDEX requests_by_session ON requests (
    session, started_ms, status, end, provider, model, key, operation, duration_us, first_token_us, tokens, cost_nano,
    prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, attempts, failed_attempts, retries, fell_back, unpriced,
    costs, metadata
) WHERE session IS NOT NULL;

-- How long first tokens of streams took, as `durations` are counted.
ALTER TABLE sums ADD COLUMN first_tokens BLOB NOT NULL DEFAULT x'';

-- What was thought of a trace's answer.
CREATE TABLE feedback (
    id TEXT PRIMARY KEY,
    trace_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    value INTEGER NOT NULL,
    weight REAL NOT NULL,
    metadata TEXT,
    -- Whose key it was sent with.
    key TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX feedback_by_trace ON feedback (trace_id);
CREATE INDEX feedback_by_time ON feedback (created_ms);
