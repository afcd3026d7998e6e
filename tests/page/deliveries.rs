//! News and deliveries on the page.

use super::{follow, links, page, press};
use crate::support::formats::{self, OLD};
use crate::support::{Serve, TestEnv};

/// An order that was confirmed, one action that took it and one that refuses everything.
pub(super) fn told() -> (TestEnv, Serve) {
    let env = formats::env()
        .action("good", "command = [\"/bin/sh\", \"-c\", \"cat > /dev/null\"]")
        .action("bad", "command = [\"/bin/sh\", \"-c\", \"cat > /dev/null; echo '<b>no' >&2; exit 65\"]");
    let serve = env.serve();
    serve.send(&OLD.request(OLD.truth(1207)));
    serve.settled(1);
    env.wait_for_value(
        "SELECT group_concat(state) FROM (SELECT state FROM deliveries ORDER BY state)",
        "dead,delivered",
    );
    (env, serve)
}

#[test]
fn what_each_action_did_stands_with_the_notification_and_the_order() {
    let (_env, serve) = told();
    let html = page(&serve, "/notifications/1");
    for part in ["News 1: order.changed", "PAID", ">good <", ">bad <", "exit 65", "&#60;b&#62;no"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let html = page(&serve, "/order?source=old&id=1207");
    let news = html.split("News 1: order.changed").nth(1).unwrap().split("</li>").next().unwrap();
    assert!(news.contains("status: PAID"), "{news}");
    assert!(html.contains("bad told of news 1") && html.contains("good told of news 1"), "{html}");
}

#[test]
fn deliveries_keep_to_the_filter_in_their_address() {
    let (_env, serve) = told();
    let shown = |query: &str| {
        page(&serve, &format!("/deliveries?{query}")).matches("<tr><td data-label=\"No.\">").count()
    };
    for (query, count) in [
        ("", 2),
        ("action=bad", 1),
        ("state=dead", 1),
        ("state=delivered", 1),
        ("action=bad&state=delivered", 0),
        ("action=bad&state=dead", 1),
        ("subject=1207", 2),
        ("subject=9", 0),
        ("from=1h", 2),
        ("from=2100-01-01", 0),
        ("to=2020-01-01", 0),
    ] {
        assert_eq!(shown(query), count, "{query}");
    }
    assert_eq!(serve.admin_page("/deliveries?state=open").status, 400);
    let csv = serve.admin_page("/deliveries.csv?state=dead").text();
    assert!(
        csv.contains("id,action,seq,source,subject_kind,subject_id,state,attempts")
            && csv.contains(",bad,1,old,order,1207,dead,1,"),
        "{csv}"
    );
    let json = serve.admin_page("/deliveries.jsonl").text();
    assert_eq!(json.matches("\"action\":").count(), 2, "{json}");
}

#[test]
fn a_delivery_is_redelivered_and_skipped_by_its_buttons() {
    let (env, serve) = told();
    let bad = env.value("SELECT id FROM deliveries WHERE action = 'bad'").unwrap();
    let said = follow(&serve, &press(&serve, &format!("/deliveries/{bad}/redeliver"), ""));
    assert!(said.contains("1 delivery is due at once."), "{said}");
    env.wait_for_value("SELECT count(*) FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id WHERE action = 'bad'", "2");
    env.wait_for_value("SELECT state FROM deliveries WHERE action = 'bad'", "dead");
    let said = follow(&serve, &press(&serve, &format!("/deliveries/{bad}/skip"), ""));
    assert!(said.contains("1 delivery was skipped."), "{said}");
    let row = env.value("SELECT state || ': ' || detail FROM deliveries WHERE action = 'bad'").unwrap();
    assert_eq!(row, "skipped: skipped on the page");
    let said = follow(&serve, &press(&serve, &format!("/deliveries/{bad}/skip"), ""));
    assert!(said.contains("Nothing changed") && said.contains("1 stays as before"), "{said}");
}

#[test]
fn the_detail_of_what_was_redelivered_says_that_the_page_did_it() {
    let (env, serve) = told();
    assert!(serve.stop().success());
    let serve = env.serve_with(&["--no-worker"]);
    let bad = env.value("SELECT id FROM deliveries WHERE action = 'bad'").unwrap();
    follow(&serve, &press(&serve, &format!("/deliveries/{bad}/redeliver"), ""));
    let row = env.value("SELECT state || ': ' || detail FROM deliveries WHERE action = 'bad'").unwrap();
    assert_eq!(row, "waiting: redelivered on the page");
}

#[test]
fn a_warning_leads_to_what_it_is_about() {
    let (_env, serve) = told();
    let html = page(&serve, "/");
    assert!(html.contains("1 thing needs attention"), "{html}");
    let dead = links(&html, "/deliveries?action=bad")[0].replace("&#38;", "&");
    assert_eq!(dead, "/deliveries?action=bad&state=dead");
    assert_eq!(links(&page(&serve, &dead), "/deliveries/redeliver").len(), 1);
}

#[test]
fn all_deliveries_that_a_filter_shows_are_counted_and_changed() {
    let (env, serve) = told();
    let html = page(&serve, "/deliveries?action=bad&state=dead");
    assert_eq!(links(&html, "/deliveries/skip").len(), 1, "{html}");
    let html = page(&serve, "/deliveries/skip?action=bad&state=dead");
    assert!(html.contains("1 delivery would not be tried again"), "{html}");
    let newest = env.value("SELECT max(id) FROM deliveries WHERE action = 'bad'").unwrap();
    let form = format!("action=bad&state=dead&up_to={newest}");
    let said = follow(&serve, &press(&serve, "/deliveries/skip", &form));
    assert!(said.contains("1 delivery was skipped."), "{said}");
    assert_eq!(
        env.value("SELECT group_concat(state) FROM (SELECT state FROM deliveries ORDER BY state)").unwrap(),
        "delivered,skipped"
    );
    assert_eq!(press(&serve, "/deliveries/redeliver", "state=waiting&up_to=9").status, 400);
}
