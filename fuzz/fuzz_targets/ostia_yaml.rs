//! Any text is a configuration or a list of problems.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::config::file(data));
