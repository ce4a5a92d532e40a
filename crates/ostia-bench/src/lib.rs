//! The project's own benchmark: what a gateway costs, beside nginx, on one core.
//!
//! `ostia-bench run` starts a mock upstream, the gateway and nginx, pins gateway and nginx to one
//! core and everything else to another, and drives the [`workloads`] through each in turn. The
//! figure to trust is CPU time per request or per chunk, taken from the kernel's own accounts of the
//! gateway's processes ([`account`]); rates and latencies drift with the machine. An answer counts
//! only if it is right ([`answer`]): a fast wrong gateway has errors, not a rate.
//!
//! It refuses to guess: a figure that was not measured is left out, and CPU time used by anybody
//! else during a window is stated beside the figure.

#[cfg(not(target_os = "linux"))]
compile_error!("ostia-bench reads Linux's /proc and polls with epoll");

pub mod account;
pub mod answer;
pub mod body;
pub mod clock;
pub mod histogram;
pub mod http;
pub mod load;
pub mod mock;
pub mod probe;
pub mod process;
pub mod record;
pub mod report;
pub mod runner;
pub mod workloads;
