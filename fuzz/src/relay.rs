//! Frames, edits and watching.

use ostia_dialect::Fault;
use ostia_dialect::frame::{Frame, Framer, Framing, Grammar};
use ostia_dialect::json::{Document, Json};
use ostia_dialect::observe::{Ending, Watch};
use ostia_dialect::relay::{self, Path, Splice};

/// Any pieces of a stream of events give the frames of the whole.
pub fn sse_frames(data: &[u8]) {
    let Some((&seed, data)) = data.split_first() else { return };
    same_in_pieces(Framing::Sse, data, seed);
}

/// The same for JSON in both framings. An array that is one has the elements that the scanner finds.
pub fn json_frames(data: &[u8]) {
    let Some((&seed, data)) = data.split_first() else { return };
    same_in_pieces(Framing::JsonLines, data, seed);
    let (elements, is_whole) = same_in_pieces(Framing::JsonArray, data, seed);
    let Ok(document) = Document::parse(data) else { return };
    if document.root().is_array() {
        let items: Vec<&[u8]> = document.root().items().map(|item| item.text().as_bytes()).collect();
        assert!(is_whole);
        assert_eq!(elements.iter().map(|(_, data)| data.as_slice()).collect::<Vec<_>>(), items);
    }
}

/// The same for Amazon's messages, whose checksums are set right first: nearly all that is made up is refused for them.
pub fn aws_frames(data: &[u8]) {
    let Some((&seed, data)) = data.split_first() else { return };
    let mut data = data.to_vec();
    same_in_pieces(Framing::AwsEventStream, &data, seed);
    set_checksums(&mut data);
    same_in_pieces(Framing::AwsEventStream, &data, seed);
    same_in_pieces(Framing::AwsChunks, &data, seed);
    same_in_pieces(Framing::AwsParts, &data, seed);
}

fn set_checksums(mut data: &mut [u8]) {
    while data.len() >= 16 {
        let whole = u32::from_be_bytes([data[0], data[1], data[2], data[3]]) as usize;
        let checksum = crc32fast::hash(&data[..8]);
        data[8..12].copy_from_slice(&checksum.to_be_bytes());
        if whole < 16 || whole > data.len() {
            return;
        }
        let (message, rest) = data.split_at_mut(whole);
        let checksum = crc32fast::hash(&message[..whole - 4]);
        message[whole - 4..].copy_from_slice(&checksum.to_be_bytes());
        data = rest;
    }
}

/// The frames, and whether the stream was whole.
type Cut = (Vec<(String, Vec<u8>)>, bool);

fn same_in_pieces(framing: Framing, data: &[u8], seed: u8) -> Cut {
    let whole = cut(framing, &[data]);
    assert_eq!(cut(framing, &crate::pieces(data, seed)), whole);
    assert_eq!(cut(framing, &data.chunks(1).collect::<Vec<_>>()), whole);
    whole
}

fn cut(framing: Framing, pieces: &[&[u8]]) -> Cut {
    let (mut framer, mut frames) = (Framer::new(framing), Vec::new());
    let is_whole = run(&mut framer, pieces, &mut frames).is_ok();
    assert!(is_whole || !matches!(framing, Framing::Sse | Framing::JsonLines), "a small frame");
    (frames, is_whole)
}

fn run(framer: &mut Framer, pieces: &[&[u8]], frames: &mut Vec<(String, Vec<u8>)>) -> Result<(), Fault> {
    let mut take = |frame: Frame<'_>| frames.push((frame.event.to_owned(), frame.data.to_vec()));
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next()? {
            take(frame);
        }
    }
    framer.finish()?.map(take);
    Ok(())
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
    passes_in_pieces(|| Watch::new(grammar), data, seed);
    passes_in_pieces(|| Watch::of_array(Grammar::GeminiGenerate), data, seed);
}

fn passes_in_pieces(new: impl Fn() -> Watch, data: &[u8], seed: u8) {
    let whole = pass(new(), &[data]);
    assert_eq!([whole.0.as_slice(), &whole.1].concat(), data);
    assert_eq!(pass(new(), &crate::pieces(data, seed)), whole);
    assert_eq!(pass(new(), &data.chunks(1).collect::<Vec<_>>()), whole);
}

type Passed = (Vec<u8>, Vec<u8>, Option<Ending>, bool);

fn pass(mut watch: Watch, pieces: &[&[u8]]) -> Passed {
    let (mut passed, mut rest) = (Vec::new(), Vec::new());
    for piece in pieces {
        rest.extend_from_slice(piece);
        // What is no array fails where it ceases to be one. Events are small here.
        let scanned = watch.scan(&rest);
        assert!(scanned.is_ok() || watch.is_array(), "a small event");
        passed.extend(rest.drain(..scanned.unwrap_or_default()));
    }
    let ending = watch.ending(&rest).ok();
    (passed, rest, ending, watch.ended())
}
