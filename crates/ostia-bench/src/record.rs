//! Everything that one run measured: written by [`crate::runner`], read by [`crate::report`], and
//! kept by `--json`.

use serde::{Deserialize, Serialize};

use crate::load::Measured;
use crate::workloads::Workload;

/// What stands between load generator and mock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Nothing.
    Direct,
    /// The yardstick.
    Nginx,
    /// Ours.
    Ostia,
}

impl System {
    /// Every system, the ones to compare with first.
    pub const ALL: [Self; 3] = [Self::Direct, Self::Nginx, Self::Ostia];

    /// The name in options, tables and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Ostia => "ostia",
        }
    }

    /// The system of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.name() == name)
    }

    /// Whether the workload says anything about the system.
    #[must_use]
    pub fn takes(self, workload: &Workload) -> bool {
        match self {
            Self::Direct => workload.is_plain() && !workload.fresh_process,
            Self::Nginx => workload.is_relayed() && workload.serving.is_nginx_able(),
            Self::Ostia => true,
        }
    }
}

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// What ran, and where.
    pub setup: Setup,
    /// One for each measured window that was kept.
    pub samples: Vec<Sample>,
    /// One for each process that was started and served all workloads of a round.
    pub lives: Vec<Life>,
    /// One for each process whose memory was watched minute by minute.
    #[serde(default)]
    pub memories: Vec<Memory>,
    /// What could not be measured.
    pub failures: Vec<Failure>,
}

/// What ran, and where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// Times that everything was measured.
    pub rounds: u32,
    /// Length of a window.
    pub window_ms: u64,
    /// The core of gateway and nginx.
    pub gateway_core: usize,
    /// The core of mock and load generator.
    pub load_core: usize,
    /// The processor, as the kernel names it.
    pub processor: String,
    /// The kernel's version.
    pub kernel: String,
    /// What `nginx -v` says.
    pub nginx: Option<String>,
    /// Path and size of the gateway's binary.
    pub gateway: Option<(String, u64)>,
}

/// One measured window.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sample {
    /// What was measured.
    pub system: System,
    /// The workload's name.
    pub workload: String,
    /// Counted from 1.
    pub round: u32,
    /// Windows measured before this one was kept, this one among them.
    pub tries: u32,
    /// The figures; the system's process is named `gateway` there.
    pub measured: Measured,
}

/// One process from its start to the end of its round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Life {
    /// Whose process.
    pub system: System,
    /// Counted from 1.
    pub round: u32,
    /// From the start to the first right answer.
    pub start_ms: f64,
    /// Resident memory after the first answer.
    pub idle_kb: u64,
    /// Resident memory some seconds after the last workload.
    pub after_kb: u64,
}

/// Resident memory of a process minute by minute, in kilobytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    /// Whose process.
    pub system: System,
    /// The workload's name.
    pub workload: String,
    /// Counted from 1.
    pub round: u32,
    /// After the first answer.
    pub idle_kb: u64,
    /// After each minute of load.
    pub minutes_kb: Vec<u64>,
    /// Half a minute after the last of them.
    pub rested_kb: u64,
}

/// Something that could not be measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// Where.
    pub system: System,
    /// The workload's name, or `start`.
    pub workload: String,
    /// Counted from 1.
    pub round: u32,
    /// Why.
    pub reason: String,
}
