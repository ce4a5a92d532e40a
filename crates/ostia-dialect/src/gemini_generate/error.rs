//! The vendor's error envelope, for clients: <https://google.aip.dev/193>.

use crate::Fault;

/// `{"error": {"code", "message", "status"}}`
pub fn encode(fault: &Fault) -> Vec<u8> {
    let _ = fault;
    unimplemented!()
}

/// The last event of a stream that broke.
pub fn encode_event(fault: &Fault) -> Vec<u8> {
    let _ = fault;
    unimplemented!()
}
