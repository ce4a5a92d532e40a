#![allow(clippy::unwrap_used, clippy::panic)]

mod interleaved;

use super::*;

#[test]
fn blocks_take_turns_in_the_order_of_their_beginning() {
    let mut turns: Turns<u8, &str> = Turns::default();
    turns.begin(0);
    for (block, said) in [(2, "c"), (1, "a"), (2, "d"), (1, "b")] {
        turns.wait(block, said, 1).unwrap();
    }
    assert!(turns.is_awaited() && turns.waits(1) && !turns.waits(0));
    assert_eq!(turns.next(), None, "the first is open");
    turns.end();
    assert_eq!(turns.next(), Some((2, vec!["c", "d"])));
    assert_eq!((turns.open(), turns.next()), (Some(2), None));
    turns.end();
    assert_eq!(turns.next(), Some((1, vec!["a", "b"])));
    turns.end();
    assert!(turns.next().is_none() && !turns.is_awaited());
}

#[test]
fn what_waits_is_bounded() {
    let mut turns: Turns<usize, ()> = Turns::default();
    turns.begin(0);
    turns.wait(1, (), WAITING_BYTES_MAX).unwrap();
    assert_eq!(turns.wait(1, (), 1).unwrap_err().status, 502);
    let mut turns: Turns<usize, ()> = Turns::default();
    let ended = (0..=WAITING_BLOCKS_MAX).try_for_each(|block| turns.wait(block, (), 1));
    assert_eq!(ended.unwrap_err().status, 502);
}
