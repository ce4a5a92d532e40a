//! Masks in black and white, for vendors that want them so: OpenAI's clients send pictures that are transparent where an image is to
//! change (<https://platform.openai.com/docs/api-reference/images/createEdit>, `mask`).
//!
//! A mask without any transparent place is one that the client painted for its vendor, and goes as it is.

use std::io::Cursor;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use ostia_dialect::Fault;
use ostia_dialect::form::{Mask, MaskContent, Piece, Shade};
use ostia_providers::prepare::Content;
use png::{BitDepth, ColorType, Decoder, Encoder, Limits, Transformations};
use tokio::task::spawn_blocking;

use crate::inbound::upload::Upload;

/// Largest mask, in pixels: that of the largest images that vendors take.
const PIXELS_MAX: u64 = 4096 * 4096;
/// Most memory that the reading of one may need besides its pixels, in bytes.
const READING_BYTES_MAX: usize = 8 << 20;
/// Below this a place counts as transparent.
const OPAQUE_FROM: u8 = 128;

/// Paints the masks among the pieces of a body.
///
/// # Errors
/// 400 for one that is no picture of the right kind, or too large.
pub async fn paint(body: &mut Content, upload: Option<&Upload>) -> Result<(), Fault> {
    let Content::Pieces { pieces, .. } = body else { return Ok(()) };
    for piece in pieces {
        if let Piece::Mask(mask) = piece {
            *piece = Piece::Bytes(painted(mask, upload).await?);
        }
    }
    Ok(())
}

async fn painted(mask: &Mask, upload: Option<&Upload>) -> Result<Vec<u8>, Fault> {
    let picture = match (&mask.content, upload) {
        (MaskContent::File(index), Some(upload)) => upload.contents(*index).await?,
        (MaskContent::File(_), None) => return Err(invalid("is missing")),
        (MaskContent::Base64(text), _) => {
            BASE64_STANDARD.decode(text).map_err(|_| invalid("is no base64"))?.into()
        }
    };
    let (changes, is_base64) = (mask.changes, mask.is_base64);
    let paint = move || {
        let painted = black_and_white(&picture, changes)?;
        Ok(if is_base64 { BASE64_STANDARD.encode(painted).into() } else { painted.to_vec() })
    };
    spawn_blocking(paint).await.unwrap_or(Err("cannot be read")).map_err(invalid)
}

fn invalid(what: &str) -> Fault {
    Fault::invalid(format!("Invalid `mask`: {what}.")).with_param("mask")
}

/// A picture in which that shade stands where this one is transparent, and the other one everywhere else.
fn black_and_white(picture: &Bytes, changes: Shade) -> Result<Bytes, &'static str> {
    const NO_PNG: &str = "is no PNG that can be read";
    let mut decoder = Decoder::new_with_limits(Cursor::new(picture), Limits { bytes: READING_BYTES_MAX });
    decoder.set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
    let mut reader = decoder.read_info().map_err(|_| NO_PNG)?;
    let (width, height) = reader.info().size();
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err("has more than 4096 x 4096 pixels");
    }
    let mut pixels = vec![0; reader.output_buffer_size().ok_or(NO_PNG)?];
    let frame = reader.next_frame(&mut pixels).map_err(|_| NO_PNG)?;
    let pixels = &pixels[..frame.buffer_size()];
    // Transparency stands last.
    let samples = frame.color_type.samples();
    let is_transparent = |pixel: &[u8]| pixel.last().is_some_and(|alpha| *alpha < OPAQUE_FROM);
    if !pixels.chunks_exact(samples).any(is_transparent) {
        return Ok(picture.clone());
    }
    let (there, elsewhere) = match changes {
        Shade::Black => (0, u8::MAX),
        Shade::White => (u8::MAX, 0),
    };
    let shades =
        pixels.chunks_exact(samples).map(|pixel| if is_transparent(pixel) { there } else { elsewhere });
    // Not every vendor reads pictures without colours.
    let colours: Vec<u8> = shades.flat_map(|shade| [shade; 3]).collect();
    written(width, height, &colours).map(Bytes::from).map_err(|_| "cannot be painted")
}

fn written(width: u32, height: u32, colours: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(colours)?;
    writer.finish()?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A picture of one row.
    fn picture(color: ColorType, pixels: &[u8]) -> Bytes {
        let width = pixels.len() / color.samples();
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, u32::try_from(width).unwrap(), 1);
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        out.into()
    }

    fn pixels(picture: &Bytes) -> Vec<u8> {
        let mut reader = Decoder::new(Cursor::new(picture)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((frame.color_type, frame.bit_depth), (ColorType::Rgb, BitDepth::Eight));
        pixels
    }

    #[test]
    fn what_is_transparent_changes() {
        let (black, white) = ([0; 3], [255; 3]);
        for (color, row) in [
            (ColorType::Rgba, &[9, 9, 9, 0, 9, 9, 9, 255, 9, 9, 9, 127, 9, 9, 9, 128][..]),
            (ColorType::GrayscaleAlpha, &[9, 0, 9, 255, 9, 127, 9, 128]),
        ] {
            let picture = picture(color, row);
            let painted = |changes| pixels(&black_and_white(&picture, changes).unwrap());
            assert_eq!(painted(Shade::Black), [black, white, black, white].concat());
            assert_eq!(painted(Shade::White), [white, black, white, black].concat());
        }
    }

    #[test]
    fn what_is_painted_already_goes_as_it_is() {
        for picture in [picture(ColorType::Grayscale, &[0, 255]), picture(ColorType::Rgba, &[1, 2, 3, 255])] {
            assert_eq!(black_and_white(&picture, Shade::White), Ok(picture));
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let good = picture(ColorType::Rgba, &[0; 400]);
        let mut large = good.to_vec();
        // The width, in the head; its checksum is wrong then, or else it is too large.
        large[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
        for bytes in [Bytes::new(), Bytes::from_static(b"GIF89a"), good.slice(..40), Bytes::from(large)] {
            assert!(black_and_white(&bytes, Shade::White).is_err(), "{} bytes", bytes.len());
        }
    }
}
