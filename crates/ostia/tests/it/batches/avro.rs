//! Avro's object container files, as a vendor writes them (<https://avro.apache.org/docs/1.12.0/specification/>).

use serde_json::Value;

const SYNC: [u8; 16] = [7; 16];

/// A file of these rows. What a schema does not have in a row is nothing.
pub fn file(schema: &Value, rows: &[Value]) -> Vec<u8> {
    let mut out = b"Obj\x01".to_vec();
    long(&mut out, 1);
    text(&mut out, "avro.schema");
    text(&mut out, &schema.to_string());
    long(&mut out, 0);
    out.extend_from_slice(&SYNC);
    for row in rows {
        let mut data = Vec::new();
        write(&mut data, schema, row);
        long(&mut out, 1);
        long(&mut out, data.len() as i64);
        out.extend_from_slice(&data);
        out.extend_from_slice(&SYNC);
    }
    out
}

fn long(out: &mut Vec<u8>, number: i64) {
    let mut rest = (number << 1 ^ number >> 63) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn text(out: &mut Vec<u8>, text: &str) {
    long(out, text.len() as i64);
    out.extend_from_slice(text.as_bytes());
}

fn write(out: &mut Vec<u8>, schema: &Value, value: &Value) {
    if let Some(types) = schema.as_array() {
        let place = types.iter().position(|own| (*own == "null") == value.is_null()).unwrap();
        long(out, place as i64);
        return write(out, &types[place], value);
    }
    match schema.as_str().or(schema["type"].as_str()).unwrap() {
        "null" => {}
        "string" => text(out, value.as_str().unwrap()),
        "double" => out.extend_from_slice(&value.as_f64().unwrap().to_le_bytes()),
        "enum" => {
            let words = schema["symbols"].as_array().unwrap();
            long(out, words.iter().position(|word| word == value).unwrap() as i64);
        }
        "array" => {
            let items = value.as_array().unwrap();
            if !items.is_empty() {
                long(out, items.len() as i64);
                items.iter().for_each(|item| write(out, &schema["items"], item));
            }
            long(out, 0);
        }
        "record" => {
            for field in schema["fields"].as_array().unwrap() {
                write(out, &field["type"], &value[field["name"].as_str().unwrap()]);
            }
        }
        other => panic!("{other}"),
    }
}
