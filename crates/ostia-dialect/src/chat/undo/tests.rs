#![allow(clippy::unwrap_used, clippy::panic)]

use super::{Arguments, HELD_BYTES_MAX, Undo};
use crate::chat::tools::client_run;
use crate::test_support::{fold, start};
use crate::{Block, Content, Delta, Dialect, Event, Finish, Signature, ToolKind};

fn tools() -> Undo {
    let mut undo = Undo::default();
    undo.own("patch").arguments = Arguments::FreeText;
    undo
}

fn call(name: &str, arguments: &str, kind: ToolKind) -> Block {
    let (name, arguments) = (name.to_owned(), arguments.to_owned());
    Block::new(Content::ToolCall { id: "c".into(), name, arguments, kind })
}

/// What models write, and the text of it.
const CALLS: &[(&str, &str)] = &[
    (r#"{"input":"a\n\"b\" \u00e9"}"#, "a\n\"b\" é"),
    (r#" { "input" : "" } "#, ""),
    ("", ""),
    ("{}", ""),
    (r#"{"input":3}"#, r#"{"input":3}"#),
    (r#"{"input":"a","note":"b"}"#, r#"{"input":"a","note":"b"}"#),
    (r#"{"patch":"a"}"#, r#"{"patch":"a"}"#),
    (r#"{"input":"cut of"#, r#"{"input":"cut of"#),
    ("plain", "plain"),
];

/// The events as the client's encoder gets them, where they come one at a time (`batch` of 1) or several at once.
fn replaced(events: &[Event], batch: usize) -> Vec<Event> {
    let (mut tools, mut out) = (tools(), Vec::new());
    for batch in events.chunks(batch) {
        let mut batch = batch.to_vec();
        tools.events(&mut batch);
        out.append(&mut batch);
    }
    assert!(tools.held.is_empty());
    out
}

/// Events of an answer whose calls come in two pieces, the second behind `at` bytes; `early` bytes come with the start.
fn stream(arguments: &str, early: usize, at: usize, choices: &[u32]) -> Vec<Event> {
    let each = |event: &dyn Fn(u32) -> Event| choices.iter().map(|&choice| event(choice)).collect::<Vec<_>>();
    let more = |choice, text: &str| Event::Delta { choice, delta: Delta::Arguments(text.to_owned()) };
    let proof = Signature { dialect: Dialect::GeminiGenerate, value: "s".into() };
    [
        vec![start()],
        each(&|choice| Event::BlockStart { choice, block: Block::text("t") }),
        each(&|choice| Event::BlockEnd { choice }),
        each(&|choice| {
            let name = if choice == 2 { "other" } else { "patch" };
            Event::BlockStart { choice, block: call(name, &arguments[..early], ToolKind::Function) }
        }),
        each(&|choice| more(choice, &arguments[early..at])),
        each(&|choice| Event::Delta { choice, delta: Delta::Signature(proof.clone()) }),
        each(&|choice| more(choice, &arguments[at..])),
        each(&|choice| Event::BlockEnd { choice }),
        each(&|choice| Event::Stop { choice, finish: Finish::ToolCalls, native: None, stop_sequence: None }),
        vec![Event::Finish],
    ]
    .concat()
}

#[test]
fn calls_get_their_text_back() {
    for (arguments, text) in CALLS {
        let whole = |choice: u32| match choice {
            2 => call("other", arguments, ToolKind::Function),
            _ => call("patch", text, ToolKind::Custom),
        };
        let cuts: Vec<usize> = arguments.char_indices().map(|(at, _)| at).chain([arguments.len()]).collect();
        for &early in &cuts {
            for &at in cuts.iter().filter(|at| **at >= early) {
                for choices in [&[0][..], &[0, 1, 2]] {
                    let events = stream(arguments, early, at, choices);
                    let mut unary = fold(&events);
                    tools().response(&mut unary);
                    for choice in &unary.choices {
                        assert_eq!(choice.blocks[1].content, whole(choice.index).content, "{arguments}");
                    }
                    for batch in [1, 2, events.len()] {
                        assert_eq!(fold(&replaced(&events, batch)), unary, "{arguments} at {early}, {at}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_call_is_announced_at_once_and_told_when_it_is_whole() {
    let told = replaced(&stream(r#"{"input":"ab"}"#, 2, 12, &[0]), 1);
    let calls: Vec<&Event> = told[3..].iter().take(4).collect();
    let text = Event::Delta { choice: 0, delta: Delta::Arguments("ab".into()) };
    assert_eq!(calls[0], &Event::BlockStart { choice: 0, block: call("patch", "", ToolKind::Custom) });
    assert!(matches!(calls[1], Event::Delta { delta: Delta::Signature(_), .. }));
    assert_eq!(calls[2..], [&text, &Event::BlockEnd { choice: 0 }]);
}

#[test]
fn what_is_too_long_to_hold_goes_on_in_json() {
    let long = format!(r#"{{"input":"{}"}}"#, "a".repeat(HELD_BYTES_MAX));
    for (early, at) in [(0, 20), (0, long.len() - 2), (long.len() - 1, long.len())] {
        let events = stream(&long, early, at, &[0]);
        let response = fold(&replaced(&events, 1));
        assert!(response.choices[0].blocks[1].content == call("patch", &long, ToolKind::Custom).content);
    }
}

#[test]
fn what_is_kept_undoes_the_same() {
    use crate::chat::tools::schema::Names;
    let mut undo = tools();
    let own = undo.own("mcp_long");
    (own.name, own.namespace) = ("mcp".to_owned(), Some("files".to_owned()));
    own.properties = Some(Names::of_pairs(vec![("a_b".to_owned(), "a.b".to_owned())]));
    undo.own("local_shell").arguments = Arguments::Item(client_run::own_tool("local_shell").unwrap());
    let kept = serde_json::from_str(&undo.kept().to_string()).unwrap();
    let back = Undo::of_kept(&kept).unwrap();
    assert_eq!(back.tools, undo.tools);
    assert!(Undo::of_kept(&serde_json::json!([])).unwrap().is_empty());
    for wrong in [
        serde_json::json!(null),
        serde_json::json!([["a"]]),
        serde_json::json!([["a", "b", null, null, "none"]]),
    ] {
        assert!(Undo::of_kept(&wrong).is_none(), "{wrong}");
    }
}
