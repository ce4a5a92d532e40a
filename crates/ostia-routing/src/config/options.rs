//! What only some provider needs: regions, account ids, cloud credentials. They are kept by name for whoever calls
//! that provider; here only their shape is checked, and that those that need each other come together.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::fields::Field;
use super::report::Report;
use super::{Redacted, read};

/// Provider options by their snake_case name. Values are never printed: many are credentials.
#[derive(Clone, Default, PartialEq)]
pub struct ProviderOptions(BTreeMap<&'static str, Redacted<Value>>);

impl ProviderOptions {
    /// The option of this name, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// Is the option of this name `true`, as such or as a text?
    pub fn is_true(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("true"))
    }

    /// The option of this name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(|value| &value.0)
    }

    /// The names of all options that were given, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Whether no option was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ProviderOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(&self.0).finish()
    }
}

/// What an option must be.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// Any text that is not empty.
    Text,
    /// A text that becomes part of a host name: letters, digits, `-`, `_` and `.` only.
    Label,
    /// A URL, checked like `custom_host`.
    Url,
    /// An object, or a text that holds one as JSON.
    Object,
    /// Anything.
    Any,
}

/// Every option, with its shape. Portkey's names, from its per-provider documentation and headers.
const OPTIONS: &[(&str, Shape)] = &[
    ("amz_server_side_encryption", Shape::Text),
    ("amz_server_side_encryption_aws_kms_key_id", Shape::Text),
    ("amzn_sagemaker_custom_attributes", Shape::Text),
    ("amzn_sagemaker_enable_explanations", Shape::Text),
    ("amzn_sagemaker_inference_component", Shape::Text),
    ("amzn_sagemaker_inference_id", Shape::Text),
    ("amzn_sagemaker_model_name", Shape::Text),
    ("amzn_sagemaker_session_id", Shape::Text),
    ("amzn_sagemaker_target_container_hostname", Shape::Text),
    ("amzn_sagemaker_target_model", Shape::Text),
    ("amzn_sagemaker_target_variant", Shape::Text),
    ("anthropic_beta", Shape::Text),
    ("anthropic_version", Shape::Text),
    ("anthropic_workspace_id", Shape::Text),
    ("api_version", Shape::Text),
    ("aws_access_key_id", Shape::Text),
    ("aws_auth_type", Shape::Text),
    ("aws_bedrock_model", Shape::Text),
    ("aws_external_id", Shape::Text),
    ("aws_profile", Shape::Text),
    ("aws_region", Shape::Label),
    ("aws_role_arn", Shape::Text),
    ("aws_s3_bucket", Shape::Label),
    ("aws_s3_object_key", Shape::Text),
    ("aws_role_session_name", Shape::Text),
    ("aws_secret_access_key", Shape::Text),
    ("aws_server_side_encryption", Shape::Text),
    ("aws_server_side_encryption_kms_key_id", Shape::Text),
    ("aws_session_tags", Shape::Object),
    ("aws_session_token", Shape::Text),
    ("azure_ad_token", Shape::Text),
    ("azure_api_version", Shape::Text),
    ("azure_auth_mode", Shape::Text),
    ("azure_endpoint_name", Shape::Label),
    ("azure_entra_client_certificate", Shape::Text),
    ("azure_entra_client_id", Shape::Text),
    ("azure_entra_client_secret", Shape::Text),
    ("azure_entra_scope", Shape::Text),
    ("azure_entra_tenant_id", Shape::Text),
    ("azure_extra_parameters", Shape::Text),
    ("azure_foundry_url", Shape::Url),
    ("azure_managed_client_id", Shape::Text),
    ("azure_model_name", Shape::Text),
    ("azure_resource_name", Shape::Label),
    ("azure_workload_client_id", Shape::Text),
    ("databricks_host", Shape::Url),
    ("deployment_id", Shape::Text),
    ("deployments", Shape::Any),
    ("file_upload_size", Shape::Any),
    ("fireworks_account_id", Shape::Text),
    ("huggingface_base_url", Shape::Url),
    ("mistral_fim_completion", Shape::Any),
    ("openai_beta", Shape::Text),
    ("openai_organization", Shape::Text),
    ("openai_project", Shape::Text),
    ("oracle_api_version", Shape::Text),
    ("oracle_compartment_id", Shape::Text),
    ("oracle_fingerprint", Shape::Text),
    ("oracle_key_passphrase", Shape::Text),
    ("oracle_private_key", Shape::Text),
    ("oracle_region", Shape::Label),
    ("oracle_serving_mode", Shape::Text),
    ("oracle_tenancy", Shape::Text),
    ("oracle_user", Shape::Text),
    ("provider_batch_endpoint", Shape::Text),
    ("provider_file_name", Shape::Text),
    ("provider_model", Shape::Text),
    ("resource_name", Shape::Label),
    ("snowflake_account", Shape::Label),
    ("stability_client_id", Shape::Text),
    ("stability_client_user_id", Shape::Text),
    ("stability_client_version", Shape::Text),
    ("vertex_auth_type", Shape::Text),
    ("vertex_impersonate_service_account", Shape::Text),
    ("vertex_project_id", Shape::Text),
    ("vertex_region", Shape::Label),
    ("vertex_service_account_json", Shape::Object),
    ("vertex_storage_bucket_name", Shape::Label),
    ("workers_ai_account_id", Shape::Label),
];

/// Those that a gateway acts upon. The others are read and checked, since configs that were written for Portkey have them, and
/// their author is told that they have no effect yet.
const IN_USE: [&str; 53] = [
    "amzn_sagemaker_custom_attributes",
    "amzn_sagemaker_inference_component",
    "amzn_sagemaker_inference_id",
    "amzn_sagemaker_target_container_hostname",
    "amzn_sagemaker_target_model",
    "amzn_sagemaker_target_variant",
    "anthropic_beta",
    "anthropic_version",
    "anthropic_workspace_id",
    "api_version",
    "aws_access_key_id",
    "aws_auth_type",
    "aws_bedrock_model",
    "aws_external_id",
    "aws_profile",
    "aws_region",
    "aws_role_arn",
    "aws_role_session_name",
    "aws_secret_access_key",
    "aws_session_tags",
    "aws_session_token",
    "azure_ad_token",
    "azure_api_version",
    "azure_auth_mode",
    "azure_entra_client_certificate",
    "azure_entra_client_id",
    "azure_entra_client_secret",
    "azure_entra_scope",
    "azure_entra_tenant_id",
    "azure_foundry_url",
    "azure_managed_client_id",
    "azure_resource_name",
    "azure_workload_client_id",
    "databricks_host",
    "deployment_id",
    "mistral_fim_completion",
    "openai_beta",
    "openai_organization",
    "openai_project",
    "oracle_compartment_id",
    "oracle_fingerprint",
    "oracle_key_passphrase",
    "oracle_private_key",
    "oracle_region",
    "oracle_tenancy",
    "oracle_user",
    "resource_name",
    "snowflake_account",
    "vertex_impersonate_service_account",
    "vertex_project_id",
    "vertex_region",
    "vertex_service_account_json",
    "workers_ai_account_id",
];

/// What is of no use without another: `(given, needs)`.
const PAIRS: &[(&str, &str)] = &[
    ("aws_access_key_id", "aws_secret_access_key"),
    ("aws_secret_access_key", "aws_access_key_id"),
    ("aws_session_token", "aws_access_key_id"),
    ("azure_entra_client_secret", "azure_entra_client_id"),
    ("azure_entra_client_secret", "azure_entra_tenant_id"),
];

/// The names of all options.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(name, _)| *name)
}

/// Reads a field if it is an option; false if it is none.
pub(super) fn read(options: &mut ProviderOptions, field: &Field<'_>, report: &mut Report) -> bool {
    let Some((name, shape)) = OPTIONS.iter().find(|(name, _)| *name == field.name) else { return false };
    if let Some(value) = shaped(*shape, field, report) {
        options.0.insert(name, Redacted(value));
    }
    if !IN_USE.contains(name) {
        report.warning(&field.path, "is known, and has no effect yet");
    }
    true
}

fn shaped(shape: Shape, field: &Field<'_>, report: &mut Report) -> Option<Value> {
    let (path, value) = (&field.path, field.value);
    match shape {
        Shape::Any => Some(value.clone()),
        Shape::Text => read::text(path, value, report).map(Value::String),
        Shape::Url => read::url(path, value, report).map(Value::String),
        Shape::Label => label(field, report).map(Value::String),
        Shape::Object => match value {
            Value::String(text) if text.trim_start().starts_with('{') => parsed_object(field, text, report),
            _ => read::object(path, value, report).map(|map| Value::Object(map.0)),
        },
    }
}

fn label(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let text = read::text(&field.path, field.value, report)?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Some(text);
    }
    report.problem(&field.path, "may contain only letters, digits, `-`, `_` and `.`");
    None
}

fn parsed_object(field: &Field<'_>, text: &str, report: &mut Report) -> Option<Value> {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) => Some(Value::Object(map)),
        _ => {
            report.problem(&field.path, "is a text, but not a JSON object");
            None
        }
    }
}

/// Reports options that lack what they need. `given` are the names of all fields of the node.
pub(super) fn check_pairs(given: &[Field<'_>], report: &mut Report) {
    for (name, needs) in PAIRS {
        let has = |wanted: &str| given.iter().find(|field| field.name == wanted);
        if let Some(field) = has(name)
            && has(needs).is_none()
        {
            report.problem_hint(&field.path, format!("needs `{needs}` beside it"), format!("add `{needs}`"));
        }
    }
}
