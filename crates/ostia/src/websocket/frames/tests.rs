#![allow(clippy::unwrap_used)]
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame};

use super::*;

const BOUNDS: Bounds = Bounds { frame_bytes_max: 1000, message_bytes_max: 1500 };

/// A frame as it stands on the wire.
fn wire(sender: Sender, frame: Frame) -> Vec<u8> {
    let mut frame = frame;
    frame.header_mut().mask = (sender == Sender::Client).then_some([1, 2, 3, 4]);
    let mut bytes = Vec::new();
    frame.format(&mut bytes).unwrap();
    bytes
}

fn text(sender: Sender, content: impl Into<Vec<u8>>, is_last: bool) -> Vec<u8> {
    wire(sender, Frame::message(content.into(), OpCode::Data(Data::Text), is_last))
}

fn more(sender: Sender, content: impl Into<Vec<u8>>, is_last: bool) -> Vec<u8> {
    wire(sender, Frame::message(content.into(), OpCode::Data(Data::Continue), is_last))
}

fn close(sender: Sender) -> Vec<u8> {
    wire(sender, Frame::close(Some(CloseFrame { code: CloseCode::Normal, reason: "bye".into() })))
}

/// Shows the bytes in pieces that end at each of `cuts`, as a connection would. What passed, and why no more.
fn pass(frames: &mut Frames, bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Option<FrameFault>) {
    let (mut buffer, mut passed, mut from) = (Vec::new(), Vec::new(), 0);
    for &to in cuts.iter().chain([&bytes.len()]) {
        buffer.extend_from_slice(&bytes[from..to]);
        from = to;
        let (length, fault) = frames.pass(&buffer);
        passed.extend(buffer.drain(..length));
        if fault.is_some() {
            return (passed, fault);
        }
    }
    (passed, None)
}

/// Over every split in two, and byte by byte.
fn check(sender: Sender, bytes: &[u8], expected: usize, fault: Option<FrameFault>) {
    let each: Vec<usize> = (0..bytes.len()).collect();
    let splits = (0..=bytes.len()).map(|cut| vec![cut]).chain([each]);
    for cuts in splits {
        let mut frames = Frames::new(sender, BOUNDS, None);
        let (passed, told) = pass(&mut frames, bytes, &cuts);
        assert_eq!((passed.len(), told), (expected, fault), "{cuts:?}");
        assert_eq!(passed, &bytes[..expected]);
    }
}

#[test]
fn what_may_pass_passes_as_it_is() {
    for sender in [Sender::Client, Sender::Server] {
        let ping = wire(sender, Frame::ping(vec![7; 125]));
        let all = [
            text(sender, "hello", true),
            ping.clone(),
            text(sender, "in ", false),
            ping,
            more(sender, "", false),
            more(sender, vec![b'x'; 300], true),
            wire(sender, Frame::message(vec![0; 1000], OpCode::Data(Data::Binary), true)),
            wire(sender, Frame::pong(vec![])),
        ]
        .concat();
        check(sender, &all, all.len(), None);
    }
}

#[test]
fn nothing_passes_behind_the_end() {
    let sender = Sender::Server;
    let closed = [text(sender, "a", true), close(sender)].concat();
    let all = [closed.clone(), text(sender, "b", true)].concat();
    check(sender, &all, closed.len(), None);
    let mut frames = Frames::new(sender, BOUNDS, None);
    frames.pass(&all);
    assert!(frames.has_closed());
}

#[test]
fn what_may_not_pass() {
    let good = text(Sender::Client, "fine", true);
    let mut extended = good.clone();
    extended[0] |= 0x40;
    let mut unknown = good.clone();
    unknown[0] = 0x83;
    let mut ping_in_pieces = wire(Sender::Client, Frame::ping(vec![1]));
    ping_in_pieces[0] &= 0x7f;
    for (bad, fault) in [
        (text(Sender::Server, "x", true), UNMASKED),
        (extended, EXTENDED),
        (unknown, UNKNOWN),
        (wire(Sender::Client, Frame::ping(vec![7; 126])), LONG_CONTROL),
        (ping_in_pieces, LONG_CONTROL),
        (text(Sender::Client, vec![b'x'; 1001], true), LARGE_FRAME),
    ] {
        let all = [good.clone(), bad].concat();
        check(Sender::Client, &all, good.len(), Some(fault));
    }
    check(Sender::Server, &good, 0, Some(MASKED));
}

#[test]
fn pieces_of_a_message_count_together() {
    let sender = Sender::Client;
    let first = text(sender, vec![b'x'; 900], false);
    let all = [first.clone(), more(sender, vec![b'x'; 700], true)].concat();
    check(sender, &all, first.len(), Some(LARGE_MESSAGE));
    // Those of two messages do not.
    let two = [text(sender, vec![b'x'; 900], true), text(sender, vec![b'x'; 900], true)].concat();
    check(sender, &two, two.len(), None);
}

#[test]
fn a_frame_larger_than_can_be_is_refused_by_its_head() {
    let head = [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4];
    let mut frames = Frames::new(Sender::Client, BOUNDS, None);
    assert_eq!(frames.pass(&head), (0, Some(LARGE_FRAME)));
}

#[test]
fn whole_messages_are_looked_at() {
    const DONE: &str =
        r#"{"type":"response.done","response":{"usage":{"input_tokens":3,"output_tokens":4}}}"#;
    let sender = Sender::Server;
    let (a, b) = DONE.split_at(20);
    let all = [
        text(sender, DONE, true),
        text(sender, a, false),
        wire(sender, Frame::ping(vec![1])),
        more(sender, b, false),
        more(sender, "", true),
        // A text only: nobody reads what is no text.
        wire(sender, Frame::message(DONE.as_bytes().to_vec(), OpCode::Data(Data::Binary), true)),
    ]
    .concat();
    for cut in 0..=all.len() {
        let mut frames = Frames::new(sender, BOUNDS, Some(Observer::default()));
        pass(&mut frames, &all, &[cut]);
        let usage = frames.observer().unwrap().spent().usage().unwrap();
        assert_eq!((usage.prompt, usage.completion), (6, 8), "{cut}");
    }
}

/// Whatever comes, and however it is cut: the same passes, and it is the beginning of what came.
#[test]
fn any_bytes_in_any_pieces() {
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..2000 {
        let sender = if round % 2 == 0 { Sender::Client } else { Sender::Server };
        let mut bytes =
            [text(sender, "a", false), wire(sender, Frame::ping(vec![1])), more(sender, "b", true)].concat();
        bytes.extend((0..random.usize(..40)).map(|_| random.u8(..)));
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
        let whole = pass(&mut Frames::new(sender, BOUNDS, None), &bytes, &[]);
        let mut cuts: Vec<usize> = (0..random.usize(..6)).map(|_| random.usize(..=bytes.len())).collect();
        cuts.sort_unstable();
        let in_pieces = pass(&mut Frames::new(sender, BOUNDS, None), &bytes, &cuts);
        assert_eq!(whole, in_pieces, "{bytes:?} {cuts:?}");
        assert!(bytes.starts_with(&whole.0));
    }
}
