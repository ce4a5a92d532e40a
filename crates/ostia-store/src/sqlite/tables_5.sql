-- Columns of many requests at a time, by which they are filtered and added up: to go through them takes a tenth of what rows do. They are made of
-- the rows once no more are written among them, and go as soon as one of these is changed or taken away.
CREATE TABLE packed (
    -- Requests from this number on
    first INTEGER PRIMARY KEY,
    -- to before this one:
    behind INTEGER NOT NULL,
    -- so many, of which this is the last one.
    requests INTEGER NOT NULL,
    last INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE packed_columns (
    first INTEGER NOT NULL,
    name TEXT NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (first, name)
) STRICT;

CREATE TRIGGER requests_taken AFTER DELETE ON requests BEGIN
    DELETE FROM packed WHERE behind > old.number AND first = (SELECT max(first) FROM packed WHERE first <= old.number);
END;
CREATE TRIGGER requests_changed AFTER UPDATE OF cost_nano, costs, unpriced ON requests BEGIN
    DELETE FROM packed WHERE behind > old.number AND first = (SELECT max(first) FROM packed WHERE first <= old.number);
END;
CREATE TRIGGER packed_taken AFTER DELETE ON packed BEGIN
    DELETE FROM packed_columns WHERE first = old.first;
END;

-- What these are there for now.
DROP INDEX requests_by_time;
DROP INDEX requests_by_failure;
CREATE INDEX requests_by_time ON requests (started_ms);
