//! Writing files so that a reader sees the old one or the new one, never half of one.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::{clock, error::Error, fault};

/// The largest file of ours that is read whole.
pub const SIZE_LIMIT: u64 = 64 * 1024 * 1024;

/// Opens a new file that only this user can read.
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Writes `bytes` to `path`; with `sync` they are on the disk afterwards.
pub fn write(path: &Path, bytes: &[u8], sync: bool) -> Result<(), Error> {
    fault::write("file.write").map_err(Error::io("write", path))?;
    let mut file = create_private(path).map_err(Error::io("write", path))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    if sync {
        file.sync_data().map_err(Error::io("sync", path))?;
    }
    Ok(())
}

/// Replaces `path` by a file with `bytes` in one step.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let temporary = beside(path);
    let result = write(&temporary, bytes, false).and_then(|()| fs::rename(&temporary, path).map_err(Error::io("replace", path)));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", clock::nonce()))
}

/// Syncs a folder, so that the names in it survive a power cut.
pub fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", path))
}

/// The bytes of a file, or nothing where there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match File::open(path) {
        Ok(file) => read_open(&file, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// The bytes of the open file that stands at `path`.
pub fn read_open(file: &File, path: &Path) -> Result<Vec<u8>, Error> {
    // Nearly all files of ours are small, and one read says so: there are thousands of them.
    let mut first = [0; 4096];
    let got = (&*file).read(&mut first).map_err(Error::io("read", path))?;
    if got < first.len() {
        return Ok(first[..got].to_vec());
    }
    // `take` hides the size, and reading would begin with 32 bytes.
    let size = file.metadata().map_or(0, |meta| meta.len().min(SIZE_LIMIT));
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 256);
    bytes.extend_from_slice(&first);
    file.take(SIZE_LIMIT).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(bytes)
}

/// Removes a file, which may be gone already.
pub fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The names in a folder, sorted; none where there is no such folder.
pub fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", folder)(error)),
    };
    let mut names: Vec<_> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}

/// The JSON value in a file of ours, or nothing where there is none or it does not parse.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = read_if_there(path).ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// A value as the JSON text of a file of ours: indented, with a newline at its end.
pub fn pretty<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| Error::internal(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}
