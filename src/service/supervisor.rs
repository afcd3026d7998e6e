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
    send(&[NotifyState::Status(words)]);
}

/// Reports that the store is open and both listeners are bound, or that a reload has ended.
pub fn ready(words: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(words)]);
}

/// Reports that a reload begins.
pub fn reloading() {
    let status = NotifyState::Status("reloading the configuration");
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now, status]),
        Err(error) => log::warn!("cannot notify the service manager of the reload: {error}"),
    }
}

/// Reports that a stop begins.
pub fn stopping() {
    send(&[NotifyState::Stopping, NotifyState::Status("stopping: finishing requests and calls in flight")]);
}

pub(super) fn alive() {
    send(&[NotifyState::Watchdog]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("cannot notify the service manager (NOTIFY_SOCKET): {error}");
    }
}
