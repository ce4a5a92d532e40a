//! What was decided for a request, while it is under way and afterwards.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ostia_routing::{self as routing, History, Plan, Route};

use crate::clock::now;

/// A plan under way, or at its end. Nobody takes the lock but who follows it, and who reads it here.
#[derive(Debug, Clone)]
pub struct SharedPlan {
    /// The plan.
    pub plan: Arc<Mutex<Plan>>,
    /// The route that it follows, for whoever does not want to wait for the plan.
    pub route: Arc<Route>,
}

/// What was decided for a request.
#[derive(Debug, Clone)]
pub enum Decisions {
    /// All that there was to decide.
    Made(History),
    /// The answer is under way, and may break off.
    UnderWay(SharedPlan),
}

impl SharedPlan {
    /// What is decided by now.
    pub fn record(&self) -> routing::Record {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).record(now())
    }
}

impl From<SharedPlan> for Decisions {
    /// Of a plan that nobody follows any further only what its record needs is kept.
    fn from(plan: SharedPlan) -> Decisions {
        let SharedPlan { plan, route } = plan;
        match Arc::try_unwrap(plan) {
            Ok(plan) => {
                let plan = plan.into_inner().unwrap_or_else(PoisonError::into_inner);
                Decisions::Made(plan.into_history())
            }
            Err(plan) => Decisions::UnderWay(SharedPlan { plan, route }),
        }
    }
}

impl Decisions {
    fn is_under_way(&self) -> bool {
        matches!(self, Decisions::UnderWay(_))
    }

    /// As it is told by now.
    pub(super) fn record(&self) -> routing::Record {
        match self {
            Decisions::Made(history) => history.record(now()),
            Decisions::UnderWay(shared) => shared.record(),
        }
    }

    /// The route that was followed.
    pub(super) fn route(&self) -> &Arc<Route> {
        match self {
            Decisions::Made(history) => history.route(),
            Decisions::UnderWay(shared) => &shared.route,
        }
    }
}

/// The same, as explain and the store share it.
#[derive(Debug, Clone)]
pub(super) struct SharedDecisions(Arc<Mutex<Option<Decisions>>>);

/// Routes that had secrets of the operator's, by their addresses, and the same without: requests that shared one go on sharing one.
/// The first of each pair stays until the end, so that its address is nobody else's.
pub(super) type Withheld = BTreeMap<usize, (Arc<Route>, Arc<Route>)>;

impl SharedDecisions {
    /// As it is told by now.
    pub(super) fn record(&self) -> Option<routing::Record> {
        self.lock().as_ref().map(Decisions::record)
    }

    /// Looks at the route that was followed.
    pub(super) fn route<T>(&self, look: impl FnOnce(&Arc<Route>) -> T) -> Option<T> {
        self.lock().as_ref().map(|made| look(made.route()))
    }

    /// Takes the operator's keys out, unless somebody still follows the plan.
    pub(super) fn withhold_secrets(&self, withheld: &mut Withheld) {
        let mut decisions = self.lock();
        if let Some(Decisions::UnderWay(plan)) = decisions.take_if(|made| made.is_under_way()) {
            // Nobody may follow it any further by now.
            *decisions = Some(plan.into());
        }
        let Some(Decisions::Made(history)) = decisions.as_mut() else { return };
        if !history.route().has_operators_secrets() {
            return;
        }
        let route = history.route().clone();
        let (_, without) = withheld.entry(address(&route)).or_insert_with(|| {
            let without = Arc::new(route.without_secrets());
            (route, without)
        });
        history.replace_route(without.clone());
    }

    /// Nothing that is done under the lock can fail half-way, so a poisoned one is as good.
    fn lock(&self) -> MutexGuard<'_, Option<Decisions>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Decisions> for SharedDecisions {
    fn from(decisions: Decisions) -> SharedDecisions {
        SharedDecisions(Arc::new(Mutex::new(Some(decisions))))
    }
}

/// By which a route is told from others.
pub(super) fn address(route: &Arc<Route>) -> usize {
    Arc::as_ptr(route).addr()
}
