#![allow(clippy::unwrap_used, clippy::panic)]

use super::Continuation;
use crate::test_support::{END, begin, say, start, stop, thought};
use crate::{Block, Content, Event, EventGrammar, Finish, Fold, ToolKind, Usage};

fn words(text: &str) -> Event {
    begin(Block::text(text))
}

fn call() -> Event {
    let content = Content::ToolCall {
        id: "c".into(),
        name: "f".into(),
        arguments: String::new(),
        kind: ToolKind::Function,
    };
    Event::BlockStart { choice: 0, block: Block::new(content) }
}

fn usage(prompt: u64, completion: u64) -> Event {
    Event::Usage(Usage { prompt, completion, ..Usage::default() })
}

/// What the client gets of a beginning and its continuation: the texts of the blocks, and the usage.
#[track_caller]
fn check(first: &[Event], rest: &[Event], beginning: &str, texts: &[&str], cost: Option<(u64, u64)>) {
    let (mut continuation, mut grammar, mut fold) =
        (Continuation::default(), EventGrammar::default(), Fold::default());
    let mut tell = |events: &[Event], continuation: &mut Continuation| {
        let mut events = events.to_vec();
        continuation.pass(&mut events);
        for event in events {
            grammar.push(&event).unwrap();
            fold.push(event);
        }
    };
    tell(first, &mut continuation);
    assert_eq!(continuation.beginning(), Some(beginning));
    continuation.go_on();
    tell(rest, &mut continuation);
    grammar.finish().unwrap();
    let response = fold.finish().unwrap();
    let said: Vec<String> = response.choices[0]
        .blocks
        .iter()
        .map(|block| match &block.content {
            Content::Text { text, .. } | Content::Reasoning(text) => text.clone(),
            Content::ToolCall { name, .. } => name.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, texts);
    assert_eq!(response.usage.map(|usage| (usage.prompt, usage.completion)), cost);
}

#[test]
fn words_go_on_where_they_were() {
    let first = [start(), words("Ro"), say("me is")];
    let rest = [start(), words(""), say(" old."), END, stop(0, Finish::Stop), usage(12, 3), Event::Finish];
    // Of the first stream only its words are known: they are counted.
    check(&first, &rest, "Rome is", &["Rome is old."], Some((12, 5)));
    let told = [start(), words("Ro"), say("me is"), usage(9, 4)];
    check(&told, &rest, "Rome is", &["Rome is old."], Some((21, 7)));
    let ended = [start(), words("Rome is"), END];
    let rest = [start(), words("old."), END, stop(0, Finish::Stop), Event::Finish];
    check(&ended, &rest, "Rome is", &["Rome is", "old."], None);
}

#[test]
fn white_space_is_said_once() {
    let first = [start(), words("Rome \n")];
    for (next, whole) in [(" is", "Rome \nis"), ("is", "Rome \nis"), (" \n\tis", "Rome \n\tis")] {
        let rest = [start(), words(next), END, stop(0, Finish::Stop), Event::Finish];
        check(&first, &rest, "Rome", &[whole], None);
    }
    let rest = [start(), words(""), say(" "), say("is"), END, stop(0, Finish::Stop), Event::Finish];
    check(&first, &rest, "Rome", &["Rome \nis"], None);
}

#[test]
fn thoughts_of_the_continuation_are_not_shown() {
    let first = [start(), begin(thought("hm")), END, words("Ro")];
    let rest = [
        start(),
        begin(thought("so")),
        say("!"),
        END,
        words("me"),
        END,
        stop(0, Finish::Stop),
        Event::Finish,
    ];
    check(&first, &rest, "Ro", &["hm", "Rome"], None);
}

#[test]
fn a_continuation_may_call_or_say_nothing() {
    let first = [start(), words("Let me see.")];
    let rest = [start(), call(), END, stop(0, Finish::Stop), Event::Finish];
    check(&first, &rest, "Let me see.", &["Let me see.", "f"], None);
    let rest = [start(), stop(0, Finish::Stop), Event::Finish];
    check(&first, &rest, "Let me see.", &["Let me see."], None);
}

#[test]
fn what_nobody_can_go_on_with() {
    let second = Event::BlockStart { choice: 1, block: Block::text("b") };
    let cases: [&[Event]; 6] = [
        &[],
        &[start(), words("")],
        &[start(), begin(thought("hm"))],
        &[start(), words("a"), END, call()],
        &[start(), words("a"), second],
        &[start(), words("a"), END, stop(0, Finish::Stop)],
    ];
    for events in cases {
        let mut continuation = Continuation::default();
        continuation.pass(&mut events.to_vec());
        assert_eq!(continuation.beginning(), None, "{events:?}");
    }
}

#[test]
fn white_space_is_counted_in_characters_and_over_every_split() {
    let rest = |texts: &[&str]| -> Vec<Event> {
        let said = texts.iter().map(|text| say(text));
        [start(), words("")]
            .into_iter()
            .chain(said)
            .chain([END, stop(0, Finish::Stop), Event::Finish])
            .collect()
    };
    check(&[start(), words("Rome ")], &rest(&["\u{a0}is"]), "Rome", &["Rome is"], None);
    for next in [&["\n\n is"][..], &["\n", "\n is"], &["\n", "\n", " is"]] {
        check(&[start(), words("Rome\n\n")], &rest(next), "Rome", &["Rome\n\n is"], None);
    }
}

#[test]
fn words_of_earlier_streams_are_counted_once() {
    let mut continuation = Continuation::default();
    continuation.pass(&mut vec![start(), words("Rome is")]);
    continuation.go_on();
    continuation.pass(&mut vec![start(), words(" old")]);
    continuation.go_on();
    let mut events = vec![start(), words("."), END, stop(0, Finish::Stop), usage(9, 1), Event::Finish];
    continuation.pass(&mut events);
    assert!(events.contains(&usage(9, 4)), "{events:?}");
}

#[test]
fn a_total_of_the_vendors_own_is_kept() {
    let mut continuation = Continuation::default();
    let spent = Usage { prompt: 5, completion: 2, total: Some(10), ..Usage::default() };
    continuation.pass(&mut vec![start(), words("Rome"), Event::Usage(spent)]);
    continuation.go_on();
    let mut events = vec![start(), words(" is."), END, stop(0, Finish::Stop), usage(6, 1), Event::Finish];
    continuation.pass(&mut events);
    let sum = Usage { prompt: 11, completion: 3, total: Some(17), ..Usage::default() };
    assert!(events.contains(&Event::Usage(sum)), "{events:?}");
}
