//! Any pieces of a stream pass whole and get the verdict of the whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::relay::watch(data));
