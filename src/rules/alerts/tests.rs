//! A day of alerts in fast motion, held against a table of what happened.

use super::*;
use crate::domain::alerts::Channel;
use crate::domain::health::WarningKind;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

fn rules(channels: &[Channel]) -> AlertRules {
    AlertRules {
        after: Duration::from_secs(300),
        remind: Some(Duration::from_secs(24 * 3600)),
        recovery: true,
        channels: channels.to_vec(),
    }
}

fn warning(kind: WarningKind) -> Warning {
    Warning {
        kind,
        source: None,
        action: None,
        what: format!("{kind} it is"),
        detail: Some("a stranger's".to_owned()),
        remedy: "look".to_owned(),
    }
}

fn said(text: &AlertText) -> String {
    let warnings: Vec<&str> = text.warnings.iter().map(|entry| entry.kind.as_str()).collect();
    let over: Vec<String> =
        text.over.iter().map(|entry| format!("{} over {}", entry.kind, entry.lasted)).collect();
    let others = if text.others > 0 { format!(" +{}", text.others) } else { String::new() };
    format!("{}{others}|{}", warnings.join(" "), over.join(" "))
}

/// Looks every five seconds from `from` to `to`; `listed` tells what is listed then. Every message is taken at once, where
/// `takes` says so. Returns when each message was written, and what it said.
fn play(
    memory: &mut AlertMemory,
    rules: &AlertRules,
    (from, to): (i64, i64),
    listed: impl Fn(i64) -> Vec<WarningKind>,
    takes: impl Fn(i64) -> bool,
) -> Vec<(i64, String)> {
    let mut written = Vec::new();
    for second in (from..to).step_by(5) {
        let now = Timestamp::from_seconds(second);
        let found: Vec<Warning> = listed(second).into_iter().map(warning).collect();
        observe(memory, &found, rules, Timestamp::from_seconds(from), now);
        let due: Vec<AlertMessage> = memory
            .messages
            .iter()
            .filter(|message| message.next_attempt_at.is_some_and(|at| at <= now))
            .cloned()
            .collect();
        for message in due {
            if message.attempts == 0 {
                written.push((second, said(&message.text)));
            }
            tried(memory, message.id, if takes(second) { Ok(()) } else { Err("SMTP 451".to_owned()) }, now);
        }
    }
    written
}

#[test]
fn a_day_of_alerts_in_fast_motion() {
    use WarningKind::{ActionFailing, ApiDenied, Disk, ManyFakes, Silent};
    // What is listed, from when to when.
    let happened = [
        (Silent, HOUR, HOUR + 4 * MINUTE),             // shorter than `after`
        (Silent, 2 * HOUR, 3 * HOUR),                  // an hour
        (Disk, 2 * HOUR + 10, 2 * HOUR + 20 * MINUTE), // bundled with it, and worse
        (ApiDenied, 4 * HOUR, 4 * HOUR + 10 * MINUTE), // comes and goes, but is one
        (ApiDenied, 4 * HOUR + 15 * MINUTE, 5 * HOUR),
        (ManyFakes, 6 * HOUR, 40 * HOUR), // stays open
        (ActionFailing, 7 * HOUR, 7 * HOUR + 30 * MINUTE),
    ];
    let listed = |second: i64| {
        happened
            .iter()
            .filter(|(_, from, to)| (*from..*to).contains(&second))
            .map(|(kind, ..)| *kind)
            .collect()
    };
    let mut memory = AlertMemory::default();
    let written = play(&mut memory, &rules(&[Channel::Mail]), (0, 32 * HOUR), listed, |_| true);
    let expected = [
        (2 * HOUR + 5 * MINUTE + 30, "disk silent|"),
        (2 * HOUR + 30 * MINUTE + 30, " +1|disk over 19 min"),
        (3 * HOUR + 10 * MINUTE + 30, "|silent over 60 min"),
        (4 * HOUR + 5 * MINUTE + 30, "api_denied|"),
        (5 * HOUR + 10 * MINUTE + 30, "|api_denied over 60 min"),
        (6 * HOUR + 5 * MINUTE + 30, "many_fakes|"),
        (7 * HOUR + 5 * MINUTE + 30, "action_failing +1|"),
        (7 * HOUR + 40 * MINUTE + 30, " +1|action_failing over 30 min"),
        (30 * HOUR + 6 * MINUTE, "many_fakes|"),
    ];
    let expected: Vec<(i64, String)> = expected.into_iter().map(|(at, text)| (at, text.to_owned())).collect();
    assert_eq!(written, expected);
}

#[test]
fn a_restart_repeats_nothing_and_forgets_nothing() {
    let listed = |second: i64| if second < 2 * HOUR { vec![WarningKind::Silent] } else { Vec::new() };
    let mut memory = AlertMemory::default();
    let rules = rules(&[Channel::Mail]);
    // Down from 10 minutes to an hour, and again while it ends.
    let mut written = Vec::new();
    for part in [(0, 10 * MINUTE), (HOUR, HOUR + 50 * MINUTE), (2 * HOUR + 30 * MINUTE, 4 * HOUR)] {
        written.extend(play(&mut memory, &rules, part, listed, |_| true));
    }
    assert_eq!(
        written,
        [
            (5 * MINUTE + 30, "silent|".to_owned()),
            // It was last seen to be gone by the process that came then.
            (2 * HOUR + 40 * MINUTE + 30, "|silent over 2 h".to_owned())
        ]
    );
}

#[test]
fn at_most_six_messages_in_any_hour_over_all_channels_and_the_rest_in_the_next() {
    use WarningKind::{ActionFailing, ActionGone, ApiDenied, ApiFailing, Disk, ManyFakes, Silent, Wal};
    let kinds = [Silent, Disk, ApiDenied, ManyFakes, ActionFailing, Wal, ActionGone, ApiFailing];
    for channels in [&[Channel::Mail][..], &[Channel::Mail, Channel::Url]] {
        let mut memory = AlertMemory::default();
        // One more every three minutes.
        let listed = |second: i64| {
            kinds.iter().zip(1..).filter(|(_, n)| second >= n * 3 * MINUTE).map(|(kind, _)| *kind).collect()
        };
        let written = play(&mut memory, &rules(channels), (0, 3 * HOUR), listed, |_| true);
        for (at, _) in &written {
            let within = written.iter().filter(|(other, _)| (at - HOUR + 1..=*at).contains(other));
            assert!(within.count() <= 6, "{written:?}");
        }
        let told: String = written.iter().map(|(_, text)| text.as_str()).collect();
        assert!(kinds.iter().all(|kind| told.contains(kind.as_str())), "{written:?}");
        let last = &written[written.len() - 1].1;
        let rest = if channels.len() == 1 { "action_gone api_failing" } else { "action_failing" };
        assert!(
            last.split(' ').count() > 1 && rest.split(' ').all(|kind| last.contains(kind)),
            "{written:?}"
        );
    }
}

#[test]
fn a_message_is_tried_three_times_and_what_reached_no_channel_is_told_again() {
    let mut memory = AlertMemory::default();
    let rules = rules(&[Channel::Mail]);
    let listed = |_| vec![WarningKind::Silent];
    let until = 6 * MINUTE + 45;
    let written = play(&mut memory, &rules, (0, until), listed, |_| false);
    assert_eq!(written, [(5 * MINUTE + 30, "silent|".to_owned())]);
    assert_eq!(memory.messages[0].attempts, 3);
    assert_eq!(memory.failing[0].channel, Channel::Mail);
    assert_eq!(memory.failing[0].cause, "SMTP 451");
    // Told again once ten minutes are over, and taken.
    let written = play(&mut memory, &rules, (until, HOUR), listed, |_| true);
    assert_eq!(written, [(15 * MINUTE + 30, "silent|".to_owned())]);
    assert!(memory.failing.is_empty());
}

#[test]
fn a_clock_that_was_set_back_silences_nothing() {
    let mut memory = AlertMemory::default();
    let rules = rules(&[Channel::Mail]);
    let ahead = 1_000_000;
    let written = play(&mut memory, &rules, (ahead, ahead + HOUR), |_| vec![WarningKind::Silent], |_| true);
    assert_eq!(written.len(), 1);
    let both = |_| vec![WarningKind::Silent, WarningKind::Disk];
    let written = play(&mut memory, &rules, (0, HOUR), both, |_| true);
    assert_eq!(written, [(5 * MINUTE + 30, "disk +1|".to_owned())]);
}

#[test]
fn what_a_stranger_chose_is_in_no_alert() {
    let mut memory = AlertMemory::default();
    play(&mut memory, &rules(&[Channel::Mail]), (0, HOUR), |_| vec![WarningKind::NoneConfirmed], |_| true);
    let text = format!("{memory:?}");
    assert!(text.contains("none_confirmed it is") && !text.contains("stranger"), "{text}");
}

#[test]
fn kinds_are_in_the_order_of_the_table_in_the_documents() {
    let document = include_str!("../../../docs/operating.md");
    let mut named = Vec::new();
    let rows = document.lines().skip_while(|line| !line.starts_with("| `store_sound`"));
    for row in rows.take_while(|line| line.starts_with('|')) {
        let kinds = row.split('|').nth(1).unwrap();
        named.extend(kinds.split('`').filter_map(WarningKind::parse));
    }
    assert_eq!(named, WarningKind::ALL);
}
