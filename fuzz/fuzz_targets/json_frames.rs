//! Any pieces of a JSON array that grows, and of JSON lines, give the frames of the whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::relay::json_frames(data));
