//! Shortens stored JSON for one line of a report.

use rusqlite::Row;
use serde_json::Value;

/// Maximum number of characters of a claim or an answer in a report's line.
const LONGEST: usize = 300;

/// A column of JSON as `name value, name value`, without the values before; `None` if it is empty.
pub(super) fn column(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    let json: Option<String> = row.get(at)?;
    Ok(json.and_then(|json| in_words(&json)))
}

fn in_words(json: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(json).ok()?;
    if let Value::Object(object) = &mut value {
        object.remove("before");
    }
    let mut pairs = Vec::new();
    flatten("", &value, &mut pairs);
    let text = pairs.join(", ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text.get(..end).map(|start| format!("{start}…")),
        None => Some(text).filter(|text| !text.is_empty()),
    }
}

fn flatten(name: &str, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, pairs);
            }
        }
        Value::Null => {}
        Value::String(text) => pairs.push(format!("{name} {text}").trim_start().to_owned()),
        other => pairs.push(format!("{name} {other}").trim_start().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_in_words_without_what_held_before() {
        let json = r#"{"status":"PAID","total":24.50,"user":{"id":7,"name":null},"before":{"status":"x"}}"#;
        assert_eq!(in_words(json).unwrap(), "status PAID, total 24.50, user.id 7");
        assert_eq!(in_words("{}"), None);
        assert_eq!(in_words("nonsense"), None);
        let long = format!("{{\"a\":\"{}\"}}", "é".repeat(1000));
        assert_eq!(in_words(&long).unwrap().chars().count(), 301);
    }
}
