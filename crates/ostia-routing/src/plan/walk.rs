//! Walking the tree of strategies: a stack of frames, one for each strategy between the root and where we
//! are.

use crate::balance::{self, Set, sticky_key};
use crate::condition::{Facts, Inquiry};
use crate::config::Balance;
use crate::hash::{Dice, Hash};
use crate::outcome::Verdict;
use crate::record::{By, Event, Log};
use crate::route::{Branch, Child, Pool, Route, Rule, Sticky};
use crate::state::Slots;
use crate::time::Time;

/// What the request said when it was asked, once and for all.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// For each branch that can be reached and asks; empty where none does.
    answers: Vec<Answer>,
    /// The expected price at each leaf; empty where none is compared.
    pub(crate) prices: Vec<Option<f64>>,
    /// The conditions were more work than is done for one request.
    pub(super) too_much: bool,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Nothing,
    /// The member that the conditions choose, and which condition it was.
    Member(Option<usize>, Option<usize>),
    /// The caller's key in this time window.
    Key(u64),
}

impl Asked {
    /// Asks the request whatever the route will want to know.
    pub(super) fn of(route: &Route, facts: &dyn Facts) -> Asked {
        let prices = match route.compares_prices {
            true => (0..route.leaves().len()).map(|leaf| facts.price(leaf)).collect(),
            false => Vec::new(),
        };
        let mut asked = Asked { prices, ..Asked::default() };
        if route.asks {
            asked.answers = vec![Answer::Nothing; route.branches.len()];
            let inquiry = Inquiry::new(facts, &route.fields);
            asked.ask(route, &inquiry);
            asked.too_much = inquiry.is_exhausted();
        }
        asked
    }

    /// Asks from the root down, and of a conditional only what it chooses.
    fn ask(&mut self, route: &Route, inquiry: &Inquiry<'_>) {
        let mut open = vec![route.root];
        while let Some(child) = open.pop() {
            let Child::Branch(index) = child else { continue };
            let branch = &route.branches[index];
            let answer = answer(branch, inquiry);
            self.answers[index] = answer;
            match answer {
                Answer::Member(member, _) => open.extend(member.map(|member| branch.members[member])),
                Answer::Key(_) | Answer::Nothing => open.extend(&branch.members),
            }
        }
    }

    fn answer(&self, branch: usize) -> Answer {
        self.answers.get(branch).copied().unwrap_or(Answer::Nothing)
    }

    /// The lowest price below a member.
    fn price(&self, route: &Route, member: Child) -> f64 {
        let leaves = match member {
            Child::Leaf(leaf) => leaf..leaf + 1,
            Child::Branch(branch) => route.branches[branch].leaves.clone(),
        };
        let prices = self.prices.get(leaves).unwrap_or_default().iter();
        prices.flatten().copied().fold(f64::INFINITY, f64::min)
    }
}

fn answer(branch: &Branch, inquiry: &Inquiry<'_>) -> Answer {
    match &branch.rule {
        Rule::Conditional { conditions, default } => {
            match conditions.iter().position(|(query, _)| query.holds(inquiry)) {
                Some(index) => Answer::Member(Some(conditions[index].1), Some(index)),
                None => Answer::Member(*default, None),
            }
        }
        Rule::Pool(pool) => {
            let key = pool.sticky.as_ref().and_then(|sticky| caller_key(sticky, inquiry));
            key.map_or(Answer::Nothing, Answer::Key)
        }
        Rule::Single | Rule::Fallback(_) => Answer::Nothing,
    }
}

/// The caller's key, if the request has all fields that make it.
fn caller_key(sticky: &Sticky, inquiry: &Inquiry<'_>) -> Option<u64> {
    let mut hash = Hash::new();
    for field in &sticky.fields {
        let fact = inquiry.fact((*field)?)?;
        if !inquiry.afford(fact.bytes() as u64) {
            return None;
        }
        hash = fact.hashed(hash);
    }
    Some(sticky_key(hash.finish(), sticky.ttl_s, inquiry.unix_s()))
}

/// Where a plan stands in the tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Walk {
    begun: bool,
    frames: Vec<Frame>,
    /// A strategy had further members and did not ask them.
    pub(super) stopped: bool,
}

/// A strategy that is being followed.
#[derive(Debug, Clone)]
struct Frame {
    branch: usize,
    tried: Set,
    /// The member that was chosen last.
    member: Option<usize>,
    turn: u64,
}

/// What choices look at.
pub(super) struct View<'a> {
    pub(super) route: &'a Route,
    pub(super) slots: Option<&'a Slots>,
    pub(super) asked: &'a Asked,
    /// The last failure; `None` if there was none, and so every strategy may ask on.
    pub(super) verdict: Option<Verdict>,
    pub(super) now: Time,
}

impl Walk {
    /// The next leaf that the strategies want asked.
    pub(super) fn next(&mut self, view: &View<'_>, dice: &mut Dice, log: &mut Log) -> Option<usize> {
        let mut child = match self.begun {
            false => Some(view.route.root),
            true => self.sibling(view, dice, log),
        };
        self.begun = true;
        loop {
            match child? {
                Child::Leaf(leaf) => return Some(leaf),
                Child::Branch(branch) => self.frames.push(Frame::new(branch, view)),
            }
            child = self.sibling(view, dice, log);
        }
    }

    /// The next member of the innermost strategy that has one and moves on; strategies that have failed are
    /// left.
    fn sibling(&mut self, view: &View<'_>, dice: &mut Dice, log: &mut Log) -> Option<Child> {
        loop {
            let frame = self.frames.last_mut()?;
            let branch = &view.route.branches[frame.branch];
            let entered = frame.member.is_some();
            let stays = entered && view.verdict.is_some_and(|verdict| !branch.rule.moves_on(verdict));
            if let Some((member, by)) = frame.choose(branch, view, dice) {
                if !stays {
                    log.choice(view.now, frame.branch, member, by);
                    frame.tried.insert(member);
                    frame.member = Some(member);
                    self.stopped = false;
                    return Some(branch.members[member]);
                }
                self.stopped = true;
            }
            self.frames.pop();
        }
    }

    /// Whether any strategy on the way would ask another member after this.
    pub(super) fn moves_on(&self, route: &Route, verdict: Verdict) -> bool {
        self.frames.iter().any(|frame| route.branches[frame.branch].rule.moves_on(verdict))
    }

    /// The gauges of the members on the way.
    pub(super) fn gauges(&self, route: &Route) -> Vec<usize> {
        let gauge = |frame: &Frame| match &route.branches[frame.branch].rule {
            Rule::Pool(pool) => pool.gauge(frame.member?),
            Rule::Single | Rule::Fallback(_) | Rule::Conditional { .. } => None,
        };
        self.frames.iter().filter_map(gauge).collect()
    }
}

impl Frame {
    fn new(branch: usize, view: &View<'_>) -> Frame {
        let turn = match &view.route.branches[branch].rule {
            Rule::Pool(pool) if pool.balance == Balance::RoundRobin => {
                view.slots.map_or(0, |slots| slots.turn(pool.slot))
            }
            Rule::Pool(_) | Rule::Single | Rule::Fallback(_) | Rule::Conditional { .. } => 0,
        };
        Frame { branch, tried: Set::default(), member: None, turn }
    }

    /// A member that was not tried, and what chose it.
    fn choose(&self, branch: &Branch, view: &View<'_>, dice: &mut Dice) -> Option<(usize, By)> {
        let first = self.member.is_none();
        match &branch.rule {
            Rule::Single => first.then_some((0, By::Order)),
            Rule::Fallback(_) => {
                let next = self.member.map_or(0, |member| member + 1);
                (next < branch.members.len()).then_some((next, By::Order))
            }
            Rule::Conditional { .. } => match view.asked.answer(self.branch) {
                Answer::Member(Some(member), condition) if first => Some((member, By::Condition(condition))),
                Answer::Member(..) | Answer::Key(_) | Answer::Nothing => None,
            },
            Rule::Pool(pool) => self.choose_of_pool(pool, branch, view, dice),
        }
    }

    fn choose_of_pool(
        &self,
        pool: &Pool,
        branch: &Branch,
        view: &View<'_>,
        dice: &mut Dice,
    ) -> Option<(usize, By)> {
        let members = balance::Pool { weights: &pool.weights, tried: self.tried };
        if let Answer::Key(key) = view.asked.answer(self.branch) {
            return members.of_key(key, &pool.identities).map(|member| (member, By::Sticky));
        }
        let gauge = |member: usize| view.slots?.gauge(pool.gauge(member)?);
        let member = match pool.balance {
            Balance::Weighted => members.at(dice.unit()),
            Balance::RoundRobin => members.in_turn(self.turn),
            Balance::LeastPending => {
                let pending = |member| gauge(member).map_or(0, |gauge| gauge.pending());
                members.least(|member| f64::from(pending(member)) + 1.0, dice)
            }
            Balance::LeastLatency => {
                members.cheaper_of_two(|member| gauge(member).map_or(0.0, |gauge| gauge.cost(view.now)), dice)
            }
            Balance::LeastCost => {
                members.least(|member| view.asked.price(view.route, branch.members[member]), dice)
            }
        };
        member.map(|member| (member, By::Balance(pool.balance)))
    }
}

impl Log {
    /// Notes a choice where there was one: the order of a fallback needs no words.
    fn choice(&mut self, now: Time, branch: usize, member: usize, by: By) {
        if by != By::Order {
            self.push(now, Event::Chosen { branch, member, by });
        }
    }
}
