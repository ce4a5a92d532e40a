//! What a model can do and what it costs: the catalogue. Values in, values out.
//!
//! [`Catalog`] finds a [`Model`] by its provider and by the name that a client or the provider uses for it. A model has limits,
//! abilities that are known, known to be missing or unknown, a lifecycle, and [`Prices`]; [`cost`] multiplies a [`Usage`] by them
//! exactly. The data is read from `data/models/`, one file for each provider, and embedded in a compact form that needs no
//! parsing; `cargo xtask catalog` writes both.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod ability;
mod as_text;
mod catalog;
mod compact;
mod cost;
mod date;
mod image;
mod mode;
mod model;
mod money;
mod name;
mod overrides;
mod prices;
mod rate;
mod row;
mod source;
mod tier;
mod unit;

pub use ability::{Abilities, Ability};
pub use catalog::{Catalog, Found};
pub use compact::{FILE_BYTES_MAX, TooLarge, Unfit, compact};
pub use cost::{COUNT_MAX, Cost, Line, Unknown, cost};
pub use date::Date;
pub use image::{ImageAsked, ImageKind};
pub use mode::{Modalities, Modality, Mode};
pub use model::Model;
pub use money::{Currency, Money};
pub use name::{NameForm, without_version};
pub use overrides::Override;
pub use prices::{PriceRow, Prices, Terms};
pub use rate::{NotARate, Rate};
pub use row::{Fault, PriceText, Rates, Row, parse, print};
pub use source::{Edition, Source, Sources};
pub use tier::Tier;
pub use unit::{Tokens, Unit, Usage};
