//! Wakes the configured actions at a start or reload.

use anyhow::Context as _;

use crate::config::Settings;
use crate::store::Store;

/// Wakes resting actions that answered "gone", because a start or reload may have fixed that.
pub(super) async fn wake(store: &Store, settings: &Settings) -> anyhow::Result<()> {
    let names: Vec<String> = settings.actions.iter().map(|action| action.name.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    for action in store.wake_actions(names).await.context("wake the actions")? {
        log::info!("action={action} was resting after HTTP 410; its deliveries resume");
    }
    Ok(())
}
