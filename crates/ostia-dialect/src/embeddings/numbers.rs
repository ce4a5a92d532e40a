//! Vectors in the form that the client wants: numbers as they were written, or packed into base64, and back. Nothing is rounded
//! but to the 32-bit floats that the packed form has.

use std::borrow::Cow;
use std::fmt::Display;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Dtype, EncodingFormat, Request, Vector};
use crate::Fault;
use crate::json::{Document, Json};

/// The JSON of a vector as the request wants it.
///
/// Fails with 502 where the upstream's vector does not hold the numbers that it should.
pub(super) fn written<'v>(vector: &'v Vector, request: &Request) -> Result<Cow<'v, Json>, Fault> {
    let dtype = request.output_dtype.unwrap_or(Dtype::Float);
    match (vector, request.encoding_format) {
        (Vector::Floats(list), EncodingFormat::Float) => Ok(Cow::Borrowed(list)),
        (Vector::Floats(list), EncodingFormat::Base64) => {
            let text = BASE64_STANDARD.encode(packed(list, dtype)?);
            Ok(Cow::Owned(Json::build(|w| w.string(&text))))
        }
        (Vector::Base64(text), EncodingFormat::Base64) => Ok(Cow::Owned(Json::build(|w| w.string(text)))),
        (Vector::Base64(text), EncodingFormat::Float) => unpacked(text, dtype).map(Cow::Owned),
    }
}

/// Numbers as bytes: 32-bit floats, little end first, or whole numbers of a byte each.
fn packed(list: &Json, dtype: Dtype) -> Result<Vec<u8>, Fault> {
    let document = Document::parse(list.as_str().as_bytes()).map_err(|_| no_numbers(dtype))?;
    let mut bytes = Vec::new();
    for number in document.root().items() {
        let text = number.text();
        match dtype {
            Dtype::Float => bytes.extend_from_slice(&parsed::<f32>(text, dtype)?.to_le_bytes()),
            Dtype::Int8 | Dtype::Binary => bytes.extend_from_slice(&parsed::<i8>(text, dtype)?.to_le_bytes()),
            Dtype::Uint8 | Dtype::Ubinary => bytes.push(parsed(text, dtype)?),
        }
    }
    Ok(bytes)
}

fn parsed<T: std::str::FromStr>(text: &str, dtype: Dtype) -> Result<T, Fault> {
    text.parse().map_err(|_| no_numbers(dtype))
}

/// Bytes as a list of numbers. A float is written with the fewest digits that are read as the same one.
fn unpacked(text: &str, dtype: Dtype) -> Result<Json, Fault> {
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| no_numbers(dtype))?;
    match dtype {
        Dtype::Float => {
            let (floats, rest) = bytes.as_chunks::<4>();
            let floats = floats.iter().map(|four| f32::from_le_bytes(*four));
            // Neither has a name in JSON.
            if !rest.is_empty() || floats.clone().any(|float| !float.is_finite()) {
                return Err(no_numbers(dtype));
            }
            Ok(list(floats))
        }
        Dtype::Int8 | Dtype::Binary => Ok(list(bytes.iter().map(|byte| i8::from_le_bytes([*byte])))),
        Dtype::Uint8 | Dtype::Ubinary => Ok(list(bytes.iter())),
    }
}

fn list(numbers: impl Iterator<Item = impl Display>) -> Json {
    Json::build(|w| w.array(|w| numbers.for_each(|number| w.raw(&number.to_string()))))
}

fn no_numbers(dtype: Dtype) -> Fault {
    Fault::upstream(format!("The provider's embedding is not a list of numbers of type {}.", dtype.name()))
}
