//! How many files and sockets the process may have open.
//!
//! Each client may take two: its own connection and the one to a provider. Most systems start programs with room for a
//! thousand, and let them ask for more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for everything but calls under way: idle connections to providers, listeners, files.
const RESERVED: usize = 4096;
/// Descriptors that a call takes.
const PER_CALL: usize = 2;

/// Asks for as many descriptors as the system gives. How many are there; `None` where there is no bound.
pub fn raise() -> Option<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let now = if raised.is_ok() { maximum } else { current };
    now.map(|now| usize::try_from(now).unwrap_or(usize::MAX))
}

/// How many clients may be connected at once with so many descriptors, of those that the operator wants; and what to tell
/// where that is fewer.
pub fn connections(wanted: usize, descriptors: Option<usize>) -> (usize, Option<String>) {
    let Some(descriptors) = descriptors else { return (wanted, None) };
    // Where there are few, half of them are for calls.
    let reserved = RESERVED.min(descriptors / 2);
    let possible = ((descriptors - reserved) / PER_CALL).max(1);
    if wanted <= possible {
        return (wanted, None);
    }
    let needed = wanted * PER_CALL + RESERVED;
    let warning = format!(
        "The system allows this process {descriptors} open files: at most {possible} clients are served at once, not \
         {wanted} (limits.connections). Allow {needed} (ulimit -n, LimitNOFILE=), or lower limits.connections."
    );
    (possible, Some(warning))
}

#[cfg(test)]
mod tests {
    use super::connections;

    #[test]
    fn as_many_clients_as_there_is_room_for() {
        for (wanted, descriptors, expected) in [
            (65_536, None, 65_536),
            (65_536, Some(1 << 20), 65_536),
            (65_536, Some(65_536), 30_720),
            (65_536, Some(1024), 256),
            (100, Some(1024), 100),
            (5, Some(0), 1),
        ] {
            let (possible, warning) = connections(wanted, descriptors);
            assert_eq!(possible, expected, "{wanted} {descriptors:?}");
            assert_eq!(warning.is_some(), possible < wanted, "{warning:?}");
        }
    }
}
