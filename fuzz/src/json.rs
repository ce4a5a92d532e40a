//! The scanner against serde_json.

use ostia_dialect::json::{Document, Kind, Node};
use serde_json::Value;

/// The scanner accepts what serde_json accepts and finds the same values.
///
/// Known differences, all on purpose: the scanner lets lone surrogates and numbers beyond a double pass, and goes one
/// level deeper.
pub fn scan(data: &[u8]) {
    let ours = Document::parse(data);
    let theirs = serde_json::from_slice::<Value>(data);
    match (&ours, &theirs) {
        (Ok(document), Ok(value)) => assert_eq!(&tree(document.root()), value),
        (Ok(_), Err(fault)) => {
            let fault = fault.to_string();
            let known = ["surrogate", "hex escape", "out of range", "recursion limit"];
            assert!(known.iter().any(|known| fault.contains(known)), "{fault}");
        }
        (Err(fault), Ok(_)) => panic!("{fault}"),
        (Err(fault), Err(_)) => assert!(fault.at <= data.len()),
    }
    for depth in 0..3 {
        let shallow = Document::parse_to(data, depth);
        assert_eq!(shallow.is_ok(), ours.is_ok());
    }
    if let Ok(document) = &ours {
        walk(document.root());
    }
}

/// Every accessor of every node.
fn walk(node: Node<'_>) {
    let _ = (node.as_str(), node.as_bool(), node.as_u64(), node.as_f64(), node.text());
    if node.range().len() < 64 {
        let _ = node.path();
    }
    node.items().for_each(walk);
    node.fields().for_each(|(_, value)| walk(value));
}

fn tree(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::String => node.as_str().map(|text| text.into_owned()).into(),
        Kind::Array => node.items().map(tree).collect(),
        Kind::Object => {
            Value::Object(node.fields().map(|(name, value)| (name.into_owned(), tree(value))).collect())
        }
        Kind::Null | Kind::Bool | Kind::Number => serde_json::from_str(node.text()).expect("a scalar"),
    }
}
