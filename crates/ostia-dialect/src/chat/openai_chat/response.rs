//! Whole answers, both ways.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub use encode::encode;

pub(crate) use decode::finish_of as finish;
pub(super) use decode::{
    Words, call_signature, called, choice_extra, decode_words, failure, finish_of, known, native_finish,
};
pub(super) use encode::{
    annotation, audio_of, content_block, encode_call_body, encode_call_head, encode_image, extra_content,
    invented_id, or, proof, shown_proof,
};
