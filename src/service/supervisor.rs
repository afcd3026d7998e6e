//! Messages to the service manager (systemd, `Type=notify`; `sd_notify(3)`). Without one, they do nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// The watchdog interval after which the service manager restarts the service (`WATCHDOG_USEC`, `WATCHDOG_PID`);
/// `None` without a watchdog.
#[must_use]
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero())
}

/// Reports what the service is doing.
pub fn status(words: &str) {
    tell(&[NotifyState::Status(words)]);
}

/// Reports that the store is open and both listeners are bound, or that a reload has ended.
pub fn ready(words: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(words)]);
}

/// Reports that a reload begins.
pub fn reloading() {
    let status = NotifyState::Status("reloading the configuration");
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, status]),
        Err(error) => log::warn!("cannot notify the service manager of the reload: {error}"),
    }
}

/// Reports that a stop begins.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping: finishing requests and calls under way")]);
}

pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("cannot notify the service manager (NOTIFY_SOCKET): {error}");
    }
}
