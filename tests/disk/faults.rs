//! Faults of the disk while the service runs, under load, and their end.

use countersign::simulator::{Fault, Trouble};

use super::failing;
use crate::support::disk::{Disk, NO_SPACE, READ_ONLY, Word};
use crate::support::load::Load;
use crate::support::{Serve, TestEnv, assert_verdict, countersign, paid};

/// Runs a service under load whose disk fails in this way for a while; says what was answered.
fn withstand(word: Word, value: i64) -> String {
    let env = TestEnv::new().ion_shop_with("shop", 1003, 0, "rate_limit = \"1000000/min\"");
    let (disk, load) = (Disk::new(), Load::new(env.ion_store(1003)));
    let serve = env.serve_on(&disk);
    for _ in 0..2 {
        let (mut acknowledged, mut refused) = (0, 0);
        load.run(serve.intake, 4, |status| {
            if status == 200 {
                acknowledged += 1;
            } else {
                refused += 1;
            }
            if acknowledged == 20 && refused == 0 {
                disk.set(word, value);
            }
            if refused == 20 {
                assert_eq!(failing(&serve), ["store_writable"]);
                disk.set(word, 0);
            }
            refused >= 20 && acknowledged >= 40
        });
        assert_eq!(failing(&serve), [""; 0]);
        load.assert_kept(&env.bodies());
    }
    for row in env.rows() {
        serve.settled(row.id);
    }
    assert!(env.rows().iter().all(|row| row.state == "confirmed" && row.outcomes == ["match"]));
    assert!(serve.stop().success());
    load.assert_kept(&env.bodies());
    assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"));
    let answers = load.answers();
    format!(
        "{word:?}: {} acknowledged, {} refused, 0 lost",
        answers.acknowledged.len(),
        answers.refused.len()
    )
}

#[test]
fn syncs_that_fail_are_503_until_they_work_again() {
    println!("{}", withstand(Word::SyncFails, 1));
}

#[test]
fn a_full_disk_is_503_until_there_is_space() {
    println!("{}", withstand(Word::WriteFails, NO_SPACE));
}

#[test]
fn a_file_system_that_became_read_only_is_503_until_it_can_be_written() {
    println!("{}", withstand(Word::WriteFails, READ_ONLY));
}

#[test]
fn an_answer_that_the_disk_did_not_take_is_asked_for_again_when_it_does() {
    let env = TestEnv::new().verify("timeout = \"60s\"").ion_shop("shop", 1003, 1);
    let (shops, disk) = (env.simulator.shops(), Disk::new());
    let held = shops.add_fault(Fault::new(Trouble::Hold));
    let serve = env.serve_on(&disk);
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    assert!(shops.wait_for_calls(1, super::PATIENCE));
    disk.set(Word::SyncFails, 1);
    shops.clear_fault(held);
    serve.wait_for_line("the answer is lost", |line| line.contains("could not be recorded"));
    assert_eq!(env.row(1).state, "pending");
    disk.set(Word::SyncFails, 0);
    serve.settled(1);
    let row = env.row(1);
    assert_verdict(&row, "confirmed", "match");
    assert_eq!(row.outcomes, ["match"], "{row:#?}");
    assert_eq!(env.value("SELECT count(*) FROM verdicts WHERE lease IS NOT NULL").as_deref(), Some("0"));
}

#[test]
fn a_store_that_cannot_be_created_is_an_error_in_one_line() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let disk = Disk::new();
    for (word, value) in [(Word::SyncFails, 1), (Word::WriteFails, NO_SPACE), (Word::WriteFails, READ_ONLY)] {
        disk.set(word, value);
        let config = env.write_config();
        let mut command = countersign();
        disk.under(command.arg("--config").arg(&config).arg("serve"));
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), said.lines().count()), (Some(1), 1), "{word:?}: {said}");
        assert!(said.contains("countersign.db"), "{word:?}: {said}");
        disk.set(word, 0);
    }
    let serve = env.serve();
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    serve.settled(1);
}

#[test]
fn a_disk_that_fails_from_the_start_is_503_and_the_service_recovers() {
    let env = TestEnv::new().ion_shop("shop", 1003, 2);
    let disk = Disk::new();
    assert!(env.serve().stop().success());
    for (word, value, order) in [(Word::SyncFails, 1, "o.1"), (Word::WriteFails, NO_SPACE, "o.2")] {
        disk.set(word, value);
        let serve = env.serve_on(&disk);
        assert_eq!(serve.post("shop", paid(1003, order)).status, 503);
        assert_eq!(failing(&serve), ["store_writable"]);
        disk.set(word, 0);
        assert_eq!(serve.post("shop", paid(1003, order)).status, 200);
        let id = i64::try_from(env.bodies().len()).unwrap();
        serve.settled(id);
        assert_verdict(&env.row(id), "confirmed", "match");
        assert!(serve.stop().success());
    }
}

#[test]
fn a_file_that_may_not_grow_is_503_and_no_end_of_the_process() {
    let env = TestEnv::new().ion_shop("shop", 1003, 0);
    let load = Load::new(env.ion_store(1003));
    assert!(env.serve().stop().success());
    let config = env.write_config();
    let mut command = std::process::Command::new("prlimit");
    command.args(["--fsize=600000:unlimited", env!("CARGO_BIN_EXE_countersign"), "--config"]).arg(&config);
    command.args(["serve", "--no-worker"]).env("RUST_LOG", "info");
    let serve = Serve::spawn(command);
    let mut refused = 0;
    load.run(serve.intake, 4, |status| {
        refused += usize::from(status == 503);
        refused == 20
    });
    assert_eq!(failing(&serve), ["store_writable"]);
    load.assert_kept(&env.bodies());
    let lifted = format!("--pid={}", serve.pid());
    let status = std::process::Command::new("prlimit").args(["--fsize=unlimited", &lifted]).status();
    assert!(status.unwrap().success());
    assert_eq!(load.post(serve.intake), Some(200));
    assert_eq!(failing(&serve), [""; 0]);
    assert!(serve.stop().success());
    load.assert_kept(&env.bodies());
}
