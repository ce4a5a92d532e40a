//! A stream keeps the grammar or fails, and says the same in any pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::stream::check(
    ostia_dialect::Dialect::OllamaChat,
    data
));
