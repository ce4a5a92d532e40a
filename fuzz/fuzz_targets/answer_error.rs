//! Every error body becomes an error that the client can read.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::answer::error(data));
