//! Sums by name and step, as they are put together for an answer.

use std::collections::{BTreeMap, HashSet};

use crate::steps::Steps;
use crate::summary::{Group, Line, Series, Sums};

/// Most groups that are told.
const GROUPS_MAX: usize = 1000;
/// Most lines of a series that have a name; what is left is added up.
pub(crate) const LINES_MAX: usize = 20;

/// Sums by when a step begins.
type Cells = BTreeMap<i64, Sums>;

/// Sums by name and step.
#[derive(Clone, Default)]
pub(crate) struct Table {
    /// `None`: all time is one.
    steps: Option<Steps>,
    /// Which have a line of their own; `None`: all.
    names: Option<HashSet<String>>,
    lines: BTreeMap<String, Cells>,
    rest: Cells,
    /// How many names are in the rest.
    others: HashSet<String>,
}

impl Table {
    /// Of a series in which these have a line of their own.
    pub(crate) fn of_series(steps: Steps, names: &[String]) -> Table {
        Table { steps: Some(steps), names: Some(names.iter().cloned().collect()), ..Table::default() }
    }

    /// The beginning of the step that holds this moment.
    pub(crate) fn start_of(&self, ms: i64) -> i64 {
        self.steps.as_ref().map_or(0, |steps| steps.start_of(ms))
    }

    /// Where what is of this name and moment is added up.
    pub(crate) fn cell(&mut self, name: &str, ms: i64) -> &mut Sums {
        let start = self.start_of(ms);
        let is_own = self.names.as_ref().is_none_or(|names| names.contains(name));
        let line = if is_own { self.lines.entry(name.to_owned()).or_default() } else { &mut self.rest };
        if !is_own && !self.others.contains(name) {
            self.others.insert(name.to_owned());
        }
        line.entry(start).or_default()
    }

    /// By name alone, the most requests first.
    pub(crate) fn groups(self) -> Vec<Group> {
        let group =
            |(name, cells): (String, Cells)| cells.into_values().map(move |sums| (name.clone(), sums));
        let mut groups: Vec<Group> =
            self.lines.into_iter().flat_map(group).map(|(name, sums)| Group { name, sums }).collect();
        groups.sort_by(|one, other| (other.sums.requests, &one.name).cmp(&(one.sums.requests, &other.name)));
        groups.truncate(GROUPS_MAX);
        groups
    }

    /// By name and step, a line for each of these names.
    pub(crate) fn series(mut self, names: Vec<String>) -> Series {
        let mut line = |name: String| Line { points: self.lines.remove(&name).unwrap_or_default(), name };
        let lines = names.into_iter().map(&mut line).collect();
        Series { lines, others: self.others, rest: self.rest }
    }
}
