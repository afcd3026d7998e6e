//! Real disks: small, and read-only. Mounting needs rights that not every machine gives; where they lack, the test says so
//! and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::failing;
use crate::support::load::Load;
use crate::support::{TestEnv, countersign, paid};

/// A small file system over a folder; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `Err` says why this machine cannot.
    fn over(folder: &Path, options: &str) -> Result<Self, String> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder);
        let done = mount.output().map_err(|error| format!("skipped, no mount: {error}"))?;
        if done.status.success() {
            return Ok(Self(folder.to_path_buf()));
        }
        Err(format!("skipped, cannot mount: {}", String::from_utf8_lossy(&done.stderr).trim()))
    }

    fn remount(&self, options: &str) {
        let mount = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).output();
        let done = mount.expect("mount runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").args(["--lazy"]).arg(&self.0).status());
    }
}

#[test]
fn a_small_disk_that_is_full_is_503_and_takes_notifications_again_once_it_is_larger() {
    let env = TestEnv::new().store_keys("min_free = \"0B\"").ion_shop("shop", 1003, 0);
    let disk = match Mounted::over(env.folder(), "size=3m") {
        Ok(disk) => disk,
        Err(why) => return println!("{why}"),
    };
    let load = Load::new(env.ion_store(1003));
    let serve = env.serve_with(&["--no-worker"]);
    // A foreign file takes almost all of it.
    let free = 3 * 1024 * 1024 - 900_000;
    std::fs::write(env.folder().join("other"), vec![0; free]).unwrap();
    let mut refused = 0;
    load.run(serve.intake, 4, |status| {
        refused += usize::from(status == 503);
        refused == 20
    });
    assert_eq!(failing(&serve), ["store_writable"]);
    load.assert_kept(&env.bodies());
    disk.remount("size=16m");
    assert_eq!(load.post(serve.intake), Some(200));
    assert_eq!(failing(&serve), [""; 0]);
    assert!(serve.stop().success());
    load.assert_kept(&env.bodies());
    assert_eq!(env.value("PRAGMA integrity_check").as_deref(), Some("ok"));
    println!("full: {} acknowledged, 0 lost", load.answers().acknowledged.len());
}

#[test]
fn min_free_answers_503_before_the_disk_is_full_and_the_worker_goes_on() {
    let env = TestEnv::new().store_keys("min_free = \"4MiB\"").ion_shop("shop", 1003, 2);
    let _disk = match Mounted::over(env.folder(), "size=8m") {
        Ok(disk) => disk,
        Err(why) => return println!("{why}"),
    };
    let serve = env.serve();
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    let other = env.folder().join("other");
    std::fs::write(&other, vec![0; 5_000_000]).unwrap();
    serve.wait_for_line("it sees the disk", |line| line.contains("less disk space than store.min_free"));
    let answer = serve.post("shop", paid(1003, "o.2"));
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true));
    assert_eq!(failing(&serve), ["disk"], "the store itself can still be written");
    serve.settled(1);
    std::fs::remove_file(&other).unwrap();
    serve.wait_for_line("it sees the space", |line| line.contains("enough disk space is free again"));
    assert_eq!(serve.post("shop", paid(1003, "o.2")).status, 200);
    serve.settled(2);
}

#[test]
fn a_read_only_folder_is_an_error_in_one_line_that_says_what_to_do() {
    let env = TestEnv::new().ion_shop("shop", 1003, 1);
    let disk = match Mounted::over(env.folder(), "size=8m") {
        Ok(disk) => disk,
        Err(why) => return println!("{why}"),
    };
    for has_store in [false, true] {
        if has_store {
            assert!(env.serve().stop().success());
        }
        let config = env.write_config();
        disk.remount("ro");
        let ended = countersign().arg("--config").arg(&config).arg("serve").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("countersign.db"), "{said}");
        disk.remount("rw");
    }
    let serve = env.serve();
    assert_eq!(serve.post("shop", paid(1003, "o.1")).status, 200);
    serve.settled(1);
}
