//! What an attempt cost: its tokens times the operator's prices, or the catalogue's. Exact, and unknown where nobody says.

use std::fmt::{self, Debug};
use std::sync::Arc;

use ostia_catalog::{self as catalog, Catalog, Currency, Date, Money, Rate, Terms, Tokens, Unit, Unknown};

use crate::record::{Attempt, Cost, Usage};

/// Digits behind the point of sums: as many as the catalogue counts in.
const DIGITS: u32 = 18;
/// Operators say what a million tokens cost.
const TOKENS_PRICED: u64 = 1_000_000;

/// What the operator says a million tokens cost, in dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OwnPrice {
    /// Of a prompt.
    pub input: f64,
    /// Of an answer.
    pub output: f64,
}

/// The operator's price of a model at a provider.
type OwnPrices = Box<dyn Fn(&str, &str) -> Option<OwnPrice> + Send>;

/// Who says what calls cost. Both are asked for each attempt: they may change while the store is open.
pub struct Prices {
    /// The operator, by provider and model.
    pub own: OwnPrices,
    /// The catalogue in force, for what the operator does not say.
    pub catalog: Box<dyn Fn() -> Arc<Catalog> + Send>,
}

impl Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prices").finish_non_exhaustive()
    }
}

impl Prices {
    /// Puts its cost on an attempt that began then, or why nobody knows it. One that took no tokens has none. Is it unknown?
    pub(crate) fn price(&self, attempt: &mut Attempt, started_ms: i64) -> bool {
        let Some(usage) = attempt.usage else { return false };
        match self.cost(attempt, &usage, started_ms) {
            Ok(cost) => attempt.cost = Some(cost),
            Err(why) => attempt.cost_unknown = Some(why),
        }
        attempt.cost.is_none()
    }

    fn cost(&self, attempt: &Attempt, usage: &Usage, started_ms: i64) -> Result<Cost, String> {
        let names = [attempt.model.as_deref(), attempt.answered_model.as_deref()];
        let own = names.into_iter().flatten().find_map(|model| (self.own)(&attempt.provider, model));
        if let Some(own) = own {
            return own_cost(usage, own)
                .ok_or_else(|| "the operator's price cannot be counted with".to_owned());
        }
        let catalog = (self.catalog)();
        let found = names.into_iter().flatten().find_map(|model| catalog.find(&attempt.provider, model));
        let found = found.ok_or("the catalogue does not know the model")?;
        if !found.form.is_priced() {
            return Err("the model is a tuned one, whose price is not its base's".to_owned());
        }
        let on = u64::try_from(started_ms / 1000).ok().and_then(Date::at_unix_s);
        let terms = Terms { on, ..Terms::default() };
        let bill =
            catalog::cost(&catalog::Usage::of(tokens(usage)), &found.model.prices, &terms).map_err(told)?;
        let lines =
            bill.lines.iter().map(|line| (line.unit.name().to_owned(), line.count, line.rate.text(1)));
        Ok(Cost {
            amount: bill.total.rounded(DIGITS),
            currency: bill.total.currency.to_string(),
            priced_as: format!("{}/{}", found.model.provider, found.model.id),
            catalogue: catalog.version(),
            lines: lines.collect(),
        })
    }
}

fn own_cost(usage: &Usage, own: OwnPrice) -> Option<Cost> {
    let parts =
        [(Unit::Input, usage.prompt_tokens, own.input), (Unit::Output, usage.completion_tokens, own.output)];
    let mut total = Money::zero(Currency::USD);
    let mut lines = Vec::new();
    for (unit, count, price) in parts {
        let rate = Rate::parse(&price.to_string(), TOKENS_PRICED).ok()?;
        // A rate counts in 10^-15, money in 10^-18.
        let atto = u128::from(count).checked_mul(u128::from(rate.0))?.checked_mul(1000)?;
        total = total.checked_add(Money { currency: Currency::USD, atto })?;
        lines.push((unit.name().to_owned(), count, rate.text(1)));
    }
    let amount = total.rounded(DIGITS);
    Some(Cost {
        amount,
        currency: "USD".into(),
        priced_as: "operator".into(),
        catalogue: String::new(),
        lines,
    })
}

fn tokens(usage: &Usage) -> Tokens {
    Tokens {
        prompt: usage.prompt_tokens,
        cached: usage.cached_tokens,
        cache_written: usage.cache_write_tokens,
        audio_prompt: usage.audio_prompt_tokens,
        completion: usage.completion_tokens,
        reasoning: usage.reasoning_tokens,
        audio_completion: usage.audio_completion_tokens,
        ..Tokens::default()
    }
}

fn told(unknown: Unknown) -> String {
    match unknown {
        Unknown::Prices => "the catalogue has no price of the model".to_owned(),
        Unknown::Tier(tier) => format!("the catalogue has no price of the model for {}", tier.name()),
        Unknown::Unit(unit) => format!("the catalogue has no price for {}", unit.name()),
        Unknown::Count(unit) => format!("the count of {} is no count", unit.name()),
        Unknown::Currencies => "the prices are in two currencies".to_owned(),
    }
}

/// A decimal number of [`Cost::amount`] in units of 10^-18.
pub(crate) fn atto(amount: &str) -> Option<u128> {
    let (whole, behind) = amount.split_once('.').unwrap_or((amount, ""));
    let mut digits = behind.to_owned();
    (digits.len() <= DIGITS as usize).then_some(())?;
    while digits.len() < DIGITS as usize {
        digits.push('0');
    }
    let whole: u128 = whole.parse().ok()?;
    whole.checked_mul(10u128.pow(DIGITS))?.checked_add(digits.parse().ok()?)
}

/// The other way.
pub(crate) fn decimal(atto: u128) -> String {
    Money { currency: Currency::USD, atto }.rounded(DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(provider: &str, model: &str) -> Attempt {
        let usage =
            Usage { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100, ..Usage::default() };
        Attempt {
            provider: provider.into(),
            model: Some(model.into()),
            usage: Some(usage),
            ..Attempt::default()
        }
    }

    #[test]
    fn the_catalogue_and_the_operator() {
        let own = |_: &str, model: &str| (model == "mine").then_some(OwnPrice { input: 0.1, output: 2.0 });
        let catalog = Arc::new(Catalog::embedded());
        let prices = Prices { own: Box::new(own), catalog: Box::new(move || catalog.clone()) };
        let check = |provider: &str, model: &str, amount: Option<&str>| {
            let mut attempt = attempt(provider, model);
            let is_unknown = prices.price(&mut attempt, 1_764_400_000_000);
            assert_eq!(attempt.cost.as_ref().map(|cost| cost.amount.as_str()), amount, "{model} {attempt:?}");
            assert_eq!((is_unknown, attempt.cost_unknown.is_some()), (amount.is_none(), amount.is_none()));
        };
        // 1000 x 0.15 + 100 x 0.60 dollars for a million.
        check("openai", "gpt-4o-mini", Some("0.00021"));
        check("openai", "mine", Some("0.0003"));
        check("openai", "nobody-knows-it", None);
        check("nobody", "gpt-4o-mini", None);
        let mut silent = Attempt { usage: None, ..attempt("openai", "gpt-4o-mini") };
        assert!(!prices.price(&mut silent, 0) && silent.cost.is_none() && silent.cost_unknown.is_none());
    }

    #[test]
    fn sums_are_exact() {
        for text in ["0", "0.000000000000000001", "12.5", "340282366920938463463"] {
            assert_eq!(decimal(atto(text).unwrap()), text);
        }
        assert_eq!(atto("999999999999999999999"), None, "more than can be counted");
        assert_eq!(atto("1.0000000000000000001"), None);
    }
}
