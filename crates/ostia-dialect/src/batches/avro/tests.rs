//! Files that fastavro 1.13 has written, with the same three rows, each packed in another way.
#![allow(clippy::unwrap_used)]

use super::*;

const PLAIN: &[u8] = include_bytes!("tests/null.avro");
const DEFLATED: &[u8] = include_bytes!("tests/deflate.avro");
const SNAPPED: &[u8] = include_bytes!("tests/snappy.avro");

fn read(pieces: &[&[u8]]) -> Result<Vec<String>, Fault> {
    let (mut avro, mut rows) = (Avro::default(), Vec::new());
    let mut each = |row: &[u8]| {
        rows.push(String::from_utf8(row.to_vec()).unwrap());
        Ok(())
    };
    for piece in pieces {
        avro.push(piece, &mut each)?;
    }
    avro.finish()?;
    Ok(rows)
}

fn expected() -> Vec<String> {
    let inner = r#"{"kind":"X","list":[],"map":{},"again":"X","raw":"zz","flag":false,"long":0,"float":1}"#;
    vec![
        format!(
            r#"{{"custom_id":"1","body":{{"kind":"Y","list":[null,1.5,{inner}],"map":{{"k":-3}},"again":"X","raw":"ab","flag":true,"long":-1099511627776,"float":0.5}},"error":null}}"#
        ),
        r#"{"custom_id":"hé \"q\"","body":null,"error":"Bad row."}"#.to_owned(),
        format!(r#"{{"custom_id":"3","body":null,"error":"{}"}}"#, "repeat ".repeat(12)),
    ]
}

#[test]
fn rows_however_the_file_is_cut() {
    for file in [PLAIN, DEFLATED, SNAPPED] {
        for cut in 0..=file.len() {
            assert_eq!(read(&[&file[..cut], &file[cut..]]).unwrap(), expected(), "{cut}");
        }
    }
}

#[test]
fn files_that_are_not_whole() {
    for file in [PLAIN, DEFLATED, SNAPPED] {
        let mut ended = 0;
        for end in 0..file.len() {
            // It may end behind its head, and behind each block.
            match read(&[&file[..end]]) {
                Ok(rows) => {
                    assert_eq!(rows, expected()[..rows.len()]);
                    ended += 1;
                }
                Err(fault) => assert_eq!(fault.status, 502),
            }
        }
        assert!((1..=3).contains(&ended), "{ended}");
    }
}

#[test]
fn files_that_are_damaged_never_do_harm() {
    for file in [PLAIN, DEFLATED, SNAPPED] {
        for at in 0..file.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = file.to_vec();
                damaged[at] ^= change;
                if let Err(fault) = read(&[&damaged]) {
                    assert_eq!(fault.status, 502, "{at}");
                }
            }
        }
    }
}

#[test]
fn what_is_no_file() {
    let check = |file: &[u8], words: &str| {
        let fault = read(&[file]).unwrap_err();
        assert!(fault.status == 502 && fault.message.contains(words), "{fault:?}");
    };
    check(b"", "not whole");
    check(b"Obj\x02", "no Avro file");
    check(b"{\"custom_id\":\"1\"}", "no Avro file");
    let file = |head: &[(&str, &str)], rest: &[u8]| {
        let mut whole = MAGIC.to_vec();
        for (name, value) in head {
            whole.push(2);
            for word in [name, value] {
                whole.push(word.len() as u8 * 2);
                whole.extend_from_slice(word.as_bytes());
            }
        }
        whole.push(0);
        whole.extend_from_slice(&[7; SYNC_BYTES]);
        whole.extend_from_slice(rest);
        whole
    };
    check(&file(&[], b""), "does not say what its rows are");
    check(&file(&[("avro.schema", "\"none\"")], b""), "schema");
    check(&file(&[("avro.schema", "{\"type\":\"record\"}")], b""), "schema");
    check(&file(&[("avro.codec", "zstandard"), ("avro.schema", "\"int\"")], b""), "packed");
    let end = [7; SYNC_BYTES];
    let block = |rows: u8, data: &[u8]| [&[rows * 2, data.len() as u8 * 2][..], data, &end].concat();
    let ints = |rest: &[u8]| file(&[("avro.schema", "\"int\"")], rest);
    assert_eq!(read(&[&ints(&block(2, &[2, 1]))]).unwrap(), ["1", "-1"]);
    check(&ints(&block(3, &[2, 1])), "not there");
    check(&ints(&block(1, &[2, 1])), "more than its rows");
    check(&ints(&block(1, &[0x80])), "not whole");
    check(&ints(&[2, 2, 2, 0]), "not whole");
    check(&ints(&[&[2, 2, 2][..], &[8; SYNC_BYTES]].concat()), "does not end");
    check(&ints(&[2, 1]), "below 0");
    // A block of a gibibyte.
    check(&ints(&[2, 0x80, 0x80, 0x80, 0x80, 0x08]), "too long");
    // A list of nothing without an end, and one inside of itself.
    let nulls = file(&[("avro.schema", r#"{"type":"array","items":"null"}"#)], b"");
    let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0x1f, 0];
    check(&[nulls, block(1, &huge)].concat(), "too much");
    let nested = r#"{"name":"R","type":"record","fields":[{"name":"r","type":"R"}]}"#;
    check(&file(&[("avro.schema", nested)], &block(1, &[0])), "too much");
}
