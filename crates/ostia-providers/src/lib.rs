//! Who says it: every model provider as a row of data, where its endpoints are and how one signs in.
//!
//! Pure: no I/O, no clock, no environment. A [`Row`] is what `providers.yaml` and a user's configuration hold; a
//! [`Provider`] is a row that was checked; [`Providers`] are all of them, found by id or alias. What sets one
//! OpenAI-compatible vendor apart from the next is data as well: [`Quirks`]. No code here or elsewhere asks for a
//! vendor by name.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)] // Pure: clippy.toml says what that means.

pub mod addresses;
pub mod auth;
pub mod endpoint;
mod family;
mod percent;
pub mod prepare;
mod provider;
mod providers;
mod quirks;
mod row;
pub mod settings;
mod table;

pub use auth::{Auth, AwsAuth, Credential, Oauth};
pub use family::Family;
pub use provider::{BaseUrlFor, Provider, RowProblem};
pub use providers::Providers;
pub use quirks::{MaxTokens, Quirks, SystemRole, Takes, adapt};
pub use row::{
    AddressesRow, ApiPath, BodyEdits, FamilyRow, HeaderList, HostRow, OauthRow, PathRow, Row, RowFraming,
    Unless,
};
pub use settings::{Setting, SettingKind, SettingRow, Values};
pub use table::{markdown, table};
