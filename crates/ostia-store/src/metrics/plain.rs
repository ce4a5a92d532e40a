//! OpenMetrics' text form in Prometheus's older one (<https://prometheus.io/docs/instrumenting/exposition_formats/>), which many tools
//! read still: counters are named as their samples are, there are no units, and no end.

/// The same in the older form ([`PLAIN_METRICS_MEDIA_TYPE`](super::PLAIN_METRICS_MEDIA_TYPE)).
pub fn plain(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            // How it is named, its type says, which comes behind.
            help = rest.split_once(' ');
            continue;
        }
        let of_type = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '));
        let Some((name, kind)) = of_type else {
            told.push_str(line);
            told.push('\n');
            continue;
        };
        let suffix = if kind == "counter" { "_total" } else { "" };
        if let Some((_, words)) = help.take().filter(|(of, _)| *of == name) {
            told.push_str(&format!("# HELP {name}{suffix} {words}\n"));
        }
        told.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_as_their_samples_are() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected);
        check("# EOF\n", "");
        check(
            "# HELP calls How often.\n# TYPE calls counter\ncalls_total{of=\"# EOF\"} 1\n# EOF\n",
            "# HELP calls_total How often.\n# TYPE calls_total counter\ncalls_total{of=\"# EOF\"} 1\n",
        );
        check(
            "# HELP took_seconds How long.\n# TYPE took_seconds histogram\n# UNIT took_seconds seconds\ntook_seconds_sum 1\n",
            "# HELP took_seconds How long.\n# TYPE took_seconds histogram\ntook_seconds_sum 1\n",
        );
        check("# TYPE a gauge\na 1\n", "# TYPE a gauge\na 1\n");
    }
}
