//! What is in force in this gateway, for operators: its providers and its configuration. No secret is told.

mod config;
mod providers;

use std::rc::Rc;

use http::{Response, request};
use ostia_dialect::Fault;

use super::logs;
use crate::core::Core;
use crate::errors::reply;
use crate::inbound::credentials::Credentials;
use crate::inbound::route::GatewayPath;
use crate::message::body::Body;

/// Answers one of these.
///
/// # Errors
/// 401 and 403 for whoever may not ask, 400 for a parameter that makes no sense.
pub async fn answer(
    core: &Rc<Core>,
    parts: &request::Parts,
    credentials: &Credentials,
    path: GatewayPath,
) -> Result<Response<Body>, Fault> {
    logs::admit(core, parts, credentials)?;
    let query = parts.uri.query().unwrap_or_default();
    let told = match path {
        GatewayPath::Providers => providers::told(core, query).await?,
        GatewayPath::Config => config::told(core, query)?,
    };
    Ok(reply::json(told.to_string()))
}
