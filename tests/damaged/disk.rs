//! Files and folders that this user may not write, and a full disk. The super-user may write everything, so the binary
//! runs as another user; a full disk is a small file system of its own. Where the machine allows neither, a test says so
//! and ends.
#![expect(clippy::print_stderr, reason = "what was skipped has to be said")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use super::{assert_failed, beside, stocked};
use crate::support::{TestEnv, countersign};

/// A user without rights.
const NOBODY: &str = "65534";

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs a command as a user without rights; `None` where this machine cannot.
fn run_as_nobody(env: &TestEnv, arguments: &[&str]) -> Option<Output> {
    let config = env.write_config();
    for entry in std::fs::read_dir(env.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "toml" || ending == "pem") {
            set_mode(&path, 0o644);
        }
    }
    let drop_rights = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    let mut can = Command::new("setpriv");
    can.args(drop_rights).arg(env!("CARGO_BIN_EXE_countersign")).arg("--version");
    if !can.output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine does not let a test become another user");
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(drop_rights).arg(env!("CARGO_BIN_EXE_countersign")).env_remove("RUST_LOG");
    Some(command.arg("--config").arg(config).args(arguments).output().unwrap())
}

#[test]
fn a_file_that_this_user_may_not_write_is_said_and_may_still_be_read() {
    let env = stocked();
    set_mode(env.folder(), 0o777);
    set_mode(&env.store_path(), 0o444);
    std::fs::remove_file(beside(&env, ".serve-lock")).unwrap();
    let Some(output) = run_as_nobody(&env, &["serve"]) else { return };
    assert_failed(&output, "serve", &["may not write the store", "chown", "Permission denied"]);
    let output = run_as_nobody(&env, &["retry", "1"]).unwrap();
    assert_failed(&output, "retry", &["may not write the store"]);
    let output = run_as_nobody(&env, &["list"]).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let output = run_as_nobody(&env, &["doctor"]).unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("WRONG  this user may not write the store"), "{said}");
}

#[test]
fn a_file_that_this_user_may_not_even_read_is_said() {
    let env = stocked();
    set_mode(env.folder(), 0o777);
    std::fs::remove_file(beside(&env, ".serve-lock")).unwrap();
    for command in [&["serve"][..], &["list"], &["status"], &["report"]] {
        let Some(output) = run_as_nobody(&env, command) else { return };
        assert_failed(&output, command[0], &["store", "owner"]);
    }
}

#[test]
fn a_folder_that_this_user_may_not_write_is_said() {
    let env = stocked();
    set_mode(&env.store_path(), 0o666);
    set_mode(&beside(&env, ".serve-lock"), 0o666);
    set_mode(env.folder(), 0o555);
    for command in [&["serve"][..], &["list"], &["status"], &["report"]] {
        let Some(output) = run_as_nobody(&env, command) else { break };
        let folder = env.folder().to_string_lossy().into_owned();
        assert_failed(&output, command[0], &["write", &folder]);
    }
    set_mode(env.folder(), 0o755);
}

/// A file system of two mebibytes; gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` if this machine forbids mounts.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(folder.path());
        if !mount.output().is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: this machine does not let a test mount a small disk");
            return None;
        }
        Some(Self(folder))
    }

    fn fill(&self) {
        let mut filler = std::fs::File::create(self.0.path().join("filler")).unwrap();
        while std::io::Write::write_all(&mut filler, &[0; 4096]).is_ok() {}
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).output());
    }
}

#[test]
fn a_full_disk_is_said_at_the_start_and_nothing_is_lost_by_it() {
    let Some(disk) = SmallDisk::mount() else { return };
    let source = stocked();
    let store = disk.0.path().join("countersign.db");
    std::fs::copy(source.store_path(), &store).unwrap();
    let config = disk.0.path().join("countersign.toml");
    let text = std::fs::read_to_string(source.write_config()).unwrap();
    let pem = format!("\"{}\"", source.folder().join("merchant.pem").display());
    std::fs::write(&config, text.replace("\"merchant.pem\"", &pem)).unwrap();
    disk.fill();
    let bytes = std::fs::read(&store).unwrap();
    for command in [&["serve"][..], &["retry", "1"]] {
        let output = countersign().arg("--config").arg(&config).args(command).output().unwrap();
        assert_failed(&output, command[0], &["full"]);
        assert!(std::fs::read(&store).unwrap() == bytes, "{command:?}");
    }
    std::fs::remove_file(disk.0.path().join("filler")).unwrap();
    let output = countersign().arg("--config").arg(&config).args(["list", "--json"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 15, "{output:?}");
}
