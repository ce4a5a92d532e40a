//! Any text is models that are found and cost something, or a fault.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::catalog::rows(data));
