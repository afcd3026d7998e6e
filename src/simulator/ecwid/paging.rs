//! The common parts of Ecwid's searches: pages, time windows and `responseFields`.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::failure::ErrorResponse;
use crate::simulator::exchange::{Params, Response};
use crate::simulator::time;

/// Ecwid's documentation: default and maximum of a page.
pub(super) const MAX_LIMIT: usize = 100;

/// One page of `found`: `{"total","count","offset","limit","items"}`. A `limit` over the maximum is cut to it.
pub(super) fn page<'a>(
    found: impl Iterator<Item = &'a Map<String, Value>>,
    params: &Params,
    default_limit: usize,
) -> Result<Response, ErrorResponse> {
    let offset = whole(params, "offset")?.unwrap_or(0);
    let limit = whole(params, "limit")?.unwrap_or(default_limit).min(MAX_LIMIT);
    if limit == 0 {
        return Err(ErrorResponse::wrong_parameter("limit"));
    }
    let mut total = 0;
    let mut items = Vec::new();
    for object in found {
        if total >= offset && items.len() < limit {
            items.push(Value::Object(object.clone()));
        }
        total += 1;
    }
    let envelope =
        json!({"total": total, "count": items.len(), "offset": offset, "limit": limit, "items": items});
    Ok(shown(&envelope, params))
}

/// An answer cut to the `responseFields` asked for.
pub(super) fn shown(body: &Value, params: &Params) -> Response {
    match params.get("responseFields") {
        Some(wanted) => Response::json(200, &cut(body, &Wanted::parse(&mut wanted.chars()))),
        None => Response::json(200, body),
    }
}

fn whole(params: &Params, name: &str) -> Result<Option<usize>, ErrorResponse> {
    params.whole(name).map_err(|name| ErrorResponse::wrong_parameter(&name))
}

/// A time window given by two parameters, both ends included.
pub(super) struct TimeRange {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

impl TimeRange {
    pub(super) fn parse(params: &Params, from: &str, to: &str) -> Result<Self, ErrorResponse> {
        let end = |name: &str| match params.get(name) {
            Some(text) => time::parse(text).map(Some).ok_or_else(|| ErrorResponse::wrong_parameter(name)),
            None => Ok(None),
        };
        Ok(Self { from: end(from)?, to: end(to)? })
    }

    /// Whether this unix time lies inside; an unknown one only where no window was asked for.
    pub(super) fn holds(&self, seconds: Option<i64>) -> bool {
        let Some(seconds) = seconds else {
            return self.from.is_none() && self.to.is_none();
        };
        self.from.is_none_or(|from| seconds >= from.timestamp())
            && self.to.is_none_or(|to| seconds <= to.timestamp())
    }
}

/// The names in `total,items(id,internalId)`.
struct Wanted(Vec<(String, Option<Wanted>)>);

impl Wanted {
    /// Reads up to the closing bracket or the end.
    fn parse(text: &mut std::str::Chars<'_>) -> Self {
        let mut names: Vec<(String, Option<Self>)> = Vec::new();
        let mut name = String::new();
        while let Some(c) = text.next() {
            match c {
                '(' => names.push((std::mem::take(&mut name), Some(Self::parse(text)))),
                ')' => break,
                ',' if name.is_empty() => {}
                ',' => names.push((std::mem::take(&mut name), None)),
                c if c.is_whitespace() => {}
                c => name.push(c),
            }
        }
        if !name.is_empty() {
            names.push((name, None));
        }
        Self(names)
    }
}

fn cut(value: &Value, wanted: &Wanted) -> Value {
    match value {
        Value::Object(fields) => wanted
            .0
            .iter()
            .filter_map(|(name, inner)| {
                let value = fields.get(name)?;
                Some((name.clone(), inner.as_ref().map_or_else(|| value.clone(), |inner| cut(value, inner))))
            })
            .collect(),
        Value::Array(items) => items.iter().map(|item| cut(item, wanted)).collect(),
        other => other.clone(),
    }
}
