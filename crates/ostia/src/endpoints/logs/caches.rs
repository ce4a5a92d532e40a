//! What prompt caches save: how much of what models read came from them, and where a call read less than the one before it in its
//! session. Why it did is looked for in the bodies that are kept, and in what the provider says of it.

use std::collections::BTreeMap;

use ostia_catalog::{Catalog, Currency, Date, Money, Rate, Terms, Unit};
use ostia_dialect::chat::prefix::{Change, Diagnosed, Place, Prompt, change, diagnosed};
use ostia_store::{CacheFall, CacheUse, Compared, Filter, ReadError, Reader};
use serde_json::{Value, json};

use super::parameters::rfc3339;
use crate::config::settings::Settings;

/// Most groups that are told, those with the most tokens. What is told of all counts the others, too.
const GROUPS_MAX: usize = 200;
/// Falls that are told, the newest. Two bodies are read for each.
const FALLS_TOLD_MAX: usize = 50;
/// Characters of a token where nobody knows better: English text has about so many.
const CHARACTERS_OF_TOKEN: u64 = 4;
/// 10^-18 of a currency in the unit of rates.
const ATTO_IN_RATE: u128 = 1000;
/// Digits of sums.
const DIGITS: u32 = 18;

/// All of it.
pub(super) fn told(
    reader: &mut Reader,
    filter: &Filter,
    settings: &Settings,
    now_ms: i64,
) -> Result<Value, ReadError> {
    let ((from_ms, to_ms), groups) = reader.cache_use(filter, now_ms)?;
    let (falls, compared) = reader.cache_falls(filter)?;
    let on = u64::try_from(now_ms / 1000).ok().and_then(Date::at_unix_s);
    let discounts = Discounts { settings, on };
    let mut missed: BTreeMap<[&str; 3], u64> = BTreeMap::new();
    for fall in &falls {
        *missed.entry([&fall.key, &fall.provider, &fall.model]).or_default() += fall.tokens();
    }
    let (total, groups) = told_groups(&groups, |own| {
        let name = [own.key.as_str(), &own.provider, &own.model];
        let missed = missed.get(&name).copied().unwrap_or_default();
        Economy::of(own, missed, discounts.of(&own.provider, &own.model))
    });
    let told = falls.iter().take(FALLS_TOLD_MAX).map(|fall| told_fall(reader, fall, &discounts));
    Ok(json!({
        "object": "analytics.cache",
        "from": rfc3339(from_ms),
        "to": rfc3339(to_ms),
        "total": total.told(),
        "groups": groups,
        "falls": told.collect::<Result<Vec<_>, _>>()?,
        "falls_in_all": falls.len(),
        "calls_compared": compared,
    }))
}

/// What all of these groups come to, and the first of them, each with its own.
fn told_groups(groups: &[CacheUse], economy: impl Fn(&CacheUse) -> Economy) -> (Economy, Vec<Value>) {
    let (mut total, mut told) = (Economy::default(), Vec::new());
    for own in groups {
        let economy = economy(own);
        total.plus(&economy);
        if told.len() < GROUPS_MAX {
            told.push(with_names((&own.key, &own.provider, &own.model), economy.told()));
        }
    }
    (total, told)
}

/// By how much a token from the cache is cheaper.
struct Discounts<'s> {
    settings: &'s Settings,
    on: Option<Date>,
}

type Discount = (Currency, Rate);

impl Discounts<'_> {
    /// At this provider, for this model; `None`: nobody says.
    fn of(&self, provider: &str, model: &str) -> Option<Discount> {
        let row = self.settings.providers.get(provider)?;
        // An operator's own price has none for the cache.
        if self.settings.named.price(row, model).is_some() {
            return None;
        }
        discount(&self.settings.catalog, provider, model, self.on)
    }
}

fn discount(catalog: &Catalog, provider: &str, model: &str, on: Option<Date>) -> Option<Discount> {
    let found = catalog.find(provider, model).filter(|found| found.form.is_priced())?;
    let terms = Terms { on, ..Terms::default() };
    let (input, currency) = found.model.prices.rate(Unit::Input, &terms)?;
    let (cached, other) = found.model.prices.rate(Unit::CachedInput, &terms)?;
    (currency == other).then_some((currency, Rate(input.0.checked_sub(cached.0)?)))
}

fn money((currency, rate): Discount, tokens: u64) -> Money {
    let atto = u128::from(rate.0).saturating_mul(u128::from(tokens)).saturating_mul(ATTO_IN_RATE);
    Money { currency, atto }
}

/// What came from caches, and what that saved.
#[derive(Default)]
struct Economy {
    attempts: u64,
    input_tokens: u64,
    cached_tokens: u64,
    missed_tokens: u64,
    saved: BTreeMap<String, u128>,
    missed: BTreeMap<String, u128>,
    /// Tokens from caches that nobody knows a price of.
    unpriced_tokens: u64,
}

impl Economy {
    fn of(own: &CacheUse, missed_tokens: u64, discount: Option<Discount>) -> Economy {
        let amount = |tokens: u64| {
            let money = discount.filter(|_| tokens > 0).map(|discount| money(discount, tokens));
            money.map(|money| (money.currency.to_string(), money.atto)).into_iter().collect()
        };
        Economy {
            attempts: own.attempts,
            input_tokens: own.prompt_tokens,
            cached_tokens: own.cached_tokens,
            missed_tokens,
            saved: amount(own.cached_tokens),
            missed: amount(missed_tokens),
            unpriced_tokens: if discount.is_some() { 0 } else { own.cached_tokens },
        }
    }

    fn plus(&mut self, other: &Economy) {
        self.attempts += other.attempts;
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.cached_tokens = self.cached_tokens.saturating_add(other.cached_tokens);
        self.missed_tokens = self.missed_tokens.saturating_add(other.missed_tokens);
        self.unpriced_tokens = self.unpriced_tokens.saturating_add(other.unpriced_tokens);
        for (own, others) in [(&mut self.saved, &other.saved), (&mut self.missed, &other.missed)] {
            for (currency, atto) in others {
                let sum = own.entry(currency.clone()).or_default();
                *sum = sum.saturating_add(*atto);
            }
        }
    }

    fn told(&self) -> Value {
        let share = match self.input_tokens {
            0 => Value::Null,
            all => json!(self.cached_tokens as f64 / all as f64),
        };
        json!({
            "attempts": self.attempts,
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "missed_tokens": self.missed_tokens,
            "share": share,
            "saved": amounts(&self.saved),
            "missed": amounts(&self.missed),
            "unpriced_tokens": self.unpriced_tokens,
        })
    }
}

fn amounts(sums: &BTreeMap<String, u128>) -> Value {
    let decimal = |atto: u128| Money { currency: Currency::USD, atto }.rounded(DIGITS);
    sums.iter().map(|(currency, atto)| (currency.clone(), decimal(*atto))).collect()
}

/// The same, of this key, provider and model.
fn with_names((key, provider, model): (&str, &str, &str), mut told: Value) -> Value {
    let or_null = |name: &str| if name.is_empty() { Value::Null } else { name.into() };
    told["key"] = or_null(key);
    told["provider"] = provider.into();
    told["model"] = or_null(model);
    told
}

fn told_fall(reader: &mut Reader, fall: &CacheFall, discounts: &Discounts<'_>) -> Result<Value, ReadError> {
    let (before, after) = reader.compared(fall)?;
    let missed = discounts.of(&fall.provider, &fall.model).map(|discount| money(discount, fall.tokens()));
    let missed = missed.map(|money| (money.currency.to_string(), money.atto)).into_iter().collect();
    let seconds = (fall.started_ms.1 - fall.started_ms.0) as f64 / 1000.0;
    let told = json!({
        "request": after.id,
        "previous": before.id,
        "session": fall.session,
        "started": rfc3339(fall.started_ms.1),
        "seconds_between": seconds,
        "input_tokens": fall.prompt_tokens,
        "cached_before": fall.cached_tokens.0,
        "cached": fall.cached_tokens.1,
        "missed": amounts(&missed),
    });
    let mut told = with_names((&fall.key, &fall.provider, &fall.model), told);
    let why = Why::of(&before, &after);
    (told["reason"], told["words"]) = (why.reason().into(), why.words(fall, seconds).into());
    if let Some(place) = why.place() {
        told["place"] = told_place(place, fall);
    }
    Ok(told)
}

/// Why less was read from the cache.
#[derive(Debug)]
enum Why {
    Found(Change),
    Told(Diagnosed),
    NotKept,
}

impl Why {
    fn of(before: &Compared, after: &Compared) -> Why {
        let told = || after.response.as_deref().and_then(diagnosed);
        let (Some(old), Some(new)) = (&before.request, &after.request) else {
            return told().map_or(Why::NotKept, Why::Told);
        };
        match change(prompt(old), prompt(new)) {
            found @ (Change::None | Change::NoneSoFar | Change::Unknown) => {
                told().map_or(Why::Found(found), Why::Told)
            }
            found => Why::Found(found),
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Why::Found(Change::Part(place) | Change::Gone(place)) => Some(place),
            Why::Found(_) | Why::Told(_) | Why::NotKept => None,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Why::Found(Change::Part(_)) => "changed",
            Why::Found(Change::Gone(_)) => "shortened",
            Why::Found(Change::Setting(_)) => "setting",
            Why::Found(Change::None) => "same",
            Why::Found(Change::NoneSoFar) => "cut",
            Why::Found(Change::Unknown) => "unreadable",
            Why::Told(_) => "told",
            Why::NotKept => "not_kept",
        }
    }

    /// For people.
    fn words(&self, fall: &CacheFall, seconds: f64) -> String {
        match self {
            Why::Found(Change::Part(place)) => format!(
                "{} differs from the last call at character {}, about token {}",
                place.part,
                grouped(place.character),
                grouped(token(place, fall))
            ),
            Why::Found(Change::Gone(place)) => {
                format!("{} of the last call is gone, about token {}", place.part, grouped(token(place, fall)))
            }
            Why::Found(Change::Setting(name)) => {
                format!("the prompt goes on from the last call, but `{name}` differs")
            }
            Why::Found(Change::None) => format!(
                "the prompt goes on from the last call, {} before: the provider did not have it any more",
                time(seconds)
            ),
            Why::Found(Change::NoneSoFar) => {
                "as far as the bodies are kept the prompt goes on from the last call: raise records.body_bytes to see more"
                    .to_owned()
            }
            Why::Found(Change::Unknown) => "the bodies that are kept cannot be compared".to_owned(),
            Why::Told(Diagnosed { reason, tokens }) => {
                let tokens = tokens.map(|tokens| format!(", {} tokens missed", grouped(tokens)));
                format!("the provider says `{reason}`{}", tokens.unwrap_or_default())
            }
            Why::NotKept => "the bodies of both calls are not kept: see records.bodies".to_owned(),
        }
    }
}

fn prompt((body, is_cut): &(Vec<u8>, bool)) -> Prompt<'_> {
    Prompt { body, is_cut: *is_cut }
}

/// About which token that is, counted over the whole prompt.
fn token(place: &Place, fall: &CacheFall) -> u64 {
    let before = place.characters_before;
    match place.characters {
        // Both counts are of one body, of far less than 2^32 characters.
        Some(all @ 1..) => fall.prompt_tokens.saturating_mul(before) / all + 1,
        Some(0) | None => before / CHARACTERS_OF_TOKEN + 1,
    }
}

fn told_place(place: &Place, fall: &CacheFall) -> Value {
    json!({
        "part": place.part,
        "character": place.character,
        "token": token(place, fall),
        "before": place.before,
        "after": place.after,
    })
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

fn time(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn compared(body: Option<&str>, response: Option<&str>) -> Compared {
        let request = body.map(|body| (body.as_bytes().to_vec(), false));
        Compared { id: "r".into(), request, response: response.map(|text| text.as_bytes().to_vec()) }
    }

    #[test]
    fn why_a_cache_was_missed() {
        let with =
            |system: &str| format!(r#"{{"system":"{system}","messages":[{{"role":"user","content":"x"}}]}}"#);
        let long = "a".repeat(2113);
        let (old, new) = (with(&format!("{long}b{long}")), with(&format!("{long}c{long}")));
        let fall = CacheFall { prompt_tokens: 1060, cached_tokens: (1024, 0), ..CacheFall::default() };
        let diagnosis = r#"{"diagnostics":{"cache_miss_reason":{"type":"tools_changed","cache_missed_input_tokens":9000}}}"#;
        let check =
            |before: Option<&str>, after: Option<&str>, response: Option<&str>, expected: (&str, &str)| {
                let why = Why::of(&compared(before, None), &compared(after, response));
                assert_eq!((why.reason(), why.words(&fall, 61.0).as_str()), expected);
            };
        check(
            Some(&old),
            Some(&new),
            Some(diagnosis),
            ("changed", "the system prompt differs from the last call at character 2,114, about token 530"),
        );
        check(
            Some(&old),
            Some(&old),
            None,
            (
                "same",
                "the prompt goes on from the last call, 61 s before: the provider did not have it any more",
            ),
        );
        check(
            Some(&old),
            Some(&old),
            Some(diagnosis),
            ("told", "the provider says `tools_changed`, 9,000 tokens missed"),
        );
        check(
            None,
            Some(&old),
            None,
            ("not_kept", "the bodies of both calls are not kept: see records.bodies"),
        );
        check(Some("x"), Some(&old), None, ("unreadable", "the bodies that are kept cannot be compared"));
    }

    #[test]
    fn what_the_cache_saves() {
        let catalog = Catalog::embedded();
        let check = |provider: &str, model: &str, expected: Option<&str>| {
            let told =
                discount(&catalog, provider, model, None).map(|own| money(own, 1_000_000).rounded(DIGITS));
            assert_eq!(told.as_deref(), expected, "{provider} {model}");
        };
        // Three dollars for a million, a tenth from the cache.
        check("anthropic", "claude-sonnet-4-5", Some("2.7"));
        check("openai", "gpt-4o-mini", Some("0.075"));
        check("openai", "nobody-knows-it", None);
        let own = CacheUse {
            prompt_tokens: 4_000_000,
            cached_tokens: 1_000_000,
            attempts: 3,
            ..CacheUse::default()
        };
        let mut sum = Economy::of(&own, 500_000, discount(&catalog, "anthropic", "claude-sonnet-4-5", None));
        sum.plus(&Economy::of(&own, 0, None));
        let told = sum.told();
        assert_eq!((&told["share"], &told["attempts"]), (&json!(0.25), &json!(6)));
        assert_eq!(told["saved"], json!({"USD": "2.7"}));
        assert_eq!(told["missed"], json!({"USD": "1.35"}));
        assert_eq!(told["unpriced_tokens"], 1_000_000);
    }

    #[test]
    fn groups_that_are_not_told_count() {
        let all: Vec<CacheUse> = (0..GROUPS_MAX as u64 + 50)
            .map(|number| CacheUse { key: number.to_string(), attempts: 1, ..CacheUse::default() })
            .collect();
        let (total, told) = told_groups(&all, |own| Economy::of(own, 0, None));
        assert_eq!(
            (total.attempts, told.len(), &told[1]["key"]),
            (all.len() as u64, GROUPS_MAX, &json!("1"))
        );
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([1.0, 300.0, 7200.0].map(time), ["1 s", "5 min", "2 h"]);
    }
}
