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
    replace_with(path, |file| file.write_all(bytes))
}

/// Replaces `path` in one step by a file that `fill` fills.
pub fn replace_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), Error> {
    let temporary = beside(path);
    let written = fault::write("file.write").and_then(|()| create_private(&temporary)).and_then(|mut file| fill(&mut file));
    let result = written.map_err(Error::io("write", &temporary));
    let result = result.and_then(|()| fs::rename(&temporary, path).map_err(Error::io("replace", path)));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", clock::nonce()))
}

/// Gives what stands at `path` and is no file of ours another name beside it, one that nothing looks for.
pub fn put_aside(path: &Path) -> Result<(), Error> {
    fs::rename(path, beside(path)).map_err(Error::io("put aside", path))
}

/// Syncs a folder, so that the names in it survive a power cut.
pub fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", path))
}

/// The bytes of a file, or nothing where there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    read_up_to(path, SIZE_LIMIT)
}

/// The bytes of a file of at most `limit` bytes, or nothing where there is none.
///
/// # Errors
/// `FileUnusable` for a larger one, and for what is no file: it could be without an end, or without a beginning.
pub fn read_up_to(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    match open(path) {
        Ok(file) => read_open(&file, path, limit).map(Some),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        // A socket, or a device without a driver.
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
            Err(Error::FileUnusable { path: path.into(), why: NO_FILE.into() })
        }
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// The bytes of the open file that stands at `path`; like [`read_up_to`].
pub fn read_open(file: &File, path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let unusable = |why: String| Error::FileUnusable { path: path.into(), why };
    let meta = file.metadata().map_err(Error::io("read", path))?;
    if meta.is_dir() {
        return Err(unusable("is a folder, not a file".into()));
    }
    if !meta.is_file() {
        return Err(unusable(NO_FILE.into()));
    }
    let too_large = || unusable(format!("is larger than {} MiB", limit >> 20));
    if meta.len() > limit {
        return Err(too_large());
    }
    let size = usize::try_from(meta.len()).unwrap_or(0);
    let mut bytes = vec![0; size + 1];
    let got = (&*file).read(&mut bytes).map_err(Error::io("read", path))?;
    bytes.truncate(got);
    // A file gives less than is asked for at its end only. There are thousands of small ones, so this saves a call each.
    if got > size {
        // It grows while it is read.
        file.take(limit + 1 - got as u64).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    }
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

const NO_FILE: &str = "is not a file that can be read whole, but a pipe or a device";

/// Opens what stands at `path` for reading, and never waits for somebody at the other end of a pipe.
pub fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
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
    json_if_there(path).ok()?
}

/// The JSON value in a file of ours, or nothing where there is none.
///
/// # Errors
/// `FileUnusable` for a file that holds something else.
pub fn json_if_there<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let Some(bytes) = read_if_there(path)? else { return Ok(None) };
    let damaged = |error| Error::FileUnusable { path: path.into(), why: format!("is damaged: {error}") };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// A value as the JSON text of a file of ours: indented, with a newline at its end.
pub fn pretty<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| Error::internal(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}
