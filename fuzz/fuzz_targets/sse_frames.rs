//! Any pieces of a stream give the frames of the whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::relay::sse_frames(data));
