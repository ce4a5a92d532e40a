//! What is left of a text without some of its values is JSON, and nothing new.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::relay::without(data));
