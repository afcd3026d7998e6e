//! What the package is made of: the manual, the completions, and files that stay the service's when root runs a command.

use std::os::unix::fs::{MetadataExt as _, chown};

use super::{complaints, printed};
use crate::support::{TestEnv, countersign};

#[test]
fn every_command_has_a_page_in_the_manual() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    printed(&countersign().arg("man").arg(&pages).output().unwrap(), 0);
    let help = printed(&countersign().arg("--help").output().unwrap(), 0);
    let commands =
        help.split_once("Commands:").unwrap().1.lines().skip(1).take_while(|line| !line.is_empty());
    // A longer explanation goes on in lines that begin further right.
    let names = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for command in names.filter(|name| !name.is_empty() && *name != "help") {
        let page = std::fs::read_to_string(pages.join(format!("countersign-{command}.1"))).unwrap();
        assert!(page.contains(".SH OPTIONS") && page.contains("Example"), "{command}: {page}");
    }
    assert!(std::fs::read_to_string(pages.join("countersign.1")).unwrap().contains("Exit codes"));
}

#[test]
fn the_manual_that_cannot_be_written_is_one_line_and_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let lines = complaints(&countersign().arg("man").arg(file.join("man1")).output().unwrap(), 1);
    assert!(lines.len() == 1 && lines[0].contains("man1"), "{lines:?}");
}

#[test]
fn completions_name_every_command_for_every_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&countersign().args(["completions", shell]).output().unwrap(), 0);
        for word in ["serve", "reconcile", "config", "recover"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    let unknown = countersign().args(["completions", "cobol"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn what_root_creates_in_the_services_folder_is_the_services() {
    let env = TestEnv::new();
    let ecwid = "provider = \"ecwid-ion\"\nstore_id = 1003\ntoken = \"t\"\n";
    let env = env.source("shop", ecwid);
    let (folder, nobody) = (env.folder().to_path_buf(), 65534);
    if chown(&folder, Some(nobody), Some(nobody)).is_err() {
        // Only root gives files away, and only root has to.
        assert_ne!(folder.metadata().unwrap().uid(), nobody);
        return;
    }
    let serve = env.serve();
    let store = env.store_path();
    for name in ["", ".serve-lock", ".verify-lock", "-wal", "-shm"] {
        let mut path = store.clone().into_os_string();
        path.push(name);
        let owner = std::fs::metadata(&path).unwrap();
        assert_eq!((owner.uid(), owner.gid()), (nobody, nobody), "{}", path.display());
    }
    drop(serve);
}
