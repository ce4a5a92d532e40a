//! Whole answers, both ways.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;

pub(crate) use decode::decode_usage;
pub(super) use decode::{call_signature, choice_extra, decode_words, finish_of, known, native_finish};
pub(super) use encode::{
    annotation, audio_of, content_block, encode_call_body, encode_call_head, encode_image, encode_usage,
    extra_content, invented_call_id, or,
};

/// What the client of an answer is to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Exactly OpenAI's fields, and `reasoning_content`. Off: vendor fields and `content_blocks` besides.
    pub strict: bool,
    /// Tell the usage at the end of a stream.
    pub include_usage: bool,
    /// The id to show where the upstream gave none; also the stem of invented call ids.
    pub id: String,
    /// The model to show where the upstream named none.
    pub model: String,
    /// Unix seconds to show where the upstream said none.
    pub created: u64,
    /// The provider that answered.
    pub provider: String,
}
