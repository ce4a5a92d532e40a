//! The scanner accepts what serde_json accepts and finds the same values.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::json::scan(data));
