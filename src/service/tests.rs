//! Failures that end the whole service.

use std::time::Duration;

use super::{Service, ServiceOptions};
use crate::config::Settings;

#[tokio::test]
async fn the_death_of_the_writer_is_told_as_what_ended_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("countersign.toml");
    let text = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n[store]\nmin_free = \"1MiB\"\n\
                [sources.shop]\nprovider = \"ecwid-ion\"\nstore_id = 1\ntoken = \"secret_t\"\n";
    std::fs::write(&config, text).unwrap();
    let settings = Settings::load(&config, |_| None).unwrap();
    let mut service = Service::start(&settings, ServiceOptions::default()).await.unwrap();
    service.store().kill_writer();
    let broken = tokio::time::timeout(Duration::from_secs(60), service.broken()).await;
    assert_eq!(broken.unwrap(), "writer of the store");
    service.stop().await;
}
