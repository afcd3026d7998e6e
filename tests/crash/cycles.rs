//! `kill -9` under concurrent load, again and again: from outside, and aimed between the steps of a commit, of a
//! checkpoint and of the worker.

use countersign::simulator::{Fault, Trouble};

use super::PATIENCE;
use crate::support::disk::{Disk, Word};
use crate::support::load::Load;
use crate::support::{Serve, TestEnv, assert_verdict};

/// How a cycle ends.
#[derive(Clone, Copy, Debug)]
enum Kill {
    /// From outside, whatever it is doing.
    Outside,
    /// By the disk, at the Nth of something.
    At(Word, i64),
    /// From outside, while the shop holds its answers back: leased, asked, not recorded.
    WhileAsking,
    /// By the disk, at the next sync once the shop has answered: between answer and record.
    BeforeRecord,
}

const SENDERS: usize = 4;

/// Acknowledged in a cycle before its kill is prepared, and at most.
const CALM: usize = 10;
const MOST: usize = 60;

/// The ways to die, each several times.
fn kills() -> Vec<Kill> {
    let mut kills = Vec::new();
    for n in 1..=4 {
        kills.extend([
            Kill::Outside,
            Kill::At(Word::KillBeforeSync, n),
            Kill::At(Word::KillAfterSync, n),
            Kill::At(Word::KillAtLogWrite, 5 * n),
            Kill::At(Word::KillAtMainWrite, 20 * n),
            Kill::WhileAsking,
            Kill::Outside,
            Kill::BeforeRecord,
            Kill::At(Word::KillBeforeSync, 2 * n),
            Kill::At(Word::KillAtLogWrite, 3 * n),
            Kill::Outside,
        ]);
    }
    kills
}

fn run_until_killed(env: &TestEnv, disk: &Disk, load: &Load, kill: Kill) -> Serve {
    let serve = env.serve_on(disk);
    let shops = env.simulator.shops();
    let held = matches!(kill, Kill::WhileAsking | Kill::BeforeRecord)
        .then(|| shops.add_fault(Fault::new(Trouble::Hold)));
    let mut acknowledged = 0;
    load.run(serve.intake, SENDERS, |_| {
        acknowledged += 1;
        if acknowledged == CALM
            && let Kill::At(word, n) = kill
        {
            disk.set(word, n);
        }
        acknowledged == MOST
    });
    if let Some(held) = held {
        assert!(shops.wait_for_call(|call| call.status.is_none(), PATIENCE), "nothing was asked");
        if matches!(kill, Kill::BeforeRecord) {
            disk.set(Word::KillBeforeSync, 1);
            shops.clear_fault(held);
        }
    }
    if matches!(kill, Kill::BeforeRecord) {
        return serve;
    }
    serve.signal("KILL");
    if let Some(held) = held {
        shops.clear_fault(held);
    }
    serve
}

#[test]
fn every_acknowledged_notification_is_there_once_after_44_kills_under_load() {
    let env = TestEnv::new().verify("timeout = \"60s\"\nconcurrency = 16").ion_shop_with(
        "shop",
        1003,
        0,
        "rate_limit = \"1000000/min\"",
    );
    let (disk, load) = (Disk::new(), Load::new(env.ion_store(1003)));
    let kills = kills();
    for (cycle, kill) in kills.iter().enumerate() {
        let status = run_until_killed(&env, &disk, &load, *kill).end();
        assert_eq!(status.code(), None, "cycle {cycle}, {kill:?}: it ended by itself");
        for word in [Word::KillBeforeSync, Word::KillAfterSync, Word::KillAtLogWrite, Word::KillAtMainWrite] {
            disk.set(word, 0);
        }
        load.assert_kept(&env.bodies());
        assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"), "cycle {cycle}, {kill:?}");
    }
    let serve = env.serve();
    for row in env.rows() {
        if row.state == "pending" {
            serve.settled(row.id);
        }
    }
    for row in env.rows() {
        assert_verdict(&row, "confirmed", "match");
        assert_eq!((row.outcomes.as_slice(), row.news), (["match".to_owned()].as_slice(), 1), "{row:#?}");
    }
    assert_eq!(env.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
    assert!(serve.stop().success());
    load.assert_kept(&env.bodies());
    let answers = load.answers();
    println!(
        "crash: {} cycles, {} acknowledged, 0 lost, {} cut off unanswered, {} rows",
        kills.len(),
        answers.acknowledged.len(),
        answers.unanswered.len(),
        env.bodies().len(),
    );
    assert!(answers.acknowledged.len() >= kills.len() * CALM);
}
