#![allow(clippy::unwrap_used)]

use super::*;
use crate::Block;
use crate::test_support::{END, begin, call, choice, fold, more, say, start, stop};

/// A choice of these blocks and this reason ends for another, with these arguments of its last call: as a whole and in a
/// stream, told at once or event by event.
#[track_caller]
fn check(blocks: &[Block], finish: Finish, expected: Finish, arguments: &str) {
    let mut whole = Response { choices: vec![choice(blocks.to_vec(), finish)], ..Response::default() };
    response(&mut whole);
    let said = |choice: &Choice| {
        let mut calls = choice.blocks.iter().filter_map(|block| match &block.content {
            Content::ToolCall { arguments, .. } => Some(arguments.clone()),
            _ => None,
        });
        (choice.finish, calls.next_back().unwrap_or_default())
    };
    assert_eq!(said(&whole.choices[0]), (expected, arguments.to_owned()), "{blocks:?}");
    let mut told = vec![start()];
    for block in blocks {
        let mut block = block.clone();
        let delta = match &mut block.content {
            Content::ToolCall { arguments, .. } => more(Delta::Arguments(std::mem::take(arguments))),
            _ => say(""),
        };
        told.extend([begin(block), delta, END]);
    }
    told.extend([stop(0, finish), Event::Finish]);
    // The end of the last block and of the choice come together where a format has no ends of blocks.
    let (head, tail) = told.split_at(told.len() - 3);
    let (mut stream, mut events) = (Stream::default(), Vec::new());
    for batch in head.chunks(1).chain([tail]) {
        let from = events.len();
        events.extend_from_slice(batch);
        stream.events(&mut events, from);
    }
    assert_eq!(said(&fold(&events).choices[0]), (expected, arguments.to_owned()), "{blocks:?}");
}

#[test]
fn the_reason_fits_the_content() {
    let words = || Block::text("a");
    let calls = || call("c", "f", "{\"x\":1}");
    for (finish, without, with) in [
        (Finish::Stop, Finish::Stop, Finish::ToolCalls),
        (Finish::ToolCalls, Finish::Stop, Finish::ToolCalls),
        (Finish::Length, Finish::Length, Finish::Length),
        (Finish::ContentFilter, Finish::ContentFilter, Finish::ContentFilter),
        (Finish::Refusal, Finish::Refusal, Finish::Refusal),
        (Finish::Pause, Finish::Pause, Finish::Pause),
    ] {
        check(&[], finish, without, "");
        check(&[words()], finish, without, "");
        check(&[words(), calls()], finish, with, "{\"x\":1}");
        check(&[calls(), words()], finish, with, "{\"x\":1}");
    }
}

#[test]
fn a_call_without_arguments_has_empty_ones() {
    let custom = |input: &str| {
        let (id, name, arguments) = ("c".to_owned(), "f".to_owned(), input.to_owned());
        Block::new(Content::ToolCall { id, name, arguments, kind: ToolKind::Custom })
    };
    check(&[call("c", "f", "")], Finish::ToolCalls, Finish::ToolCalls, "{}");
    check(&[call("b", "f", ""), call("c", "f", "")], Finish::Stop, Finish::ToolCalls, "{}");
    check(&[call("c", "f", "{\"x")], Finish::Length, Finish::Length, "{\"x");
    check(&[custom("")], Finish::ToolCalls, Finish::ToolCalls, "");
    // Cut off before its arguments.
    check(&[call("c", "f", "")], Finish::Length, Finish::Length, "");
    check(&[call("c", "f", ""), Block::text("a")], Finish::Length, Finish::Length, "{}");
}

#[test]
fn choices_are_mended_each_by_itself() {
    let other = |event: Event| match event {
        Event::BlockStart { block, .. } => Event::BlockStart { choice: 1, block },
        Event::BlockEnd { .. } => Event::BlockEnd { choice: 1 },
        event => event,
    };
    let call = || begin(call("c", "f", " "));
    let mut events = vec![start(), other(call()), begin(Block::text("a")), other(END), END];
    events.extend([stop(0, Finish::Stop), stop(1, Finish::Stop), Event::Finish]);
    Stream::default().events(&mut events, 0);
    let choices = fold(&events).choices;
    assert_eq!([choices[0].finish, choices[1].finish], [Finish::Stop, Finish::ToolCalls]);
    assert_eq!(choices[1].blocks, [crate::test_support::call("c", "f", " {}")]);
}
