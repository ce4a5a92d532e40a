//! Batches that the gateway runs itself: rows in a file, each an ordinary call, whatever happens to the gateway meanwhile.

mod avro;
mod clouds;
mod embedded;
mod ends;
mod files;
mod handed_on;
mod messages;
mod remote;
mod runs;
mod stored;
mod tools;
mod tuning_vendors;
mod tunings;
mod vendors;
