-- Files and batches that a provider has, as they were handed on there.
CREATE TABLE handed_on (
    number INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    -- Who has it, as JSON.
    document TEXT NOT NULL,
    UNIQUE (owner, id)
) STRICT;
