#![allow(clippy::unwrap_used)]
use super::*;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::HeaderValue;

const TEXT: &[u8] = b"data: {\"a\": 1}\n\n";
/// Twenty times that, packed by Node's brotli.
const BROTLI: &str = "1b3f01f89d057633f54227966f1e2646a2b70e5320eb5b317ba543572022b1600ca07a62f102";
/// 8 MiB of zeros, packed by the same.
const BROTLI_BOMB: &str = "9bffff7ff82700e2b14020f7fe0f";

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::CONTENT_ENCODING, HeaderValue::from_str(line).unwrap());
    }
    headers
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).unwrap()
}

fn unpack(inflate: &mut Inflate, packed: &[u8], size: usize) -> Result<Vec<u8>, InflateError> {
    let mut unpacked = Vec::new();
    for piece in packed.chunks(size) {
        unpacked.extend_from_slice(&inflate.push(piece)?);
    }
    inflate.finish()?;
    Ok(unpacked)
}

#[test]
fn every_split_unpacks_to_the_same() {
    let text = TEXT.repeat(20);
    let check = |lines: &[&str], packed: &[u8], expected: &[u8]| {
        for size in [1, 3, packed.len()] {
            let mut inflate = Inflate::of(&headers(lines)).unwrap().unwrap();
            assert_eq!(unpack(&mut inflate, packed, size).unwrap(), expected, "{lines:?} by {size}");
        }
    };
    check(&["gzip"], &gzip(&text), &text);
    check(&["X-GZip"], &[gzip(&text), gzip(b"more")].concat(), &[&text[..], b"more"].concat());
    check(&["deflate"], &zlib(&text), &text);
    check(&["deflate"], &raw_deflate(&text), &text);
    check(&["br"], &bytes_of(BROTLI), &text);
    check(&["zstd"], &zstd(&text), &text);
    check(&["zstd"], &[zstd(&text), zstd(b""), zstd(b"more")].concat(), &[&text[..], b"more"].concat());
    let long: Vec<u8> =
        (0..100_000_u32).flat_map(|number| number.wrapping_mul(number).to_le_bytes()).collect();
    check(&["zstd"], &zstd(&long), &long);
    // Listed in the order in which they were put on.
    check(&["gzip, zstd"], &zstd(&gzip(&text)), &text);
    check(&["identity, deflate", "gzip"], &gzip(&zlib(&text)), &text);
}

#[test]
fn pieces_of_a_stream_come_out_as_they_come_in() {
    let mut inflate = Inflate::of(&headers(&["zstd"])).unwrap().unwrap();
    for _ in 0..3 {
        assert_eq!(inflate.push(&zstd(TEXT)).unwrap(), TEXT);
    }
    let mut inflate = Inflate::of(&headers(&["gzip"])).unwrap().unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(TEXT).unwrap();
    encoder.flush().unwrap();
    assert_eq!(inflate.push(encoder.get_ref()).unwrap(), TEXT);
}

#[test]
fn what_cannot_be_undone_is_said() {
    for lines in [&["compress"][..], &["gzip, aws-chunked"], &["gzip, gzip", "gzip, gzip"]] {
        assert!(matches!(Inflate::of(&headers(lines)), Err(InflateError::Unknown(_))), "{lines:?}");
    }
    for lines in [&[][..], &[""], &["identity"]] {
        assert!(Inflate::of(&headers(lines)).unwrap().is_none(), "{lines:?}");
    }
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let mut inflate = Inflate::of(&headers(&[encoding])).unwrap().unwrap();
        let refused = unpack(&mut inflate, b"no such thing at all", 20);
        assert!(matches!(refused, Err(InflateError::Damaged(_))), "{encoding}: {refused:?}");
    }
    for (encoding, packed) in [("gzip", gzip(TEXT)), ("br", bytes_of(BROTLI)), ("zstd", zstd(TEXT))] {
        let mut inflate = Inflate::of(&headers(&[encoding])).unwrap().unwrap();
        let refused = unpack(&mut inflate, &packed[..packed.len() - 1], 1000);
        assert!(matches!(refused, Err(InflateError::Damaged(_))), "{encoding}: {refused:?}");
    }
}

#[test]
fn a_bomb_is_cut_at_the_bound() {
    let zeros = vec![0; 8 << 20];
    let check = |encoding: &str, packed: &[u8], bytes_max: usize, is_whole: bool| {
        let mut inflate = Inflate::of_request(&headers(&[encoding]), bytes_max).unwrap().unwrap();
        let unpacked = unpack(&mut inflate, packed, packed.len());
        match is_whole {
            true => assert_eq!(unpacked.unwrap().len(), zeros.len(), "{encoding}"),
            false => assert!(matches!(unpacked, Err(InflateError::TooLarge)), "{encoding}: {unpacked:?}"),
        }
    };
    for (encoding, packed) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("br", bytes_of(BROTLI_BOMB)),
        ("zstd", zstd(&zeros)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
    ] {
        check(encoding, &packed, 8 << 20, true);
        check(encoding, &packed, (8 << 20) - 1, false);
    }
}

#[test]
fn a_request_has_one_bound_for_all_its_pieces() {
    let packed = gzip(&TEXT.repeat(20));
    let mut inflate = Inflate::of_request(&headers(&["gzip"]), TEXT.len() * 19).unwrap().unwrap();
    assert!(matches!(unpack(&mut inflate, &packed, 1), Err(InflateError::TooLarge)));
}

#[test]
fn a_window_has_a_bound() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(TEXT).unwrap();
    let packed = encoder.finish().unwrap();
    let mut inflate = Inflate::of(&headers(&["zstd"])).unwrap().unwrap();
    assert!(matches!(inflate.push(&packed), Err(InflateError::Damaged(_))));
}
