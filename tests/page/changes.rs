//! The buttons: one row, and all that a filter shows.

use super::{filled, follow, form_of, links, page, press, told_of};
use crate::support::{Request, Serve, assert_verdict};

#[test]
fn a_change_is_answered_by_a_page_that_says_what_happened() {
    let (env, serve) = told_of(&[2000]);
    let said = follow(&serve, &press(&serve, "/notifications/1/retry", ""));
    assert!(said.contains("1 notification will be parsed and verified again."), "{said}");
    assert_eq!(links(&said, "/notifications/1"), ["/notifications/1"]);
    serve.wait_for_lines("it is settled again", 2, |line| {
        line.contains("notification=1 ") && line.contains(" verdict=")
    });
    assert_verdict(&env.row(1), "ignored", "not_found");
}

#[test]
fn the_detail_of_what_was_retried_says_that_the_page_did_it() {
    let env = filled(1);
    let serve = env.serve_with(&["--no-worker"]);
    follow(&serve, &press(&serve, "/notifications/1/retry", ""));
    let row = env.row(1);
    assert_eq!((row.state.as_str(), row.detail.as_deref()), ("pending", Some("retried on the page")));
}

#[test]
fn what_cannot_be_changed_stays_and_the_page_says_why() {
    let (env, serve) = told_of(&[1207]);
    let said = follow(&serve, &press(&serve, "/notifications/1/retry", ""));
    assert!(said.contains("Nothing changed") && said.contains("1 stays as before"), "{said}");
    assert_verdict(&env.row(1), "confirmed", "match");
    assert!(!page(&serve, "/notifications/1").contains("method=\"post\""), "no button for what is confirmed");
}

#[test]
fn a_note_and_the_page_stand_in_the_detail_of_what_was_dismissed() {
    let env = filled(1);
    undecide(&env.store_path(), 1);
    let serve = env.serve_with(&["--no-worker"]);
    let shown = page(&serve, "/notifications/1");
    assert!(shown.contains("action=\"/notifications/1/dismiss\""), "{shown}");
    let said = follow(&serve, &press(&serve, "/notifications/1/dismiss", "note=a+test+of+<mine>"));
    assert!(said.contains("1 notification was dismissed."), "{said}");
    let row = env.row(1);
    assert_verdict(&row, "ignored", "dismissed");
    assert_eq!(row.detail.as_deref(), Some("dismissed on the page: a test of <mine>"));
}

/// Makes the newest `rows` undecided, as after a week of trouble.
fn undecide(store: &std::path::Path, rows: u32) {
    let conn = rusqlite::Connection::open(store).unwrap();
    let sql = "UPDATE verdicts SET state = 'undecided', reason = 'api_error'
               WHERE notification_id IN (SELECT notification_id FROM verdicts ORDER BY 1 DESC LIMIT ?1)";
    conn.execute(sql, [rows]).unwrap();
}

#[test]
fn changes_come_only_from_the_page_itself() {
    let (env, serve) = told_of(&[2000]);
    let own = format!("http://{}", serve.admin);
    let status = |headers: &[(&str, &str)]| {
        let request = form_of("/notifications/1/retry", "");
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value))
            .send(serve.admin)
            .status
    };
    for (headers, expected) in [
        ([].as_slice(), 403),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "same-site")], 403),
        (&[("Sec-Fetch-Site", "\u{e9}"), ("Origin", &own)], 403),
        (&[("Sec-Fetch-Site", "cross-site"), ("Origin", &own)], 403),
        (&[("Origin", "http://evil.example")], 403),
        (&[("Origin", "null")], 403),
        (&[("Origin", "http://127.0.0.1")], 403),
        (&[("Referer", &own)], 403),
    ] {
        assert_eq!(status(headers), expected, "{headers:?}");
        assert_verdict(&env.row(1), "ignored", "not_found");
    }
    for headers in
        [[("Sec-Fetch-Site", "same-origin")], [("Sec-Fetch-Site", "none")], [("Origin", own.as_str())]]
    {
        assert_eq!(status(&headers), 303, "{headers:?}");
    }
    for path in ["/notifications/1/retry", "/notifications/retry"] {
        let answer = Request::new("GET", path).send(serve.admin);
        assert_ne!(answer.status, 303, "reading changes nothing: {path}");
    }
    assert_eq!(Request::new("DELETE", "/notifications/1").send(serve.admin).status, 405);
}

#[test]
fn a_form_over_64_kib_is_413() {
    let (_env, serve) = told_of(&[2000]);
    let note = "x".repeat(64 * 1024);
    assert_eq!(press(&serve, "/notifications/1/dismiss", &format!("note={note}")).status, 413);
    assert_eq!(press(&serve, "/notifications/1/retry", &format!("note={}", &note[10..])).status, 303);
}

/// What the question before a change of many asks, and the form that says yes.
fn question(serve: &Serve, address: &str) -> (String, String) {
    let html = page(serve, address);
    let asked =
        html.split("<section class=\"card\">\n<p>").nth(1).unwrap().split("</p>").next().unwrap().to_owned();
    let fields = html.split("<input type=\"hidden\" name=\"").skip(1).map(|rest| {
        let mut parts = rest.split('"');
        format!("{}={}", parts.next().unwrap(), parts.nth(1).unwrap())
    });
    (asked, fields.collect::<Vec<_>>().join("&"))
}

#[test]
fn bulk_changes_are_counted_and_asked_first_and_keep_to_what_was_counted() {
    let env = filled(20);
    let serve = env.serve_with(&["--no-worker"]);
    let (asked, form) = question(&serve, "/notifications/retry?state=ignored&source=old");
    assert!(asked.starts_with("20 notifications would be parsed and verified again"), "{asked}");
    assert!(asked.contains("up to number 20"), "{asked}");
    assert_eq!(form, "source=old&state=ignored&up_to=20");
    undecide(&env.store_path(), 3);
    let said = follow(&serve, &press(&serve, "/notifications/retry", &form));
    assert!(said.contains("17 notifications will be parsed"), "{said}");
    assert_eq!(
        env.value("SELECT group_concat(id) FROM notifications WHERE state = 'undecided'").unwrap(),
        "18,19,20"
    );
    let answer = press(&serve, "/notifications/retry", "state=ignored");
    assert_eq!(answer.status, 400, "no change of many without the question");
    assert_eq!(
        press(&serve, "/notifications/retry", "up_to=20").status,
        400,
        "nor of what cannot be retried"
    );
    assert_eq!(press(&serve, "/notifications/dismiss", "up_to=20&state=ignored").status, 400);
}

#[test]
fn bulk_changes_take_the_oldest_thousand_and_say_how_many_are_left() {
    let env = filled(1200);
    undecide(&env.store_path(), 1200);
    let serve = env.serve_with(&["--no-worker"]);
    let (asked, form) = question(&serve, "/notifications/dismiss?state=undecided");
    assert!(asked.starts_with("More than 1000 notifications would be settled as ignored"), "{asked}");
    let said = follow(&serve, &press(&serve, "/notifications/dismiss", &form));
    assert!(said.contains("1000 notifications were dismissed.") && said.contains("200 are left."), "{said}");
    let of = |condition: &str| {
        env.value(&format!("SELECT min(id) || '-' || max(id) FROM notifications WHERE {condition}")).unwrap()
    };
    assert_eq!(
        (of("reason = 'dismissed'"), of("state = 'undecided'")),
        ("1-1000".to_owned(), "1001-1200".to_owned())
    );
    let again = links(&said, "/notifications/dismiss?")[0].replace("&amp;", "&").replace("&#38;", "&");
    let (asked, form) = question(&serve, &again);
    assert!(asked.starts_with("200 notifications"), "{asked}");
    let said = follow(&serve, &press(&serve, "/notifications/dismiss", &form));
    assert!(said.contains("200 notifications were dismissed.") && !said.contains("left"), "{said}");
}

#[test]
fn bulk_changes_go_past_what_cannot_be_changed() {
    let env = filled(1100);
    let conn = rusqlite::Connection::open(env.store_path()).unwrap();
    let emptied = "UPDATE intake SET body = NULL, headers = NULL, remote_addr = NULL WHERE id <= 1050";
    conn.execute_batch(emptied).unwrap();
    let serve = env.serve_with(&["--no-worker"]);
    let (_, form) = question(&serve, "/notifications/retry?state=ignored");
    let said = follow(&serve, &press(&serve, "/notifications/retry", &form));
    assert!(said.contains("1000 stay as before") && said.contains("100 are left."), "{said}");
    let again = links(&said, "/notifications/retry?")[0].replace("&amp;", "&").replace("&#38;", "&");
    let (_, form) = question(&serve, &again);
    let said = follow(&serve, &press(&serve, "/notifications/retry", &form));
    assert!(said.contains("50 notifications will be parsed") && said.contains("50 stay as before"), "{said}");
}

#[test]
fn a_link_from_elsewhere_leads_nowhere_else() {
    let (_env, serve) = told_of(&[]);
    let html =
        page(&serve, "/done?change=retry&done=1&left=1&back=//evil.example/&again=https://evil.example");
    assert!(!html.contains("evil"), "{html}");
}
