#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

const HEAD: &str = "Content-Disposition: form-data; name=";

fn form(parts: &[(&str, &str)]) -> String {
    let parts: String =
        parts.iter().map(|(head, text)| format!("--b-1\r\n{HEAD}{head}\r\n\r\n{text}\r\n")).collect();
    format!("{parts}--b-1--\r\n")
}

/// Reads a form in these pieces: the form and its files.
fn read(pieces: &[&[u8]]) -> Result<(Form, Vec<Vec<u8>>), Fault> {
    let (mut decoder, mut files) = (Decoder::new("b-1"), Vec::<Vec<u8>>::new());
    for piece in pieces {
        decoder.push(piece, &mut |index, bytes| {
            files.resize(files.len().max(index + 1), Vec::new());
            files[index].extend_from_slice(bytes);
        })?;
    }
    let form = decoder.finish()?;
    files.resize(form.files().count(), Vec::new());
    Ok((form, files))
}

/// The same however it is cut in two, and byte by byte.
fn read_cut(body: &str) -> Result<(Form, Vec<Vec<u8>>), Fault> {
    let body = body.as_bytes();
    let whole = read(&[body]);
    for at in 0..=body.len() {
        assert_eq!(read(&[&body[..at], &body[at..]]), whole, "cut at {at}");
    }
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(read(&bytes), whole);
    whole
}

fn joined(pieces: &[Piece], files: &[Vec<u8>]) -> String {
    let bytes = pieces.iter().flat_map(|piece| match piece {
        Piece::Bytes(bytes) => bytes.clone(),
        Piece::File(index) => files[*index].clone(),
        Piece::Base64(_) | Piece::Uploaded | Piece::Mask(_) => unreachable!("no form holds {piece:?}"),
    });
    String::from_utf8(bytes.collect()).unwrap()
}

#[test]
fn fields_and_files() {
    let check = |body: &str, json: &str, contents: &[&str]| {
        let (form, files) = read_cut(body).unwrap();
        assert_eq!(String::from_utf8(form.to_json()).unwrap(), json);
        assert_eq!(files, contents.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>());
        let lengths: Vec<u64> = form.files().map(|file| file.bytes).collect();
        assert_eq!(lengths, contents.iter().map(|text| text.len() as u64).collect::<Vec<_>>());
        assert_eq!(joined(&form.pieces, &files), body, "kept as it came");
    };
    let file = ("\"file\"; filename=\"a;\\\"b.wav\"\r\nContent-Type: audio/wav", "RIFF\r\n--b-\r\n\r\n--b");
    check(
        &form(&[("\"model\"", "m"), ("\"stream\"", "true"), file]),
        r#"{"model":"m","stream":true,"file":{"filename":"a;\"b.wav","content_type":"audio/wav"}}"#,
        &[file.1],
    );
    check(
        &form(&[
            ("\"g[]\"", "word"),
            ("file; filename=x", ""),
            ("\"g[]\"", "segment"),
            ("\"one[]\"", "1"),
            ("x", ""),
        ]),
        r#"{"g":["word","segment"],"file":{"filename":"x"},"one":["1"],"x":""}"#,
        &[""],
    );
    check(&format!("before\r\n{}after", form(&[("model", "m")])), r#"{"model":"m"}"#, &[]);
    check("--b-1  \r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b-1--", r#"{"a":"1"}"#, &[]);
}

#[test]
fn edits_leave_the_rest() {
    let body =
        form(&[("\"g[]\"", "word"), ("\"file\"; filename=\"f\"", "RIFF"), ("\"model\"", "@p/m"), ("x", "1")]);
    let (form, files) = read(&[body.as_bytes()]).unwrap();
    let check = |fields: &str, expected: &str| {
        assert_eq!(joined(&form.edited(fields.as_bytes()).unwrap(), &files), expected);
    };
    let same = String::from_utf8(form.to_json()).unwrap();
    check(&same, &body);
    check(&same.replace("@p/m", "m"), &body.replace("@p/m", "m"));
    check(
        r#"{"file":{"filename":"f"},"model":"m","temperature":0.5,"g":["segment",true]}"#,
        "--b-1\r\nContent-Disposition: form-data; name=\"temperature\"\r\n\r\n0.5\r\n\
         --b-1\r\nContent-Disposition: form-data; name=\"g[]\"\r\n\r\nsegment\r\n\
         --b-1\r\nContent-Disposition: form-data; name=\"g[]\"\r\n\r\ntrue\r\n\
         --b-1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nRIFF\r\n\
         --b-1\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b-1--\r\n",
    );
    let fault = form.edited(br#"{"model":"a\r\n--b-1\r\n"}"#).unwrap_err();
    assert_eq!((fault.status, fault.param.as_deref()), (400, Some("model")));
}

#[test]
fn what_is_no_form() {
    let check = |body: &str, status: u16, words: &str| {
        let fault = read_cut(body).unwrap_err();
        assert_eq!(fault.status, status, "{body}");
        assert!(fault.message.contains(words), "{body}: {}", fault.message);
    };
    check("", 400, "names another boundary");
    check(r#"{"model":"m"}"#, 400, "names another boundary");
    let whole = form(&[("model", "m"), ("file; filename=x", "RIFF")]);
    for cut in [10, 45, 58, 70, 130, whole.len() - 5] {
        check(&whole[..cut], 400, "cut off");
    }
    check(&form(&[("model", "m"), ("model", "m")]), 400, "several fields `model`");
    check(&form(&[("stream", "true"), ("\"stream[]\"", "true")]), 400, "several fields `stream`");
    check("--b-1\r\nContent-Type: text/plain\r\n\r\nx\r\n--b-1--", 400, "Content-Disposition");
    check("--b-1\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b-1--", 400, "Content-Disposition");
    check("--b-1x\r\n", 400, "goes on");
    let long = form(&[("prompt", &"x".repeat(FIELDS_BYTES_MAX))]);
    assert_eq!(read(&[long.as_bytes()]).unwrap_err().status, 413);
    let many: Vec<(&str, &str)> = vec![("a", ""); PARTS_MAX + 1];
    assert_eq!(read(&[form(&many).as_bytes()]).unwrap_err().status, 400);
    let bytes =
        [b"--b-1\r\nContent-Disposition: form-data; name=a\r\n\r\n".as_slice(), b"\xff\r\n--b-1--"].concat();
    assert_eq!(read(&[&bytes]).unwrap_err().param.as_deref(), Some("a"));
}

#[test]
fn boundaries() {
    let check = |content_type: &str, expected: Result<Option<&str>, u16>| {
        let found = boundary(content_type).map_err(|fault| fault.status);
        assert_eq!(found, expected.map(|word| word.map(str::to_owned)), "{content_type}");
    };
    check("multipart/form-data; boundary=b-1", Ok(Some("b-1")));
    check("Multipart/Form-Data; charset=utf-8; Boundary=\"b 1\"", Ok(Some("b 1")));
    check("application/json; boundary=x", Ok(None));
    check("", Ok(None));
    check("multipart/form-data", Err(400));
    check("multipart/form-data; boundary=", Err(400));
    check(&format!("multipart/form-data; boundary={}", "b".repeat(71)), Err(400));
    check("multipart/form-data; boundary=a\"b", Err(400));
}

#[test]
fn files_by_name() {
    let body =
        form(&[("file; filename=x", ""), ("text", "x"), ("two; filename=x", ""), ("two; filename=y", "")]);
    let (form, _) = read(&[body.as_bytes()]).unwrap();
    assert_eq!(form.file("file").unwrap().name, "x");
    for name in ["text", "two", "none"] {
        assert_eq!(form.file(name).unwrap_err().param.as_deref(), Some(name));
    }
}

proptest! {
    #[test]
    fn no_input_makes_it_panic(bytes in proptest::collection::vec(prop_oneof![
        Just(b"\r\n".to_vec()), Just(b"--b-1".to_vec()), Just(b"--".to_vec()), Just(b"Content-Disposition: form-data; name=\"a".to_vec()),
        Just(b"\"; filename=\"".to_vec()), Just(b"\r\n\r\n".to_vec()), proptest::collection::vec(any::<u8>(), 0..6),
    ], 0..24), cut in 0usize..200) {
        let bytes = bytes.concat();
        let cut = cut.min(bytes.len());
        prop_assert_eq!(read(&[&bytes[..cut], &bytes[cut..]]), read(&[&bytes]));
    }
}
