//! Why something failed, as records tell it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why something failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordError {
    /// What kind of failure.
    pub class: String,
    /// The machine-readable word for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// What was said. Providers repeat what they were sent, so it is kept where bodies are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
}
