//! What a stranger or a shop may say that something might obey, through all three kinds at once: no header, argument, shell,
//! log line or terminal is reached.

use std::path::Path;

use countersign::simulator::ecwid::{Order, Product};
use serde_json::json;

use super::Endpoint;
use crate::news::{STORE, about_product, env, tell};
use crate::support::smtp::MailServer;

/// Ids of orders; one with a control character is malformed, and no news.
const IDS: [&str; 8] = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "--evil=1",
    "'\"\\",
    "=?utf-8?Q?a=0D=0ABcc:_evil@evil.test?=",
    "\u{202e}desrever",
    "%0d%0aX-Evil: 1",
];

/// Everything else that a shop's API may say.
const VALUES: [&str; 8] = [
    "x\r\nBcc: evil@evil.test",
    "x\r\n.\r\nRCPT TO:<evil@evil.test>",
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{9b}31m",
    "\u{2028}\u{202e}",
    "$(touch pwned)\nX-Evil: 1",
    "=?utf-8?B?QmNjOiBldmlsQGV2aWwudGVzdA==?=",
    "--evil=1",
];

const SCRIPT: &str = "cat >> $FOLDER/input; env >> $FOLDER/env; echo \"$#$@\" >> $FOLDER/arguments";

/// Whether a terminal would obey something in it, or show it in another order.
fn is_obeyed(text: &str) -> bool {
    text.contains(|c: char| (c.is_control() && c != '\n') || ('\u{2028}'..='\u{202e}').contains(&c))
}

#[test]
fn hostile_values_reach_no_header_argument_shell_log_line_or_terminal() {
    let (endpoint, server) = (Endpoint::new(), MailServer::new());
    let (env, store) = env();
    let folder = env.folder().to_owned();
    let script = folder.join("ship.sh");
    std::fs::write(&script, SCRIPT.replace("$FOLDER", folder.to_str().unwrap())).unwrap();
    let include = "include = [\"email\"]\n";
    let env = env
        .action("erp", &format!("url = \"{}\"\n{include}", endpoint.url()))
        .action("ship", &format!("command = [\"/bin/sh\", \"{}\"]\n{include}", script.display()))
        .action("tell", &format!("mail = [\"owner@example.test\"]\n{include}"))
        .section("mail", &server.lines_of_mail());
    let serve = env.serve();
    let mut id = 0;
    for (n, (order, value)) in (1..).zip(IDS.into_iter().zip(VALUES)) {
        let email = format!("{value}@evil.test");
        store.put_order(Order::new(order, n).payment(value).total("99.00").email(&email));
        let about = json!({
            "eventId": format!("o{n}"), "eventCreated": 1_764_000_000, "storeId": STORE, "entityId": n,
            "eventType": "order.updated", "data": {"orderId": order},
        });
        tell(&serve, about.to_string(), id + 1);
        store.put_product(Product::new(n, value).price("12.50").quantity(3));
        tell(&serve, about_product("product.updated", n, &format!("p{n}")), id + 2);
        id += 2;
    }
    let count = usize::try_from(id).unwrap();
    env.wait_for_value("SELECT count(*) FROM deliveries WHERE state = 'delivered'", &(3 * count).to_string());
    let requests = endpoint.wait_for(count);
    let known =
        ["webhook-id", "webhook-timestamp", "content-type", "content-length", "host", "accept", "user-agent"];
    for seen in &requests {
        assert!(seen.headers.iter().all(|(name, _)| known.contains(&name.as_str())), "{seen:#?}");
    }
    for (order, value) in IDS.into_iter().zip(VALUES) {
        let told = requests.iter().map(super::endpoint::Seen::json);
        let told: Vec<_> = told.filter(|json| json["data"]["subject_id"] == order).collect();
        assert_eq!(told.len(), 1, "{order}");
        assert_eq!(told[0]["data"]["current"]["status"], value);
        assert_eq!(told[0]["data"]["email"], format!("{value}@evil.test"));
    }
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("arguments"), "0\n".repeat(count));
    let environment = read("env");
    assert!(
        !environment.contains("evil") && !environment.contains("pwned") && !environment.contains("desrever"),
        "{environment}"
    );
    assert!(!folder.join("pwned").exists() && !Path::new("pwned").exists());
    let mails = server.wait_for(count);
    for mail in &mails {
        assert_eq!(mail.to, ["owner@example.test"]);
        let (head, _) = mail.text.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split_once(':').unwrap().0)
            .collect();
        let expected = ["From", "Subject", "Message-ID", "Date", "Auto-Submitted", "To", "Content-Type"];
        assert_eq!(names[..7], expected, "{head}");
        assert_eq!(names[7..], ["Content-Transfer-Encoding"], "{head}");
        assert!(!mail.body().lines().any(|line| line.starts_with("Bcc:")), "{}", mail.text);
        assert!(!is_obeyed(&mail.text.replace("\r\n", "\n")), "{:?}", mail.text);
    }
    assert!(!server.lines().iter().any(|line| line.contains("evil")), "{:?}", server.lines());
    for arguments in [
        &["news"][..],
        &["news", "--json"],
        &["deliveries"],
        &["deliveries", "--json"],
        &["show", "1"],
        &["show", "6", "--json"],
        &["list"],
        &["report"],
    ] {
        let output = env.run(arguments);
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!is_obeyed(&said), "{arguments:?}: {said:?}");
    }
    assert!(!is_obeyed(&serve.log()) && !serve.log().contains("\nX-Evil"), "{}", serve.log());
}
