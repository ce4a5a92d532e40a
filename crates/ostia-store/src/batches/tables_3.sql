-- Who else has a thing of this id is asked before the operator's key is shown for it.
CREATE INDEX handed_on_by_id ON handed_on (id);
