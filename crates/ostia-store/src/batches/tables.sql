CREATE TABLE files (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    -- All of it, as JSON.
    document TEXT NOT NULL
) STRICT;
CREATE INDEX files_by_owner ON files (owner, number);

CREATE TABLE batches (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    input_file TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX batches_by_owner ON batches (owner, number);
CREATE INDEX batches_open ON batches (number) WHERE is_open = 1;

-- What owners' hashes are made with.
CREATE TABLE secret (bytes BLOB NOT NULL) STRICT;
