//! What each view shows.

use super::{filled, links, page, told_of};
use crate::support::Serve;
use crate::support::formats::{self, SHOP};

#[test]
fn the_overview_says_that_all_is_well_or_what_to_do_and_what_came_in() {
    let (env, serve) = told_of(&[1207, 2000]);
    let html = page(&serve, "/");
    assert!(html.contains("All is well.") && html.contains("received today"), "{html}");
    assert!(html.contains("No run yet. <code>countersign reconcile</code> finds orders"), "{html}");
    assert!(!links(&html, "/notifications/2").is_empty(), "{html}");
    assert!(html.contains("<svg"), "the last days are drawn");
    assert!(env.run(&["reconcile", "--source", "shop", "--since", "3650d"]).status.code() == Some(3));
    let html = page(&serve, "/");
    assert!(html.contains(">missed<") && html.contains(">1208<"), "{html}");
}

#[test]
fn the_list_keeps_to_the_filter_in_its_address() {
    let (_env, serve) = told_of(&[1207, 2000, 2001]);
    serve.send(&SHOP.request(SHOP.truth(1207)));
    serve.settled(4);
    let shown = |query: &str| -> Vec<String> {
        let html = page(&serve, &format!("/notifications?{query}"));
        let rows = html.split("<tr id=\"n").skip(1).map(|row| row.split('"').next().unwrap().to_owned());
        rows.collect()
    };
    for (query, ids) in [
        ("", "4 3 2 1"),
        ("source=old", "3 2 1"),
        ("state=confirmed", "4 1"),
        ("reason=not_found", "3 2"),
        ("subject=1207", "4 1"),
        ("subject=2001&source=old&state=ignored", "3"),
        ("sender=127.0.0.1", "4 3 2 1"),
        ("sender=127.0.0.1&state=ignored", "3 2"),
        ("sender=127.0.0.1&state=ignored&before=3", "2"),
        ("sender=127.0.0.1&state=ignored&source=shop", ""),
        ("sender=127.0.0.1&state=undecided", ""),
        ("sender=192.0.2.1", ""),
        ("sender=192.0.2.1&state=ignored", ""),
        ("from=1h&to=2100-01-01", "4 3 2 1"),
        ("to=2020-01-01", ""),
        ("from=2100-01-01", ""),
        ("before=3", "2 1"),
    ] {
        assert_eq!(shown(query).join(" "), ids, "{query}");
    }
    for wrong in ["state=open", "reason=fake", "from=yesterday", "before=x"] {
        let answer = serve.admin_page(&format!("/notifications?{wrong}"));
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.text().contains(wrong.split('=').next().unwrap()), "{}", answer.text());
    }
}

#[test]
fn a_list_is_paged_by_key_and_every_row_is_on_one_page() {
    let serve_on = filled(120);
    let serve = serve_on.serve();
    let mut address = "/notifications?state=ignored".to_owned();
    let mut ids: Vec<u32> = Vec::new();
    loop {
        let html = page(&serve, &address);
        ids.extend(
            html.split("<tr id=\"n")
                .skip(1)
                .map(|row| row.split('"').next().unwrap().parse::<u32>().unwrap()),
        );
        let Some(next) = html.split("rel=\"next\" href=\"").nth(1) else { break };
        address = next.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    }
    assert_eq!(ids, (1..=120).rev().collect::<Vec<_>>());
}

#[test]
fn one_notification_shows_request_claim_answer_and_what_differs() {
    let (_env, serve) = told_of(&[]);
    serve.send(&SHOP.request(SHOP.truth(1207).replace("PAID", "CANCELLED")));
    serve.settled(1);
    let html = page(&serve, "/notifications/1");
    let row = html
        .split("<tr class=\"differs\">")
        .nth(1)
        .expect("a value that differs")
        .split("</tr>")
        .next()
        .unwrap();
    assert!(row.contains("newPaymentStatus") && row.contains("CANCELLED") && row.contains("PAID"), "{row}");
    assert_eq!(html.matches("class=\"differs\"").count(), 1, "{html}");
    for part in ["mismatch", "200", "Retry", "\"eventId\":", "content-length", "/notifications/1/body"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert_eq!(serve.admin_page("/notifications/2").status, 404);
    assert_eq!(serve.admin_page("/notifications/x").status, 404);
}

#[test]
fn one_order_shows_its_truth_and_all_about_it() {
    let (_env, serve) = told_of(&[1207, 1207]);
    let html = page(&serve, "/order?source=old&id=1207");
    assert!(html.contains("<dt>status</dt><dd><bdi>PAID</bdi>"), "{html}");
    assert_eq!(
        links(&html, "/notifications/").len(),
        3,
        "two notifications and the news of the first: {html}"
    );
    assert!(page(&serve, "/product?source=old&id=9").contains("never showed this product"));
    assert_eq!(serve.admin_page("/order?id=1207").status, 400);
}

/// Where the search box leads.
#[track_caller]
fn find(serve: &Serve, id: &str) -> String {
    let answer = serve.admin_page(&format!("/find?id={id}"));
    assert_eq!(answer.status, 303, "{id}: {}", answer.text());
    answer.header("location").unwrap().to_owned()
}

#[test]
fn the_search_box_of_each_view_leads_to_the_order_of_an_id() {
    let (_env, serve) = told_of(&[1207, 2000]);
    for path in ["/", "/notifications/2", "/report", "/settings"] {
        assert!(page(&serve, path).contains("action=\"/find\""), "{path}");
    }
    assert_eq!(find(&serve, "1207"), "/order?source=old&id=1207");
    assert_eq!(find(&serve, "+%231207+"), "/order?source=old&id=1207", "as people write it");
    assert_eq!(find(&serve, "2000"), "/order?source=old&id=2000", "what is invented, too");
    assert_eq!(find(&serve, "2"), "/notifications/2", "a notification's number");
    assert_eq!(find(&serve, ""), "/notifications");
    assert!(page(&serve, "/find?id=77").contains("Nothing found for"));
    serve.send(&SHOP.request(SHOP.truth(1207)));
    serve.settled(3);
    let html = page(&serve, "/find?id=1207");
    assert_eq!(links(&html, "/order?source=").len(), 2, "{html}");
}

#[test]
fn a_verdict_is_explained_where_it_is_shown() {
    let (_env, serve) = told_of(&[1207, 2000]);
    assert!(page(&serve, "/notifications/1").contains("API says the same."));
    let html = page(&serve, "/notifications/2");
    assert!(html.contains("says that there is no such order") && html.contains("Retry asks the shop again."));
}

#[test]
fn a_report_of_parts_of_large_days_is_of_the_whole_days_and_says_so() {
    let env = filled(20_100);
    let serve = env.serve_with(&["--no-worker"]);
    // Not "1h": in the first hour of a day that begins on the day before.
    let received = env.value("SELECT received_at FROM intake WHERE id = 1").unwrap();
    let html = page(&serve, &format!("/report?from={received}"));
    assert!(html.contains("Whole days, from ") && html.contains("20,100 notifications received"), "{html}");
    let day = env.value("SELECT min(day) FROM daily").unwrap();
    assert!(!page(&serve, &format!("/report?from={day}&to=2100-01-01")).contains("Whole days, from "));
}

#[test]
fn fakes_are_counted_by_sender() {
    let env = filled(30);
    let serve = env.serve();
    let html = page(&serve, "/fakes");
    let row = html.split("198.51.100.7</bdi>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(row.contains(">29<") && row.contains("not_found 29") && row.contains("old 29"), "{row}");
    assert!(html.contains("30 fakes"), "{html}");
}

#[test]
fn the_report_of_any_window_has_the_parts_of_the_html_report() {
    let (_env, serve) = told_of(&[1207, 2000]);
    let html = page(&serve, "/report?from=7d");
    assert!(html.contains("2 notifications received: 1 confirmed, 1 ignored (1 fake)"), "{html}");
    assert!(html.contains("<svg") && html.contains("/report?from=30d"), "{html}");
    assert!(page(&serve, "/report?from=2020-01-01&to=2020-01-02").contains("No notifications received."));
    assert_eq!(serve.admin_page("/report?from=2020-01-02&to=2020-01-01").status, 400);
}

#[test]
fn settings_show_the_intake_urls_and_no_secret() {
    let env = formats::env();
    let serve = env.serve();
    let html = page(&serve, "/settings");
    assert!(html.contains("https://YOUR-DOMAIN/hooks/shop") && html.contains("sources.shop.token"), "{html}");
    assert!(!html.contains(formats::TOKEN) && !html.contains(formats::API_KEY), "{html}");
}
