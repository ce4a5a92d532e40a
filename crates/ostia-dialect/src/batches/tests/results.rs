//! Results in lines, pages and files, however their bytes are cut.

use super::super::*;
use crate::{Api, Fault};

/// What a reader of one source gives of these bytes, and what follows.
fn read(mut reader: ResultsReader, pieces: &[&[u8]]) -> Result<(Vec<String>, Option<Source>), Fault> {
    reader.next_source().unwrap();
    let mut rows = Vec::new();
    let mut each = |row: &[u8]| {
        rows.push(String::from_utf8(row.to_vec()).unwrap());
        Ok(())
    };
    for piece in pieces {
        reader.push(piece, &mut each)?;
    }
    reader.end_source(&mut each)?;
    Ok((rows, reader.next_source()))
}

fn pages(id: &str) -> ResultsReader {
    let found = Found { id: id.to_owned(), ..Found::default() };
    match (XAI.results)(&found, Part::Output).unwrap() {
        Results::Pages(pages) => ResultsReader::pages(pages, found),
        other => panic!("{other:?}"),
    }
}

fn page(path: &str) -> Option<Source> {
    let place = Place::Behind(Api::XaiBatches, path.to_owned());
    Some(Source::Step(Step {
        method: Method::Get,
        place,
        headers: Vec::new(),
        is_bare: false,
        content: Content::Nothing,
    }))
}

#[test]
fn rows_of_a_page_however_it_is_cut() {
    let text = "\u{20}{ \"cost\" : {\"results\":[1],\"pagination_token\":\"no\"}, \"results\" :\n [ {\"a\": \"]},{\\\"\\\\\"} ,\n\
                {\"b\":[{\"results\":[2]}, 1.5],\n\"c\":\"h\u{e9}\"}\n ] , \"pagination_token\": \"a b\u{e9}&\\u0041\" }\r\n"
        .as_bytes();
    let rows = [
        r#"{"a": "]},{\"\\"}"#.to_owned(),
        "{\"b\":[{\"results\":[2]}, 1.5],\n\"c\":\"h\u{e9}\"}".to_owned(),
    ];
    let next = page("/i/results?limit=1000&pagination_token=a%20b%C3%A9%26A");
    for cut in 0..=text.len() {
        let found = read(pages("i"), &[&text[..cut], &text[cut..]]).unwrap();
        assert_eq!(found, (rows.to_vec(), next.clone()), "{cut}");
    }
    for end in 0..text.len() - 3 {
        let cut = read(pages("i"), &[&text[..end]]);
        assert_eq!(cut.map_err(|fault| fault.status), Err(502), "cut off at {end}");
    }
}

#[test]
fn pages_that_are_the_last() {
    for text in [
        r#"{"results":[]}"#,
        r#"{"results":[],"pagination_token":null}"#,
        r#"{"pagination_token":"","results":[]}"#,
        r#"{"results":null,"pagination_token":7}"#,
        "{}",
    ] {
        assert_eq!(read(pages("i"), &[text.as_bytes()]).unwrap(), (Vec::new(), None), "{text}");
    }
    let text = r#"{"pagination_token":"t","results":[{"a":1}]}"#;
    let next = page("/i/results?limit=1000&pagination_token=t");
    assert_eq!(read(pages("i"), &[text.as_bytes()]).unwrap(), (vec![r#"{"a":1}"#.to_owned()], next));
}

#[test]
fn what_is_no_page() {
    for text in ["", "[]", "no", "{\"results\":[", "{} {}", "{}}", "}", "[{}]", "{\"a\":1"] {
        let read = read(pages("i"), &[text.as_bytes()]);
        assert_eq!(read.map_err(|fault| fault.status), Err(502), "{text}");
    }
}

#[test]
fn a_page_that_leads_to_itself_ends_it() {
    let mut reader = pages("i");
    let text = br#"{"results":[],"pagination_token":"t"}"#;
    let mut each = |_: &[u8]| Ok(());
    for turn in 0..2 {
        assert!(reader.next_source().is_some(), "{turn}");
        reader.push(text, &mut each).unwrap();
        let ended = reader.end_source(&mut each);
        assert_eq!(ended.map_err(|fault| fault.status), if turn == 0 { Ok(()) } else { Err(502) });
    }
}

#[test]
fn a_row_of_a_page_is_no_longer_than_its_bound() {
    let mut reader = pages("i");
    reader.next_source();
    let mut each = |_: &[u8]| Ok(());
    reader.push(b"{\"other\":[\"", &mut each).unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..=RESULT_BYTES_MAX >> 20 {
        reader.push(&piece, &mut each).unwrap();
    }
    reader.push(b"\"],\"results\":[\"", &mut each).unwrap();
    for _ in 0..(RESULT_BYTES_MAX >> 20) - 1 {
        reader.push(&piece, &mut each).unwrap();
    }
    assert!(reader.push(&piece, &mut each).is_err());
}

#[test]
fn files_one_after_the_other() {
    let found = Found { id: "j".to_owned(), output: Some("d".to_owned()), errors: None };
    let Some(Results::Files(listing)) = (FIREWORKS.results)(&found, Part::Errors) else { panic!() };
    let place =
        Place::Beside(Api::FireworksBatches, "/inference/v1", "/datasets/d:getDownloadEndpoint".to_owned());
    assert_eq!((listing.step.method, &listing.step.place), (Method::Get, &place));
    let answer = br#"{"filenameToSignedUrls":{"dataset/d/BIJOutputSet.jsonl":"https://a/1?x=y","dataset/d/error-data":"https://a/2"}}"#;
    let mut reader = ResultsReader::files(&listing, answer).unwrap();
    let mut rows = Vec::new();
    let mut each = |row: &[u8]| {
        rows.push(row.to_vec());
        Ok(())
    };
    assert_eq!(reader.next_source(), Some(Source::Address("https://a/1?x=y".to_owned())));
    reader.push(b"1\n2", &mut each).unwrap();
    reader.end_source(&mut each).unwrap();
    assert_eq!(reader.next_source(), Some(Source::Address("https://a/2".to_owned())));
    reader.push(b"\n3", &mut each).unwrap();
    reader.end_source(&mut each).unwrap();
    assert_eq!((reader.next_source(), rows), (None, vec![b"1".to_vec(), b"2".to_vec(), b"3".to_vec()]));
    for answer in ["", "{}", r#"{"filenameToSignedUrls":{}}"#, r#"{"filenameToSignedUrls":{"a":7}}"#] {
        let files = ResultsReader::files(&listing, answer.as_bytes());
        assert_eq!(files.map_err(|fault| fault.status).map(|_| ()), Err(502), "{answer}");
    }
}
