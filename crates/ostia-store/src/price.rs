//! What an attempt cost: its tokens times the operator's prices, or the catalogue's. Exact, and unknown where nobody says.

use std::fmt::{self, Debug};
use std::sync::Arc;

use ostia_catalog::{
    self as catalog, Catalog, Currency, Date, ImageAsked, Mode, Money, Rate, Terms, Tier, Tokens, Unit,
    Unknown,
};

use crate::record::{Attempt, Cost, IMAGE_DEFAULT, Outcome, Usage};

/// Digits behind the point of sums: as many as the catalogue counts in.
const DIGITS: u32 = 18;
/// What the line of an answer from a cache counts.
const CACHED_ANSWERS: &str = "cached_answers";
/// Operators say what a million tokens cost.
const TOKENS_PRICED: u64 = 1_000_000;

/// Whose price of a model holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Priced {
    /// The operator's: what a million tokens of prompts and of answers cost, in dollars.
    ByOperator {
        /// Of a prompt.
        input: f64,
        /// Of an answer.
        output: f64,
    },
    /// The provider's word, where it says in an answer what that costs; else the catalogue's.
    ByProvider,
    /// The catalogue's.
    ByCatalogue,
}

/// Whose price holds, by provider and model.
pub type Pricing = Box<dyn Fn(&str, &str) -> Priced + Send>;

/// Who says what calls cost. All are asked for each attempt: they may change while the store is open.
pub struct Prices {
    /// Whose price holds.
    pub pricing: Pricing,
    /// Is this provider believed where it says that an answer came from a cache?
    pub trusts_cache: Box<dyn Fn(&str) -> bool + Send>,
    /// The catalogue in force.
    pub catalog: Box<dyn Fn() -> Arc<Catalog> + Send>,
}

impl Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prices").finish_non_exhaustive()
    }
}

impl Prices {
    /// Puts its cost on an attempt that began then, or why nobody knows it. One that took nothing has none. Is it unknown?
    pub fn price(&self, attempt: &mut Attempt, started_ms: i64) -> bool {
        let cost = match attempt.usage {
            _ if self.is_free(attempt) => Ok(of_cached()),
            Some(usage) => self.cost(attempt, &usage, started_ms),
            None if attempt.uncounted || has_worked(attempt) => {
                Err("the provider told no count of what it took".to_owned())
            }
            None => return false,
        };
        match cost {
            Ok(cost) => attempt.cost = Some(cost),
            Err(why) => attempt.cost_unknown = Some(why),
        }
        attempt.cost.is_none()
    }

    /// Did its answer come from a cache, so that nobody charges for it? Not where the provider says that it charged all the same: anybody
    /// can write a header.
    fn is_free(&self, attempt: &Attempt) -> bool {
        let is_charged = attempt.charged.as_deref().is_some_and(|charged| atto(charged) != Some(0));
        attempt.is_from_cache() && !is_charged && (self.trusts_cache)(&attempt.provider)
    }

    fn cost(&self, attempt: &Attempt, usage: &Usage, started_ms: i64) -> Result<Cost, String> {
        let names = [attempt.model.as_deref(), attempt.answered_model.as_deref()];
        for model in names.into_iter().flatten() {
            match ((self.pricing)(&attempt.provider, model), &attempt.charged) {
                (Priced::ByOperator { input, output }, _) => {
                    let own = own_cost(usage, input, output)
                        .ok_or_else(|| "the operator's price cannot be counted with".to_owned())?;
                    return match has_more(usage) {
                        true => added(own, self.by_catalogue(attempt, usage, None, started_ms)?),
                        false => Ok(own),
                    };
                }
                (Priced::ByProvider, Some(charged)) => return Ok(in_dollars(charged.clone(), "provider")),
                (Priced::ByProvider | Priced::ByCatalogue, _) => {}
            }
        }
        self.by_catalogue(attempt, usage, Some(billed(usage)), started_ms)
    }

    /// What these tokens and all else that was used cost by the catalogue.
    fn by_catalogue(
        &self,
        attempt: &Attempt,
        usage: &Usage,
        tokens: Option<Tokens>,
        started_ms: i64,
    ) -> Result<Cost, String> {
        let names = [attempt.model.as_deref(), attempt.answered_model.as_deref()];
        let catalog = (self.catalog)();
        let found = names.into_iter().flatten().find_map(|model| catalog.find(&attempt.provider, model));
        let found = found.ok_or("the catalogue does not know the model")?;
        if !found.form.is_priced() {
            return Err("the model is a tuned one, whose price is not its base's".to_owned());
        }
        let on = u64::try_from(started_ms / 1000).ok().and_then(Date::at_unix_s);
        let tier = attempt.service_tier.as_deref().map_or(Some(Tier::default()), Tier::named);
        let tier = tier.ok_or("nobody but the provider knows the price of the tier that served it")?;
        let terms = Terms { on, tier, images: images(attempt), ..Terms::default() };
        let Bill { total, lines } = bill(usage, tokens, (&found.model.prices, found.model.mode), &terms)?;
        Ok(Cost {
            amount: total.rounded(DIGITS),
            currency: total.currency.to_string(),
            priced_as: format!("{}/{}", found.model.provider, found.model.id),
            catalogue: catalog.version(),
            lines,
        })
    }
}

/// What a usage costs: the sum, and for each unit how much of it was used and what one costs.
struct Bill {
    total: Money,
    lines: Vec<(String, u64, String)>,
}

fn bill(
    usage: &Usage,
    tokens: Option<Tokens>,
    (prices, mode): (&catalog::Prices<'_>, Mode),
    terms: &Terms<'_>,
) -> Result<Bill, String> {
    if let Some(why) = unknown(usage) {
        return Err(why);
    }
    let is_priced = |unit: Unit| prices.rate(unit, terms).is_some();
    let area = area(usage.output_images, prices, terms)?;
    let beside = units(usage).filter(|(unit, _)| area.is_none() || *unit != Unit::OutputImages).chain(area);
    let mut beside = beside.fold(catalog::Usage::default(), |all, (unit, count)| all.with(unit, count));
    if is_priced(Unit::Requests) {
        beside = beside.with(Unit::Requests, 1);
    }
    let is_by_time = usage.audio_input_ms > 0 && is_priced(Unit::InputSeconds);
    let is_by_other = is_by_time || beside.counts().next().is_some();
    // A model that is charged for by pages or seconds may count its tokens all the same.
    let is_by_token = !is_by_other || TOKEN_UNITS.into_iter().any(is_priced);
    let used = match tokens.filter(|_| is_by_token) {
        // All that a model of images writes are images, and some sources say so by one price.
        Some(tokens) if mode == Mode::Image && !is_priced(Unit::ImageOutput) => {
            catalog::Usage::of(Tokens { image_completion: 0, ..tokens }).plus(&beside)
        }
        Some(tokens) => catalog::Usage::of(tokens).plus(&beside),
        None => beside,
    };
    let cost = catalog::cost(&used, prices, terms).map_err(|why| told_of(why, terms.images))?;
    let line = |line: &catalog::Line| (line.unit.name().to_owned(), line.count, line.rate.text(1));
    let mut bill = Bill { total: cost.total, lines: cost.lines.iter().map(line).collect() };
    if usage.audio_input_ms > 0 {
        bill.add_time(usage.audio_input_ms, prices.rate(Unit::InputSeconds, terms))?;
    }
    Ok(bill)
}

impl Bill {
    /// Adds so much sound, at the price of a second.
    fn add_time(&mut self, ms: u64, rate: Option<(Rate, Currency)>) -> Result<(), String> {
        let (rate, currency) = rate.ok_or_else(|| told(Unknown::Unit(Unit::InputSeconds)))?;
        // A rate counts in 10^-15 for a second, money in 10^-18: a thousand of them for a thousandth.
        let one = Money { currency, atto: u128::from(rate.0) };
        let money = one.atto.checked_mul(u128::from(ms)).map(|atto| Money { currency, atto });
        let total = money.and_then(|money| self.total.checked_add(money));
        self.total = total.ok_or_else(|| told(Unknown::Currencies))?;
        self.lines.push(("audio_input_ms".to_owned(), ms, one.rounded(DIGITS)));
        Ok(())
    }
}

/// Units of text and sound that have a price where a model is charged for by tokens.
const TOKEN_UNITS: [Unit; 4] = [Unit::Input, Unit::Output, Unit::AudioInput, Unit::AudioOutput];

/// Which images an attempt made, as far as is known. A size that could not be said to the provider is not the one that it made: it may
/// have been told the nearest one. Of a quality that could not be said it was told nothing.
fn images(attempt: &Attempt) -> ImageAsked<'_> {
    let is_dropped = |name: &str| attempt.dropped.iter().any(|dropped| dropped == name);
    let size = attempt.image_size.as_deref().map(said);
    let quality = attempt.image_quality.as_deref().map(said);
    ImageAsked {
        size: size.filter(|_| !is_dropped("size") && !is_dropped("aspect_ratio")),
        quality: if is_dropped("quality") { quality.and(Some("")) } else { quality },
    }
}

fn said(word: &str) -> &str {
    if word == IMAGE_DEFAULT { "" } else { word }
}

/// Images of a known size in the unit of area that the model is charged for by, if it is; a price of one image is then that of the
/// vendor's own size.
fn area(images: u64, prices: &catalog::Prices<'_>, terms: &Terms<'_>) -> Result<Option<(Unit, u64)>, String> {
    let is_priced = |unit: Unit| prices.rate(unit, terms).is_some();
    let is_own_size = terms.images.size == Some("") && is_priced(Unit::OutputImages);
    let unit = [Unit::OutputMegapixels, Unit::OutputPixels].into_iter().find(|unit| is_priced(*unit));
    let Some(unit) = unit.filter(|_| images > 0 && !is_own_size) else { return Ok(None) };
    let (width, height) = terms
        .images
        .pixels()
        .ok_or("nobody knows the size of the images, by whose pixels the model is charged for")?;
    let pixels = width.saturating_mul(height);
    let each = if unit == Unit::OutputPixels { pixels } else { pixels.div_ceil(MEGAPIXEL) };
    Ok(Some((unit, each.saturating_mul(images))))
}

/// Pixels of a megapixel, as those count them who charge for begun ones: an image of 1024x1024 is one.
const MEGAPIXEL: u64 = 1 << 20;

/// What was used beside tokens and time.
fn units(usage: &Usage) -> impl Iterator<Item = (Unit, u64)> {
    [
        (Unit::InputCharacters, usage.input_characters),
        (Unit::InputImages, usage.input_images),
        (Unit::OutputImages, usage.output_images),
        (Unit::Pages, usage.pages),
        (Unit::AnnotatedPages, usage.annotated_pages),
        (Unit::Queries, usage.queries),
        (Unit::WebSearches, usage.web_searches),
        (Unit::FileSearches, usage.file_searches),
        (Unit::MapSearches, usage.map_searches),
        (Unit::CodeSessions, usage.code_sessions),
    ]
    .into_iter()
}

/// Why nobody knows what a usage costs, whatever the prices are.
fn unknown(usage: &Usage) -> Option<String> {
    let what = match usage {
        Usage { other_model_tokens: 1.., .. } => {
            "another model took part, whose tokens have a price of their own"
        }
        Usage { image_generations: 1.., .. } => {
            "the tool image_generation made images by another model, whose tokens the provider does not tell"
        }
        Usage { other_tools: 1.., .. } => "the provider ran a tool of its own whose price nobody knows",
        _ => return None,
    };
    Some(what.to_owned())
}

/// The tokens that are billed. What a total has more than the prompt and the completion was written too, and not shown: thoughts (xAI,
/// <https://docs.x.ai/docs/guides/reasoning>; Google's form of OpenAI's, <https://ai.google.dev/gemini-api/docs/openai>).
fn billed(usage: &Usage) -> Tokens {
    let or = |billed: u64, told: u64| if billed > 0 { billed } else { told };
    let told = usage.prompt_tokens.saturating_add(usage.completion_tokens);
    let more = usage.total_tokens.saturating_sub(told).saturating_sub(usage.tool_prompt_tokens);
    // Sound that is billed by its length has tokens that are in the total alone.
    let hidden = if usage.audio_input_ms > 0 { 0 } else { more };
    let prompt = or(usage.billed_prompt_tokens, usage.prompt_tokens).saturating_add(usage.tool_prompt_tokens);
    let completion = or(usage.billed_completion_tokens, usage.completion_tokens).saturating_add(hidden);
    Tokens { prompt, completion, ..tokens(usage) }
}

/// Was anything used that has no price among those of tokens?
fn has_more(usage: &Usage) -> bool {
    usage.audio_input_ms > 0 || units(usage).any(|(_, count)| count > 0) || unknown(usage).is_some()
}

/// The operator's cost, and the catalogue's of what the operator has no price for.
fn added(own: Cost, more: Cost) -> Result<Cost, String> {
    let sum = atto(&own.amount).zip(atto(&more.amount)).and_then(|(own, more)| own.checked_add(more));
    let sum = sum.filter(|_| more.currency == own.currency).ok_or("the prices are in two currencies")?;
    let lines = own.lines.into_iter().chain(more.lines).collect();
    Ok(Cost { amount: decimal(sum), lines, catalogue: more.catalogue, ..own })
}

/// Has its provider done something that it may charge for, as far as is known? One whose answer was cut or not waited for has, and one
/// that said words.
fn has_worked(attempt: &Attempt) -> bool {
    let is_cut = matches!(attempt.outcome, Outcome::Broken | Outcome::Abandoned);
    is_cut && attempt.status.is_none_or(|status| status < 400) || attempt.first_token_us.is_some()
}

/// The answer was in the cache of the gateway that was asked, which asked nobody: what its usage tells was paid for before.
fn of_cached() -> Cost {
    let lines = vec![(CACHED_ANSWERS.to_owned(), 1, "0".to_owned())];
    Cost { lines, ..in_dollars("0".to_owned(), "cache") }
}

/// A sum that nobody here has added up.
fn in_dollars(amount: String, priced_as: &str) -> Cost {
    Cost {
        amount,
        currency: Currency::USD.to_string(),
        priced_as: priced_as.into(),
        catalogue: String::new(),
        lines: Vec::new(),
    }
}

fn own_cost(usage: &Usage, input: f64, output: f64) -> Option<Cost> {
    let Tokens { prompt, completion, .. } = billed(usage);
    let parts = [(Unit::Input, prompt, input), (Unit::Output, completion, output)];
    let mut total = Money::zero(Currency::USD);
    let mut lines = Vec::new();
    for (unit, count, price) in parts {
        let rate = Rate::parse(&price.to_string(), TOKENS_PRICED).ok()?;
        // A rate counts in 10^-15, money in 10^-18.
        let atto = u128::from(count).checked_mul(u128::from(rate.0))?.checked_mul(1000)?;
        total = total.checked_add(Money { currency: Currency::USD, atto })?;
        lines.push((unit.name().to_owned(), count, rate.text(1)));
    }
    Some(Cost { lines, ..in_dollars(total.rounded(DIGITS), "operator") })
}

fn tokens(usage: &Usage) -> Tokens {
    Tokens {
        prompt: usage.prompt_tokens,
        cached: usage.cached_tokens,
        cache_written: usage.cache_write_tokens,
        cache_written_1h: usage.cache_write_1h_tokens,
        audio_prompt: usage.audio_prompt_tokens,
        cached_audio: usage.cached_audio_tokens,
        image_prompt: usage.image_prompt_tokens,
        completion: usage.completion_tokens,
        reasoning: usage.reasoning_tokens,
        audio_completion: usage.audio_completion_tokens,
        image_completion: usage.image_completion_tokens,
    }
}

/// Of images what kind has no price, so that a reader can write it.
fn told_of(unknown: Unknown, images: ImageAsked<'_>) -> String {
    let word = |word: Option<&'_ str>| match word {
        Some("") => IMAGE_DEFAULT.to_owned(),
        Some(word) => word.to_owned(),
        None => "unknown".to_owned(),
    };
    let (size, quality) = (word(images.size), word(images.quality));
    match unknown {
        Unknown::Images => format!("{}: size {size}, quality {quality}", told(unknown)),
        _ => told(unknown),
    }
}

fn told(unknown: Unknown) -> String {
    match unknown {
        Unknown::Prices => "the catalogue has no price of the model".to_owned(),
        Unknown::Tier(tier) => format!("the catalogue has no price of the model at tier {}", tier.name()),
        Unknown::Unit(unit) => format!("the catalogue has no price of the model for {}", unit.name()),
        Unknown::Images => "the catalogue has no price of the model for these images".to_owned(),
        Unknown::Count(unit) => format!("the count of {} is no count", unit.name()),
        Unknown::Currencies => "the prices are in two currencies".to_owned(),
    }
}

/// So many of the units in which money is added up are one.
const ATTO: u128 = 10u128.pow(DIGITS);

/// A decimal number of [`Cost::amount`] in units of 10^-18.
pub(crate) fn atto(amount: &str) -> Option<u128> {
    let (whole, behind) = amount.split_once('.').unwrap_or((amount, ""));
    let missing = DIGITS.checked_sub(u32::try_from(behind.len()).ok()?)?;
    // At most 18 digits, as it is for what was written behind them.
    let behind: u64 = if behind.is_empty() { 0 } else { behind.parse().ok()? };
    let whole: u128 = whole.parse().ok()?;
    whole.checked_mul(ATTO)?.checked_add(u128::from(behind * 10u64.pow(missing)))
}

/// What an attempt cost, for [`costs`]: `USD 0.1`, and with a mark behind it where that is estimated (`USD 0.1~`).
pub(crate) fn told_cost(attempt: &Attempt) -> Option<String> {
    let cost = attempt.cost.as_ref()?;
    let mark = if attempt.usage_estimated { ESTIMATED } else { "" };
    Some(format!("{} {}{mark}", cost.currency, cost.amount))
}

/// What stands behind a cost that is estimated.
const ESTIMATED: &str = "~";

/// What attempts cost, one after the other (`USD 0.1,CNY 2~`), by currency in units of 10^-18, and whether that is estimated.
pub(crate) fn costs(text: &str) -> impl Iterator<Item = (&str, u128, bool)> {
    text.split(',').filter_map(|cost| cost.split_once(' ')).filter_map(|(currency, amount)| {
        let exact = amount.strip_suffix(ESTIMATED);
        Some((currency, atto(exact.unwrap_or(amount))?, exact.is_some()))
    })
}

/// The other way.
pub(crate) fn decimal(atto: u128) -> String {
    Money { currency: Currency::USD, atto }.rounded(DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Actor, CacheResult, CacheStatus};

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

    fn pricing(provider: &str, model: &str) -> Priced {
        match (provider, model) {
            (_, "mine") => Priced::ByOperator { input: 0.1, output: 2.0 },
            ("tells-it", _) => Priced::ByProvider,
            _ => Priced::ByCatalogue,
        }
    }

    fn prices() -> Prices {
        let catalog = Arc::new(Catalog::embedded());
        Prices {
            pricing: Box::new(pricing),
            trusts_cache: Box::new(|provider| provider != "lies"),
            catalog: Box::new(move || catalog.clone()),
        }
    }

    #[test]
    fn the_catalogue_the_operator_and_the_provider() {
        let prices = prices();
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
        let check = |outcome, status, first_token_us, expected| {
            let told = attempt("openai", "gpt-4o-mini");
            let mut silent = Attempt { usage: None, outcome, status, first_token_us, ..told };
            assert_eq!(prices.price(&mut silent, 0), expected, "{silent:?}");
            assert_eq!((silent.cost, silent.cost_unknown.is_some()), (None, expected));
        };
        check(Outcome::Answered, Some(200), None, false);
        check(Outcome::Answered, Some(200), Some(1), true);
        check(Outcome::Failed, Some(500), None, false);
        check(Outcome::Broken, Some(200), None, true);
        check(Outcome::Abandoned, None, None, true);
    }

    /// What an attempt costs, or why nobody knows it.
    fn check(change: impl FnOnce(&mut Attempt), expected: &str) {
        let mut attempt = attempt("anthropic", "claude-sonnet-4-5");
        change(&mut attempt);
        prices().price(&mut attempt, 1_764_400_000_000);
        let told = attempt.cost.map(|cost| cost.amount).or(attempt.cost_unknown);
        assert_eq!(told.as_deref(), Some(expected), "{:?}", attempt.usage);
    }

    #[test]
    fn what_is_charged_beside_plain_tokens() {
        let with =
            |change: fn(&mut Usage)| move |attempt: &mut Attempt| attempt.usage.as_mut().map_or((), change);
        // 1000 x 3 + 100 x 15 dollars for a million.
        check(|_| (), "0.0045");
        // 800 of them are read from the cache, at a tenth; or written to it for five minutes (x 1.25), or an hour (x 2).
        check(with(|usage| usage.cached_tokens = 800), "0.00234");
        check(with(|usage| usage.cache_write_tokens = 800), "0.0051");
        check(with(|usage| (usage.cache_write_tokens, usage.cache_write_1h_tokens) = (800, 800)), "0.0069");
        // Ten dollars for a thousand.
        check(with(|usage| usage.web_searches = 2), "0.0245");
        let at = |tier: &'static str| move |attempt: &mut Attempt| attempt.service_tier = Some(tier.into());
        check(at("standard"), "0.0045");
        check(at("batch"), "0.00225");
        check(at("priority"), "the catalogue has no price of the model at tier priority");
        check(at("other"), "nobody but the provider knows the price of the tier that served it");
    }

    #[test]
    fn a_charge_counts_where_the_provider_is_known_to_tell_it() {
        let at = |provider: &'static str, model: &'static str| {
            move |attempt: &mut Attempt| {
                (attempt.provider, attempt.model) = (provider.into(), Some(model.into()));
                attempt.charged = Some("0.000103".into());
            }
        };
        check(at("tells-it", "m"), "0.000103");
        check(at("tells-it", "mine"), "0.0003");
        check(at("anthropic", "claude-sonnet-4-5"), "0.0045");
    }

    #[test]
    fn an_answer_from_a_cache_cost_nothing() {
        let with = |status: CacheStatus| {
            move |attempt: &mut Attempt| {
                let told = CacheResult { status, by: Actor::Upstream, age_s: None, similarity: None };
                (attempt.cache, attempt.outcome) = (Some(told), Outcome::Answered);
            }
        };
        for status in [CacheStatus::Hit, CacheStatus::SemanticHit] {
            check(with(status), "0");
            // Nor does one that nobody has counted, of which its provider says so too, or of which not all came.
            let uncounted = |attempt: &mut Attempt| attempt.usage = None;
            let charged_nothing = |attempt: &mut Attempt| attempt.charged = Some("0".into());
            let failed = |attempt: &mut Attempt| attempt.outcome = Outcome::Failed;
            let broken = |attempt: &mut Attempt| attempt.outcome = Outcome::Broken;
            for more in [uncounted, charged_nothing, failed, broken] as [fn(&mut Attempt); 4] {
                check(
                    |attempt| {
                        with(status)(attempt);
                        more(attempt);
                    },
                    "0",
                );
            }
        }
        for status in
            [CacheStatus::Miss, CacheStatus::SemanticMiss, CacheStatus::Refresh, CacheStatus::Disabled]
        {
            check(with(status), "0.0045");
        }
        let mut cached = attempt("nobody", "nobody-knows-it");
        with(CacheStatus::Hit)(&mut cached);
        assert!(!prices().price(&mut cached, 0));
        let cost = cached.cost.unwrap();
        assert_eq!((cost.currency.as_str(), cost.priced_as.as_str()), ("USD", "cache"));
        assert_eq!(cost.lines, [("cached_answers".to_owned(), 1, "0".to_owned())]);
        assert_eq!(cached.usage.unwrap().prompt_tokens, 1000, "its usage stays");
    }

    #[test]
    fn a_hit_costs_something_where_it_was_charged_or_nobody_believes_it() {
        let hit = |provider: &'static str, model: &'static str, charged: Option<&'static str>| {
            move |attempt: &mut Attempt| {
                (attempt.provider, attempt.model) = (provider.into(), Some(model.into()));
                let status = CacheStatus::Hit;
                attempt.cache =
                    Some(CacheResult { status, by: Actor::Upstream, age_s: None, similarity: None });
                attempt.charged = charged.map(str::to_owned);
            }
        };
        check(hit("tells-it", "m", Some("0.000103")), "0.000103");
        check(hit("tells-it", "m", Some("0.000000000001")), "0.000000000001");
        // What it charged is not known to be dollars, or the operator has a price.
        check(hit("anthropic", "claude-sonnet-4-5", Some("0.000103")), "0.0045");
        check(hit("tells-it", "mine", Some("0.000103")), "0.0003");
        check(hit("tells-it", "m", Some("0")), "0");
        check(hit("lies", "mine", None), "0.0003");
        check(hit("lies", "m", Some("0")), "the catalogue does not know the model");
    }

    #[test]
    fn what_is_no_token() {
        let of = |provider: &'static str, model: &'static str, usage: Usage| {
            move |attempt: &mut Attempt| {
                (attempt.provider, attempt.model) = (provider.into(), Some(model.into()));
                attempt.usage = Some(usage);
            }
        };
        let none = Usage::default();
        check(of("openai", "whisper-1", Usage { audio_input_ms: 37_500, ..none }), "0.00375");
        check(of("openai", "tts-1", Usage { input_characters: 4, ..none }), "0.00006");
        let tokens = Usage { prompt_tokens: 3, completion_tokens: 11, total_tokens: 389, ..none };
        // By the second alone, and by both.
        check(of("mistral-ai", "voxtral-mini-latest", Usage { audio_input_ms: 3000, ..tokens }), "0.00015");
        let both =
            Usage { prompt_tokens: 11, cached_tokens: 9, completion_tokens: 15, total_tokens: 401, ..none };
        let both = Usage { audio_input_ms: 5000, ..both };
        check(of("mistral-ai", "voxtral-small-latest", both), "0.000339623333335");
        check(of("mistral-ai", "mistral-ocr-2512", Usage { pages: 3, ..none }), "0.006");
        check(of("mistral-ai", "mistral-ocr-2512", Usage { annotated_pages: 3, ..none }), "0.009");
        check(of("cohere", "rerank-v3.5", Usage { queries: 2, prompt_tokens: 214, ..none }), "0.004");
        let image = Usage { prompt_tokens: 14, completion_tokens: 272, total_tokens: 286, ..none };
        check(of("openai", "gpt-image-1", Usage { image_completion_tokens: 272, ..image }), "0.01095");
        let unknown = "the catalogue has no price of the model for pages";
        check(of("openai", "gpt-4o-mini", Usage { pages: 1, ..tokens }), unknown);
        // The operator's price is one of tokens.
        let searched = Usage { web_searches: 1, ..tokens };
        check(of("openai", "mine", searched), "the catalogue does not know the model");
    }

    #[test]
    fn images_cost_by_size_and_quality() {
        // Through the record's own form: nothing but that is there when a cost is computed anew.
        let check =
            |provider: &str, model: &str, [size, quality]: [&str; 2], dropped: &[&str], expected: &str| {
                let word = |word: &str| (!word.is_empty()).then(|| word.to_owned());
                let kept = Attempt {
                    usage: Some(Usage { output_images: 2, ..Usage::default() }),
                    image_size: word(size),
                    image_quality: word(quality),
                    dropped: dropped.iter().map(|name| (*name).to_owned()).collect(),
                    ..attempt(provider, model)
                };
                let kept = serde_json::to_string(&kept).unwrap();
                let mut attempt: Attempt = serde_json::from_str(&kept).unwrap();
                prices().price(&mut attempt, 1_764_400_000_000);
                let told = attempt.cost.map(|cost| cost.amount).or(attempt.cost_unknown);
                assert_eq!(told.as_deref(), Some(expected), "{kept}");
            };
        let [default, none] = [IMAGE_DEFAULT, ""];
        check("openai", "dall-e-3", [default, default], &[], "0.08");
        check("openai", "dall-e-3", ["1024x1792", "hd"], &[], "0.24");
        check("openai", "dall-e-3", [default, "HD"], &[], "0.16");
        check("openai", "dall-e-2", ["256x256", default], &[], "0.032");
        let unknown = |size: &str, quality: &str| {
            format!(
                "the catalogue has no price of the model for these images: size {size}, quality {quality}"
            )
        };
        check("openai", "dall-e-3", ["auto", default], &[], &unknown("auto", "default"));
        check("openai", "dall-e-3", ["512x512", "hd"], &[], &unknown("512x512", "hd"));
        // Records from before sizes were kept.
        check("openai", "dall-e-3", [none, none], &[], &unknown("unknown", "unknown"));
        // Another size was told, and no quality.
        check("openai", "dall-e-3", ["1024x1024", "hd"], &["size"], &unknown("unknown", "hd"));
        check("openai", "dall-e-3", ["1024x1792", "hd"], &["quality"], "0.16");
        // One price for all.
        check("recraft-ai", "recraftv3", ["512x512", "hd"], &["size"], "0.08");
        check("recraft-ai", "recraftv3", [none, none], &[], "0.08");
        // By resolution, whatever the quality; by begun megapixels; by pixels.
        check("fal", "fal-ai/nano-banana-2", ["2K", default], &[], "0.24");
        check("fal", "fal-ai/flux/dev", ["1024x1024", default], &[], "0.05");
        check("fal", "fal-ai/flux/dev", ["1024x1025", default], &[], "0.1");
        check("fal", "fal-ai/flux/dev", [default, default], &[], "0.05");
        check("nscale", "black-forest-labs/FLUX.1-schnell", ["1000x1000", default], &[], "0.0026");
        let no_size = "nobody knows the size of the images, by whose pixels the model is charged for";
        check("fal", "fal-ai/flux/dev", ["square", default], &["size"], no_size);
        check("nscale", "black-forest-labs/FLUX.1-schnell", [default, default], &[], no_size);
    }

    #[test]
    fn tokens_that_stand_elsewhere() {
        let with = |usage: Usage| move |attempt: &mut Attempt| attempt.usage = Some(usage);
        let plain =
            Usage { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100, ..Usage::default() };
        check(with(plain), "0.0045");
        // Written and not shown; read by the vendor's own tools; billed otherwise than counted.
        check(with(Usage { total_tokens: 1300, ..plain }), "0.0075");
        check(with(Usage { total_tokens: 1300, tool_prompt_tokens: 200, ..plain }), "0.0051");
        check(with(Usage { billed_prompt_tokens: 500, billed_completion_tokens: 100, ..plain }), "0.003");
        let other = "another model took part, whose tokens have a price of their own";
        check(with(Usage { other_model_tokens: 1, ..plain }), other);
        let image =
            "the tool image_generation made images by another model, whose tokens the provider does not tell";
        check(with(Usage { image_generations: 1, ..plain }), image);
    }

    #[test]
    fn costs_tell_what_of_them_is_estimated() {
        let mut exact = attempt("openai", "gpt-4o-mini");
        prices().price(&mut exact, 1_764_400_000_000);
        let estimated = Attempt { usage_estimated: true, ..exact.clone() };
        let told = [exact, estimated, Attempt::default()].iter().filter_map(told_cost).collect::<Vec<_>>();
        assert_eq!(told, ["USD 0.00021", "USD 0.00021~"]);
        let one = atto("0.00021").unwrap();
        assert_eq!(costs(&told.join(",")).collect::<Vec<_>>(), [("USD", one, false), ("USD", one, true)]);
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
