//! Edits of an object leave JSON behind and every other field as it was.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::relay::splice(data));
