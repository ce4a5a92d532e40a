//! A request as it is added up where nobody keeps sums of what is asked for.

use crate::price;
use crate::summary::{self, Sums};

/// What of a request is added up, each from the column of its name.
#[derive(Debug)]
pub(crate) struct Counted<'r> {
    pub(crate) status: u64,
    pub(crate) end: Option<&'r str>,
    pub(crate) duration_us: u64,
    pub(crate) first_token_us: Option<u64>,
    pub(crate) attempts: u64,
    pub(crate) failed_attempts: u64,
    pub(crate) prompt_tokens: u64,
    pub(crate) completion_tokens: u64,
    pub(crate) cached_tokens: u64,
    pub(crate) reasoning_tokens: u64,
    pub(crate) unpriced: u64,
    pub(crate) costs: Option<&'r str>,
}

/// These columns, in this order.
pub(crate) const COUNTED: &str = "status, \"end\", duration_us, first_token_us, attempts, failed_attempts, prompt_tokens, \
                                  completion_tokens, cached_tokens, reasoning_tokens, unpriced, costs";

impl Counted<'_> {
    /// Adds it to sums.
    pub(crate) fn add_to(&self, sums: &mut Sums) {
        let (is_left, is_whole) = (self.end == Some("client_left"), self.end == Some("whole"));
        sums.requests += 1;
        sums.left += u64::from(is_left);
        sums.failed += u64::from(!is_left && (self.status >= 400 || !is_whole));
        sums.duration_us = sums.duration_us.saturating_add(self.duration_us);
        sums.durations.add(self.duration_us);
        self.first_token_us.into_iter().for_each(|time| sums.first_tokens.add(time));
        sums.attempts += self.attempts;
        sums.failed_attempts += self.failed_attempts;
        let add = |own: &mut u64, more: u64| *own = own.saturating_add(more);
        add(&mut sums.prompt_tokens, self.prompt_tokens);
        add(&mut sums.completion_tokens, self.completion_tokens);
        add(&mut sums.cached_tokens, self.cached_tokens);
        add(&mut sums.reasoning_tokens, self.reasoning_tokens);
        sums.unpriced += self.unpriced;
        for (currency, atto, is_estimated) in self.costs.into_iter().flat_map(price::costs) {
            summary::add(&mut sums.cost, currency, atto);
            if is_estimated {
                summary::add(&mut sums.estimated, currency, atto);
            }
        }
    }
}
