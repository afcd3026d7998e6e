//! The page in a real browser: Chromium from the distribution's packages, which `.ci/run` installs.

use std::time::{Duration, Instant};

use super::told_of;
use crate::support::Serve;
use crate::support::browser::Browser;
use crate::support::formats::{self, OLD, POP, SHOP};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// Hostile data in every field that a stranger fills.
fn hostile(serve: &Serve) {
    let evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}".to_owned() + &"W".repeat(180);
    let request =
        SHOP.request(SHOP.truth(1207).replace("\"1207\"", &format!("\"{evil}\"")).replace("PAID", &evil));
    serve.send(
        &request
            .header("X-Hostile", &"<script>alert(3)</script>x".repeat(9))
            .header("User-Agent", &"Z".repeat(300)),
    );
    serve.send(&OLD.request(OLD.truth(1207).replace("ACCEPTED", &"%3Cb%3EQ".repeat(40))));
    serve.send(&POP.request(format!("[{}", "\u{7}\u{1b}\"<b>".repeat(99))));
}

/// What a person would find wrong with the page as it stands: overflow, faint text, a field without a label.
const FAULTS: &str = r#"
const faults = [];
const root = document.documentElement;
if (root.scrollWidth > innerWidth) faults.push("overflow: " + root.scrollWidth + " > " + innerWidth);
const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
const light = (colour) => {
  const [r, g, b] = numbers(colour).slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    const parts = numbers(colour);
    if (parts.length < 4 || parts[3] === 1) return colour;
  }
  return "rgb(255, 255, 255)";
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  const [a, b] = [light(element.closest("svg") ? style.fill : style.color), light(ground(element))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) faults.push("contrast " + contrast.toFixed(2) + ": " + texts.currentNode.data.trim().slice(0, 40));
}
for (const field of document.querySelectorAll("input:not([type=hidden]), select, button")) {
  if (!(field.labels && field.labels.length) && !field.textContent.trim()) faults.push("no label: " + field.outerHTML);
}
if (!document.title || !document.querySelector("h1") || !root.lang) faults.push("no title, heading or language");
return faults;
"#;

#[test]
fn each_page_stands_in_a_browser_on_phone_and_desk_light_and_dark() {
    let env = formats::env().action("erp", "command = [\"/bin/sh\", \"-c\", \"cat > /dev/null\"]").action(
        "bad",
        "command = [\"/bin/sh\", \"-c\", \"cat > /dev/null; echo '<script>alert(4)</script>' >&2; exit 65\"]",
    );
    let serve = env.serve();
    for number in [1207, 1208, 2000] {
        serve.send(&OLD.request(OLD.truth(number)));
    }
    hostile(&serve);
    for id in 1..=6 {
        serve.settled(id);
    }
    env.wait_for_value("SELECT count(*) FROM deliveries WHERE state IN ('delivered', 'dead')", "4");
    let browser = Browser::start();
    for (name, path) in [
        ("overview", "/"),
        ("notifications", "/notifications"),
        ("confirmed", "/notifications/1"),
        ("notification", "/notifications/4"),
        ("malformed", "/notifications/6"),
        ("order", "/order?source=old&id=1207"),
        ("fakes", "/fakes"),
        ("deliveries", "/deliveries"),
        ("report", "/report"),
        ("settings", "/settings"),
        ("retry", "/notifications/retry?state=ignored"),
        ("done", "/done?change=retry&done=3&refused=1&left=2&back=/notifications"),
    ] {
        for width in [360, 1280] {
            for scheme in ["light", "dark"] {
                browser.set_window(width, scheme);
                browser.open(&format!("http://{}{path}", serve.admin));
                let (faults, complaints) = (browser.run(FAULTS), browser.complaints());
                assert_eq!(complaints, Vec::<String>::new(), "{path} at {width} in {scheme}: {faults}");
                assert_eq!(faults, serde_json::json!([]), "{path} at {width} in {scheme}");
                browser.picture(&format!("{name}-{width}-{scheme}"), u32::MAX);
            }
        }
    }
}

#[test]
fn the_open_list_is_live_and_holds_still_while_it_is_read() {
    let (_env, serve) = told_of(&[1207]);
    let browser = Browser::start();
    browser.set_window(1280, "light");
    browser.open(&format!("http://{}/notifications", serve.admin));
    browser.wait_until("return document.querySelectorAll('#lines tr').length === 1");
    let mut best = Duration::MAX;
    for (id, number) in [(2, 2000), (3, 2001), (4, 2002)] {
        serve.send(&OLD.request(OLD.truth(number)));
        serve.settled(id);
        let settled = Instant::now();
        browser.wait_until(&format!("return !!document.querySelector('#n{id} .ignored')"));
        best = best.min(settled.elapsed());
    }
    assert!(best < Duration::from_secs(1), "{best:?}");
    assert_eq!(browser.run("return document.querySelector('#lines tr').id"), "n4", "the newest is first");
    browser.click("#tail input");
    serve.send(&OLD.request(OLD.truth(2003)));
    serve.settled(5);
    browser.click("#tail input");
    browser.wait_until("return !!document.querySelector('#n5 .ignored')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_button_is_reached_and_pressed_by_keyboard_alone() {
    let (_env, serve) = told_of(&[2000]);
    let browser = Browser::start();
    browser.set_window(1280, "light");
    browser.open(&format!("http://{}/notifications/1", serve.admin));
    browser.press(TAB);
    assert_eq!(browser.run("return document.activeElement.className"), "skip");
    let is_focused = "return document.activeElement.textContent === 'Retry'";
    for _ in 0..30 {
        if browser.run(is_focused) == true {
            break;
        }
        browser.press(TAB);
    }
    assert_eq!(browser.run(is_focused), true, "{}", browser.text());
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid", "the focus is seen");
    browser.press(ENTER);
    browser.wait_until("return location.pathname === '/done'");
    assert!(
        browser.text().contains("1 notification will be parsed and verified again."),
        "{}",
        browser.text()
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn all_that_a_filter_shows_is_changed_in_three_clicks() {
    let (_env, serve) = told_of(&[2000, 2001]);
    let browser = Browser::start();
    browser.set_window(360, "dark");
    browser.open(&format!("http://{}/notifications?state=ignored", serve.admin));
    browser.click("a[href^='/notifications/retry']");
    assert!(
        browser.text().contains("2 notifications would be parsed and verified again"),
        "{}",
        browser.text()
    );
    browser.click("button.go");
    browser.wait_until("return location.pathname === '/done'");
    assert!(browser.text().contains("2 notifications will be parsed"), "{}", browser.text());
    browser.click("a.button");
    browser.wait_until("return location.pathname === '/notifications'");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
