-- As much of a cost as is estimated. A decimal number, exact.
ALTER TABLE sums ADD COLUMN estimated TEXT NOT NULL DEFAULT '0';
