//! One block at a time, though a provider may say several at once.
//!
//! The hub takes one block of a choice after the other ([`crate::EventGrammar`]). The block that begins first is told as it
//! comes; what is said of blocks that begin while it is open waits here, and is told in the order in which they began
//! once it has ended. A stream that ends each block before it begins the next never waits.

use std::collections::VecDeque;

use crate::Fault;
use crate::frame::FRAME_BYTES_MAX;

/// Most bytes that wait for an earlier block to end.
pub(crate) const WAITING_BYTES_MAX: usize = FRAME_BYTES_MAX;
/// Most blocks that wait.
const WAITING_BLOCKS_MAX: usize = 4096;

/// Whose turn it is. `K` tells one block from another, `S` is a thing that is said of a block.
#[derive(Debug)]
pub(crate) struct BlockQueue<K, S> {
    open: Option<K>,
    waiting: VecDeque<(K, Vec<S>)>,
    waiting_bytes: usize,
}

impl<K, S> Default for BlockQueue<K, S> {
    fn default() -> BlockQueue<K, S> {
        BlockQueue { open: None, waiting: VecDeque::new(), waiting_bytes: 0 }
    }
}

impl<K: Copy + PartialEq, S> BlockQueue<K, S> {
    /// The block that is being told.
    pub(crate) fn open(&self) -> Option<K> {
        self.open
    }

    /// From here on this block is told.
    pub(crate) fn begin(&mut self, block: K) {
        self.open = Some(block);
    }

    /// The block that was told is whole.
    pub(crate) fn end(&mut self) {
        self.open = None;
    }

    /// Does any block wait?
    pub(crate) fn is_awaited(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many bytes wait.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Does this block wait?
    pub(crate) fn waits(&self, block: K) -> bool {
        self.waiting.iter().any(|(waiting, _)| *waiting == block)
    }

    /// Keeps what is said of a block, of this many bytes, until its turn comes.
    ///
    /// # Errors
    /// 502 where more is said than can wait.
    pub(crate) fn wait(&mut self, block: K, said: S, bytes: usize) -> Result<(), Fault> {
        self.waiting_bytes = self.waiting_bytes.saturating_add(bytes);
        if self.waiting_bytes > WAITING_BYTES_MAX {
            return Err(Fault::upstream(format!(
                "The provider sent more than {WAITING_BYTES_MAX} bytes before it ended what it had begun first."
            )));
        }
        if let Some((_, before)) = self.waiting.iter_mut().rev().find(|(waiting, _)| *waiting == block) {
            before.push(said);
            return Ok(());
        }
        if self.waiting.len() == WAITING_BLOCKS_MAX {
            return Err(Fault::upstream(format!(
                "The provider began more than {WAITING_BLOCKS_MAX} blocks before it ended the first."
            )));
        }
        self.waiting.push_back((block, vec![said]));
        Ok(())
    }

    /// The next block takes its turn, with what was said of it so far; `None` while another is told, and where none
    /// waits.
    pub(crate) fn next(&mut self) -> Option<(K, Vec<S>)> {
        if self.open.is_some() {
            return None;
        }
        let (block, said) = self.waiting.pop_front()?;
        if self.waiting.is_empty() {
            self.waiting_bytes = 0;
        }
        self.open = Some(block);
        Some((block, said))
    }
}

#[cfg(test)]
mod tests;
