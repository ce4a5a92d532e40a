//! Targets that do as they are told, a clock that jumps, and requests one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::*;
use super::tree;
use crate::condition::{Fact, Field, find};
use crate::config;
use crate::outcome::{Class, Limit};
use crate::state::State;

/// How long an attempt takes if nothing else is said.
const USUAL_MS: u64 = 100;

/// A request, as JSON: `{"metadata": {...}, "params": {...}}`, and prices by leaf.
pub struct Request(pub Value, pub Vec<Option<f64>>);

impl Facts for Request {
    fn get(&self, field: &Field) -> Option<Fact<'_>> {
        match field {
            Field::Metadata(key) => self.0.get("metadata")?.get(key),
            Field::Param(steps) => find(self.0.get("params")?, steps),
            _ => None,
        }
        .map(Fact::from)
    }

    fn unix_s(&self) -> u64 {
        self.0["unix_s"].as_u64().unwrap_or(1_800_000_000)
    }

    fn price(&self, leaf: usize) -> Option<f64> {
        self.1.get(leaf).copied().flatten()
    }
}

/// What a target does with one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    pub outcome: Outcome,
    pub takes: Duration,
    /// It breaks after it began, when the client has so much.
    pub breaks: Option<Sent>,
}

impl Default for Act {
    fn default() -> Act {
        Act::parse("200")
    }
}

impl Act {
    /// `503`, `reset`, `content_policy`, ...; then `~MS` a told wait, `@MS` how long it takes, `!SENT` a
    /// broken stream.
    fn parse(text: &str) -> Act {
        let (text, breaks) = split(text, '!');
        let (text, takes) = split(text, '@');
        let (verdict, wait) = split(text, '~');
        let millis = |text: &str| Duration::from_millis(text.parse().unwrap());
        let breaks = breaks.map(|sent| match sent {
            "text" => Sent::Text,
            "tool" => Sent::ToolCall,
            _ => panic!("what was sent: {sent}"),
        });
        let outcome = Outcome { wait: wait.map(millis), ..Outcome::of(parse_verdict(verdict)) };
        Act { outcome, takes: takes.map_or(Duration::from_millis(USUAL_MS), millis), breaks }
    }
}

fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(text, rest)| (text, Some(rest)))
}

fn parse_verdict(text: &str) -> Verdict {
    match text {
        "reset" => Verdict::Unreachable,
        "late" => Verdict::Late(Limit::FirstToken),
        "untranslatable" => Verdict::Untranslatable,
        "sign_in" => Verdict::SignIn,
        "nonsense" => Verdict::BadAnswer,
        "gone" => Verdict::ClientGone,
        "context_length" => Verdict::Refused { status: 400, class: Class::ContextLength },
        "quota" => Verdict::Refused { status: 400, class: Class::Quota },
        "wrong_key" => Verdict::Refused { status: 400, class: Class::Authentication },
        "content_policy" => Verdict::Refused { status: 400, class: Class::ContentPolicy },
        status => Verdict::of_status(status.parse().unwrap_or_else(|_| panic!("what happens: {status}"))),
    }
}

/// A route, its shared state, and the time.
pub struct World {
    pub route: Arc<Route>,
    state: State,
    pub now: Time,
    pub seed: u64,
    pub request: Request,
}

fn route(config: &Value, state: &State) -> Arc<Route> {
    let parsed = config::from_value(config).unwrap_or_else(|problems| panic!("{config}: {problems:?}"));
    Arc::new(Route::new(&parsed.config, state).unwrap())
}

/// An attempt under way: when it ends, and how.
type Flight = (Attempt, Time, Act);

impl World {
    pub fn new(tree: &str) -> World {
        World::of(&tree::config(tree))
    }

    pub fn of(config: &Value) -> World {
        let state = State::default();
        World {
            route: route(config, &state),
            state,
            now: Time::from_micros(1_000_000),
            seed: 1,
            request: Request(json!({}), Vec::new()),
        }
    }

    /// From now on requests follow this route.
    pub fn follow(&mut self, tree: &str) {
        self.route = route(&tree::config(tree), &self.state);
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
    }

    pub fn plan(&self) -> Plan {
        Plan::new(self.route.clone(), &self.request, self.seed, self.now)
    }

    /// One request: `what targets do => what happens`. Each target does one thing after the other
    /// (`a=503,200`), and its last thing again and again. What happens: names of targets that are asked (`+`
    /// as hedge), `wait` (with milliseconds where a target asked for it), `ok`, or why not; after `ok` what
    /// becomes of a stream that breaks.
    pub fn ask(&mut self, story: &str) {
        let (acts, expected) = story.split_once("=>").expect("`=>` before what happens");
        let mut script = Script::parse(acts);
        let found = self.run(&mut |name| script.next(name));
        assert_eq!(found.join(", "), expected.trim(), "{story}");
        self.seed += 1;
    }

    /// Runs one request to its end; gives what happened.
    pub fn run(&mut self, act: &mut dyn FnMut(&str) -> Act) -> Vec<String> {
        let mut plan = self.plan();
        let mut trace = Vec::new();
        let mut told = false;
        loop {
            match plan.next(self.now) {
                Step::Attempt(attempt) => {
                    trace.push(self.name(&attempt));
                    let last = self.attempt(&mut plan, attempt, act, &mut trace);
                    told = last.outcome.wait.is_some();
                    if let Some(sent) = last.breaks.filter(|_| plan.next(self.now) == Step::Answered) {
                        trace.push("ok".to_owned());
                        if !self.break_stream(&mut plan, sent, act, &mut trace) {
                            break;
                        }
                    }
                }
                Step::Wait(until) => {
                    let millis = until.since(self.now).as_millis();
                    trace.push(if told { format!("wait {millis}") } else { "wait".to_owned() });
                    self.now = until;
                }
                Step::Answered => {
                    trace.push("ok".to_owned());
                    break;
                }
                Step::GiveUp(reason) => {
                    trace.push(record::reason(reason).to_owned());
                    break;
                }
            }
        }
        plan.finish(self.now);
        trace
    }

    /// Breaks the answer; false if that is the end.
    fn break_stream(
        &mut self,
        plan: &mut Plan,
        sent: Sent,
        act: &mut dyn FnMut(&str) -> Act,
        trace: &mut Vec<String>,
    ) -> bool {
        let (word, attempt) = match plan.broken(Verdict::Broken, sent, self.now) {
            MidStream::Error => {
                trace.push("error".to_owned());
                return false;
            }
            MidStream::Continue(attempt) => ("continue", attempt),
        };
        trace.push(format!("{word} {}", self.name(&attempt)));
        let last = self.attempt(plan, attempt, act, trace);
        match last.breaks.filter(|_| plan.next(self.now) == Step::Answered) {
            Some(sent) => self.break_stream(plan, sent, act, trace),
            None => true,
        }
    }

    /// Makes an attempt, and its hedge where the plan wants one; gives what ended it.
    fn attempt(
        &mut self,
        plan: &mut Plan,
        attempt: Attempt,
        act: &mut dyn FnMut(&str) -> Act,
        trace: &mut Vec<String>,
    ) -> Act {
        let mut flights = vec![self.flight(attempt, act)];
        loop {
            let first = flights.iter().enumerate().min_by_key(|(_, (_, end, _))| *end).unwrap().0;
            if let Some(at) = plan.hedge_at().filter(|at| *at < flights[first].1) {
                self.now = at;
                if let Some(hedge) = plan.hedge(at) {
                    trace.push(format!("+{}", self.name(&hedge)));
                    flights.push(self.flight(hedge, act));
                }
                continue;
            }
            let (attempt, end, act) = flights.remove(first);
            self.now = end;
            plan.outcome(&attempt, act.outcome, end);
            if flights.is_empty() || plan.next(end) == Step::Answered {
                return act;
            }
        }
    }

    /// What a target does, and when it is done or runs into a limit.
    fn flight(&self, attempt: Attempt, act: &mut dyn FnMut(&str) -> Act) -> Flight {
        let mut act = act(self.name(&attempt).as_str());
        let mut end = self.now.after(act.takes);
        let limits = [
            (attempt.limits.first_byte.map(|limit| self.now.after(limit)), Limit::FirstByte),
            (attempt.limits.first_token.map(|limit| self.now.after(limit)), Limit::FirstToken),
            (attempt.limits.until, Limit::Deadline),
        ];
        for (at, limit) in limits {
            if let Some(at) = at.filter(|at| *at < end) {
                end = at;
                act.outcome = Verdict::Late(limit).into();
            }
        }
        (attempt, end, act)
    }

    fn name(&self, attempt: &Attempt) -> String {
        self.route.leaves()[attempt.leaf].settings.name.clone().unwrap_or_default()
    }
}

/// What each target does, one thing after the other.
struct Script(BTreeMap<String, Vec<Act>>);

impl Script {
    fn parse(text: &str) -> Script {
        let one = |word: &str| {
            let (name, acts) = word.split_once('=').expect("a name, `=`, and what it does");
            let mut acts: Vec<Act> = acts.split(',').map(Act::parse).collect();
            acts.reverse();
            (name.to_owned(), acts)
        };
        Script(text.split_whitespace().map(one).collect())
    }

    fn next(&mut self, name: &str) -> Act {
        match self.0.get_mut(name) {
            Some(acts) if acts.len() > 1 => acts.pop().unwrap(),
            Some(acts) => acts[0],
            None => Act::default(),
        }
    }
}
