//! The pictures of `docs/page.md`, made by `.ci/pictures`.

use super::owner::Morning;
use crate::support::browser::Browser;

/// What a month of trade leaves in the counts: the pictures are made in a moment.
const MONTH: &str = "
    WITH RECURSIVE days (ago) AS (SELECT 1 UNION ALL SELECT ago + 1 FROM days WHERE ago < 29),
      kinds (source, state, reason, least, most) AS (VALUES
        ('shop', 'confirmed', 'match', 60, 45), ('shop', 'ignored', 'duplicate', 6, 9), ('shop', 'ignored', 'not_found', 4, 16),
        ('keys', 'confirmed', 'match', 25, 20), ('keys', 'ignored', 'unavailable', 0, 4),
        ('game', 'confirmed', 'match', 12, 14), ('game', 'ignored', 'mismatch', 0, 5))
    INSERT INTO daily_counts (day, source, state, reason, n)
    SELECT strftime('%Y-%m-%d', 'now', -ago || ' days'), source, state, reason,
      least + (ago * 2654435761 + most * 40503 >> 7) % most FROM days, kinds WHERE true
    ON CONFLICT DO NOTHING";

#[test]
#[ignore = "makes the pictures of docs/page.md; run .ci/pictures"]
fn the_pictures_of_the_documentation() {
    let mut morning = Morning::new();
    morning.trade();
    let store = rusqlite::Connection::open(morning.env.store_path()).unwrap();
    store.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    store.execute_batch(MONTH).unwrap();
    let browser = Browser::start();
    let admin = morning.serve.admin;
    // Small ones: all together are part of every clone.
    let take = |name: &str, path: &str, width: u32, height: u32, scheme: &str| {
        browser.set_window(width, scheme);
        browser.open(&format!("http://{admin}{path}"));
        browser.picture(name, height);
    };
    take("well", "/", 1120, 700, "light");
    assert!(morning.env.run(&["reconcile", "--source", "shop", "--since", "3650d"]).status.code().is_some());
    morning.trouble();
    let id = |sql: &str| morning.env.value(sql).unwrap();
    let fake = id("SELECT min(id) FROM notifications WHERE reason = 'mismatch'");
    take("overview", "/", 1120, 800, "light");
    take("list", "/notifications", 1120, 560, "light");
    take("fake", &format!("/notifications/{fake}"), 1120, 740, "light");
    take("order", "/order?source=shop&id=1208", 1120, 700, "light");
    take("deliveries", "/deliveries", 1120, 520, "light");
    take("phone", "/notifications?state=ignored", 390, 800, "light");
    take("dark", "/", 1120, 560, "dark");
}
