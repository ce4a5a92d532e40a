//! Any text is a config or a list of problems, and a config is followed to an end.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::config::routing(data));
