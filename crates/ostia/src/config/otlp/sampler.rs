//! Which traces are told: `OTEL_TRACES_SAMPLER`, in OpenTelemetry's words
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers>).

/// Which traces are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// The part of those traces that nobody has decided about, from 0 to 1.
    ratio: f64,
    /// Whoever sent a request with a trace has decided.
    follows_parent: bool,
}

impl Default for Sampler {
    /// All that begin here, and those that their sender samples.
    fn default() -> Sampler {
        Sampler { ratio: 1.0, follows_parent: true }
    }
}

impl Sampler {
    /// By its name and argument.
    pub fn parse(name: &str, argument: Option<&str>) -> Option<Sampler> {
        let root = name.strip_prefix("parentbased_");
        let ratio = match root.unwrap_or(name) {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => {
                let ratio = argument.map_or(Ok(1.0), str::parse).ok()?;
                Some(ratio).filter(|ratio| (0.0..=1.0).contains(ratio))?
            }
            _ => return None,
        };
        Some(Sampler { ratio, follows_parent: root.is_some() })
    }

    /// Is this trace told? `by_parent`: what its sender has decided. The same trace is told by all programs with the same ratio.
    pub fn takes(self, trace_id: [u8; 16], by_parent: Option<bool>) -> bool {
        if let Some(is_sampled) = by_parent.filter(|_| self.follows_parent) {
            return is_sampled;
        }
        const BITS: u32 = 63;
        let mut low = [0; 8];
        low.copy_from_slice(&trace_id[8..]);
        let number = u64::from_be_bytes(low) >> 1;
        self.ratio >= 1.0 || (number as f64) < self.ratio * 2f64.powi(BITS as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_traces_are_told() {
        let id = |high: u8| {
            let mut id = [7; 16];
            id[8] = high;
            id
        };
        let check =
            |name: &str, argument: Option<&str>, high: u8, by_parent: Option<bool>, expected: bool| {
                let taken = Sampler::parse(name, argument).map(|sampler| sampler.takes(id(high), by_parent));
                assert_eq!(taken, Some(expected), "{name} {argument:?} {high} {by_parent:?}");
            };
        check("always_on", None, 255, Some(false), true);
        check("always_off", None, 0, Some(true), false);
        check("parentbased_always_on", None, 255, Some(false), false);
        check("parentbased_always_on", None, 255, None, true);
        check("parentbased_always_off", None, 255, Some(true), true);
        check("traceidratio", Some("0.5"), 100, None, true);
        check("traceidratio", Some("0.5"), 200, None, false);
        check("traceidratio", Some("0.5"), 200, Some(true), false);
        check("parentbased_traceidratio", Some("0"), 0, None, false);
        check("parentbased_traceidratio", None, 255, None, true);
        for (name, argument) in
            [("jaeger_remote", None), ("traceidratio", Some("2")), ("traceidratio", Some("x"))]
        {
            assert_eq!(Sampler::parse(name, argument), None, "{name}");
        }
    }
}
