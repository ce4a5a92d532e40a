//! An embeddings answer of any dialect is refused or can be told to the client.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::answer::embeddings(data));
