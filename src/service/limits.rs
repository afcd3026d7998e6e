//! The limits of this process: the number of intake connections, so that enough file descriptors remain for
//! everything else, and no core dumps.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Maximum number of concurrent connections to the admin listener: a browser opens up to six, and each live
/// view holds one.
pub(super) const ADMIN_CONNECTIONS: usize = 128;

/// Maximum number of concurrent connections to intake; more wait until one ends. A proxy in front needs far fewer.
const INTAKE_CONNECTIONS: u64 = 4096;

/// File descriptors for the store, the API calls, the listeners and the log.
const OTHER_FILES: u64 = 512;

/// Raises this process's limit of open files as far as allowed, and returns how many connections intake may hold.
pub(super) fn connections() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = INTAKE_CONNECTIONS + OTHER_FILES;
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            log::debug!("cannot raise the limit of open files: {error}");
        }
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    usize::try_from(affordable(files)).unwrap_or(usize::MAX)
}

/// Disables core dumps, because they would contain secrets and notifications.
pub(super) fn forbid_cores() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        log::debug!("cannot disable core dumps: {error}");
    }
}

/// The share of `files` for intake: at most half if there are few.
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
