-- Jobs that train models, which a provider has in a form of its own.
CREATE TABLE tunings (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    -- The provider does not have it yet.
    is_open INTEGER NOT NULL,
    training_file TEXT NOT NULL,
    validation_file TEXT,
    -- All of it, as JSON.
    document TEXT NOT NULL
) STRICT;
CREATE INDEX tunings_by_owner ON tunings (owner, number);
CREATE INDEX tunings_open ON tunings (number) WHERE is_open = 1;
