//! Files at addresses in what a request says, fetched for providers that take bytes only.
//!
//! Whoever wrote such an address may be anybody, so all that is fetched is bounded (`media` in ostia.yaml), every hop passes the
//! egress guard, nothing of the request goes along, and what the client hears of a failure tells nothing of hosts that are not
//! public. Each address is fetched once for a request, however many targets are asked.

pub mod address;
mod transfer;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ostia_dialect::remote::Remote;
use ostia_dialect::{File, Files, Unfetched};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::core::Core;
use crate::fetch::transfer::Transfer;

/// Most files that are fetched at once for one request.
const REQUEST_FETCHES_MAX: usize = 4;

/// What came of one address.
type Outcome = Result<Arc<File>, Unfetched>;

/// The files of one request so far.
#[derive(Debug, Default)]
pub struct Fetched {
    /// By address. Whoever asks first fetches it, and others wait.
    files: RefCell<HashMap<String, Rc<OnceCell<Outcome>>>>,
    /// Bytes of all of them.
    bytes: Cell<usize>,
}

/// The files at these addresses, or why they are not to be had. All of it takes no longer than `total`.
pub async fn all(core: &Core, fetched: &Fetched, remotes: &[Remote], total: Duration) -> Files {
    let media = &core.settings.media;
    if let Some(why) = refusal(core, fetched, remotes) {
        return remotes.iter().map(|remote| (remote.url.clone(), Err(unfetched(&why)))).collect();
    }
    let now = Instant::now();
    let (due, end) = (now + media.timeout, now + total);
    let room = Semaphore::new(REQUEST_FETCHES_MAX);
    let each = remotes.iter().map(|Remote { url, .. }| {
        let cell = fetched.cell(url);
        let fetch = async {
            // Both are closed by nobody.
            let _room = (room.acquire().await, core.fetches.acquire().await);
            Transfer { core, due, total: &fetched.bytes }.file(url).await.map(Arc::new)
        };
        let timed = async { timeout_at(due, fetch).await.unwrap_or_else(|_| Err(late(media.timeout))) };
        // Where the call has less time than files have, nothing is known of the file: another target may have more.
        async move {
            match timeout_at(end, cell.get_or_init(|| timed)).await {
                Ok(outcome) => outcome.clone(),
                Err(_) => Err(unfetched("was not there before the time of the call was over")),
            }
        }
    });
    let outcomes = join(each.collect()).await;
    remotes.iter().map(|remote| remote.url.clone()).zip(outcomes).collect()
}

/// Why nothing at all is fetched.
fn refusal(core: &Core, fetched: &Fetched, remotes: &[Remote]) -> Option<String> {
    let media = &core.settings.media;
    if !media.fetch {
        return Some(
            "would have to be fetched for this provider, which the gateway may not do (media.fetch): send the bytes in \
             base64"
                .to_owned(),
        );
    }
    let known = fetched.files.borrow();
    let all = known.len() + remotes.iter().filter(|remote| !known.contains_key(&remote.url)).count();
    (all > media.files).then(|| {
        format!(
            "is one of {all} at addresses, and the gateway fetches {} for a request at most (media.files)",
            media.files
        )
    })
}

fn late(after: Duration) -> Unfetched {
    unfetched(&format!("was not there within {} ms (media.timeout)", after.as_millis()))
}

fn unfetched(why: &str) -> Unfetched {
    Unfetched { why: why.to_owned(), detail: None }
}

impl Fetched {
    fn cell(&self, url: &str) -> Rc<OnceCell<Outcome>> {
        self.files.borrow_mut().entry(url.to_owned()).or_default().clone()
    }
}

/// The outputs of all of these, in their order.
async fn join<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut open: Vec<_> = futures.into_iter().map(|future| (Some(Box::pin(future)), None)).collect();
    poll_fn(|context| {
        for (future, output) in &mut open {
            let Some(running) = future else { continue };
            if let Poll::Ready(ready) = Pin::as_mut(running).poll(context) {
                (*future, *output) = (None, Some(ready));
            }
        }
        match open.iter().all(|(future, _)| future.is_none()) {
            true => Poll::Ready(open.iter_mut().filter_map(|(_, output)| output.take()).collect()),
            false => Poll::Pending,
        }
    })
    .await
}
