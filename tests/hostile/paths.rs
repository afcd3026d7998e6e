//! Which calls a shop's API may ever get from us, written down once more, from the contract alone.

use countersign::simulator::{Call, ProviderApi};
use percent_encoding::percent_decode_str;

use crate::support::TestEnv;

/// Asserts that every call went to a path that verification needs, with no stranger's text outside of one id.
#[track_caller]
pub(super) fn assert_only_its_own(env: &TestEnv) {
    for call in env.simulator.shops().calls() {
        assert!(
            call.method == "GET" && !call.forbidden && is_its_own(&call),
            "{} {}",
            call.method,
            call.target
        );
    }
}

fn is_its_own(call: &Call) -> bool {
    let target = call.target.replace("=total,items(id,internalId,orderNumber)&", "=&");
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let names: Vec<&str> = query.split('&').map(|pair| pair.split('=').next().unwrap_or("")).collect();
    let asks_by = |allowed: &[&str]| {
        names.iter().all(|name| allowed.contains(name))
            && query.bytes().all(|b| is_plain(b) || b"%=&,".contains(&b))
    };
    match (call.provider, segments.as_slice()) {
        (ProviderApi::Ecwid, ["ecwid", "api", "v3", "1003", rest @ ..]) => match rest {
            ["orders"] => asks_by(&["ids", "limit", "offset", "responseFields"]),
            ["products"] => asks_by(&["productId", "limit", "offset", "responseFields"]),
            ["orders" | "products", "deleted"] => {
                names.first() == Some(&"from_date") && asks_by(&["from_date", "limit", "offset"])
            }
            // Some servers decode a slash before they route: only beside a comma is there no other way to ask.
            ["orders", id] => is_one_id(id) && (has_no_slash(id) || id.contains("%2C")),
            ["products", id] => id.bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        },
        (ProviderApi::Kinguin, ["kinguin", "esa", "api", "v1", rest @ ..]) => match rest {
            ["order"] => asks_by(&["orderId", "limit", "page"]),
            ["products"] => asks_by(&["kinguinId", "limit", "page"]),
            ["order", id] => query.is_empty() && is_one_id(id) && (has_no_slash(id) || id.contains("%2C")),
            ["products", id] => query.is_empty() && id.bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        },
        (ProviderApi::Midas, ["midas", "v1", "mor", "transaction", "query"]) => {
            names == ["external_id"] && asks_by(&["external_id"])
        }
        _ => false,
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// One path segment, encoded as a whole, that names no place by itself.
fn is_one_id(id: &str) -> bool {
    let decoded = percent_decode_str(id).decode_utf8_lossy();
    id.bytes().all(|b| is_plain(b) || b == b'%')
        && !["", ".", "..", "last", "deleted"].contains(&decoded.as_ref())
}

fn has_no_slash(id: &str) -> bool {
    let decoded = percent_decode_str(id).decode_utf8_lossy();
    !decoded.contains(['/', '\\', '%'])
}
