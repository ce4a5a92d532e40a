//! What an answer took: tokens, and what else its vendor charges for.

use std::fmt;

use crate::json::Node;
use crate::{Meter, Metered};

/// Tokens, with one meaning for every vendor: the prompt includes cached tokens, the completion includes reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, from the cache or not.
    pub prompt: u64,
    /// Tokens written, reasoning included.
    pub completion: u64,
    /// What the vendor calls the total, where that is not the sum (Gemini counts tool prompts apart).
    pub total: Option<u64>,
    /// Of the prompt: read from the vendor's cache.
    pub cached: Option<u64>,
    /// Of the prompt: written to the vendor's cache.
    pub cache_written: Option<u64>,
    /// Of what was written to the cache: kept there for an hour.
    pub cache_written_1h: Option<u64>,
    /// Of the completion: reasoning.
    pub reasoning: Option<u64>,
    /// Of the prompt: audio.
    pub audio_prompt: Option<u64>,
    /// Of what was read from the cache: audio.
    pub cached_audio: Option<u64>,
    /// Of the completion: audio.
    pub audio_completion: Option<u64>,
    /// Of the prompt: images, where they are counted apart.
    pub image_prompt: Option<u64>,
    /// Of the completion: images.
    pub image_completion: Option<u64>,
    /// Of the completion: predicted tokens that were right.
    pub accepted_prediction: Option<u64>,
    /// Of the completion: predicted tokens that were wrong.
    pub rejected_prediction: Option<u64>,
    /// What the vendor charges for beside them.
    pub metered: Metered,
    /// The tier that it is charged at, where the count says so.
    pub tier: Option<ServiceTier>,
    /// What the vendor says that it charges.
    pub charge: Option<Charge>,
}

impl Usage {
    /// The vendor's total, or the sum.
    pub fn total(&self) -> u64 {
        self.total.unwrap_or(self.prompt.saturating_add(self.completion))
    }

    /// The same with the tools that an answer shows traces of. Where the vendor has counted its searches, those have been told.
    #[must_use]
    pub fn with_tools(self, tools: Metered) -> Usage {
        let is_counted = self.metered.count(Meter::WebSearches) > 0;
        let told = if is_counted { tools.count(Meter::WebSearches) } else { 0 };
        let tools = tools.minus(&Metered::one(Meter::WebSearches, told));
        Usage { metered: self.metered.plus(&tools), ..self }
    }

    /// What was taken behind `before`, which is counted here too.
    #[must_use]
    pub fn minus(&self, before: &Usage) -> Usage {
        let metered = self.metered.minus(&before.metered);
        Usage { tier: self.tier, metered, ..self.with(before, u64::saturating_sub) }
    }

    /// What both took.
    #[must_use]
    pub fn plus(&self, other: &Usage) -> Usage {
        let metered = self.metered.plus(&other.metered);
        Usage { tier: other.tier.or(self.tier), metered, ..self.with(other, u64::saturating_add) }
    }

    /// Each count of both. There is a charge where both tell one.
    fn with(&self, other: &Usage, count: fn(u64, u64) -> u64) -> Usage {
        let part = |a: Option<u64>, b: Option<u64>| {
            a.or(b).map(|_| count(a.unwrap_or_default(), b.unwrap_or_default()))
        };
        let prompt = count(self.prompt, other.prompt);
        let completion = count(self.completion, other.completion);
        let total = count(self.total(), other.total());
        let charge = |(a, b): (Charge, Charge)| Charge { picodollars: count(a.picodollars, b.picodollars) };
        Usage {
            prompt,
            completion,
            total: Some(total).filter(|total| *total != prompt.saturating_add(completion)),
            cached: part(self.cached, other.cached),
            cache_written: part(self.cache_written, other.cache_written),
            cache_written_1h: part(self.cache_written_1h, other.cache_written_1h),
            reasoning: part(self.reasoning, other.reasoning),
            audio_prompt: part(self.audio_prompt, other.audio_prompt),
            cached_audio: part(self.cached_audio, other.cached_audio),
            audio_completion: part(self.audio_completion, other.audio_completion),
            image_prompt: part(self.image_prompt, other.image_prompt),
            image_completion: part(self.image_completion, other.image_completion),
            accepted_prediction: part(self.accepted_prediction, other.accepted_prediction),
            rejected_prediction: part(self.rejected_prediction, other.rejected_prediction),
            metered: Metered::default(),
            tier: None,
            charge: self.charge.zip(other.charge).map(charge),
        }
    }
}

/// How fast and how surely a vendor answered, which has a price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceTier {
    /// What is paid where nothing else is asked for.
    Standard,
    /// Answers within a day.
    Batch,
    /// Answers when there is room.
    Flex,
    /// Answers ahead of others.
    Priority,
    /// Anthropic's `speed: fast`.
    Fast,
    /// One whose price only its vendor knows, such as OpenAI's `scale`.
    Other,
}

impl ServiceTier {
    /// A vendor's word: of OpenAI (<https://platform.openai.com/docs/api-reference/chat/object>), Anthropic
    /// (<https://platform.claude.com/docs/en/api/service-tiers>), Google, AWS, and Groq
    /// (<https://console.groq.com/docs/service-tiers>).
    ///
    /// ```
    /// use ostia_dialect::ServiceTier;
    /// assert_eq!(ServiceTier::named("default"), ServiceTier::Standard);
    /// assert_eq!(ServiceTier::named("scale"), ServiceTier::Other);
    /// ```
    pub fn named(word: &str) -> ServiceTier {
        match word.to_ascii_lowercase().as_str() {
            // Asked for and not told: what is the usual one then.
            "default" | "standard" | "auto" | "on_demand" => ServiceTier::Standard,
            "batch" => ServiceTier::Batch,
            "flex" => ServiceTier::Flex,
            "priority" => ServiceTier::Priority,
            "fast" => ServiceTier::Fast,
            _ => ServiceTier::Other,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            ServiceTier::Standard => "standard",
            ServiceTier::Batch => "batch",
            ServiceTier::Flex => "flex",
            ServiceTier::Priority => "priority",
            ServiceTier::Fast => "fast",
            ServiceTier::Other => "other",
        }
    }
}

/// What a vendor says that it charges for an answer, in units of 10^-12 US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// How many.
    pub picodollars: u64,
}

/// Digits behind the point of a charge.
const CHARGE_DIGITS: i32 = 12;
/// Hundredths of a dollar.
const CENT_DIGITS: i32 = 2;
/// xAI's ticks are 10^-10 dollars.
const TICK_DIGITS: i32 = 10;

impl Charge {
    /// Reads it from a count of tokens. Who writes one, and whether dollars are meant, is known of a vendor and not of a format:
    /// - `cost` of OpenRouter in dollars, to which the charge of the user's own key there is added
    ///   (<https://openrouter.ai/docs/use-cases/usage-accounting>);
    /// - `cost.total_cost` of Perplexity in dollars (<https://docs.perplexity.ai/api-reference/chat-completions-post>);
    /// - `cost_in_usd_ticks` of xAI (<https://docs.x.ai/developers/cost-tracking>).
    pub(crate) fn decode(usage: Node<'_>) -> Option<Charge> {
        // It is zero where it was not counted: nothing costs nothing there.
        if let Some(ticks) = usage.u64("cost_in_usd_ticks").filter(|ticks| *ticks > 0) {
            return Charge::scaled(u128::from(ticks), TICK_DIGITS);
        }
        let cost = usage.some("cost")?;
        let cost = Charge::decimal(cost.some("total_cost").unwrap_or(cost))?;
        let is_of_own_key = usage.some("is_byok").is_some_and(|own| own.text() == "true");
        let details = usage.some("cost_details").filter(|_| is_of_own_key);
        let of_own_key = details.and_then(|details| details.some("upstream_inference_cost"));
        let of_own_key = of_own_key.and_then(Charge::decimal).map_or(0, |charge| charge.picodollars);
        Some(Charge { picodollars: cost.picodollars.saturating_add(of_own_key) })
    }

    /// So many hundredths of a dollar, a number of JSON.
    pub(crate) fn of_cents(number: Node<'_>) -> Option<Charge> {
        Charge::shifted(number, CENT_DIGITS)
    }

    fn decimal(number: Node<'_>) -> Option<Charge> {
        Charge::shifted(number, 0)
    }

    /// A number of JSON in units of 10^-`digits` dollars, as it is written: a double would not say exactly what was said.
    fn shifted(number: Node<'_>, digits: i32) -> Option<Charge> {
        number.as_f64().filter(|number| *number >= 0.0)?;
        let (mantissa, exponent) = match number.text().split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (number.text(), 0),
        };
        let (whole, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let count: u128 = [whole, behind].concat().parse().ok()?;
        let behind = i32::try_from(behind.len()).ok()?.checked_add(digits)?;
        Charge::scaled(count, behind.checked_sub(exponent)?)
    }

    /// So many units of 10^-`digits` dollars; what is less than a unit of ours is rounded.
    fn scaled(count: u128, digits: i32) -> Option<Charge> {
        let power = CHARGE_DIGITS.checked_sub(digits)?.unsigned_abs();
        let factor = 10u128.checked_pow(power);
        let picodollars = match digits <= CHARGE_DIGITS {
            true if count == 0 => 0,
            true => count.checked_mul(factor?)?,
            // Divided by more than there is: nothing is left of it.
            false => factor.map_or(0, |factor| count.saturating_add(factor / 2) / factor),
        };
        Some(Charge { picodollars: u64::try_from(picodollars).ok()? })
    }
}

/// In dollars: `0.000103`.
impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DOLLAR: u64 = 10u64.pow(CHARGE_DIGITS.unsigned_abs());
        let (whole, behind) = (self.picodollars / DOLLAR, self.picodollars % DOLLAR);
        let behind = format!("{behind:012}");
        match behind.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            behind => write!(f, "{whole}.{behind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::json::Document;

    #[test]
    fn charges_are_read_as_they_are_written() {
        let check = |usage: &str, expected: Option<u64>| {
            let document = Document::parse(usage.as_bytes()).unwrap();
            let charge = Charge::decode(document.root());
            assert_eq!(charge.map(|charge| charge.picodollars), expected, "{usage}");
        };
        check(r#"{"cost":0.000103}"#, Some(103_000_000));
        check(r#"{"cost":8.228e-05}"#, Some(82_280_000));
        check(r#"{"cost":1.4249999999999999e-05}"#, Some(14_250_000));
        check(r#"{"cost":0}"#, Some(0));
        check(r#"{"cost":2e3}"#, Some(2_000_000_000_000_000));
        check(
            r#"{"cost":0.1,"is_byok":true,"cost_details":{"upstream_inference_cost":0.2}}"#,
            Some(300_000_000_000),
        );
        check(
            r#"{"cost":0.1,"is_byok":false,"cost_details":{"upstream_inference_cost":0.1}}"#,
            Some(100_000_000_000),
        );
        check(r#"{"cost":{"input_tokens_cost":0.1,"total_cost":0.006}}"#, Some(6_000_000_000));
        check(r#"{"cost_in_usd_ticks":37756000}"#, Some(3_775_600_000));
        // Nothing that can be counted with.
        for usage in [
            r#"{}"#,
            r#"{"cost":null}"#,
            r#"{"cost":"0.1"}"#,
            r#"{"cost":-1}"#,
            r#"{"cost":{}}"#,
            r#"{"cost":1e99}"#,
            r#"{"cost":1e2147483648}"#,
            r#"{"cost":12345678901234567890123456789012345678901}"#,
            r#"{"cost_in_usd_ticks":0}"#,
            r#"{"cost_in_usd_ticks":18446744073709551615}"#,
        ] {
            check(usage, None);
        }
        check(r#"{"cost":1e-99}"#, Some(0));
    }

    #[test]
    fn charges_are_told_in_dollars() {
        for (picodollars, expected) in
            [(0, "0"), (103_000_000, "0.000103"), (1_500_000_000_000, "1.5"), (1, "0.000000000001")]
        {
            assert_eq!(Charge { picodollars }.to_string(), expected);
        }
    }

    #[test]
    fn a_sum_has_a_charge_where_both_have() {
        let told =
            |picodollars| Usage { prompt: 1, charge: Some(Charge { picodollars }), ..Usage::default() };
        assert_eq!(told(2).plus(&told(3)), Usage { prompt: 2, ..told(5) });
        assert_eq!(told(2).plus(&Usage::default()).charge, None);
        assert_eq!(told(2).plus(&told(3)).minus(&told(2)), told(3));
    }
}
