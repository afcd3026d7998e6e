//! `--mail` of `report` and `reconcile`.

use countersign::simulator::Fault;

use crate::news::env;
use crate::support::TestEnv;
use crate::support::smtp::{MailServer, Say};

fn mailed(server: &MailServer) -> TestEnv {
    let (env, store) = env();
    let env =
        env.section("mail", &server.lines_of_mail()).section("alerts", "mail = [\"owner@example.test\"]\n");
    assert!(env.serve().stop().success());
    // Missed: no notification ever told of it.
    store.put_order(crate::news::order(1));
    env
}

/// The order is within it.
const WINDOW: [&str; 2] = ["--since", "2h"];

#[test]
fn mail_sends_text_with_the_page_as_its_other_part_and_still_prints() {
    let server = MailServer::new();
    let env = mailed(&server);
    let done = env.run(&[&["reconcile", "--mail"], &WINDOW[..]].concat());
    assert_eq!(done.status.code(), Some(3), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).contains("SALE-1"), "{done:?}");
    let mail = server.wait_for(1).remove(0);
    assert_eq!(mail.to, ["owner@example.test"]);
    assert!(mail.header("Subject").unwrap().ends_with(": 1 finding"), "{}", mail.text);
    assert!(mail.header("Content-Type").unwrap().starts_with("multipart/alternative"));
    for part in ["text/plain", "text/html", "SALE-1"] {
        assert!(mail.body().contains(part), "{part}: {}", mail.text);
    }
}

#[test]
fn mail_findings_is_silent_without_a_finding_and_a_mail_that_fails_is_exit_1() {
    let server = MailServer::new();
    let env = mailed(&server);
    let quiet = env.run(&["report", "--mail=findings"]);
    assert!(quiet.status.success(), "{quiet:?}");
    assert!(server.mails().is_empty());
    let loud = env.run(&[&["reconcile", "--mail=findings"], &WINDOW[..]].concat());
    assert_eq!(loud.status.code(), Some(3), "{loud:?}");
    server.wait_for(1);
    server.answer(|line| line.starts_with("RCPT").then_some(Say::Line("550 no such user")));
    // Exit 1 goes before the 3 of the order that was missed.
    for command in [&["report", "--mail"][..], &["reconcile", "--mail", "--since", "2h"]] {
        let failed = env.run(command);
        assert_eq!(failed.status.code(), Some(1), "{failed:?}");
        assert!(!failed.stdout.is_empty(), "the report is still printed");
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(said.contains("could not be mailed: every address was refused: SMTP 550"), "{said}");
    }
}

#[test]
fn mail_without_alerts_mail_is_wrong_usage() {
    let (env, _store) = env();
    assert!(env.serve().stop().success());
    for command in ["report", "reconcile"] {
        let refused = env.run(&[command, "--mail"]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
}

#[test]
fn mail_findings_is_sent_when_a_shop_cannot_be_read_and_when_there_is_no_report() {
    let server = MailServer::new();
    let env = mailed(&server);
    env.simulator.shops().add_fault(Fault::status(403));
    let incomplete = env.run(&[&["reconcile", "--mail=findings"], &WINDOW[..]].concat());
    assert_eq!(incomplete.status.code(), Some(1), "{incomplete:?}");
    assert!(server.wait_for(1)[0].header("Subject").unwrap().ends_with(": INCOMPLETE"));
    std::fs::remove_file(env.store_path()).unwrap();
    for (count, command) in [(2, "reconcile"), (3, "report")] {
        let failed = env.run(&[command, "--mail=findings"]);
        assert_eq!(failed.status.code(), Some(1), "{failed:?}");
        let mail = server.wait_for(count).pop().unwrap();
        assert_eq!(mail.header("Subject"), Some(format!("countersign {command}: FAILED")));
        let said = String::from_utf8(failed.stderr).unwrap();
        let cause = said.trim_end().strip_prefix("countersign: ").unwrap();
        assert_eq!(cause.lines().count(), 1, "{said}");
        assert!(cause.contains("countersign.db"), "{said}");
        assert!(mail.body().contains("countersign.db"), "{}", mail.text);
    }
}
