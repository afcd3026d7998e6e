//! Adds, lists and removes faults over HTTP.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Outcome;
use crate::simulator::calls::ProviderApi;
use crate::simulator::exchange::Response;
use crate::simulator::faults::{Fault, Trouble};
use crate::simulator::record::text_of;
use crate::simulator::shops::Shops;

pub(super) fn list(shops: &Shops) -> Response {
    let shown = shops.faults().into_iter().map(|(id, fault)| {
        json!({
            "id": id.0, "trouble": word(&fault.trouble), "provider": fault.provider.map(ProviderApi::word),
            "store": fault.store, "path": fault.path, "times_left": fault.times,
        })
    });
    Response::json(200, &shown.collect())
}

pub(super) fn set(shops: &Shops, fields: &Map<String, Value>) -> Outcome {
    let fault = parsed(fields).map_err(|message| (400, message))?;
    let id = shops.add_fault(fault);
    Ok(Response::json(201, &json!({"id": id.0})))
}

fn parsed(fields: &Map<String, Value>) -> Result<Fault, String> {
    let mut fault = Fault::new(trouble(fields)?);
    for (name, value) in fields {
        let text = text_of(value);
        fault = match name.as_str() {
            "provider" => {
                let known = ProviderApi::from_word(&text);
                fault.provider(known.ok_or_else(|| format!("no provider {text}"))?)
            }
            "store" => fault.store(text),
            "path" => fault.path(text),
            "times" => fault.times(text.parse().map_err(|_| format!("times is not a number: {text}"))?),
            "trouble" | "ms" | "status" | "headers" | "body" | "bytes" | "location" | "seconds" => fault,
            _ => return Err(format!("a fault has no field {name}")),
        };
    }
    Ok(fault)
}

fn trouble(fields: &Map<String, Value>) -> Result<Trouble, String> {
    let text = |name: &str| fields.get(name).map(text_of).unwrap_or_default();
    let millis = || -> Result<Duration, String> { Ok(Duration::from_millis(number(fields, "ms")?)) };
    Ok(match text("trouble").as_str() {
        "latency" => Trouble::Latency(millis()?),
        "dribble" => Trouble::Dribble(millis()?),
        "hold" => Trouble::Hold,
        "status" => Trouble::Answer {
            status: number(fields, "status")?,
            headers: headers(fields.get("headers")),
            body: match fields.get("body") {
                Some(Value::String(body)) => body.clone().into_bytes(),
                Some(body) => body.to_string().into_bytes(),
                None => Vec::new(),
            },
        },
        "reset" => Trouble::Reset,
        "truncate" => Trouble::Truncate,
        "huge" => Trouble::Huge(number(fields, "bytes")?),
        "redirect" => Trouble::Redirect(text("location")),
        "not_json" => Trouble::NotJson,
        "wrong_signature" => Trouble::WrongSignature,
        "unsigned" => Trouble::Unsigned,
        "date_skew" => Trouble::DateSkew(number(fields, "seconds")?),
        "gzip" => Trouble::Gzip,
        other => return Err(format!("no trouble {other:?}")),
    })
}

fn number<T: std::str::FromStr>(fields: &Map<String, Value>, name: &str) -> Result<T, String> {
    let text = fields.get(name).map(text_of).unwrap_or_default();
    text.parse().map_err(|_| format!("{name} must be a number, not {text:?}"))
}

fn headers(value: Option<&Value>) -> Vec<(String, String)> {
    let fields = value.and_then(Value::as_object);
    fields.into_iter().flatten().map(|(name, value)| (name.to_lowercase(), text_of(value))).collect()
}

fn word(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Latency(_) => "latency",
        Trouble::Hold => "hold",
        Trouble::Answer { .. } => "status",
        Trouble::Reset => "reset",
        Trouble::Truncate => "truncate",
        Trouble::Huge(_) => "huge",
        Trouble::Dribble(_) => "dribble",
        Trouble::Redirect(_) => "redirect",
        Trouble::NotJson => "not_json",
        Trouble::WrongSignature => "wrong_signature",
        Trouble::Unsigned => "unsigned",
        Trouble::DateSkew(_) => "date_skew",
        Trouble::Gzip => "gzip",
    }
}
