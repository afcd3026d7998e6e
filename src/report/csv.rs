//! One line per finding. If findings are missing, extra lines say so: `incomplete` (first) for a source whose shop
//! could not be read completely, and `omitted` for findings that are only counted. A filter on the kind removes these
//! lines. A spreadsheet takes a cell that begins with certain characters for a formula, which a stranger could
//! exploit; an apostrophe in front makes such a cell text.

use std::borrow::Cow;

use super::{Document, summary};
use crate::domain::SourceReport;
use crate::domain::escape::escape_controls;
use crate::domain::format::pluralize;

const COLUMNS: [&str; 8] =
    ["source", "provider", "kind", "subject_id", "ours", "shop", "notification_id", "detail"];

pub(super) fn render(document: &Document) -> anyhow::Result<String> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    let sources = &document.report.sources;
    for source in sources.iter().filter(|source| !source.complete) {
        writer.write_record(remark(source, "incomplete", summary::INCOMPLETE))?;
    }
    for source in sources {
        for finding in &source.findings {
            let id = finding.notification_id.map(|id| id.to_string()).unwrap_or_default();
            let text_cell = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
            writer.write_record([
                cell(&source.source),
                cell(&source.provider),
                finding.kind.as_str().to_owned(),
                text_cell(&finding.subject_id),
                text_cell(&finding.ours),
                text_cell(&finding.shop),
                id,
                text_cell(&finding.detail),
            ])?;
        }
        for (kind, more) in source.omitted.iter().filter(|(_, more)| **more > 0) {
            let detail = format!("{} of kind {kind} not listed here", pluralize(*more, "more finding"));
            writer.write_record(remark(source, "omitted", &detail))?;
        }
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// A line about missing findings of a source.
fn remark(source: &SourceReport, kind: &str, detail: &str) -> [String; COLUMNS.len()] {
    let empty = String::new;
    let (name, provider) = (cell(&source.source), cell(&source.provider));
    [name, provider, kind.to_owned(), empty(), empty(), empty(), empty(), detail.to_owned()]
}

/// Text that a spreadsheet cannot take for a formula.
#[must_use]
pub fn cell(text: &str) -> String {
    let is_taken_for_formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let shown = escape_controls(text);
    if is_taken_for_formula { format!("'{shown}") } else { Cow::into_owned(shown) }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for start in ["=", "+", "-", "@", "\t", "\r", "＝"] {
            let text = format!("{start}1+1");
            assert!(cell(&text).starts_with('\''), "{text:?}");
        }
        assert_eq!(cell("\t=1"), r"'\t=1");
        assert_eq!(cell("SALE-1"), "SALE-1");
    }

    #[test]
    fn each_finding_is_one_record_whatever_is_in_it() {
        let document = samples::hostile();
        let shown = render(&document).unwrap();
        let mut reader = ::csv::Reader::from_reader(shown.as_bytes());
        assert_eq!(reader.headers().unwrap(), &COLUMNS[..]);
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        let findings = document.report.sources.iter().map(|source| source.findings.len()).sum::<usize>();
        let is_remark = |kind: &str| kind == "incomplete" || kind == "omitted";
        assert_eq!(records.iter().filter(|record| !is_remark(&record[2])).count(), findings);
        assert_eq!(shown.lines().count(), records.len() + 1);
        let records = &records[1..];
        assert_eq!(&records[0][3], r"'=cmd|' /C calc'!A0,<script>alert(1)</script>\u{1b}[2J\u{202e}\n");
    }

    #[test]
    fn a_sheet_says_what_it_lacks() {
        let shown = render(&samples::trade()).unwrap();
        let lines: Vec<&str> = shown.lines().collect();
        let incomplete =
            "keys,kinguin,incomplete,,,,,the shop could not be read completely; what is missing is unknown";
        assert_eq!(lines[1], incomplete);
        let omitted = "shop,ecwid,omitted,,,,,\"99,996 more findings of kind fake not listed here\"";
        assert!(lines.contains(&omitted), "{shown}");
    }
}
