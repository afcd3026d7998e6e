//! Safe access to files beside the store. Root may run any command on the service's store, and an attacker with the
//! service's account may put anything there. So links are never followed, pipes are never waited for, and only a file
//! that was just created changes its owner.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use rustix::fs::OFlags;

use super::paths::folder;

/// Creates a file that only its owner may read. If root creates it in another user's folder, it becomes that
/// user's, so that the service can use it.
///
/// # Errors
/// Something of this name exists ([`ErrorKind::AlreadyExists`]), or it cannot be created.
pub(in crate::store) fn create(path: &Path) -> Result<File> {
    let file = flags().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let (folder, ours) = (folder(path).metadata()?, file.metadata()?);
    // Only if root created it in another user's folder: a folder like /tmp belongs to root, and files created
    // there belong to their creators.
    if ours.uid() == 0 && folder.uid() != 0 {
        fchown(&file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(file)
}

/// Opens a file to read and write it, and creates it if there is none.
///
/// # Errors
/// It is not a plain file of the folder's owner (the message says what it is), or it cannot be opened.
pub(in crate::store) fn open_or_create(path: &Path) -> Result<File> {
    match create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        created => return created,
    }
    let file = open(flags().read(true).write(true), path)?;
    let (folder, found) = (folder(path).metadata()?, file.metadata()?);
    if found.nlink() > 1 {
        return Err(refused(path, &format!("has {} names (hard links)", found.nlink())));
    }
    let us = rustix::process::geteuid().as_raw();
    // If the folder is root's, root has allowed others to write there.
    let is_theirs = found.uid() == folder.uid() || folder.uid() == 0 || (us != 0 && found.uid() == us);
    if !is_theirs {
        let (file, folder) = (found.uid(), folder.uid());
        return Err(refused(path, &format!("is of user {file}, but its folder is of user {folder}")));
    }
    Ok(file)
}

/// Opens a file for reading.
///
/// # Errors
/// There is none, it is no plain file, or it cannot be opened.
pub(in crate::store) fn open_to_read(path: &Path) -> Result<File> {
    open(flags().read(true), path)
}

/// The standard library adds `O_CLOEXEC`. Without `O_NONBLOCK`, opening a pipe would block; for files it has
/// no effect.
fn flags() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options
}

fn open(options: &OpenOptions, path: &Path) -> Result<File> {
    let opened = options.open(path).and_then(|file| file.metadata().map(|found| (file, found.is_file())));
    match opened {
        Ok((file, true)) => Ok(file),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error),
        opened => Err(what_it_is(path).unwrap_or_else(|| match opened {
            Err(error) => error,
            Ok(_) => refused(path, "is not a plain file"),
        })),
    }
}

/// The kind of a file that should be a plain file; `None` if it is one.
fn what_it_is(path: &Path) -> Option<Error> {
    let kind = path.symlink_metadata().ok()?.file_type();
    Some(if kind.is_symlink() {
        let target = path.read_link().unwrap_or_default();
        refused(path, &format!("is a symbolic link to {}", target.display()))
    } else if kind.is_dir() {
        refused(path, "is a folder")
    } else if kind.is_fifo() {
        refused(path, "is a named pipe")
    } else if kind.is_file() {
        return None;
    } else {
        refused(path, "is not a plain file")
    })
}

fn refused(path: &Path, what: &str) -> Error {
    let name = path.display();
    Error::other(format!(
        "{name} {what}, where only a plain file is used; see who put it there, and remove it"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_file_is_created_once_and_then_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        open_or_create(&path).unwrap();
        std::fs::write(&path, "kept").unwrap();
        open_or_create(&path).unwrap();
        assert_eq!(create(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::io::read_to_string(open_to_read(&path).unwrap()).unwrap(), "kept");
        assert_eq!(open_to_read(&folder.path().join("none")).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
