//! Any pieces of Amazon's event stream give the frames of the whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::relay::aws_frames(data));
