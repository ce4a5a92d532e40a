use proptest::prelude::*;

use super::results_behind_calls;
use crate::test_support::turn;
use crate::{Block, Content, Message, Role, ToolKind};

/// A message in short: `a c1 c2` calls, `t c1` answers, `u` and `s` speak, `a` says words.
fn message(short: &str) -> Message {
    let mut words = short.split(' ');
    let role = words.next().unwrap_or_default();
    let (id, name) = (|id: &str| id.to_owned(), "f".to_owned());
    let blocks = words.map(|call| {
        Block::new(match role {
            "a" => Content::ToolCall {
                id: id(call),
                name: name.clone(),
                arguments: String::new(),
                kind: ToolKind::Function,
            },
            _ => Content::ToolResult { id: id(call), name: None, content: Vec::new(), is_error: false },
        })
    });
    let mut blocks: Vec<Block> = blocks.collect();
    let role = match role {
        "a" => Role::Assistant,
        "t" => Role::Tool,
        "s" => Role::System,
        _ => Role::User,
    };
    if blocks.is_empty() {
        blocks.push(Block::text("words"));
    }
    turn(role, blocks)
}

#[test]
fn results_stand_behind_their_calls() {
    let cases: [(&[&str], &[usize]); 12] = [
        (&["s", "u", "a"], &[0, 1, 2]),
        (&["u", "a c1 c2", "t c1", "t c2", "u"], &[0, 1, 2, 3, 4]),
        (&["u", "a c1 c2", "t c1", "u", "t c2"], &[0, 1, 2, 4, 3]),
        (&["u", "a c1 c2", "t c1", "s", "u", "t c2"], &[0, 1, 2, 5, 3, 4]),
        (&["a c1", "a c2", "u", "t c2", "t c1"], &[0, 1, 3, 4, 2]),
        (&["a c1 c2", "t c1", "a", "t c2"], &[0, 2, 1, 3]),
        (&["a c1 c2", "t c1", "a c3", "t c3", "t c2"], &[0, 2, 1, 3, 4]),
        (&["a c1", "u", "a", "u", "t c1"], &[0, 4, 1, 2, 3]),
        (&["a c1", "t c1", "a c2", "t c2", "a"], &[0, 1, 2, 3, 4]),
        (&["t c9", "u", "t c8"], &[0, 1, 2]),
        (&["a c1 c2 c3", "t c1", "a", "t c2", "a c4", "t c3", "t c4", "u"], &[0, 2, 4, 1, 3, 5, 6, 7]),
        (&["a c1", "u", "a c2", "u", "t c2", "t c1"], &[0, 5, 1, 2, 4, 3]),
    ];
    for (short, order) in cases {
        let messages: Vec<Message> = short.iter().map(|short| message(short)).collect();
        assert_eq!(results_behind_calls(&messages), order, "{short:?}");
    }
}

proptest! {
    /// Nothing is lost, and every result stands in the run of results behind its call.
    #[test]
    fn any_order(kinds in prop::collection::vec((0..5_u8, 1..3_usize), 0..12)) {
        let (mut shorts, mut open, mut made): (Vec<String>, Vec<String>, usize) = (Vec::new(), Vec::new(), 0);
        for (kind, count) in kinds {
            match kind {
                0 => shorts.push("u".to_owned()),
                1 => shorts.push("a".to_owned()),
                2 => {
                    let ids: Vec<String> = (0..count).map(|more| format!("c{}", made + more)).collect();
                    made += count;
                    shorts.push(format!("a {}", ids.join(" ")));
                    open.extend(ids);
                }
                _ if open.is_empty() => {}
                3 => shorts.push(format!("t {}", open.remove(0))),
                _ => shorts.push(format!("t {}", open.pop().unwrap_or_default())),
            }
        }
        let messages: Vec<Message> = shorts.iter().map(|short| message(short)).collect();
        let order = results_behind_calls(&messages);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..messages.len()).collect::<Vec<_>>());
        let told: Vec<&str> = order.iter().map(|&place| shorts[place].as_str()).collect();
        for (at, short) in told.iter().enumerate() {
            let Some(id) = short.strip_prefix("t ") else { continue };
            let before = told[..at].iter().rev().skip_while(|short| short.starts_with('t'));
            let mut run = before.take_while(|short| short.starts_with('a'));
            prop_assert!(run.any(|short| short.split(' ').any(|call| call == id)), "{:?}", told);
        }
    }
}
