//! Where no records are kept and requests are counted all the same, or told on: the same queue, and a thread that keeps nothing.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::finisher::Finisher;
use crate::queue::{Queue, State, Unwritten};

/// How long the thread rests when there is nothing to do, as that of the writer does.
const REST: Duration = Duration::from_millis(20);

/// A thread that makes records and keeps none.
#[derive(Debug)]
pub struct Counter {
    queue: Queue,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Counter {
    /// Starts it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(mut finisher: Finisher) -> std::io::Result<Counter> {
        let (queue, entries) = Queue::new();
        let (stop, stopped) = channel();
        let state = queue.state();
        let run = move || run(&mut finisher, &entries, &state, &stopped);
        let thread = thread::Builder::new().name("ostia-counts".to_owned()).spawn(run)?;
        Ok(Counter { queue, stop, thread })
    }

    /// Where requests are handed over.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Counts what is there, and ends.
    pub fn finish(self) {
        drop(self.stop);
        // A panic of its own it has told by itself.
        let _ = self.thread.join();
    }
}

fn run(
    finisher: &mut Finisher,
    entries: &Receiver<Box<dyn Unwritten>>,
    state: &Arc<State>,
    stopped: &Receiver<()>,
) {
    loop {
        // Asked for before it is looked whether there is more, so that nothing that was handed over is left.
        let is_last = stopped.try_recv() == Err(TryRecvError::Disconnected);
        while let Ok(entry) = entries.try_recv() {
            let bytes = entry.bytes();
            finisher.finish(entry, state);
            state.left(1, bytes);
        }
        if is_last {
            return;
        }
        thread::sleep(REST);
    }
}
