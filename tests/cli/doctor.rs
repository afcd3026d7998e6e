use std::os::unix::fs::PermissionsExt as _;

use countersign::simulator::{Fault, Trouble};

use super::{Stage, order, printed};
use crate::support::{Request, TestEnv, formats, paid};

#[test]
fn doctor_finds_a_healthy_setup_healthy() {
    let stage = Stage::new();
    let text = printed(&stage.run(&["doctor"]), 0);
    let (checks, last) = text.trim_end().rsplit_once('\n').unwrap();
    assert!(checks.lines().all(|line| line.starts_with("ok  ")), "{text}");
    assert_eq!(last, "everything is as it should be");
    let url =
        "its intake URL is https://YOUR-DOMAIN/hooks/shop/… (… is the path_token); paste it as endpoint URL";
    assert!(text.contains(url), "{text}");
    assert!(text.contains("clock is within"), "{text}");
}

#[test]
fn doctor_tells_for_each_source_how_its_shop_gets_the_url() {
    let env = formats::env();
    let _serve = env.serve();
    let text = String::from_utf8(env.run(&["doctor"]).stdout).unwrap();
    for (format, setup) in [
        (formats::OLD, "paste it as endpoint URL of Instant Order Notifications in Ecwid's control panel"),
        (formats::SHOP, "ask Ecwid's support to send the webhooks of your app there (one URL per app)"),
        (formats::POP, "paste it into Kinguin's dashboard → store → POSTBACK NOTIFICATIONS"),
        (formats::KEYS, "paste it into Kinguin's dashboard → store → WEBHOOKS"),
        (formats::GAME, "send it as settings.webhook_url of each payment token"),
    ] {
        let url = format!("https://YOUR-DOMAIN/hooks/{}", format.source);
        let line = text.lines().find(|line| line.contains(&url));
        assert!(line.is_some_and(|line| line.contains(setup)), "{}: {text}", format.source);
    }
}

/// The lines that begin with WRONG, of a doctor that ends with 1.
fn wrongs(stage: &Stage) -> Vec<String> {
    let text = printed(&stage.run(&["doctor"]), 1);
    text.lines().filter(|line| line.starts_with("WRONG  ")).map(str::to_owned).collect()
}

#[test]
fn doctor_says_what_is_wrong_with_the_store() {
    let stage = Stage::new();
    std::fs::set_permissions(stage.env.store_path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let wrong = wrongs(&stage);
    assert!(wrong.len() == 1 && wrong[0].contains("chmod 600"), "{wrong:?}");
    std::fs::remove_file(stage.env.store_path()).unwrap();
    let wrong = wrongs(&stage);
    assert!(wrong.len() == 1 && wrong[0].contains("there is no store at"), "{wrong:?}");
    assert!(!stage.env.store_path().exists());
}

#[test]
fn doctor_names_sources_that_changed_or_went() {
    let stage = Stage::new();
    stage.introduce("gone", "ecwid-ion");
    stage.receive_for("gone", order("1"));
    let wrong = wrongs(&stage);
    assert!(wrong.len() == 1, "{wrong:?}");
    assert!(wrong[0].contains("gone is no longer configured, but 1 notification waits"), "{wrong:?}");
}

#[test]
fn doctor_says_what_the_api_says_about_the_token() {
    let stage = Stage::new();
    stage.env.simulator.shops().open_ecwid(1003, "another token");
    let wrong = wrongs(&stage);
    assert!(
        !wrong.is_empty() && wrong.iter().all(|line| line.starts_with("WRONG  source shop: ")),
        "{wrong:?}"
    );
}

#[test]
fn doctor_compares_the_clocks() {
    let stage = Stage::new();
    let skew = stage.env.simulator.shops().add_fault(Fault::new(Trouble::DateSkew(600)));
    let wrong = wrongs(&stage);
    assert!(wrong.len() == 1 && wrong[0].contains("behind the API's"), "{wrong:?}");
    stage.env.simulator.shops().clear_fault(skew);
    stage.env.simulator.shops().add_fault(Fault::new(Trouble::DateSkew(-600)));
    assert!(wrongs(&stage)[0].contains("ahead of the API's"));
}

#[test]
fn doctor_with_a_dead_host_says_so() {
    let mut stage = Stage::new();
    stage.env.simulator.stop_listening().unwrap();
    let wrong = wrongs(&stage);
    assert!(!wrong.is_empty() && wrong[0].contains("source shop"), "{wrong:?}");
}

#[test]
fn a_good_examination_ends_the_pause_of_a_source() {
    let stage = Stage::new();
    let id = stage.receive(order("1"));
    stage.deny(id);
    let resume_at = || stage.env.value("SELECT resume_at FROM outages").unwrap();
    let planned = resume_at();
    stage.env.simulator.shops().open_ecwid(1003, "another token");
    let wrong = wrongs(&stage);
    assert!(
        wrong.iter().any(|line| line.contains("has been failing since") && line.contains("api_denied")),
        "{wrong:?}"
    );
    assert_eq!(resume_at(), planned);
    stage.env.simulator.shops().open_ecwid(1003, super::TOKEN);
    let text = printed(&stage.run(&["doctor"]), 0);
    assert!(text.contains("its pause is over"), "{text}");
    assert!(resume_at() < planned);
}

#[test]
fn a_proxy_that_is_not_listed_is_a_warning_and_nothing_wrong() {
    let env = TestEnv::new().server_keys("trusted_proxies = []").ion_shop("shop", 1003, 1);
    let serve = env.serve();
    let forwarded = Request::post("/hooks/shop").header("X-Forwarded-For", "198.51.100.1");
    for order in ["o.1", "o.2", "o.3"] {
        assert_eq!(serve.send(&forwarded.clone().body(paid(1003, order))).status, 200);
    }
    assert_eq!(serve.log().matches("is not in server.trusted_proxies").count(), 1, "once for each peer");
    let done = env.run(&["doctor"]);
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{said}");
    let warning = said.lines().find(|line| line.starts_with("WARN ")).unwrap_or_else(|| panic!("{said}"));
    assert!(warning.contains("3 notifications recently came through 127.0.0.1"), "{warning}");
    assert!(warning.contains("otherwise all senders look the same"), "{warning}");

    let env = env.server_keys("trusted_proxies = [\"127.0.0.1\"]");
    let said = env.run(&["doctor"]).stdout;
    assert!(!String::from_utf8_lossy(&said).contains("WARN "), "a listed one is none");
}
