//! Compares the demo's result with the expected one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::targets::ACTIONS;
use super::{Demo, PATIENCE, SCENES, Sent, Verdict};
use crate::domain::{DeliveryState, State};
use crate::store::{DeliveryFilter, NewsQuery, Notification};

/// Queries that a shop owner may want: their meaning and the SQL.
const QUERIES: [(&str, &str); 3] = [
    ("the forged notifications", "SELECT id, source, subject_id, reason, detail FROM fakes"),
    ("the orders, as the shops show them", "SELECT source, order_id, status, total, email FROM orders"),
    (
        "the verifications of notifications with a retry",
        "SELECT notification_id, at, outcome, detail FROM verifications WHERE notification_id IN \
         (SELECT id FROM notifications WHERE state = 'confirmed' AND attempts > 1)",
    ),
];

/// The interval of checks whether all actions received their news.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The result of a demo.
#[derive(Debug)]
pub struct DemoReport {
    /// The number of notifications per state and reason.
    pub verdicts: Vec<((String, String), usize)>,
    /// The number of refusals per HTTP status.
    pub refused: Vec<(u16, usize)>,
    /// The number of calls that each shop's API received.
    pub calls: Vec<(&'static str, usize)>,
    /// The number of messages that each action received.
    pub received: Vec<ActionReceipts>,
    /// The subject of one of the mails to the owner.
    pub a_subject: Option<String>,
    /// The differences from the contract, in words; empty if all is well.
    pub differences: Vec<String>,
    /// The time from the first notification to the last verdict.
    pub took: Duration,
    /// The configuration file; it is kept.
    pub config: PathBuf,
    /// The SQLite file; it is kept.
    pub store: PathBuf,
    /// The queries to try: their meaning and the SQL.
    pub queries: &'static [(&'static str, &'static str)],
}

/// The messages that an action received.
#[derive(Debug)]
pub struct ActionReceipts {
    pub action: &'static str,
    /// `url`, `command` or `mail`.
    pub kind: &'static str,
    /// The number of messages.
    pub times: usize,
}

/// Reads the final verdicts from the store, because a verdict may have changed after it was printed.
pub(super) async fn of(demo: &Demo) -> anyhow::Result<DemoReport> {
    let took = demo.began.elapsed();
    let (mut verdicts, mut refused) = (BTreeMap::new(), BTreeMap::new());
    let mut differences = Vec::new();
    for sent in &demo.sent {
        let row = match sent.id {
            Some(id) => demo.service.store().reader().show(id).await?.map(|(row, _)| row),
            None => None,
        };
        match &row {
            Some(row) => {
                let reason = row.line.reason.clone().unwrap_or_default();
                *verdicts.entry((row.line.state.clone(), reason)).or_insert(0) += 1;
            }
            None => *refused.entry(sent.answer.status).or_insert(0) += 1,
        }
        let about =
            format!("{}, {} ({})", sent.scene.source.name(), sent.scene.words, sent.scene.recording.file);
        let found = differences_of(&demo.sent, sent, row.as_ref());
        differences.extend(found.into_iter().map(|difference| format!("{about}: {difference}")));
    }
    if demo.sent.len() < SCENES.len() {
        differences.push(format!("only {} of {} notifications were sent", demo.sent.len(), SCENES.len()));
    }
    let (received, wrong) = receipts(demo).await?;
    differences.extend(wrong);
    Ok(DemoReport {
        verdicts: verdicts.into_iter().collect(),
        refused: refused.into_iter().collect(),
        calls: demo.shops.calls().to_vec(),
        received,
        a_subject: demo.targets.a_subject(),
        differences,
        took,
        config: demo.folder.config().to_path_buf(),
        store: demo.folder.store().to_path_buf(),
        queries: &QUERIES,
    })
}

/// What each action received, and how that differs from every confirmed change once.
async fn receipts(demo: &Demo) -> anyhow::Result<(Vec<ActionReceipts>, Vec<String>)> {
    let reader = demo.service.store().reader();
    let waiting =
        DeliveryFilter { state: Some(DeliveryState::Waiting), limit: 1, ..DeliveryFilter::default() };
    while !reader.deliveries(waiting.clone()).await?.is_empty() && demo.began.elapsed() < PATIENCE {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let query = NewsQuery { after: 0, source: None, limit: 2 * SCENES.len() };
    let (news, _) = reader.news(query).await?;
    let true_ones: BTreeSet<i64> = demo
        .sent
        .iter()
        .filter(|sent| matches!(sent.scene.expected, Verdict::Stored(State::Confirmed, _)))
        .filter_map(|sent| sent.id)
        .collect();
    let notified: BTreeSet<i64> = news.iter().map(|news| news.notification_id).collect();
    let mut wrong = Vec::new();
    if notified != true_ones {
        wrong.push(format!("there is news of {notified:?}, not of {true_ones:?}"));
    }
    let seqs: BTreeSet<i64> = news.iter().map(|news| news.seq).collect();
    let mut all = Vec::new();
    for ((action, kind), received) in ACTIONS.into_iter().zip(demo.targets.received()?) {
        wrong.extend(wrong_receipts(&seqs, &received).map(|what| format!("action {action}: {what}")));
        all.push(ActionReceipts { action, kind, times: received.len() });
    }
    Ok((all, wrong))
}

/// How an action's messages differ from each news once, and nothing else.
fn wrong_receipts(news: &BTreeSet<i64>, received: &[Option<i64>]) -> Option<String> {
    let known: BTreeSet<i64> = received.iter().copied().flatten().collect();
    let is_right = known == *news && received.len() == news.len();
    (!is_right).then(|| format!("was told of {received:?}, not of {news:?}"))
}

/// The differences of one notification from the contract.
fn differences_of(all: &[Sent], sent: &Sent, row: Option<&Notification>) -> Vec<String> {
    let mut found = Vec::new();
    let scene = sent.scene;
    let (status, body) = (sent.answer.status, sent.answer.body.as_str());
    let verdict = match row {
        Some(row) => (row.line.state.clone(), row.line.reason.clone().unwrap_or_default()),
        None => ("refused".to_owned(), status.to_string()),
    };
    let expected = scene.expected.words();
    if verdict != expected {
        found.push(format!("is {} {}, not {} {}", verdict.0, verdict.1, expected.0, expected.1));
    }
    let Some(row) = row else {
        if !body.starts_with(r#"{"processed":false,"#) {
            found.push(format!("the refusal says {body}"));
        }
        return found;
    };
    if (status, body) != scene.source.acknowledgement() {
        found.push(format!("was acknowledged with {status} {body}"));
    }
    if row.line.source != scene.source.name() || row.body.as_deref() != Some(scene.recording.body()) {
        found.push(format!("row {} holds another notification", row.line.id));
    }
    if let Some(reason) = scene.waits_for
        && !sent.waited_for.contains(&reason)
    {
        found.push(format!("never waited for {reason}"));
    }
    let first = all.iter().find(|first| {
        first.scene.source == scene.source && first.scene.recording.file == scene.recording.file
    });
    let original = first.and_then(|first| first.id).filter(|id| *id != row.line.id);
    if row.line.duplicate_of != original {
        found.push(format!("is a duplicate of {:?}, not of {original:?}", row.line.duplicate_of));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{Scene, Verdict, post::SceneResponse};
    use super::*;
    use crate::domain::{Reason, State};
    use crate::store::NotificationLine;

    fn sent(scene: &'static Scene, id: Option<i64>) -> Sent {
        let (status, body) = match scene.expected {
            Verdict::Refused(status) => (status, r#"{"processed":false,"message":"no"}"#),
            Verdict::Stored(..) => scene.source.acknowledgement(),
        };
        let answer = SceneResponse { status, body: body.to_owned() };
        Sent { scene, answer, id, waited_for: scene.waits_for.into_iter().collect(), is_done: true }
    }

    fn row(sent: &Sent, state: State, reason: Reason, duplicate_of: Option<i64>) -> Notification {
        let line = NotificationLine {
            id: sent.id.unwrap(),
            source: sent.scene.source.name().to_owned(),
            provider: sent.scene.source.provider().to_owned(),
            received_at: String::new(),
            remote_addr: None,
            content_type: None,
            event: None,
            subject_kind: None,
            subject_id: None,
            resolved_id: None,
            claim: None,
            event_time: None,
            state: state.to_string(),
            reason: Some(reason.to_string()),
            detail: None,
            duplicate_of,
            news: 0,
            attempts: 1,
            next_attempt_at: None,
            decided_at: None,
            origin: "intake".to_owned(),
        };
        let body = Some(sent.scene.recording.body().to_owned());
        Notification { line, headers: None, body, body_base64: None }
    }

    #[test]
    fn an_action_is_told_of_each_news_once_and_of_nothing_else() {
        let news = BTreeSet::from([1, 2]);
        assert_eq!(wrong_receipts(&news, &[Some(2), Some(1)]), None);
        for told in
            [&[Some(1)][..], &[Some(1), Some(2), Some(2)], &[Some(1), Some(2), None], &[Some(1), Some(3)]]
        {
            assert!(wrong_receipts(&news, told).is_some(), "{told:?}");
        }
    }

    #[test]
    fn nothing_differs_where_all_is_as_the_contract_says() {
        let all = [sent(&SCENES[0], Some(1)), sent(&SCENES[3], Some(2)), sent(&SCENES[6], None)];
        let confirmed = row(&all[0], State::Confirmed, Reason::Match, None);
        let duplicate = row(&all[1], State::Ignored, Reason::Duplicate, Some(1));
        let rows = [Some(&confirmed), Some(&duplicate), None];
        for (sent, row) in all.iter().zip(rows) {
            assert_eq!(differences_of(&all, sent, row), Vec::<String>::new());
        }
    }

    #[test]
    fn another_verdict_row_original_answer_or_course_is_a_difference() {
        let mut all = [sent(&SCENES[0], Some(1)), sent(&SCENES[3], Some(2)), sent(&SCENES[6], None)];
        let found = |all: &[Sent], at: usize, row: Option<&Notification>| {
            differences_of(all, &all[at], row).join("; ")
        };
        let mismatch = row(&all[0], State::Ignored, Reason::Mismatch, None);
        assert_eq!(found(&all, 0, Some(&mismatch)), "is ignored mismatch, not confirmed match");
        let orphan = row(&all[1], State::Ignored, Reason::Duplicate, None);
        assert_eq!(found(&all, 1, Some(&orphan)), "is a duplicate of None, not of Some(1)");
        let confirmed = row(&all[0], State::Confirmed, Reason::Match, None);
        let other = Notification { body: Some("another body".to_owned()), ..confirmed.clone() };
        assert_eq!(found(&all, 0, Some(&other)), "row 1 holds another notification");
        all[0].answer.status = 204;
        assert_eq!(found(&all, 0, Some(&confirmed)), "was acknowledged with 204 ");
        all[2].answer = SceneResponse { status: 401, body: "no such source".to_owned() };
        assert_eq!(found(&all, 2, None), "is refused 401, not refused 404; the refusal says no such source");
        let late = [Sent { waited_for: Vec::new(), ..sent(&SCENES[SCENES.len() - 1], Some(1)) }];
        let confirmed = row(&late[0], State::Confirmed, Reason::Match, None);
        assert_eq!(found(&late, 0, Some(&confirmed)), "never waited for api_unreachable");
    }
}
