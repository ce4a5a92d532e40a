//! What the fuzz targets check. Each function takes arbitrary bytes and panics where a promise is broken.

pub mod answer;
pub mod catalog;
pub mod config;
pub mod json;
pub mod relay;
pub mod request;
pub mod stream;

use ostia_dialect::ClientDialect;

/// Cuts `bytes` into pieces whose lengths follow from `seed`.
fn pieces(mut bytes: &[u8], seed: u8) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut state = u32::from(seed) + 1;
    while !bytes.is_empty() {
        // A linear congruential step: the same seed gives the same cuts.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = ((state >> 24) as usize % 23 + 1).min(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// Panics where `body` is no JSON.
fn assert_json(body: &[u8]) {
    if let Err(fault) = ostia_dialect::json::Document::parse(body) {
        panic!("{fault}: {}", String::from_utf8_lossy(body));
    }
}

/// Every client's dialect, strict and not.
fn clients() -> impl Iterator<Item = (ClientDialect, bool)> {
    ClientDialect::ALL.into_iter().flat_map(|client| [(client, true), (client, false)])
}

/// A client that sees everything, or only OpenAI's fields.
fn options(strict: bool) -> ostia_dialect::RenderOptions {
    ostia_dialect::RenderOptions {
        strict,
        include_usage: true,
        id_suffix: "1".into(),
        model: "m".into(),
        created: 1,
        provider: "p".into(),
        echo: Vec::new(),
    }
}
