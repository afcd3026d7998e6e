//! What the service manager is told (systemd, `Type=notify`; `sd_notify(3)`): nothing where none listens.

use std::time::Duration;

use sd_notify::NotifyState;

/// How long the service manager waits between two signs of life before it starts the service anew; `None` where it
/// does not wait for any (`WATCHDOG_USEC`, `WATCHDOG_PID`).
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())
}

/// What the service is about to do.
pub fn status(words: &str) {
    tell(&[NotifyState::Status(words)]);
}

/// The store is open and both listeners are bound, or a reload is over.
pub fn ready(words: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(words)]);
}

/// A reload begins.
pub fn reloading() {
    let status = NotifyState::Status("reads the configuration again");
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, status]),
        Err(error) => log::warn!("the service manager is not told of the reload: {error}"),
    }
}

/// A stop begins.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stops: what is under way is finished")]);
}

/// The service works.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("the service manager (NOTIFY_SOCKET) cannot be told: {error}");
    }
}
