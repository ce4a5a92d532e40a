//! A request is refused or understood; what is understood can be said in every upstream dialect.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ostia_fuzz::request::conversation(
    ostia_dialect::ClientDialect::OpenaiResponses,
    data
));
