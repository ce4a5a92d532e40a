//! What operators and clients write about routing, and the operator's file.

use std::sync::Arc;

use ostia_routing::condition::Field;
use ostia_routing::plan::Step;
use ostia_routing::{Fact, Facts, Outcome, Plan, Route, State, Time, Verdict, config};

/// Most steps of a plan that is followed: a plan has an end long before.
const STEPS_MAX: usize = 10_000;

/// A request of which every field holds the same text.
struct Same(&'static str);

impl Facts for Same {
    fn get(&self, _field: &Field) -> Option<Fact<'_>> {
        Some(Fact::from(self.0))
    }

    fn unix_s(&self) -> u64 {
        1_800_000_000
    }
}

/// Any text is a config or a list of problems; a config that can be compiled is followed to an end, whatever its targets
/// answer.
pub fn routing(data: &[u8]) {
    let Some((&seed, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(parsed) = config::parse(text) else { return };
    let Ok(route) = Route::new(&parsed.config, &State::default()) else { return };
    let route = Arc::new(route);
    let mut now = Time::from_micros(1);
    let mut plan = Plan::new(route.clone(), &Same("gpt-4o"), u64::from(seed), now);
    for step in 0..STEPS_MAX {
        match plan.next(now) {
            Step::Attempt(attempt) => {
                assert!(route.leaves().get(attempt.leaf).is_some());
                let verdict = match (step + usize::from(seed)) % 3 {
                    0 => Verdict::Unreachable,
                    1 => Verdict::BadAnswer,
                    _ => Verdict::Success { status: 500 },
                };
                plan.outcome(&attempt, Outcome::of(verdict), now);
            }
            Step::Wait(until) => now = until,
            Step::GiveUp(_) | Step::Answered => return,
        }
    }
    panic!("the plan has no end");
}

/// Any text is a configuration, or a report that can be shown.
pub fn file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let env = |name: &str| (name.len() < 4).then(|| "x".to_owned());
    let report = ostia_config::check("f", text, &env).report;
    assert_eq!(report.render(true).is_empty(), report.problems().is_empty());
    assert_eq!(ostia_config::load(text, &env).is_err(), report.has_errors());
}
