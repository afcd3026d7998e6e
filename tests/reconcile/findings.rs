//! What a report tells in each format, read back as its readers do: source, kind and subject of each finding.

use std::collections::BTreeSet;

use serde_json::Value;

/// Source, kind, subject (`-` where it is about none).
pub(super) type Findings = BTreeSet<(String, String, String)>;

/// The findings of the JSON.
pub(super) fn in_json(report: &Value) -> Findings {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let sources = report["sources"].as_array().unwrap().iter();
    let findings = sources.flat_map(|source| {
        let findings = source["findings"].as_array().unwrap().iter();
        findings.map(|found| (text(&source["source"]), text(&found["kind"]), text(&found["subject_id"])))
    });
    findings.collect()
}

/// The rows of the sheet, those that are no findings included.
pub(super) fn in_csv(sheet: &str) -> Vec<(String, String, String)> {
    let mut reader = csv::Reader::from_reader(sheet.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let subject = if row[3].is_empty() { "-" } else { &row[3] };
        (row[0].to_owned(), row[2].to_owned(), subject.to_owned())
    });
    rows.collect()
}

/// The findings that the mail writes out.
pub(super) fn in_text(text: &str) -> Findings {
    let mut told = Findings::new();
    let (mut source, mut kind) = (String::new(), String::new());
    let lines: Vec<&str> = text.lines().collect();
    for (place, line) in lines.iter().enumerate() {
        let is_title = lines.get(place + 1).is_some_and(|next| next.starts_with("---"));
        let heading = line.strip_prefix("  ").and_then(|line| line.split_once(": "));
        if is_title {
            source = line.split(' ').next().unwrap().to_owned();
        } else if let Some(found) = line.strip_prefix("    ").filter(|line| !line.starts_with([' ', '…'])) {
            let about = found.split(": ").next().unwrap();
            let subject = about.split(' ').find(|word| !word.starts_with('#')).unwrap();
            let subject = if kind == "silent" { "-" } else { subject };
            told.insert((source.clone(), kind.clone(), subject.to_owned()));
        } else if let Some((counted, _)) = heading.filter(|_| !line.starts_with("   ")) {
            kind = counted.split(' ').next_back().unwrap().to_owned();
        }
    }
    told
}

/// The rows of the page's tables of findings.
pub(super) fn in_html(page: &str) -> Findings {
    let up_to = |text: &str, end: &str| text.split(end).next().unwrap().trim().to_owned();
    let mut told = Findings::new();
    for section in page.split("<h2>").skip(1) {
        let source = up_to(section, " <span");
        for group in section.split("<h3>").skip(1).filter(|group| group.contains("class=\"findings\"")) {
            let kind = up_to(group, " <span").split(' ').next_back().unwrap().to_owned();
            for row in group.split("<tr>").skip(1) {
                let Some((_, cell)) = row.split_once("<td>") else { continue };
                let subject = up_to(&up_to(cell, "</td>"), "<small>");
                let subject = if subject.is_empty() { "-".to_owned() } else { subject };
                told.insert((source.clone(), kind.clone(), subject));
            }
        }
    }
    told
}
