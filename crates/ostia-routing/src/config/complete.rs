//! A node as a whole: does it say enough to be followed, and does what it says fit together?

use super::fields::Field;
use super::report::{Path, Report};
use super::{CONDITIONAL_ROOT_TARGETS_MAX, Mode, Node, ROOT_TARGETS_MAX, Strategy, options};

/// Fields that describe a node for others; alone they ask for nothing.
const LABELS: [&str; 10] = [
    "name",
    "id",
    "weight",
    "prefill",
    "on_status_codes",
    "is_open",
    "index",
    "original_index",
    "default_input_guardrails",
    "default_output_guardrails",
];
/// What is used up by one call and so has no effect beside targets.
const LEAF_ONLY: [&str; 5] = ["provider", "api_key", "virtual_key", "prompt_id", "prefill"];

/// Reports what is missing or contradictory. `given` are the node's fields as they came, so that a field that is
/// there but wrong is not reported as missing too.
pub(super) fn check(path: &Path<'_>, node: &Node, given: &[Field<'_>], report: &mut Report) {
    let has = |name: &str| given.iter().find(|field| field.name == name);
    match (has("strategy"), has("targets")) {
        (None, None) => check_leaf(path, given, report),
        (Some(strategy), None) => {
            let hint = "add `targets`, a list of configs, beside it";
            report.problem_hint(&strategy.path, "has no `targets` to choose from", hint);
        }
        (None, Some(targets)) => {
            let hint = "add `\"strategy\": {\"mode\": \"fallback\"}` (or single, loadbalance, conditional)";
            report.problem_hint(&targets.path, "has no `strategy` beside it", hint);
        }
        (Some(strategy), Some(targets)) => check_strategy(path, node, strategy, targets, report),
    }
    if has("targets").is_some() {
        for field in LEAF_ONLY.into_iter().filter_map(has) {
            report.warning(&field.path, "has no effect beside `targets`; give it to the targets");
        }
    }
    if let Some(field) = has("deadline").filter(|_| !path.is_root()) {
        let message = "has an effect only at the root, because all attempts have one deadline together";
        report.warning(&field.path, message);
    }
    options::check_pairs(given, report);
}

fn check_leaf(path: &Path<'_>, given: &[Field<'_>], report: &mut Report) {
    let has = |name: &str| given.iter().find(|field| field.name == name);
    let option = |field: &&Field<'_>| options::names().any(|option| field.name == option);
    let named = has("provider").or(has("virtual_key")).or(has("prompt_id")).is_some();
    // At the root the provider may come from a header, and so may go with the options; a key needs its provider beside
    // it everywhere, lest it is sent to another one.
    let stray = has("api_key").or_else(|| given.iter().find(option).filter(|_| !path.is_root()));
    if let Some(field) = stray.filter(|_| !named) {
        report.problem_hint(
            &field.path,
            "is given and no provider to use it for",
            "add `provider` beside it",
        );
        return;
    }
    let asks = |field: &Field<'_>| !LABELS.contains(&field.name.as_ref());
    if !given.iter().any(asks) {
        let hint =
            "add `provider`, or `strategy` and `targets`, or a setting such as `retry` or `override_params`";
        report.problem_hint(path, "asks for nothing", hint);
    }
}

fn check_strategy(
    path: &Path<'_>,
    node: &Node,
    strategy: &Field<'_>,
    targets: &Field<'_>,
    report: &mut Report,
) {
    let count = targets.value.as_array().map(Vec::len);
    if count == Some(0) {
        report.problem_hint(&targets.path, "is empty", "add at least one target");
        return;
    }
    let Some(rule) = &node.strategy else { return };
    check_count(path, rule.mode, count.unwrap_or_default(), targets, report);
    match rule.mode {
        Mode::Single if count > Some(1) => {
            report.warning(&targets.path, "has more than one entry; mode single uses only the first");
        }
        Mode::Loadbalance if node.targets.iter().all(|target| target.weight == Some(0.0)) => {
            report.problem_hint(
                &targets.path,
                "have no weight at all",
                "give one of them a `weight` above 0",
            );
        }
        Mode::Conditional => check_names(node, rule, strategy, report),
        Mode::Single | Mode::Loadbalance | Mode::Fallback => {}
    }
}

fn check_count(path: &Path<'_>, mode: Mode, count: usize, targets: &Field<'_>, report: &mut Report) {
    let too_many = path.is_root() && mode != Mode::Conditional && count > ROOT_TARGETS_MAX;
    if too_many && count <= CONDITIONAL_ROOT_TARGETS_MAX {
        report.problem(&targets.path, format!("has {count} entries; at most {ROOT_TARGETS_MAX} are allowed"));
    }
}

/// Whatever `then` and `default` name must be there.
fn check_names(node: &Node, rule: &Strategy, strategy: &Field<'_>, report: &mut Report) {
    let names = || node.targets.iter().filter_map(|target| target.name.as_deref());
    let mut missing = |path: &Path<'_>, wanted: &str| {
        if names().any(|name| name == wanted) {
            return;
        }
        let hint = match report.nearest(wanted, names()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "give a target this `name`".to_owned(),
        };
        report.problem_hint(
            path,
            format!("names the target `{wanted}`, and there is none of that name"),
            hint,
        );
    };
    let conditions = strategy.path.key("conditions");
    for (index, condition) in rule.conditions.iter().enumerate() {
        missing(&conditions.index(index).key("then"), &condition.then);
    }
    if let Some(default) = &rule.default {
        missing(&strategy.path.key("default"), default);
    }
}
