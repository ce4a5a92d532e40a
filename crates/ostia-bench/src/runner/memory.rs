//! Memory minute by minute: whether it stays as it is under a load that goes on, and comes back afterwards.

use std::thread::sleep;
use std::time::Duration;

use super::Bench;
use crate::account::resident_kb;
use crate::record::{Memory, Sample, System};
use crate::workloads::Workload;

/// How long a process rests after the load before its memory is read once more.
const REST_AFTER: Duration = Duration::from_secs(30);

impl Bench<'_> {
    /// Loads a process that was just started, minute by minute ([`super::Options::minutes`]). Each minute is a sample too.
    pub(super) fn watch_memory(&mut self, round: u32, workload: &Workload, system: System) {
        let Some(server) = self.servers.get(&(system, workload.serving)) else { return };
        let (pid, idle_kb) = (server.process.pid(), server.idle_kb);
        let mut minutes_kb = Vec::new();
        for _ in 0..self.options.minutes {
            let measured = match self.load(workload, system) {
                Ok(measured) => measured,
                Err(error) => return self.fail(round, workload.name, system, &error),
            };
            minutes_kb.push(resident_kb(pid));
            self.keep(Sample { system, workload: workload.name.into(), round, tries: 1, measured });
        }
        sleep(REST_AFTER);
        let rested_kb = resident_kb(pid);
        let memory = Memory { system, workload: workload.name.into(), round, idle_kb, minutes_kb, rested_kb };
        eprintln!("  {}", crate::report::memory_line(&memory));
        self.run.memories.push(memory);
    }
}
