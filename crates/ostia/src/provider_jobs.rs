//! Things that a provider makes of rows and works on for long: batches, and models. What both are asked by: a step is asked ([`ask`]), rows are
//! sent ([`upload`]), also to an object storage ([`check_storage`]), and a later request has what the first one said ([`Recalled`]).

pub mod ask;
mod fetched;
mod recall;
pub mod spool;
mod storage;
pub mod upload;

pub use ask::{check_settings, leaf_of, refuse_clients_host};
pub use recall::Recalled;
pub use storage::check_storage;
