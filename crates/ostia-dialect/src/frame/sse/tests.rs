#![allow(clippy::unwrap_used)]

use super::{FRAME_BYTES_MAX, Framer};
use proptest::prelude::*;

type Event = (String, String);

fn drain(framer: &mut Framer, events: &mut Vec<Event>) {
    while let Some(frame) = framer.next().unwrap() {
        events.push((frame.event.into(), String::from_utf8_lossy(frame.data).into()));
    }
}

fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let (mut framer, mut events) = (Framer::default(), Vec::new());
    for piece in pieces {
        framer.push(piece);
        drain(&mut framer, &mut events);
    }
    if let Some(frame) = framer.finish().unwrap() {
        events.push((frame.event.into(), String::from_utf8_lossy(frame.data).into()));
    }
    events
}

/// The same events for the bytes in one piece, in any two, and byte by byte.
fn check(bytes: &str, expected: &[(&str, &str)]) {
    let bytes = bytes.as_bytes();
    let expected: Vec<Event> = expected.iter().map(|(e, d)| (e.to_string(), d.to_string())).collect();
    for cut in 0..=bytes.len() {
        assert_eq!(frames([&bytes[..cut], &bytes[cut..]]), expected, "cut at {cut}");
    }
    assert_eq!(frames(bytes.chunks(1)), expected);
}

#[test]
fn framing() {
    check("data: a\n\ndata: b\n\n", &[("", "a"), ("", "b")]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &[("", "a"), ("", "b")]);
    check("data: a\r\rdata: b\r\r", &[("", "a"), ("", "b")]);
    check("event: ping\ndata: {}\n\n", &[("ping", "{}")]);
    check(": comment\n\n:\n\ndata:no space\n\n", &[("", "no space")]);
    check("data: one\ndata:  two\ndata\n\n", &[("", "one\n two\n")]);
    check("id: 7\nretry: 10\nunknown\nevent: lost\n\ndata: x\n\n", &[("", "x")]);
    check("\u{feff}data: marked\n\n", &[("", "marked")]);
    check("data: ä🦀\n\n", &[("", "ä🦀")]);
    check("data: unfinished", &[("", "unfinished")]);
    check("data: unfinished\n", &[("", "unfinished")]);
    check("data: whole\n\nevent: only", &[("", "whole")]);
    check("", &[]);
    check("\n\n\r\n", &[]);
    check("data:\n\n", &[("", "")]);
}

#[test]
fn a_frame_cannot_grow_without_bound() {
    let mut framer = Framer::default();
    let piece = vec![b'x'; 1 << 20];
    framer.push(b"data: ");
    let refused = (0..=FRAME_BYTES_MAX >> 20).any(|_| {
        framer.push(&piece);
        framer.next().is_err()
    });
    assert!(refused);
}

proptest! {
    #[test]
    fn every_split_gives_the_same_frames(
        bytes in prop::collection::vec(prop::sample::select(b"data: event:x\r\n\r\n\n:\xc3\xa4".to_vec()), 0..80),
        cuts in prop::collection::vec(0usize..80, 0..6),
    ) {
        let whole = frames([bytes.as_slice()]);
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut <= bytes.len()).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        prop_assert_eq!(frames(cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]])), whole);
    }
}
