//! A histogram of durations: exact below 128 ns, within 0.8 % above, of fixed size.
//!
//! Each power of two is cut into 128 equal buckets (log-linear), so that a p99 of 80 us and one of
//! 80 ms are equally exact and recording costs a shift and an add.

use serde::{Deserialize, Serialize};

/// Buckets in each power of two, as an exponent.
const CUT_BITS: u32 = 7;
const CUT: usize = 1 << CUT_BITS;
/// Values of 2^40 ns (18 minutes) and more share the last bucket.
const VALUE_BITS_MAX: u32 = 40;
const BUCKETS: usize = (VALUE_BITS_MAX - CUT_BITS + 1) as usize * CUT;

/// Counts of durations in nanoseconds.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
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

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], count: 0, max_ns: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, value_ns: u64) {
        if let Some(bucket) = self.counts.get_mut(bucket_of(value_ns)) {
            *bucket += 1;
            self.count += 1;
            self.max_ns = self.max_ns.max(value_ns);
        }
    }

    /// How many durations were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The duration that a share `quantile` (0 to 1) of all is not above; 0 when nothing was recorded.
    #[must_use]
    pub fn quantile_ns(&self, quantile: f64) -> u64 {
        let rank = ((self.count as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return middle_of(bucket).min(self.max_ns);
            }
        }
        self.max_ns
    }

    /// The share (0 to 1) of durations in buckets above the one that holds `limit_ns`.
    #[must_use]
    pub fn share_above(&self, limit_ns: u64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let above: u64 = self.counts.iter().skip(bucket_of(limit_ns) + 1).sum();
        above as f64 / self.count as f64
    }

    /// The usual quantiles, or nothing where nothing was recorded.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        if self.count == 0 {
            return None;
        }
        let us = |quantile| self.quantile_ns(quantile) as f64 / 1e3;
        Some(Quantiles {
            count: self.count,
            p50_us: us(0.5),
            p90_us: us(0.9),
            p99_us: us(0.99),
            p999_us: us(0.999),
            max_us: self.max_ns as f64 / 1e3,
        })
    }
}

/// The lowest `CUT` values have a bucket each; above, the leading `CUT_BITS + 1` bits choose it.
fn bucket_of(value_ns: u64) -> usize {
    let value = value_ns.min((1 << VALUE_BITS_MAX) - 1);
    let bits = u64::BITS - value.leading_zeros();
    let shift = bits.saturating_sub(CUT_BITS + 1);
    shift as usize * CUT + (value >> shift) as usize
}

/// The value in the middle of a bucket: the inverse of [`bucket_of`].
fn middle_of(bucket: usize) -> u64 {
    if bucket < 2 * CUT {
        return bucket as u64;
    }
    let shift = (bucket / CUT - 1) as u32;
    let low = ((bucket % CUT + CUT) as u64) << shift;
    low + (1 << shift) / 2
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
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
        assert_eq!(Histogram::default().share_above(1), 0.0);
    }

    #[test]
    fn nothing_recorded_has_no_quantiles() {
        assert_eq!(Histogram::default().quantiles(), None);
    }

    #[test]
    fn a_value_beyond_the_range_is_kept_as_the_maximum() {
        let histogram = of([u64::MAX]);
        assert_eq!(histogram.count(), 1);
        assert_eq!(histogram.quantiles().unwrap().max_us, u64::MAX as f64 / 1e3);
    }

    proptest! {
        #[test]
        fn a_bucket_is_within_a_hundredth(value in 0_u64..(1 << VALUE_BITS_MAX)) {
            let middle = middle_of(bucket_of(value));
            prop_assert!(middle.abs_diff(value) as f64 <= value as f64 * 0.008);
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
