-- Columns of many requests of a day at a time, by which they are filtered and added up: to go through them takes a tenth of what rows do. They are
-- made of the rows some time after these were written, and made anew where one of these is changed.
CREATE TABLE ostia.packed (
    day_ms BIGINT NOT NULL,
    -- Requests of the day from this number on
    first BIGINT PRIMARY KEY,
    -- to before this one:
    behind BIGINT NOT NULL,
    -- so many.
    requests BIGINT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    -- One of them was changed since.
    is_stale BOOLEAN NOT NULL DEFAULT false
);
CREATE INDEX packed_by_day ON ostia.packed (day_ms, first);
CREATE INDEX packed_stale ON ostia.packed (first) WHERE is_stale;

CREATE TABLE ostia.packed_columns (
    first BIGINT NOT NULL REFERENCES ostia.packed ON DELETE CASCADE,
    name TEXT NOT NULL,
    data BYTEA NOT NULL,
    PRIMARY KEY (first, name)
);
ALTER TABLE ostia.packed_columns ALTER data SET STORAGE EXTERNAL;

-- The gateway takes whole days away; whoever takes others away by hand need not know of these tables.
CREATE FUNCTION ostia.requests_taken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ostia.packed SET is_stale = true WHERE NOT is_stale AND EXISTS (
        SELECT 1 FROM taken WHERE number >= first AND number < behind AND started_ms >= day_ms AND started_ms < day_ms + 86400000
    );
    RETURN NULL;
END $$;
CREATE TRIGGER requests_taken AFTER DELETE ON ostia.requests REFERENCING OLD TABLE AS taken
    FOR EACH STATEMENT EXECUTE FUNCTION ostia.requests_taken();

-- Requests of a day before this number are packed: so many.
ALTER TABLE ostia.days ADD packed_before BIGINT NOT NULL DEFAULT 0, ADD packed BIGINT NOT NULL DEFAULT 0;
