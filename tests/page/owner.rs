//! The page as a shop owner meets it who never saw it: a morning with fakes, an outage and a program that refuses, and how
//! many clicks each question takes.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign::simulator::ecwid::{EcwidStore, Order};
use countersign::simulator::{Fault, ProviderApi};

use crate::support::browser::Browser;
use crate::support::formats::{self, GAME, KEYS, SHOP, TOKEN};
use crate::support::{Serve, TestEnv};

/// A shop, a key seller and a game, and what happened to them.
pub(super) struct Morning {
    pub(super) env: TestEnv,
    pub(super) serve: Serve,
    shop: EcwidStore,
    sent: i64,
}

impl Morning {
    /// Opens the shops; nothing happened yet. Keys are shipped; the ERP refuses everything; the warehouse is out for an
    /// hour.
    pub(super) fn new() -> Self {
        let env = formats::env().without_sources();
        let sources = [SHOP, KEYS, GAME].map(|format| (format.source, formats::lines(&env, format)));
        let env = sources.iter().fold(env, |env, (name, lines)| env.source(name, lines));
        let program = |ends: &str| format!("command = [\"/bin/sh\", \"-c\", \"cat > /dev/null; {ends}\"]\n");
        let env = env
            .verify("give_up_after = \"500ms\"")
            .action("ship", &program("exit 0"))
            .action("erp", &(program("echo no such customer >&2; exit 65") + "sources = [\"keys\"]\n"))
            .action(
                "warehouse",
                &(program("exit 1") + "sources = [\"shop\"]\nstatus = [\"SHIPPED\"]\nretry = [\"1h\"]\n"),
            );
        let shop = env.simulator.shops().open_ecwid(1003, TOKEN);
        let serve = env.serve();
        Self { env, serve, shop, sent: 0 }
    }

    fn send(&mut self, format: formats::Format, body: &str, sender: &str) {
        let request = format.request(body).header("X-Forwarded-For", sender).header("User-Agent", "shop/2.1");
        assert!(self.serve.send(&request).status < 300);
        self.sent += 1;
        self.serve.settled(self.sent);
    }

    /// A webhook of the shop about its order; `values` are further ones.
    fn tell(&mut self, number: u64, values: &str, sender: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let event = self.sent;
        let body = format!(
            r#"{{"eventId":"e-{number}-{event}","eventCreated":{now},"storeId":1003,"entityId":4{number},"eventType":"order.updated","data":{{"orderId":"{number}",{values}}}}}"#
        );
        self.send(SHOP, &body, sender);
    }

    fn order(&self, number: u64, payment: &str, fulfillment: &str) {
        let order = Order::new(&number.to_string(), 40_000 + number).order_number(number).payment(payment);
        let order = order.fulfillment(fulfillment).total(&format!("{}.00", 19 + number % 60));
        self.shop.put_order(order.email("ada@example.test"));
    }

    /// What a shop sells, one order from its first to its last day, and what strangers try.
    pub(super) fn trade(&mut self) {
        let shop = "192.0.2.10";
        for (payment, fulfillment) in [
            ("AWAITING_PAYMENT", "AWAITING_PROCESSING"),
            ("PAID", "AWAITING_PROCESSING"),
            ("PAID", "SHIPPED"),
        ] {
            self.order(1208, payment, fulfillment);
            let values = format!(r#""newPaymentStatus":"{payment}","newFulfillmentStatus":"{fulfillment}""#);
            self.tell(1208, &values, shop);
        }
        for number in 1300..1308 {
            self.order(number, "PAID", "AWAITING_PROCESSING");
            self.tell(number, r#""newPaymentStatus":"PAID""#, shop);
        }
        self.tell(1305, r#""newPaymentStatus":"PAID""#, shop);
        self.order(1207, "AWAITING_PAYMENT", "AWAITING_PROCESSING");
        self.tell(1207, r#""newPaymentStatus":"PAID""#, "203.0.113.66");
        for number in 9001..9006 {
            self.tell(number, r#""newPaymentStatus":"PAID""#, "203.0.113.66");
        }
        self.tell(9101, r#""newPaymentStatus":"PAID""#, "198.51.100.23");
        self.send(SHOP, "hello?", "198.51.100.23");
        self.env
            .wait_for_value("SELECT count(*) FROM deliveries WHERE state = 'waiting' AND attempts = 0", "0");
    }

    /// Keys are sold, which the ERP refuses, and the API of the game fails until countersign gives up.
    pub(super) fn trouble(&mut self) {
        for number in [1207, 1208, 1209] {
            self.send(KEYS, &KEYS.truth(number), "192.0.2.20");
        }
        let shops = self.env.simulator.shops();
        shops.add_fault(Fault::status(500).provider(ProviderApi::Midas));
        for number in [1207, 1208] {
            self.send(GAME, &GAME.truth(number), "192.0.2.30");
        }
        self.env.simulator.shops().clear_faults();
        self.env.wait_for_value("SELECT count(*) FROM deliveries WHERE state = 'dead'", "3");
    }
}

/// An owner at a browser, whose clicks are counted; a search is one.
struct Owner<'a> {
    browser: &'a Browser,
    home: String,
    clicks: u32,
}

impl Owner<'_> {
    fn home(&mut self) {
        self.browser.open(&self.home);
        self.clicks = 0;
    }

    fn click(&mut self, text: &str) {
        self.clicks += 1;
        self.browser.run("window.isLeft = true");
        self.browser.click_text(text);
        self.browser.wait_until("return !window.isLeft && document.readyState === 'complete'");
    }

    fn find(&mut self, id: &str) {
        self.clicks += 1;
        self.browser.click("#find");
        self.browser.press(&format!("{id}\u{e007}"));
        self.browser.wait_until("return location.pathname !== '/' && document.readyState === 'complete'");
    }

    /// The page answers the question, after so many clicks.
    #[track_caller]
    fn reads(&self, question: &str, clicks: u32, answers: &[&str]) {
        let text = self.browser.text();
        for answer in answers {
            assert!(text.contains(answer), "{question}: {answer:?} is not in {text}");
        }
        assert_eq!(self.clicks, clicks, "{question}");
    }
}

#[test]
fn each_question_of_an_owner_is_answered_in_at_most_three_clicks() {
    let mut morning = Morning::new();
    morning.trade();
    let browser = Browser::start();
    browser.set_window(1280, "light");
    let mut owner = Owner { browser: &browser, home: format!("http://{}/", morning.serve.admin), clicks: 0 };
    owner.home();
    owner.reads("is all well?", 0, &["All is well."]);
    morning.trouble();
    owner.home();
    owner.reads("is all well? (it is not)", 0, &["2 things need attention", "undecided", "dead"]);
    owner.find("1207");
    owner.reads("why was order 1207 ignored?", 1, &["ignored mismatch", "AWAITING_PAYMENT"]);
    owner.home();
    owner.click("fakes today");
    owner.reads("who sends the fakes?", 1, &["203.0.113.66", "198.51.100.23"]);
    owner.home();
    owner.find("K1208");
    owner.reads("did the key go out?", 1, &["ship told of news", "delivered"]);
    owner.home();
    owner.find("1208");
    let life = ["AWAITING_PAYMENT → PAID", "AWAITING_PROCESSING → SHIPPED", "warehouse told", "waiting"];
    owner.reads("what did we learn of order 1208 over its life?", 1, &life);
    owner.home();
    owner.click("Show them, and decide");
    owner.click("Retry all …");
    owner.click("Retry 2 notifications");
    owner.reads("it said undecided, what now?", 3, &["2 notifications will be parsed and verified again."]);
    let confirmed = "SELECT count(*) FROM notifications WHERE source = 'game' AND state = 'confirmed'";
    morning.env.wait_for_value(confirmed, "2");
    owner.home();
    owner.click("Show them, and redeliver");
    owner.click("Redeliver all …");
    owner.click("Redeliver 3 deliveries");
    owner.reads("retry everything that failed last night", 3, &["3 deliveries are due at once."]);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
