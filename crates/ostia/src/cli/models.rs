//! `ostia models`: the catalogue in force as a table, or as lines of JSON.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::SystemTime;

use clap::Args;
use ostia_catalog::{Ability, Catalog, Date, Edition, Model, Rate, Terms, Unit};
use ostia_config::{Code, Problem};
use ostia_providers::Providers;
use ostia_routing::nearest;
use serde_json::Value;

use super::catalog::Place;

/// What stands in the column `can`, where it is known.
const SHOWN: [Ability; 10] = [
    Ability::Tools,
    Ability::JsonSchema,
    Ability::Reasoning,
    Ability::Vision,
    Ability::Pdf,
    Ability::AudioInput,
    Ability::AudioOutput,
    Ability::VideoInput,
    Ability::ImageOutput,
    Ability::WebSearch,
];
/// The columns' headings. What a model can comes last but one: it alone is long.
const HEADINGS: [&str; 9] =
    ["provider", "model", "context", "output", "in $/M", "cached", "out $/M", "retires", "can"];
/// Prices are for so many tokens.
const TOKENS_PRICED: u64 = 1_000_000;

/// Options of `models`.
#[derive(Debug, Args)]
pub struct Models {
    /// Only models whose name contains this.
    #[arg(value_name = "WORD")]
    pub word: Option<String>,
    /// Only models of this provider.
    #[arg(long, short, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Only models that are known to be able to all of this: tools, vision, reasoning, json_schema, ...
    #[arg(long, value_name = "ABILITIES", value_delimiter = ',')]
    pub can: Vec<String>,
    /// Only models that cost at most so many dollars for a million tokens of a prompt.
    #[arg(long, value_name = "DOLLARS")]
    pub max_price: Option<String>,
    /// Models that do not answer any more too.
    #[arg(long)]
    pub retired: bool,
    /// Print a line of JSON for each model, with all that is known.
    #[arg(long)]
    pub json: bool,
    /// Whose `models` and whose newer catalogue count.
    #[command(flatten)]
    pub place: Place,
}

/// What was asked for.
struct Filter {
    word: String,
    provider: Option<String>,
    can: Vec<Ability>,
    max_price: Option<Rate>,
    retired: bool,
    today: Option<Date>,
}

impl Models {
    /// The table, or the lines.
    ///
    /// # Errors
    /// The configuration is wrong; a provider or an ability that there is not, a price that is none, and nothing that fits.
    pub fn text(&self) -> Result<String, String> {
        let loaded = self.place.load()?;
        let is_of_catalog = |problem: &&Problem| problem.code == Code::UnusedCatalog;
        for problem in loaded.report.problems().iter().filter(is_of_catalog) {
            // Nobody may be listening; the table is right all the same.
            let _ = writeln!(std::io::stderr(), "{}", problem.render(&loaded.name));
        }
        let settings = loaded.settings;
        let catalog = &*settings.catalog;
        let filter = self.filter(catalog, &settings.providers)?;
        let models: Vec<Model<'_>> = catalog.models().filter(|model| filter.fits(model)).collect();
        if models.is_empty() {
            return Err("No model of the catalogue fits. Leave an option out, or see `ostia models --help`."
                .to_owned());
        }
        Ok(match self.json {
            true => {
                let editions = catalog.editions();
                models.iter().map(|model| line(model, &editions)).collect()
            }
            false => table(&models, filter.today),
        })
    }

    fn filter(&self, catalog: &Catalog, providers: &Providers) -> Result<Filter, String> {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Filter {
            word: self.word.as_deref().unwrap_or_default().to_ascii_lowercase(),
            provider: self.provider.as_deref().map(|name| provider(name, catalog, providers)).transpose()?,
            can: self.can.iter().map(|name| ability(name)).collect::<Result<_, _>>()?,
            max_price: self.max_price.as_deref().map(price).transpose()?,
            retired: self.retired,
            today: Date::at_unix_s(unix.as_secs()),
        })
    }
}

/// The id of a provider that has models, by any of its names.
fn provider(name: &str, catalog: &Catalog, providers: &Providers) -> Result<String, String> {
    let known: BTreeSet<&str> = catalog.models().map(|model| model.provider).collect();
    let row = providers.get(name);
    let id = row.map_or(name, |provider| provider.id.as_str());
    if known.contains(id) {
        return Ok(id.to_owned());
    }
    if row.is_some() {
        return Err(format!("The catalogue has no models of {id}."));
    }
    let hint = did_you_mean(name, known);
    Err(format!("The catalogue has no provider `{name}`.{hint} `ostia models` lists the models of all."))
}

fn ability(name: &str) -> Result<Ability, String> {
    let name = name.trim();
    Ability::named(name).ok_or_else(|| {
        let all = || Ability::ALL.iter().map(|ability| ability.name());
        let hint = did_you_mean(name, all());
        format!(
            "`{name}` is nothing that --can knows.{hint} It knows {}.",
            all().collect::<Vec<_>>().join(", ")
        )
    })
}

fn price(text: &str) -> Result<Rate, String> {
    let text = text.trim().trim_start_matches('$');
    Rate::parse(text, TOKENS_PRICED).map_err(|_| {
        format!("--max-price takes dollars for a million tokens, like 0.25; `{text}` is no such number.")
    })
}

fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default()
}

impl Filter {
    fn fits(&self, model: &Model<'_>) -> bool {
        let is_named = || {
            let mut names = std::iter::once(model.id).chain(model.aliases());
            names.any(|name| name.to_ascii_lowercase().contains(&self.word))
        };
        let is_retired = || model.retires_on.is_some_and(|day| self.today.is_some_and(|today| day <= today));
        let is_cheap = |most: &Rate| rate(model, Unit::Input, self.today).is_some_and(|rate| rate <= *most);
        self.provider.as_ref().is_none_or(|provider| provider == model.provider)
            && self.can.iter().all(|ability| model.can(*ability) == Some(true))
            && self.max_price.iter().all(is_cheap)
            && is_named()
            && (self.retired || !is_retired())
    }
}

/// What a unit costs today, in a short call of the standard tier.
fn rate(model: &Model<'_>, unit: Unit, today: Option<Date>) -> Option<Rate> {
    model.prices.rate(unit, &Terms { on: today, ..Terms::default() }).map(|(rate, _)| rate)
}

fn table(models: &[Model<'_>], today: Option<Date>) -> String {
    let rows: Vec<[String; 9]> = std::iter::once(HEADINGS.map(String::from))
        .chain(models.iter().map(|model| cells(model, today)))
        .collect();
    let mut widths = [0; 9];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
            // Numbers stand at the right.
            2..=6 => format!("{cell:>width$}"),
            _ => format!("{cell:width$}"),
        });
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn cells(model: &Model<'_>, today: Option<Date>) -> [String; 9] {
    let unknown = || "-".to_owned();
    let price = |unit: Unit| rate(model, unit, today).map_or_else(unknown, |rate| rate.text(TOKENS_PRICED));
    let can = SHOWN.iter().filter(|ability| model.can(**ability) == Some(true)).map(|ability| ability.name());
    [
        model.provider.to_owned(),
        model.id.to_owned(),
        model.context.map_or_else(unknown, |tokens| tokens.to_string()),
        model.output.map_or_else(unknown, |tokens| tokens.to_string()),
        price(Unit::Input),
        price(Unit::CachedInput),
        price(Unit::Output),
        match (model.retires_on, model.deprecated) {
            (Some(day), _) => day.to_string(),
            (None, true) => "deprecated".to_owned(),
            (None, false) => unknown(),
        },
        can.collect::<Vec<_>>().join(","),
    ]
}

/// All that is known, between the provider and how old the prices may be.
fn line(model: &Model<'_>, editions: &[Edition]) -> String {
    let mut fields = serde_json::Map::new();
    fields.insert("provider".to_owned(), model.provider.into());
    if let Ok(Value::Object(row)) = serde_json::to_value(model.row()) {
        fields.extend(row);
    }
    let edition = editions.iter().find(|edition| Some(edition.source) == model.price_source);
    fields.extend(edition.map(|edition| ("prices_of".to_owned(), edition.date.to_string().into())));
    format!("{}\n", Value::Object(fields))
}
