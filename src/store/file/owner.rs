//! Whose the files are. Root may run any command on the service's store; what it creates there must stay usable for the
//! service, which is not root.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

/// Gives a file that was just created to the owner of its folder, where we are root and that is somebody else.
pub(super) fn give_to_owner_of_folder(file: &File, path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (folder, ours) = (folder.metadata()?, file.metadata()?);
    // Only of root's own making: a folder like /tmp is root's, and what another user creates there is his.
    if ours.uid() == 0 && folder.uid() != 0 {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}
