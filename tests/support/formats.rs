//! An environment with a source and a shop of each of the five formats, for tests that hold for all of them.

use countersign::simulator::{ecwid, kinguin, midas};

use super::{Request, TestEnv};

/// The credentials of the shops, which no output may contain.
pub(crate) const TOKEN: &str = "secret_five_token";
pub(crate) const API_KEY: &str = "api-key-of-five";

/// One of the five formats, configured as a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    pub(crate) source: &'static str,
    pub(crate) provider: &'static str,
    /// Status and body of its acknowledgement.
    pub(crate) acknowledgement: (u16, &'static str),
    /// The event of its true notifications, where a header names it.
    event_header: Option<&'static str>,
}

const STORED: &str = r#"{"processed":true,"message":"stored"}"#;

pub(crate) const OLD: Format =
    Format { source: "old", provider: "ecwid-ion", acknowledgement: (200, ""), event_header: None };
pub(crate) const SHOP: Format =
    Format { source: "shop", provider: "ecwid", acknowledgement: (200, ""), event_header: None };
pub(crate) const POP: Format =
    Format { source: "pop", provider: "kinguin-postback", acknowledgement: (204, ""), event_header: None };
pub(crate) const KEYS: Format = Format {
    source: "keys",
    provider: "kinguin",
    acknowledgement: (204, ""),
    event_header: Some("order.status"),
};
pub(crate) const GAME: Format =
    Format { source: "game", provider: "midas", acknowledgement: (200, STORED), event_header: None };

pub(crate) const FORMATS: [Format; 5] = [OLD, SHOP, POP, KEYS, GAME];

/// The numbers of the orders that every shop has.
pub(crate) const ORDERS: [u64; 3] = [1207, 1208, 1209];

impl Format {
    /// What the shop would really send about one of its [`ORDERS`].
    pub(crate) fn truth(&self, number: u64) -> String {
        let updated_at = "2025-03-04T10:15:09+00:00";
        match self.provider {
            "ecwid-ion" => format!(
                "owner_id=1003&event_type=new_order&date=2014-11-02+09%3A41%3A00&order_id={number}\
                 &payment_status=ACCEPTED&fulfillment_status=NEW"
            ),
            "ecwid" => format!(
                r#"{{"eventId":"e-{number}","eventCreated":1764000000,"storeId":1003,"entityId":4{number},
                "eventType":"order.updated","data":{{"orderId":"{number}","newPaymentStatus":"PAID"}}}}"#
            ),
            "kinguin-postback" => format!(
                r#"{{"orderId":"K{number}","orderExternalId":"x-{number}","updatedAt":"{updated_at}"}}"#
            ),
            "kinguin" => format!(
                r#"{{"orderId":"K{number}","orderExternalId":"x-{number}","status":"completed",
                "updatedAt":"{updated_at}"}}"#
            ),
            _ => format!(
                r#"{{"notification_type":"OrderPaid","settings":{{"merchant_id":"m-1001","project_id":"pr-77"}},
                "transaction":{{"external_id":"T{number}"}},
                "payment_details":{{"payment":{{"amount":"8.98","currency":"EUR"}}}}}}"#
            ),
        }
    }

    /// A notification with this body, and the header that this format needs to be understood.
    pub(crate) fn request(&self, body: impl Into<Vec<u8>>) -> Request {
        self.request_to(&format!("/hooks/{}", self.source), body)
    }

    /// The same, to another path.
    pub(crate) fn request_to(&self, target: &str, body: impl Into<Vec<u8>>) -> Request {
        let request = Request::post(target).body(body);
        match self.event_header {
            Some(event) => request.header("X-Event-Name", event),
            None => request,
        }
    }
}

/// An environment whose five sources need no secret, and whose shops have the [`ORDERS`], all of them paid or completed, and
/// the product 70123.
pub(crate) fn env() -> TestEnv {
    let env = TestEnv::new();
    let simulator = &env.simulator;
    let shops = simulator.shops();
    let shop = shops.open_ecwid(1003, TOKEN);
    let account = shops.open_kinguin("five", API_KEY);
    let merchant = shops.open_midas("m-1001", "pr-77").unwrap();
    for number in ORDERS {
        shop.put_order(ecwid::Order::new(&number.to_string(), 40_000 + number).order_number(number).paid());
        let order = kinguin::Order::new(&format!("K{number}"));
        account.put_order(order.external_id(&format!("x-{number}")).completed());
        merchant.put_transaction(midas::Transaction::new(&format!("T{number}")));
    }
    shop.put_product(ecwid::Product::new(70_123, "Mug"));
    account.put_product(kinguin::Product::new(70_123, "5f00aa11bb22cc33dd44ee55"));
    std::fs::write(env.folder().join("merchant.pem"), merchant.private_key_pem().unwrap()).unwrap();
    std::fs::write(env.folder().join("platform.pem"), merchant.platform_public_key_pem().unwrap()).unwrap();
    FORMATS.into_iter().fold(env, |env, format| {
        let lines = lines(&env, format);
        env.source(format.source, &lines)
    })
}

/// The configuration of a source of this format at the shops of [`env`]; the keys of its secret or signature may be appended.
pub(crate) fn lines(env: &TestEnv, format: Format) -> String {
    let simulator = &env.simulator;
    let (own, base) = match format.provider {
        "ecwid" | "ecwid-ion" => (format!("store_id = 1003\ntoken = \"{TOKEN}\""), simulator.ecwid_base()),
        "midas" => (
            "merchant_id = \"m-1001\"\nproject_id = \"pr-77\"\nprivate_key_file = \"merchant.pem\"\n\
             serial_no = \"0A1B\""
                .to_owned(),
            simulator.midas_base(),
        ),
        _ => (format!("api_key = \"{API_KEY}\""), simulator.kinguin_base()),
    };
    format!("provider = \"{}\"\napi_base = \"{base}\"\nrate_limit = \"100000/s\"\n{own}\n", format.provider)
}
