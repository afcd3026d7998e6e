//! `mail`: one mail a news row, to a mail server that takes, refuses, delays and drops.

use countersign::simulator::ecwid::{EcwidStore, Order};

use super::{STATES, announce, sell};
use crate::news::env;
use crate::support::smtp::{Encryption, MailServer, Say, certified};
use crate::support::{Serve, TestEnv};

const ATTEMPTS: &str =
    "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM delivery_attempts ORDER BY id)";

/// An environment whose action `tell` mails to two addresses.
fn mails(server: &MailServer, lines: &str) -> (TestEnv, EcwidStore) {
    let (env, store) = env();
    let action = format!(
        "mail = [\"owner@example.test\", \"partner@example.test\"]\nretry = [\"50ms\"]\n{lines}\n[mail]\n{}",
        server.lines_of_mail()
    );
    (env.action("tell", &action), store)
}

#[test]
fn mail_is_one_plain_text_to_all_with_what_it_was_before_and_how_to_look_closer() {
    let server = MailServer::new();
    let (env, store) = mails(&server, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    store.put_order(crate::news::order(1).total("101.25"));
    announce(&serve, 1, 2);
    let mails = server.wait_for(2);
    let file = env.value("SELECT file FROM identity").unwrap();
    for (mail, subject, n) in
        [(&mails[0], "SALE-1: PAID, 99 (shop)", 1), (&mails[1], "SALE-1: PAID, 101.25 (shop)", 2)]
    {
        assert_eq!(mail.to, ["owner@example.test", "partner@example.test"]);
        assert_eq!(mail.header("Subject").as_deref(), Some(subject));
        let id = format!("<news_{file}_{n}.tell@example.test>");
        assert_eq!(mail.header("Message-ID"), Some(id));
        assert_eq!(mail.header("From").as_deref(), Some("countersign@example.test"));
        assert!(mail.header("Content-Type").unwrap().starts_with("text/plain"));
        assert!(mail.body().contains(&format!("countersign show {n}")), "{}", mail.text);
    }
    assert!(mails[0].body().contains("Before: nothing; this is the first"), "{}", mails[0].text);
    assert!(mails[1].body().contains("Before: PAID, 99\r\n"), "{}", mails[1].text);
    env.wait_for_value(STATES, "delivered delivered");
    let answer = env.value("SELECT answer FROM delivery_attempts ORDER BY id LIMIT 1");
    assert!(answer.unwrap().contains("queued as 42"));
}

#[test]
fn mail_is_delivered_when_the_server_accepts_one_address_or_more() {
    let server =
        MailServer::answering(|line| line.contains("owner").then_some(Say::Line("550 no such user")));
    let (env, store) = mails(&server, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    assert_eq!(server.wait_for(1)[0].to, ["partner@example.test"]);
    env.wait_for_value(STATES, "delivered");
    let answer = env.value("SELECT answer FROM delivery_attempts").unwrap();
    assert!(answer.contains("refused for 1 of 2 addresses: 550 no such user"), "{answer}");
}

#[test]
fn a_mail_whose_every_address_is_permanently_refused_is_dead_at_once() {
    let server =
        MailServer::answering(|line| line.starts_with("RCPT").then_some(Say::Line("550 no such user")));
    let (env, store) = mails(&server, "");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(STATES, "dead");
    let attempt = env.value("SELECT outcome || ': ' || answer FROM delivery_attempts");
    assert_eq!(attempt.as_deref(), Some("refused: 550 no such user"));
    assert_eq!(env.value("SELECT attempts FROM deliveries").as_deref(), Some("1"));
}

#[test]
fn every_other_refusal_of_a_mail_server_is_retried() {
    for (step, said) in [
        ("greeting", "554 go away"),
        ("MAIL", "550 not from you"),
        ("RCPT", "451 later"),
        ("DATA", "452 no room"),
        (".", "554 looks like spam"),
    ] {
        let mut is_first = true;
        let server = MailServer::answering(move |line| {
            (line.starts_with(step) && std::mem::take(&mut is_first)).then_some(Say::Line(said))
        });
        // One address: a refused one alone decides.
        let (env, store) = env();
        let lines = format!(
            "mail = [\"owner@example.test\"]\nretry = [\"50ms\"]\n[mail]\n{}",
            server.lines_of_mail()
        );
        let env = env.action("tell", &lines);
        let serve = env.serve();
        sell(&serve, &store, 1, 1);
        env.wait_for_value(STATES, "delivered");
        assert_eq!(env.value(ATTEMPTS).as_deref(), Some("refused delivered"), "{step}");
        assert_eq!(server.mails().len(), 1, "{step}");
    }
}

#[test]
fn a_mail_server_that_drops_is_unreachable_and_one_that_hangs_is_a_timeout() {
    for (step, say, outcome) in [
        ("greeting", Say::Drop, "unreachable"),
        ("RCPT", Say::Drop, "unreachable"),
        (".", Say::Drop, "unreachable"),
        ("greeting", Say::Hang, "timeout"),
        ("EHLO", Say::Hang, "timeout"),
        (".", Say::Hang, "timeout"),
    ] {
        let mut is_first = true;
        let server = MailServer::answering(move |line| {
            (line.starts_with(step) && std::mem::take(&mut is_first)).then(|| say.clone())
        });
        let (env, store) = mails(&server, if outcome == "timeout" { "timeout = \"1s\"\n" } else { "" });
        let serve = env.serve();
        sell(&serve, &store, 1, 1);
        env.wait_for_value(STATES, "delivered");
        let tried = env.value(ATTEMPTS).unwrap();
        assert!(tried.starts_with(outcome), "{step}: {tried}");
    }
}

#[test]
fn nothing_from_outside_adds_a_header_or_a_recipient_to_a_mail() {
    let server = MailServer::new();
    let (env, store) = mails(&server, "include = [\"email\"]\n");
    let serve = env.serve();
    let id = "=?utf-8?Q?a=0D=0ABcc:_x@evil.test?=\u{202e}>";
    let hostile = Order::new(id, 7).paid().total("99.00").email("a@evil.test\r\nBcc: x@evil.test");
    store.put_order(hostile);
    let body = serde_json::json!({
        "eventId": "e", "eventCreated": 1_764_000_000, "storeId": crate::news::STORE, "entityId": 7,
        "eventType": "order.updated", "data": {"orderId": id},
    });
    crate::news::tell(&serve, body.to_string(), 1);
    let mail = server.wait_for(1).remove(0);
    assert_eq!(mail.to, ["owner@example.test", "partner@example.test"]);
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("RCPT")).count(), 2);
    let (head, _) = mail.text.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("Bcc:\r") && !head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(!mail.body().lines().any(|line| line.starts_with("Bcc")), "{}", mail.text);
    let subject = mail.header("Subject").unwrap();
    assert!(!subject.contains("=?utf-8?Q?a=0D"), "{subject}");
}

#[test]
fn a_mail_server_is_logged_in_to_and_its_password_is_shown_nowhere() {
    let server =
        MailServer::answering(|line| line.starts_with("AUTH").then_some(Say::Line("535 wrong password")));
    let (env, store) = env();
    let mail = server.lines_of_mail().replace("smtp://", "smtp://shop@");
    let lines = format!("mail = [\"owner@example.test\"]\n[mail]\n{mail}password = \"hush-mail\"\n");
    let env = env.action("tell", &lines);
    let test = env.run(&["send-test", "tell"]);
    assert_eq!(test.status.code(), Some(1), "{test:?}");
    assert!(String::from_utf8_lossy(&test.stdout).contains("535 wrong password"), "{test:?}");
    let serve = env.serve();
    let doctor = env.run(&["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        said.contains("WRONG  action tell: the mail server") && said.contains("535 wrong password"),
        "{said}"
    );
    assert!(server.mails().is_empty(), "doctor sends nothing");
    server.answer(|_| None);
    sell(&serve, &store, 1, 1);
    server.wait_for(1);
    // \0shop\0hush-mail
    let auth = server.lines().iter().filter(|line| *line == "AUTH PLAIN AHNob3AAaHVzaC1tYWls").count();
    assert!(auth >= 1, "{:?}", server.lines());
    let test = env.run(&["send-test", "tell"]);
    assert!(test.status.success(), "{test:?}");
    assert_eq!(server.wait_for(2)[1].header("Subject").as_deref(), Some("countersign: test of tell"));
    let shown = env.run(&["config", "show"]);
    let everything = [said.into_bytes(), test.stdout, shown.stdout, serve.log().into_bytes()].concat();
    let everything = String::from_utf8_lossy(&everything);
    assert!(everything.contains("mail.password") && !everything.contains("hush-mail"), "{everything}");
}

/// An environment that mails to this server under this URL, and a `serve` that trusts the authority in this file.
fn encrypted(url: &str, authority: &str) -> (TestEnv, EcwidStore, Serve) {
    let (env, store) = env();
    let mail = format!("smtp = \"{url}\"\npassword = \"hush\"\nfrom = \"countersign@example.test\"\n");
    let lines = format!("mail = [\"owner@example.test\"]\nretry = [\"50ms\"]\n[mail]\n{mail}");
    let env = env.action("tell", &lines);
    let authority = env.folder().join(authority);
    let serve = Serve::start_with(&env.write_config(), |command| {
        command.env("SSL_CERT_FILE", authority);
    });
    (env, store, serve)
}

#[test]
fn smtps_is_encrypted_from_the_first_byte_and_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let keys = certified("localhost", &authority);
    let server = MailServer::encrypting(Encryption::Wrapped(keys), |_| None);
    let url = format!("smtps://shop@localhost:{}", server.addr.port());
    let (env, store, serve) = encrypted(&url, authority.to_str().unwrap());
    sell(&serve, &store, 1, 1);
    assert_eq!(server.wait_for(1)[0].to, ["owner@example.test"]);
    assert!(server.lines().iter().any(|line| line.starts_with("AUTH PLAIN")), "{:?}", server.lines());
    env.wait_for_value(STATES, "delivered");
}

#[test]
fn smtp_beyond_loopback_logs_in_and_mails_after_starttls_alone() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    // It leads to this machine, and is no loopback address.
    let keys = certified("0.0.0.0", &authority);
    let server = MailServer::encrypting(Encryption::StartTls(keys), |_| None);
    let url = format!("smtp://shop@0.0.0.0:{}", server.addr.port());
    let (env, store, serve) = encrypted(&url, authority.to_str().unwrap());
    sell(&serve, &store, 1, 1);
    server.wait_for(1);
    env.wait_for_value(STATES, "delivered");
    let words: Vec<String> =
        server.lines().iter().map(|line| line.split([' ', ':']).next().unwrap().to_owned()).collect();
    assert_eq!(words[..4], ["EHLO", "STARTTLS", "EHLO", "AUTH"], "{words:?}");
}

#[test]
fn a_mail_server_whose_certificate_is_not_trusted_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (trusted, other) = (folder.path().join("trusted.pem"), folder.path().join("other.pem"));
    certified("localhost", &trusted);
    let keys = certified("localhost", &other);
    let server = MailServer::encrypting(Encryption::Wrapped(keys), |_| None);
    let url = format!("smtps://shop@localhost:{}", server.addr.port());
    let (env, store, serve) = encrypted(&url, trusted.to_str().unwrap());
    sell(&serve, &store, 1, 1);
    env.wait_for_value("SELECT min(outcome) FROM delivery_attempts", "unreachable");
    let detail = env.value("SELECT detail FROM deliveries").unwrap();
    assert!(detail.contains("certificate"), "{detail}");
    assert!(server.lines().is_empty(), "{:?}", server.lines());
}

#[test]
fn a_mail_server_whose_reply_does_not_end_is_heard_128_kib_long() {
    let mut is_first = true;
    let server = MailServer::answering(move |line| {
        (line.starts_with("RCPT") && std::mem::take(&mut is_first)).then_some(Say::Endless)
    });
    let (env, store) = mails(&server, "timeout = \"50s\"\n");
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(STATES, "delivered");
    assert_eq!(env.value(ATTEMPTS).as_deref(), Some("unreachable delivered"));
    serve.wait_for_line("the failure", |line| line.contains("unreachable: it sent more than 128 KiB"));
}
