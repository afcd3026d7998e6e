//! The contract's JSON, with further figures under `statistics`.

use serde::Serialize;

use super::Document;
use crate::domain::escape::escape_json;
use crate::domain::{Report, SourceStatistics};

#[derive(Serialize)]
struct Shape<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    statistics: &'a [SourceStatistics],
}

pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    let shape = Shape { report: &document.report, statistics: &document.statistics };
    Ok(format!("{}\n", escape_json(&serde_json::to_string(&shape)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::samples;

    #[test]
    fn json_has_the_shape_of_the_contract() {
        let document = samples::trade();
        let shown: Value = serde_json::from_str(&super::render(&document).unwrap()).unwrap();
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&shown), ["generated_at", "from", "to", "sources", "statistics"]);
        let source = &shown["sources"][0];
        assert_eq!(
            names(source),
            ["source", "provider", "complete", "listed", "counts", "findings", "omitted"]
        );
        assert_eq!(
            names(&source["counts"]),
            ["received", "confirmed", "ignored", "fakes", "duplicates", "pending", "undecided"]
        );
        assert_eq!(
            names(&source["findings"][0]),
            ["kind", "subject_id", "ours", "shop", "notification_id", "detail"]
        );
        assert_eq!(source["omitted"]["fake"], json!(99_996));
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_in_it() {
        let shown = super::render(&samples::hostile()).unwrap();
        assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{shown}");
        let value: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(value["sources"][0]["findings"][0]["subject_id"], samples::HOSTILE);
    }
}
