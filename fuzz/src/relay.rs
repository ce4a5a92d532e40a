//! Frames, edits and watching.

use ostia_dialect::frame::Grammar;
use ostia_dialect::frame::sse::Framer;
use ostia_dialect::json::{Document, Json};
use ostia_dialect::observe::{Ending, Watch};
use ostia_dialect::relay::{self, Path, Splice};

/// Any pieces of a stream give the frames of the whole.
pub fn frames(data: &[u8]) {
    let Some((&seed, data)) = data.split_first() else { return };
    let whole = cut(&[data]);
    assert_eq!(cut(&crate::pieces(data, seed)), whole);
    assert_eq!(cut(&data.chunks(1).collect::<Vec<_>>()), whole);
}

fn cut(pieces: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
    let (mut framer, mut frames) = (Framer::default(), Vec::new());
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next().expect("a small frame") {
            frames.push((frame.event.to_owned(), frame.data.to_vec()));
        }
    }
    if let Some(frame) = framer.finish().expect("a small frame") {
        frames.push((frame.event.to_owned(), frame.data.to_vec()));
    }
    frames
}

/// Edits of an object leave JSON behind and every other field as it was.
pub fn splice(data: &[u8]) {
    let Some((&[edit, which], text)) = data.split_first_chunk() else { return };
    let Ok(document) = Document::parse_to(text, 1) else { return };
    let Ok(mut splice) = Splice::new(&document) else { return };
    let names: Vec<String> = document.root().fields().map(|(name, _)| name.into_owned()).collect();
    let name = names.get(usize::from(which) % (names.len() + 1)).map_or("new", String::as_str);
    let value = Json::build(|w| w.string("\u{1}ö"));
    match edit % 4 {
        0 => {}
        1 => splice.set(name, value.clone()),
        2 => splice.remove(name),
        _ => splice.rename(name, "other"),
    }
    let has = splice.has(name);
    let out = splice.finish();
    let after =
        Document::parse(&out).unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(&out)));
    match edit % 4 {
        0 => assert_eq!(out, text),
        1 => assert_eq!(after.root().get(name).map(|node| node.text()), Some(value.as_str())),
        2 => assert!(!has && after.root().get(name).is_none()),
        _ => assert_eq!(after.root().fields().count(), names.len()),
    }
    let others = |document: &Document<'_>| -> Vec<(String, String)> {
        let fields = document.root().fields().filter(|(field, _)| field != name && field != "other");
        fields.map(|(field, value)| (field.into_owned(), value.text().to_owned())).collect()
    };
    assert_eq!(others(&after), others(&document));
}

/// What is left of a text without some of its values is JSON, holds no byte that was not there, and loses nothing twice.
pub fn without(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((paths, text)) = text.split_once('\n') else { return };
    let paths: Vec<Path<'_>> = paths.split(' ').take(8).map(Path::parse).collect();
    let Ok(left) = relay::without(text, &paths) else { return };
    assert!(Document::parse(text.as_bytes()).is_err() || Document::parse(left.as_bytes()).is_ok(), "{left}");
    let mut rest = text.bytes();
    assert!(left.bytes().all(|byte| rest.any(|own| own == byte)), "{left}");
    assert!(matches!(relay::without(text, &[]), Ok(same) if same == text));
}

/// Any pieces of a stream pass whole and get the verdict of the whole.
pub fn watch(data: &[u8]) {
    let Some((&seed, data)) = data.split_first() else { return };
    let grammar = match seed % 5 {
        0 => Grammar::OpenaiChat,
        1 => Grammar::OpenaiResponses,
        2 => Grammar::OpenaiCompletions,
        3 => Grammar::Unknown,
        _ => Grammar::AnthropicMessages,
    };
    let whole = pass(grammar, &[data]);
    assert_eq!([whole.0.as_slice(), &whole.1].concat(), data);
    assert_eq!(pass(grammar, &crate::pieces(data, seed)), whole);
    assert_eq!(pass(grammar, &data.chunks(1).collect::<Vec<_>>()), whole);
}

type Passed = (Vec<u8>, Vec<u8>, Option<Ending>, bool);

fn pass(grammar: Grammar, pieces: &[&[u8]]) -> Passed {
    let (mut watch, mut passed, mut rest) = (Watch::new(grammar), Vec::new(), Vec::new());
    for piece in pieces {
        rest.extend_from_slice(piece);
        let whole = watch.scan(&rest).expect("a small event");
        passed.extend(rest.drain(..whole));
    }
    let ending = watch.ending(&rest).ok();
    (passed, rest, ending, watch.ended())
}
