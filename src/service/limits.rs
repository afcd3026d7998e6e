//! The limits of this process: how many connections intake may hold, so that enough files remain for everything else,
//! and that no memory is dumped.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections to the admin listener at once.
pub(super) const ADMIN_CONNECTIONS: usize = 32;

/// Connections to intake at once; more wait until one of them ends. A proxy in front needs far fewer.
const INTAKE_CONNECTIONS: u64 = 4096;

/// Files that the store, the calls to the shops, the listeners and the log may need.
const OTHER_FILES: u64 = 512;

/// How many connections intake may hold. Raises this process's own limit of open files first, as far as it may.
pub(super) fn connections() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = INTAKE_CONNECTIONS + OTHER_FILES;
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::debug!("the limit of open files stays: {error}");
        }
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    usize::try_from(affordable(files)).unwrap_or(usize::MAX)
}

/// Lets a crash leave no core: secrets and notifications would be in it.
pub(super) fn forbid_cores() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        log::debug!("the limit of core files stays: {error}");
    }
}

/// Of so many files, what intake may take: never more than half where there are few.
fn affordable(files: u64) -> u64 {
    files.saturating_sub(OTHER_FILES).max(files / 2).clamp(1, INTAKE_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_the_rest() {
        let cases = [(0, 1), (64, 32), (256, 128), (1024, 512), (4608, 4096), (1_000_000, 4096)];
        for (files, connections) in cases {
            assert_eq!(affordable(files), connections, "{files}");
        }
    }
}
