//! Numbers between their bounds.

use super::Limits;
use crate::json::Json;
use crate::{Request, Sampling};

/// The bounds of a number, both taken, in hundredths: so they are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub min_hundredths: i64,
    /// The most; `None` where no bound is known.
    pub max_hundredths: Option<i64>,
}

impl Range {
    /// From so many hundredths to so many.
    pub const fn of(min: i64, max: i64) -> Range {
        Range { min_hundredths: min, max_hundredths: Some(max) }
    }

    /// From so many hundredths on.
    pub const fn from(min: i64) -> Range {
        Range { min_hundredths: min, max_hundredths: None }
    }

    /// From one number to another; two decimals count.
    pub fn between(least: f64, most: f64) -> Range {
        let hundredths = |number: f64| (number * 100.0).round() as i64;
        Range::of(hundredths(least), hundredths(most))
    }

    /// The bound that a number is beyond, in hundredths.
    fn passed(&self, number: &Json) -> Option<i64> {
        let value: f64 = number.as_str().parse().ok()?;
        let hundredths = value * 100.0;
        match self.max_hundredths {
            _ if hundredths < self.min_hundredths as f64 => Some(self.min_hundredths),
            Some(max) if hundredths > max as f64 => Some(max),
            _ => None,
        }
    }
}

/// Moves every number to the bound that it is beyond, and reports it.
pub(super) fn apply(request: &mut Request, limits: &Limits, dropped: &mut Vec<String>) {
    let Sampling { temperature, top_p, top_k, presence_penalty, frequency_penalty, seed, max_tokens, .. } =
        &mut request.sampling;
    let numbers = [
        ("temperature", temperature, limits.temperature),
        ("top_p", top_p, limits.top_p),
        ("presence_penalty", presence_penalty, limits.penalties),
        ("frequency_penalty", frequency_penalty, limits.penalties),
    ];
    for (name, number, limit) in numbers {
        let passed = number.as_ref().zip(limit).and_then(|(number, limit)| limit.takes.passed(number));
        if let Some(bound) = passed {
            *number = Some(json(bound));
            dropped.push(name.to_owned());
        }
    }
    if let Some((number, limit)) = top_k.as_ref().zip(limits.top_k)
        && let Some(bound) = limit.takes.passed(number)
    {
        *top_k = (bound != limit.takes.min_hundredths).then(|| json(bound));
        dropped.push("top_k".to_owned());
    }
    if let Some(((min, max), number)) = limits.seed.map(|limit| limit.takes).zip(seed.as_mut())
        && let Ok(value) = number.as_str().parse::<i128>()
    {
        let (min, max) = (i128::from(min), i128::from(max));
        if value < min || value > max {
            let folded = min + (value - min).rem_euclid(max - min + 1);
            *number = Json::build(|w| w.raw(&folded.to_string()));
        }
    }
    if let Some((tokens, limit)) = max_tokens.as_mut().zip(limits.output_tokens_min)
        && *tokens < limit.takes
    {
        *tokens = limit.takes;
        dropped.push("max_completion_tokens".to_owned());
    }
}

fn json(hundredths: i64) -> Json {
    Json::build(|w| w.raw(&decimal(hundredths)))
}

/// A number of hundredths, as short as it can be said.
fn decimal(hundredths: i64) -> String {
    let (whole, part) = (hundredths.abs() / 100, hundredths.abs() % 100);
    let sign = if hundredths < 0 { "-" } else { "" };
    match part {
        0 => format!("{sign}{whole}"),
        part if part % 10 == 0 => format!("{sign}{whole}.{}", part / 10),
        part => format!("{sign}{whole}.{part:02}"),
    }
}
