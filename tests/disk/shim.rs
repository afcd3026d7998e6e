//! The failing disk itself: its orders reach the system calls of the real binary.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::disk::{Disk, Word};
use crate::support::{TestEnv, paid};

#[test]
fn every_acknowledgement_is_one_sync_of_the_disk_at_least() {
    let (env, disk) = (TestEnv::new().ion_shop("shop", 1003, 0), Disk::new());
    let serve = env.serve_on(&disk);
    for n in 1..=10 {
        let before = disk.get(Word::SyncsDone);
        assert_eq!(serve.post("shop", paid(1003, &format!("o.{n}"))).status, 200);
        assert!(disk.get(Word::SyncsDone) > before, "acknowledged without a sync");
    }
}

#[test]
fn a_disk_that_tarries_delays_the_acknowledgement() {
    let (env, disk) = (TestEnv::new().ion_shop("shop", 1003, 0), Disk::new());
    let serve = env.serve_on(&disk);
    disk.set(Word::SyncDelay, 300_000);
    let begun = Instant::now();
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(300), "acknowledged before its sync");
}

#[test]
fn a_clock_can_be_moved_for_the_whole_process() {
    let disk = Disk::new();
    let seconds = |disk: &Disk| {
        let mut date = Command::new("date");
        disk.under(date.args(["-u", "+%s"]));
        let shown = String::from_utf8(date.output().unwrap().stdout).unwrap();
        shown.trim().parse::<i64>().unwrap()
    };
    let now = seconds(&disk);
    disk.set(Word::ClockSeconds, -7200);
    assert!((seconds(&disk) - (now - 7200)).abs() < 60);
}
