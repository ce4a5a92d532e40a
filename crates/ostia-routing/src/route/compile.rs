//! Config to route, depth first.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::inherit::settings;
use super::{Author, Branch, Child, Hedge, Leaf, Moves, Pool, ROUTE_BYTES_MAX, Route, Rule, Sticky, weight};
use crate::balance::Set;
use crate::condition::Query;
use crate::config::{
    self, Balance, Config, HEDGE_BUDGET_PERCENT, Mode, Node, Problem, Strategy, unsupported,
};
use crate::hash::Hash;
use crate::state::{self, Sizes, State};
use crate::{breaker, condition, retry};

/// How long a sticky choice lasts where the config does not say, in seconds; Portkey's.
const STICKY_TTL_S: u64 = 3600;
/// Hedges a second that a quiet target may always have, beside its share of the requests.
const HEDGES_PER_SECOND: u64 = 1;
/// No pool or fallback has more members than can be remembered as tried.
const _: () =
    assert!(config::ROOT_TARGETS_MAX <= Set::MEMBERS_MAX && config::NESTED_TARGETS_MAX <= Set::MEMBERS_MAX);

pub(super) fn route(config: &Config, state: &State) -> Result<Route, Problem> {
    let mut compiler = Compiler::default();
    let root = compiler.node(&config.root, &Node::default(), "config".to_owned())?;
    let Compiler { mut branches, mut leaves, sizes, conditions, asks, bytes, .. } = compiler;
    leaves.shrink_to_fit();
    branches.shrink_to_fit();
    let keyless =
        leaves.iter().find(|leaf| leaf.settings.api_key.is_none() && leaf.settings.provider.is_some());
    let client_key_for: Option<Arc<str>> =
        keyless.and_then(|leaf| leaf.settings.provider.as_deref()).map(Arc::from);
    leaves.iter_mut().for_each(|leaf| leaf.client_key_for.clone_from(&client_key_for));
    let is_cheapest =
        |branch: &Branch| matches!(&branch.rule, Rule::Pool(pool) if pool.balance == Balance::LeastCost);
    let mut unsupported = Vec::new();
    unsupported::all(&config.root, "", &mut unsupported);
    Ok(Route {
        root,
        deadline: config.root.deadline_ms.map(Duration::from_millis),
        slots: state.take(config.content, sizes),
        asks,
        compares_prices: branches.iter().any(is_cheapest),
        branches,
        leaves,
        fields: conditions.fields,
        warnings: conditions.warnings,
        unsupported,
        bytes: size_of::<Route>() + bytes + sizes.total() * state::SLOT_BYTES_MAX,
    })
}

#[derive(Default)]
struct Compiler {
    branches: Vec<Branch>,
    leaves: Vec<Leaf>,
    sizes: Sizes,
    conditions: condition::Compiler,
    asks: bool,
    /// Targets of the same `id` share a slot.
    ids: BTreeMap<String, usize>,
    /// The memory that all of it takes.
    bytes: usize,
}

impl Compiler {
    /// Counts memory before it is taken.
    fn charge(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes <= ROUTE_BYTES_MAX {
            return Ok(());
        }
        let message =
            format!("is too large: made ready for use it takes more than {} MiB", ROUTE_BYTES_MAX >> 20);
        let hint = "name fewer targets or conditions; what holds for many targets takes room only once where an \
                    outer level sets it, but body fields that two levels set are merged for each target";
        Err(Problem::root(message, Some(hint.to_owned())))
    }

    fn node(&mut self, node: &Node, outer: &Node, index_path: String) -> Result<Child, Problem> {
        self.charge(weight::of_node(node) + weight::of_text(&index_path))?;
        self.charge(merged_bytes(node, outer))?;
        let settings = settings(node, outer);
        match &node.strategy {
            Some(strategy) if !node.targets.is_empty() => self.branch(node, strategy, &settings, index_path),
            _ => self.leaf(settings, index_path),
        }
    }

    fn branch(
        &mut self,
        node: &Node,
        strategy: &Strategy,
        settings: &Node,
        index_path: String,
    ) -> Result<Child, Problem> {
        let most = match strategy.mode {
            Mode::Single => 1,
            Mode::Fallback | Mode::Loadbalance => Set::MEMBERS_MAX,
            Mode::Conditional => usize::MAX,
        };
        let targets = &node.targets[..node.targets.len().min(most)];
        self.charge(size_of::<Branch>() + weight::of_strategy(strategy, targets.len()))?;
        let first = self.leaves.len();
        let each = targets.iter().enumerate();
        let members =
            each.map(|(index, target)| self.node(target, settings, format!("{index_path}.targets[{index}]")));
        let members = members.collect::<Result<Vec<Child>, Problem>>()?;
        let rule = match strategy.mode {
            Mode::Single => Rule::Single,
            Mode::Fallback => Rule::Fallback(moves(strategy)),
            Mode::Loadbalance => Rule::Pool(Box::new(self.pool(strategy, targets, &index_path))),
            Mode::Conditional => self.conditional(strategy, targets, &index_path)?,
        };
        self.branches.push(Branch { index_path, rule, members, leaves: first..self.leaves.len() });
        Ok(Child::Branch(self.branches.len() - 1))
    }

    fn pool(&mut self, strategy: &Strategy, targets: &[Node], index_path: &str) -> Pool {
        let balance = strategy.balance.unwrap_or_default();
        let slot = match balance {
            Balance::RoundRobin => claim(&mut self.sizes.turns, 1),
            Balance::LeastPending | Balance::LeastLatency => claim(&mut self.sizes.gauges, targets.len()),
            Balance::Weighted | Balance::LeastCost => 0,
        };
        let sticky = strategy.sticky.as_ref().filter(|sticky| sticky.enabled);
        Pool {
            balance,
            moves: moves(strategy),
            weights: targets.iter().map(|target| target.weight.unwrap_or(1.0)).collect(),
            identities: identities(targets),
            sticky: sticky.map(|sticky| self.sticky(sticky, index_path)),
            slot,
        }
    }

    fn sticky(&mut self, sticky: &config::Sticky, index_path: &str) -> Sticky {
        self.asks = true;
        let parsed = sticky.hash_fields.iter().map(|name| condition::Field::parse(name));
        let fields: Vec<_> = parsed.map(|field| Some(self.conditions.field(field?))).collect();
        for (index, _) in fields.iter().enumerate().filter(|(_, field)| field.is_none()) {
            let path = in_config(index_path, &format!("strategy.sticky.hash_fields[{index}]"));
            let message = "is no known field, and so keeps nobody with a target".to_owned();
            self.conditions.warn(path, message);
        }
        Sticky { fields, ttl_s: sticky.ttl_s.unwrap_or(STICKY_TTL_S) }
    }

    fn conditional(
        &mut self,
        strategy: &Strategy,
        targets: &[Node],
        index_path: &str,
    ) -> Result<Rule, Problem> {
        self.asks = true;
        let named = |name: &str| targets.iter().position(|target| target.name.as_deref() == Some(name));
        let mut conditions = Vec::with_capacity(strategy.conditions.len());
        for (index, condition) in strategy.conditions.iter().enumerate() {
            let path = in_config(index_path, &format!("strategy.conditions[{index}].query"));
            let query = self.query(&condition.query, &path)?;
            conditions.extend(named(&condition.then).map(|member| (query, member)));
        }
        Ok(Rule::Conditional { conditions, default: strategy.default.as_deref().and_then(named) })
    }

    fn query(&mut self, query: &Value, path: &str) -> Result<Query, Problem> {
        // As it was written, and its fields.
        self.charge(2 * weight::of_value(query))?;
        let before = self.conditions.pattern_bytes;
        let query = self.conditions.query(query, path);
        if let Some(problem) = self.conditions.excess.take() {
            return Err(problem);
        }
        self.charge(self.conditions.pattern_bytes - before)?;
        Ok(query)
    }

    fn leaf(&mut self, settings: Node, index_path: String) -> Result<Child, Problem> {
        self.charge(size_of::<Leaf>())?;
        let breaker = settings.breaker.as_deref().map(breaker::Rule::new);
        let retry = settings.retry.as_deref().and_then(retry::Rule::new);
        let hedge = settings.hedge.map(|hedge| Hedge {
            after: Duration::from_millis(hedge.after_ms),
            budget: retry::Rate::new(hedge.budget_percent.unwrap_or(HEDGE_BUDGET_PERCENT), HEDGES_PER_SECOND),
        });
        let needs_slot = breaker.is_some() || retry.is_some() || hedge.is_some();
        let slot = needs_slot.then(|| self.slot(settings.id.as_deref()));
        let author = Author::default();
        self.leaves.push(Leaf {
            index_path,
            author,
            settings,
            client_key_for: None,
            slot,
            breaker,
            retry,
            hedge,
        });
        Ok(Child::Leaf(self.leaves.len() - 1))
    }

    fn slot(&mut self, id: Option<&str>) -> usize {
        match id {
            Some(id) => match self.ids.get(id) {
                Some(slot) => *slot,
                None => {
                    let slot = claim(&mut self.sizes.targets, 1);
                    self.ids.insert(id.to_owned(), slot);
                    slot
                }
            },
            None => claim(&mut self.sizes.targets, 1),
        }
    }
}

/// What the body fields take that a node and those around it both set: they are merged into a copy.
fn merged_bytes(node: &Node, outer: &Node) -> usize {
    let pairs =
        [(&node.override_params, &outer.override_params), (&node.default_params, &outer.default_params)];
    let both = pairs.iter().filter(|(inner, outer)| inner.is_some() && outer.is_some());
    both.map(|(inner, outer)| weight::of_params(inner) + weight::of_params(outer)).sum()
}

/// A path as problems of configs are told: from the root, without its name.
fn in_config(index_path: &str, rest: &str) -> String {
    let path = format!("{index_path}.{rest}");
    path.strip_prefix("config.").map(str::to_owned).unwrap_or(path)
}

/// Takes so many places; gives the first.
fn claim(size: &mut usize, places: usize) -> usize {
    let first = *size;
    *size += places;
    first
}

fn moves(strategy: &Strategy) -> Moves {
    Moves { statuses: strategy.on_status_codes.clone(), stop_on: strategy.stop_on.clone() }
}

/// A target is the same one as long as it has the same id, or name, or place; of two alike the place counts
/// too.
fn identities(targets: &[Node]) -> Vec<u64> {
    let mut identities: Vec<u64> = Vec::with_capacity(targets.len());
    for (index, target) in targets.iter().enumerate() {
        let place = Hash::new().number(index as u64);
        let label = target.id.as_ref().or(target.name.as_ref());
        let own = label.map_or(place, |label| Hash::new().bytes(label.as_bytes())).finish();
        identities.push(if identities.contains(&own) { place.number(own).finish() } else { own });
    }
    identities
}
