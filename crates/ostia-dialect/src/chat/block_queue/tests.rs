#![allow(clippy::unwrap_used, clippy::panic)]

mod interleaved;

use super::*;

#[test]
fn blocks_take_turns_in_the_order_of_their_beginning() {
    let mut queue: BlockQueue<u8, &str> = BlockQueue::default();
    queue.begin(0);
    for (block, said) in [(2, "c"), (1, "a"), (2, "d"), (1, "b")] {
        queue.wait(block, said, 1).unwrap();
    }
    assert!(queue.is_awaited() && queue.waits(1) && !queue.waits(0));
    assert_eq!(queue.next(), None, "the first is open");
    queue.end();
    assert_eq!(queue.next(), Some((2, vec!["c", "d"])));
    assert_eq!((queue.open(), queue.next()), (Some(2), None));
    queue.end();
    assert_eq!(queue.next(), Some((1, vec!["a", "b"])));
    queue.end();
    assert!(queue.next().is_none() && !queue.is_awaited());
}

#[test]
fn what_waits_is_bounded() {
    let mut queue: BlockQueue<usize, ()> = BlockQueue::default();
    queue.begin(0);
    queue.wait(1, (), WAITING_BYTES_MAX).unwrap();
    assert_eq!(queue.wait(1, (), 1).unwrap_err().status, 502);
    let mut queue: BlockQueue<usize, ()> = BlockQueue::default();
    let ended = (0..=WAITING_BLOCKS_MAX).try_for_each(|block| queue.wait(block, (), 1));
    assert_eq!(ended.unwrap_err().status, 502);
}
