//! A power failure takes all that was not synced: what was acknowledged was.

use crate::support::disk::{Disk, Word};
use crate::support::load::Load;
use crate::support::{Serve, TestEnv};

const CYCLES: usize = 8;
const SENDERS: usize = 4;

#[test]
fn what_was_acknowledged_survives_power_failures_also_after_syncs_that_failed() {
    let env = TestEnv::new().ion_shop_with("shop", 1003, 0, "rate_limit = \"1000000/min\"");
    let (disk, load) = (Disk::new(), Load::new(env.ion_store(1003)));
    disk.set(Word::KeepDurable, 1);
    for cycle in 0..CYCLES {
        let serve = env.serve_on(&disk);
        let (mut acknowledged, mut refused) = (0, 0);
        load.run(serve.intake, SENDERS, |status| {
            if status == 200 {
                acknowledged += 1;
            } else {
                refused += 1;
            }
            // Every other time syncs fail for a while: what they were to write is lost, and must not have been acknowledged.
            if cycle % 2 == 1 && acknowledged == 15 && refused < 12 {
                disk.set(Word::SyncFails, 1);
            }
            if refused == 12 {
                disk.set(Word::SyncFails, 0);
            }
            acknowledged >= 40
        });
        assert_eq!(refused >= 12, cycle % 2 == 1, "{refused} refused");
        load.assert_kept(&env.bodies());
        serve.kill();
        Disk::cut_power(&env.store_path());
        load.assert_kept(&env.bodies());
        assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"), "cycle {cycle}");
    }
    disk.set(Word::KeepDurable, 0);
    let serve = env.serve();
    for row in env.rows() {
        if row.state == "pending" {
            serve.settled(row.id);
        }
    }
    assert!(env.rows().iter().all(|row| row.state == "confirmed"));
    println!("power: {CYCLES} failures, {} acknowledged, 0 lost", load.answers().acknowledged.len());
}

#[test]
fn what_was_refused_because_its_sync_failed_is_not_there_after_a_crash_either() {
    let env = TestEnv::new().ion_shop("shop", 1003, 0);
    let (disk, load) = (Disk::new(), Load::new(env.ion_store(1003)));
    let serve = Serve::start_with(&env.write_config(), |command| disk.under(command.arg("--no-worker")));
    assert_eq!(load.post(serve.intake), Some(200));
    disk.set(Word::SyncFails, 1);
    assert_eq!(load.post(serve.intake), Some(503));
    serve.kill();
    load.assert_kept(&env.bodies());
}
