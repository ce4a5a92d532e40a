//! A histogram of durations: exact below 256 ns, within 0.8 % above, of fixed size.

use std::io;

use serde::{Deserialize, Serialize};

/// Longer durations (18 minutes) are counted as this one.
const VALUE_NS_MAX: u64 = (1 << 40) - 1;
/// Decimal digits that are kept of a duration.
const DIGITS: u8 = 2;

/// Counts of durations in nanoseconds.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: hdrhistogram::Histogram<u64>,
    /// Exactly.
    max_ns: u64,
}

/// What is told of a histogram. Microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many durations.
    pub count: u64,
    /// The median.
    pub p50_us: f64,
    /// Nine of ten are not longer.
    pub p90_us: f64,
    /// 99 of 100 are not longer.
    pub p99_us: f64,
    /// 999 of 1000 are not longer.
    pub p999_us: f64,
    /// The longest, exactly.
    pub max_us: f64,
}

impl Histogram {
    /// Without any durations.
    ///
    /// # Errors
    /// None: it takes the bounds above.
    pub fn new() -> io::Result<Self> {
        let counts = hdrhistogram::Histogram::new_with_max(VALUE_NS_MAX, DIGITS).map_err(io::Error::other)?;
        Ok(Self { counts, max_ns: 0 })
    }

    /// Counts one duration.
    pub fn record(&mut self, value_ns: u64) {
        self.counts.saturating_record(value_ns);
        self.max_ns = self.max_ns.max(value_ns);
    }

    /// How many durations were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.len()
    }

    /// The duration that a share `quantile` (0 to 1) of all is not above; 0 when nothing was recorded.
    #[must_use]
    pub fn quantile_ns(&self, quantile: f64) -> u64 {
        let value_ns = self.counts.value_at_quantile(quantile);
        self.counts.median_equivalent(value_ns).min(self.max_ns)
    }

    /// The share (0 to 1) of durations that are longer than `limit_ns`, as far as they can be told from it.
    #[must_use]
    pub fn share_above(&self, limit_ns: u64) -> f64 {
        let above = self.counts.len() - self.counts.count_between(0, limit_ns);
        above as f64 / self.counts.len().max(1) as f64
    }

    /// The usual quantiles, or nothing where nothing was recorded.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        if self.counts.is_empty() {
            return None;
        }
        let us = |quantile| self.quantile_ns(quantile) as f64 / 1e3;
        Some(Quantiles {
            count: self.counts.len(),
            p50_us: us(0.5),
            p90_us: us(0.9),
            p99_us: us(0.99),
            p999_us: us(0.999),
            max_us: self.max_ns as f64 / 1e3,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new().unwrap();
        values.into_iter().for_each(|value| histogram.record(value));
        histogram
    }

    #[test]
    fn small_values_are_exact() {
        let histogram = of(1..=100);
        assert_eq!(histogram.quantile_ns(0.5), 50);
        assert_eq!(histogram.quantile_ns(0.99), 99);
        assert_eq!(histogram.quantile_ns(1.0), 100);
        assert_eq!(histogram.quantile_ns(0.0), 1);
    }

    #[test]
    fn shares_above_a_limit() {
        let histogram = of((0..90).map(|_| 100_000).chain((0..10).map(|_| 41_000_000)));
        assert!((histogram.share_above(35_000_000) - 0.1).abs() < 1e-9);
        assert_eq!(histogram.share_above(50_000_000), 0.0);
        assert_eq!(of([]).share_above(1), 0.0);
    }

    #[test]
    fn nothing_recorded_has_no_quantiles() {
        assert_eq!(of([]).quantiles(), None);
    }

    #[test]
    fn a_value_beyond_the_range_is_kept_as_the_maximum() {
        let histogram = of([u64::MAX]);
        assert_eq!(histogram.count(), 1);
        assert_eq!(histogram.quantiles().unwrap().max_us, u64::MAX as f64 / 1e3);
    }

    proptest! {
        #[test]
        fn a_bucket_is_within_a_hundredth(value in 0..=VALUE_NS_MAX) {
            let told = of([value, VALUE_NS_MAX]).quantile_ns(0.5);
            prop_assert!(told.abs_diff(value) as f64 <= value as f64 * 0.008);
        }

        #[test]
        fn quantiles_match_a_sorted_list(mut values in prop::collection::vec(0_u64..10_000_000, 1..400)) {
            let histogram = of(values.iter().copied());
            values.sort_unstable();
            for quantile in [0.5, 0.9, 0.99] {
                let rank = ((values.len() as f64 * quantile).ceil() as usize).max(1) - 1;
                let exact = values[rank] as f64;
                let told = histogram.quantile_ns(quantile) as f64;
                prop_assert!((told - exact).abs() <= exact * 0.008 + 1.0);
            }
        }
    }
}
