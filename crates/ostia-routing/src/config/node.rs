//! One level of a config: its fields, one by one, and then the level as a whole.

use std::sync::Arc;

use serde_json::Value;

use super::fields::{Field, fields};
use super::report::{Path, Report};
use super::{
    CONDITIONAL_ROOT_TARGETS_MAX, Hooks, LIST_MAX, NESTED_TARGETS_MAX, Node, TARGET_DEPTH_MAX, complete,
    hooks, options, read, settings, strategy,
};

/// Every field of a node but the provider options, for spelling hints.
pub(super) const FIELDS: [&str; 41] = [
    "strategy",
    "targets",
    "name",
    "id",
    "provider",
    "api_key",
    "virtual_key",
    "weight",
    "on_status_codes",
    "retry",
    "cache",
    "request_timeout",
    "first_token_timeout",
    "idle_timeout",
    "deadline",
    "mid_stream",
    "hedge",
    "prefill",
    "custom_host",
    "forward_headers",
    "override_params",
    "default_params",
    "drop_params",
    "passthrough",
    "strict_open_ai_compliance",
    "lossless",
    "fetch_integrated_models",
    "before_request_hooks",
    "after_request_hooks",
    "input_guardrails",
    "output_guardrails",
    "input_mutators",
    "output_mutators",
    "cb_config",
    "prompt_id",
    // Known, and of no effect.
    "is_open",
    "default_input_guardrails",
    "default_output_guardrails",
    "index",
    "original_index",
    "options",
];

/// Reads a node and everything below it. `depth` is 0 for the root.
pub(super) fn read(path: &Path<'_>, value: &Value, depth: usize, report: &mut Report) -> Node {
    let mut node = Node::default();
    let Some(given) = fields(path, value, report) else { return node };
    for field in &given {
        read_field(&mut node, field, depth, report);
    }
    complete::check(path, &node, &given, report);
    node
}

fn read_field(node: &mut Node, field: &Field<'_>, depth: usize, report: &mut Report) {
    let Field { name, path, value } = field;
    match name.as_ref() {
        "strategy" => node.strategy = strategy::read_strategy(path, value, report).map(Box::new),
        "targets" => node.targets = read_targets(path, value, depth, report),
        "name" => node.name = read::text(path, value, report),
        "id" => node.id = read::text(path, value, report),
        "provider" => node.provider = read::text(path, value, report),
        "api_key" => node.api_key = read::text(path, value, report).map(Into::into),
        "virtual_key" => node.virtual_key = read::text(path, value, report),
        "weight" => node.weight = read::number(path, value, 0.0..=f64::INFINITY, report),
        "on_status_codes" => node.on_status_codes = read::status_codes(path, value, report),
        "retry" => node.retry = settings::read_retry(path, value, report).map(Arc::new),
        "cache" => node.cache = settings::read_cache(path, value, report),
        "request_timeout" => node.request_timeout_ms = read::time_ms(path, value, report),
        "first_token_timeout" => node.first_token_timeout_ms = read::time_ms(path, value, report),
        "idle_timeout" => node.idle_timeout_ms = read::time_ms(path, value, report),
        "deadline" => node.deadline_ms = read::time_ms(path, value, report),
        "mid_stream" => node.mid_stream = settings::read_mid_stream(path, value, report),
        "hedge" => node.hedge = settings::read_hedge(path, value, report),
        "prefill" => node.prefill = read::boolean(path, value, report),
        "custom_host" => node.custom_host = read::url(path, value, report).map(Arc::from),
        "forward_headers" => {
            node.forward_headers = read::list(path, value, LIST_MAX, report, read_header_name).map(Arc::from)
        }
        "override_params" => node.override_params = read::object(path, value, report).map(Arc::new),
        "default_params" => node.default_params = read::object(path, value, report).map(Arc::new),
        "drop_params" => {
            node.drop_params = read::list(path, value, LIST_MAX, report, read_param_path).map(Arc::from)
        }
        "passthrough" => node.passthrough = read::boolean(path, value, report),
        "strict_open_ai_compliance" => node.strict_open_ai_compliance = read::boolean(path, value, report),
        "lossless" => node.lossless = read::boolean(path, value, report),
        "fetch_integrated_models" => node.fetch_integrated_models = read::boolean(path, value, report),
        "before_request_hooks" => before(node).hooks = hooks::read_hooks(path, value, report),
        "after_request_hooks" => after(node).hooks = hooks::read_hooks(path, value, report),
        "input_guardrails" => before(node).guardrails = hooks::read_guardrails(path, value, report),
        "output_guardrails" => after(node).guardrails = hooks::read_guardrails(path, value, report),
        "input_mutators" => before(node).mutators = hooks::read_mutators(path, value, report),
        "output_mutators" => after(node).mutators = hooks::read_mutators(path, value, report),
        "cb_config" => node.breaker = settings::read_breaker(path, value, report).map(Arc::new),
        "prompt_id" => node.prompt_id = read::text(path, value, report),
        _ => read_rest(node, field, report),
    }
}

/// Provider options, fields that Portkey knows and that do nothing here, and strangers.
fn read_rest(node: &mut Node, field: &Field<'_>, report: &mut Report) {
    match field.name.as_ref() {
        "is_open" | "index" | "original_index" => {
            report.warning(&field.path, "is the gateway's own; it has no effect")
        }
        "default_input_guardrails" | "default_output_guardrails" => {
            report.warning(&field.path, "has no effect in a config; it is a request header");
        }
        "options" => {
            let hint = "write the entries as `targets` and the mode as `strategy`";
            report.problem_hint(
                &field.path,
                "belongs to an older form of configs, which is not supported",
                hint,
            );
        }
        _ => {
            if !options::read(&mut node.options, field, report) {
                report.unknown(&field.path, &field.name, FIELDS.into_iter().chain(options::names()));
            }
        }
    }
}

fn before(node: &mut Node) -> &mut Hooks {
    Arc::make_mut(node.before.get_or_insert_default())
}

fn after(node: &mut Node) -> &mut Hooks {
    Arc::make_mut(node.after.get_or_insert_default())
}

fn read_targets(path: &Path<'_>, value: &Value, depth: usize, report: &mut Report) -> Vec<Node> {
    if depth >= TARGET_DEPTH_MAX {
        report.problem(path, format!("is nested deeper than {TARGET_DEPTH_MAX} levels of targets"));
        return Vec::new();
    }
    let max = if depth == 0 { CONDITIONAL_ROOT_TARGETS_MAX } else { NESTED_TARGETS_MAX };
    let targets = read::list(path, value, max, report, |path, value, report| {
        let target = read(path, value, depth + 1, report);
        if depth == 0 {
            check_nested(path, &target, report);
        }
        Some(target)
    });
    targets.unwrap_or_default()
}

fn check_nested(path: &Path<'_>, target: &Node, report: &mut Report) {
    let nested = below(target);
    if nested > NESTED_TARGETS_MAX {
        report.problem(
            path,
            format!("has {nested} targets below it; at most {NESTED_TARGETS_MAX} are allowed"),
        );
    }
}

/// The number of targets below a node, on all levels.
fn below(node: &Node) -> usize {
    node.targets.iter().map(|target| 1 + below(target)).sum()
}

/// The name of a header (a token of RFC 9110, section 5.6.2), in lower case.
fn read_header_name(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<String> {
    let name = read::text(path, value, report)?.trim().to_ascii_lowercase();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.bytes().all(token) {
        report.problem(path, "is not the name of a header");
        return None;
    }
    if name == "x-portkey-forward-headers" {
        report.problem(path, "must not be the `x-portkey-forward-headers` header itself");
        return None;
    }
    Some(name)
}

/// A path into the request body: `key`, `a.b`, `tools[0]`, `messages[*].name`.
fn read_param_path(path: &Path<'_>, value: &Value, report: &mut Report) -> Option<String> {
    let text = read::text(path, value, report)?;
    if text.split('.').all(is_param_step) {
        return Some(text);
    }
    report.problem_hint(
        path,
        "is no path of a body field",
        "write it like `user`, `a.b`, `tools[0]` or `messages[*].name`",
    );
    None
}

fn is_param_step(step: &str) -> bool {
    let (key, indexes) = step.split_at(step.find('[').unwrap_or(step.len()));
    let is_index = |index: &str| {
        let index = index.strip_suffix(']').unwrap_or_default();
        index == "*" || !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
    };
    !key.is_empty() && !key.contains(']') && indexes.split('[').skip(1).all(is_index)
}
