//! [`Catalog`]: models by provider and name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::compact::{self, Pack, TooLarge, Unfit, compact, same};
use crate::date::Date;
use crate::model::Model;
use crate::name::{self, NameForm};
use crate::overrides::Override;
use crate::row::Row;
use crate::source::Edition;

/// Made by `cargo xtask catalog` from `data/models/`.
static EMBEDDED: &[u8] = include_bytes!("../data/catalog.bin");

/// Models by provider and name. The embedded one holds no memory but its bytes in the program.
#[derive(Debug, Clone)]
pub struct Catalog {
    base: Pack,
    /// The operator's; looked into first.
    overrides: Option<Pack>,
    /// What models are whose names do not tell, by provider and by each of their names: the operator's too.
    bases: BTreeMap<String, BTreeMap<String, String>>,
}

/// A model, and how its name led to it.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The model.
    pub model: Model<'a>,
    /// How.
    pub form: NameForm,
}

impl Catalog {
    /// The catalogue that comes with the program. Reads the header of its bytes, no more.
    pub fn embedded() -> Catalog {
        // A test reads every model: the empty one is never taken.
        let base = Pack::open(Cow::Borrowed(EMBEDDED)).unwrap_or_default();
        Catalog { base, overrides: None, bases: BTreeMap::new() }
    }

    /// A catalogue of a file in the compact form. Everything in it is read and checked first: some milliseconds.
    ///
    /// # Errors
    /// It is none, not whole, of another version, or has a model without a source.
    pub fn read(bytes: Vec<u8>) -> Result<Catalog, Unfit> {
        compact::check(bytes).map(|base| Catalog { base, overrides: None, bases: BTreeMap::new() })
    }

    /// A catalogue of these rows.
    ///
    /// # Errors
    /// There are too many.
    pub fn of(rows: &[Row], editions: &[Edition]) -> Result<Catalog, TooLarge> {
        let base = Pack::open(Cow::Owned(compact(rows, editions)?)).ok_or(TooLarge)?;
        Ok(Catalog { base, overrides: None, bases: BTreeMap::new() })
    }

    /// With what an operator says, in the place of what was said so before.
    ///
    /// # Errors
    /// There are too many.
    pub fn with_overrides(mut self, overrides: &[Override]) -> Result<Catalog, TooLarge> {
        (self.overrides, self.bases) = (None, BTreeMap::new());
        let rows: Vec<Row> = overrides.iter().map(|one| one.over(self.row_of(one))).collect();
        let pack = Pack::open(Cow::Owned(compact(&rows, &[])?)).ok_or(TooLarge)?;
        self.overrides = (!rows.is_empty()).then_some(pack);
        for one in overrides {
            let Some((_, base)) = &one.base else { continue };
            let names = self.bases.entry(one.provider.clone()).or_default();
            names.extend(one.aliases.iter().chain([&one.model]).map(|name| (name.clone(), base.clone())));
        }
        Ok(self)
    }

    /// What is known of a model before its operator says more.
    fn row_of(&self, one: &Override) -> Option<Row> {
        let of_base = one.base.as_ref().and_then(|(provider, model)| {
            let row = self.find(provider, model)?.model.row();
            Some(Row { provider: one.provider.clone(), id: one.model.clone(), aliases: Vec::new(), ..row })
        });
        of_base.or_else(|| self.base.find(&one.provider, &one.model).map(|model| model.row()))
    }

    /// The name of the model that this one is, where the operator says that its own does not tell.
    pub fn base_of(&self, provider: &str, name: &str) -> Option<&str> {
        self.bases.get(provider)?.get(name).map(String::as_str)
    }

    /// The model that a client or the provider calls by this name.
    ///
    /// `provider` is an id of a row of providers, no alias. Allocates nothing.
    pub fn find(&self, provider: &str, name: &str) -> Option<Found<'_>> {
        let found =
            |form: NameForm, name: &str| self.listed(provider, name).map(|model| Found { model, form });
        found(NameForm::Listed, name).or_else(|| name::forms(name).find_map(|(form, name)| found(form, name)))
    }

    /// The model whose id or alias this is.
    pub fn listed(&self, provider: &str, name: &str) -> Option<Model<'_>> {
        let overrides = self.overrides.as_ref();
        overrides.and_then(|pack| pack.find(provider, name)).or_else(|| self.base.find(provider, name))
    }

    /// All models, the operator's first.
    pub fn models(&self) -> impl Iterator<Item = Model<'_>> {
        let overrides = self.overrides.iter().flat_map(|pack| (0..pack.len()).map(|at| pack.model(at)));
        let is_replaced = |model: &Model<'_>| {
            let pack = self.overrides.as_ref();
            let found = pack.and_then(|pack| pack.find(model.provider, model.id));
            found.is_some_and(|found| same(found.id.as_bytes(), model.id.as_bytes()))
        };
        overrides.chain(self.base_models().filter(move |model| !is_replaced(model)))
    }

    /// All models, without what an operator says.
    pub fn base_models(&self) -> impl Iterator<Item = Model<'_>> {
        (0..self.base.len()).map(|at| self.base.model(at))
    }

    /// The compact form, without what an operator says.
    pub fn bytes(&self) -> &[u8] {
        self.base.bytes()
    }

    /// The versions of the sources.
    pub fn editions(&self) -> Vec<Edition> {
        self.base.editions()
    }

    /// The day of the newest source: how old it is. Nothing where it has none.
    pub fn date(&self) -> Option<Date> {
        self.editions().iter().map(|edition| edition.date).max()
    }

    /// The versions of the sources as records tell them: `genai-prices 0.2.3, litellm 1.110.2`.
    pub fn version(&self) -> String {
        let told = |edition: &Edition| format!("{} {}", edition.source.name(), edition.version);
        self.editions().iter().map(told).collect::<Vec<_>>().join(", ")
    }

    /// How many bytes it is, in the program and in memory together.
    pub fn byte_count(&self) -> usize {
        self.base.byte_count() + self.overrides.as_ref().map_or(0, Pack::byte_count)
    }
}

#[cfg(test)]
mod tests;
