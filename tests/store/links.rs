//! What another user may have put in the place of a file beside the store: it is named, and neither followed nor changed.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::formats;
use crate::support::{TestEnv, countersign};

fn beside(env: &TestEnv, suffix: &str) -> PathBuf {
    env.folder().join(format!("countersign.db{suffix}"))
}

/// An environment with a store, and a file of another user that nothing may touch.
fn env_with_a_victim() -> (TestEnv, PathBuf) {
    let env = formats::env();
    assert!(env.serve().stop().success());
    let victim = env.folder().join("victim");
    std::fs::write(&victim, "root:x:0:0").unwrap();
    (env, victim)
}

type Plant = fn(&Path, &Path);

/// What may stand there, and how that is told.
const PLANTS: [(&str, Plant); 5] = [
    ("is a symbolic link to", |at, victim| symlink(victim, at).unwrap()),
    ("is a symbolic link to", |at, victim| symlink(victim.parent().unwrap(), at).unwrap()),
    ("has 2 names (hard links)", |at, victim| std::fs::hard_link(victim, at).unwrap()),
    ("is a named pipe", |at, _| {
        assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
    }),
    ("is a folder", |at, _| std::fs::create_dir(at).unwrap()),
];

#[test]
fn what_stands_in_the_place_of_a_lock_file_is_named_and_not_touched() {
    for (file, command) in [(".verify-lock", "verify"), (".serve-lock", "serve")] {
        for (what, plant) in PLANTS {
            let (env, victim) = env_with_a_victim();
            let at = beside(&env, file);
            std::fs::remove_file(&at).unwrap();
            plant(&at, &victim);
            let output = env.run(&[command]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{command}: {said}");
            assert_eq!(said.trim_end().lines().count(), 1, "{command}: {said}");
            for word in [what, &*at.to_string_lossy(), "remove it"] {
                assert!(said.contains(word), "{word:?} is not in {said}");
            }
            assert_eq!(std::fs::read_to_string(&victim).unwrap(), "root:x:0:0");
        }
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_beside_the_store_keeps_no_reader_waiting() {
    for file in [".serve-lock", "-wal"] {
        let (env, _) = env_with_a_victim();
        let at = beside(&env, file);
        drop(std::fs::remove_file(&at));
        assert!(Command::new("mkfifo").arg(&at).status().unwrap().success());
        let output = env.run(&["status"]);
        assert!(output.status.code().is_some(), "{file}");
    }
}

#[test]
fn a_file_of_root_in_the_services_folder_is_not_given_away() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let (env, victim) = env_with_a_victim();
    let nobody = 65534;
    if chown(env.folder(), Some(nobody), Some(nobody)).is_err() {
        // Only root gives files away, and only root has to.
        assert_ne!(env.folder().metadata().unwrap().uid(), nobody);
        return;
    }
    std::fs::rename(&victim, beside(&env, ".verify-lock")).unwrap();
    let output = env.run(&["verify"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("is of user 0, but its folder is of user 65534"), "{said}");
    assert_eq!(beside(&env, ".verify-lock").metadata().unwrap().uid(), 0);
}

#[test]
fn a_lock_file_that_cannot_be_written_keeps_what_it_remembers() {
    let env = formats::env();
    let serve = env.serve();
    assert_eq!(serve.send(&formats::SHOP.request(formats::SHOP.truth(1207))).status, 200);
    serve.wait_for_line("it left word", |line| line.contains("recorded last_id=1"));
    assert!(serve.stop().success());
    let before = std::fs::read_to_string(beside(&env, ".serve-lock")).unwrap();
    // Files may not grow, nor be written: as on a full disk.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 0; exec \"$0\" \"$@\""]).arg(countersign().get_program());
    let output = command.arg("--config").arg(env.write_config()).arg("serve").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("cannot write the lock file"), "{said}");
    assert_eq!(std::fs::read_to_string(beside(&env, ".serve-lock")).unwrap(), before);
    std::fs::write(env.store_path(), "").unwrap();
    let output = env.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("is empty, but a serve has used it before"), "{said}");
}
