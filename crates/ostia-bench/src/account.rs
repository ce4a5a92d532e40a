//! What the kernel says that a process cost: CPU time and resident memory, from `/proc` (proc(5)).
//!
//! CPU time is the sum over a process and its descendants (nginx has a worker) of `schedstat`, which
//! counts nanoseconds; where a thread ended in between, or the kernel keeps no `schedstat`, the
//! coarser `utime + stime` of `stat` is taken, which keeps what ended threads used.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::clock::now_ns;

/// The accounts at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    at_ns: u64,
    /// Time during which some core was not idle, summed over cores; with time stolen by a hypervisor.
    busy_ns: u64,
    /// One entry for each watched process, in the order given.
    processes: Vec<Tree>,
}

/// A process with its descendants.
#[derive(Debug, Clone, Default, PartialEq)]
struct Tree {
    /// Nanoseconds by thread.
    threads: BTreeMap<u32, u64>,
    /// User and system time, with that of ended threads.
    ticks_ns: u64,
    resident_kb: u64,
}

/// What a watched process used between two snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// User and system time.
    pub cpu_us: f64,
    /// Resident memory at the first snapshot.
    pub resident_before_kb: u64,
    /// Resident memory at the second snapshot.
    pub resident_after_kb: u64,
}

/// What happened between two snapshots.
#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    /// Time between them.
    pub seconds: f64,
    /// One entry for each watched process, in the order given.
    pub used: Vec<Used>,
    /// CPU time of everything that is not watched, as a number of cores (0.1 = a tenth of one core).
    pub foreign_cores: f64,
}

impl Snapshot {
    /// Reads the accounts of the processes `watched` and of the machine. A process that is gone has
    /// an empty account.
    #[must_use]
    pub fn take(watched: &[u32]) -> Self {
        let parents = parents();
        Self {
            at_ns: now_ns(),
            busy_ns: parse_busy_ticks(&read("/proc/stat")) * tick_ns(),
            processes: watched.iter().map(|pid| Tree::read(&descendants(*pid, &parents))).collect(),
        }
    }

    /// The difference to a later snapshot of the same processes.
    #[must_use]
    pub fn until(&self, later: &Self) -> Between {
        let seconds = later.at_ns.saturating_sub(self.at_ns) as f64 / 1e9;
        let used: Vec<Used> =
            self.processes.iter().zip(&later.processes).map(|(before, after)| before.until(after)).collect();
        let ours_s = used.iter().map(|used| used.cpu_us).sum::<f64>() / 1e6;
        let busy_s = later.busy_ns.saturating_sub(self.busy_ns) as f64 / 1e9;
        Between { seconds, used, foreign_cores: ((busy_s - ours_s) / seconds.max(1e-9)).max(0.0) }
    }
}

impl Tree {
    fn read(pids: &[u32]) -> Self {
        let mut tree = Self::default();
        for pid in pids {
            tree.ticks_ns += parse_stat(&read(&format!("/proc/{pid}/stat")))
                .map_or(0, |stat| stat.ticks.saturating_mul(tick_ns()));
            tree.resident_kb += parse_resident_kb(&read(&format!("/proc/{pid}/status"))).unwrap_or(0);
            for thread in numbers_in(&format!("/proc/{pid}/task")) {
                if let Some(ns) = parse_schedstat_ns(&read(&format!("/proc/{pid}/task/{thread}/schedstat"))) {
                    tree.threads.insert(thread, ns);
                }
            }
        }
        tree
    }

    fn until(&self, later: &Self) -> Used {
        let whole = !self.threads.is_empty() && self.threads.keys().all(|id| later.threads.contains_key(id));
        let cpu_ns = if whole {
            let before: u64 = self.threads.values().sum();
            later.threads.values().sum::<u64>().saturating_sub(before)
        } else {
            later.ticks_ns.saturating_sub(self.ticks_ns)
        };
        Used {
            cpu_us: cpu_ns as f64 / 1e3,
            resident_before_kb: self.resident_kb,
            resident_after_kb: later.resident_kb,
        }
    }
}

/// Resident memory of a process and its descendants now, in kilobytes.
#[must_use]
pub fn resident_kb(pid: u32) -> u64 {
    Tree::read(&descendants(pid, &parents())).resident_kb
}

/// The parent of every process.
fn parents() -> BTreeMap<u32, u32> {
    let parent = |pid| Some((pid, parse_stat(&read(&format!("/proc/{pid}/stat")))?.parent));
    numbers_in("/proc").into_iter().filter_map(parent).collect()
}

/// `root` and all that descend from it.
fn descendants(root: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(&pid) = found.get(at) {
        found.extend(parents.iter().filter(|(_, parent)| **parent == pid).map(|(child, _)| *child));
        at += 1;
    }
    found
}

/// The entries of a folder whose names are numbers.
fn numbers_in(folder: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// A file of `/proc`, or nothing where the process has ended.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn tick_ns() -> u64 {
    1_000_000_000 / rustix::param::clock_ticks_per_second().max(1)
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// utime + stime, in clock ticks.
    ticks: u64,
}

/// The name in brackets may itself hold brackets and spaces, so the fields count from the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat { parent: u32::try_from(number(1)?).ok()?, ticks: number(11)? + number(12)? })
}

/// The first field: nanoseconds on a CPU.
fn parse_schedstat_ns(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

fn parse_resident_kb(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// user, nice, system, irq, softirq and steal of the line that sums all cores; not idle and iowait.
/// Guest time is already in user time.
fn parse_busy_ticks(text: &str) -> u64 {
    let Some(line) = text.lines().find_map(|line| line.strip_prefix("cpu ")) else { return 0 };
    let fields = line.split_ascii_whitespace().map(|field| field.parse::<u64>().unwrap_or(0));
    fields.take(8).enumerate().filter(|(index, _)| !matches!(index, 3 | 4)).map(|(_, ticks)| ticks).sum()
}

#[cfg(test)]
mod tests;
