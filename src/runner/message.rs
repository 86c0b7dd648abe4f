//! What runner and spawner say to each other over their socket: a length, then JSON; a lease's
//! descriptor travels with the length.

use std::{
    io::{self, IoSlice, IoSliceMut, Read as _, Write as _},
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// No message of ours comes near this size, in bytes.
const LIMIT: usize = 16 * 1024 * 1024;

/// What the spawner says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(super) enum Answer {
    /// There is no supervisor.
    Refused {
        /// The claim.
        nonce: String,
        /// What the system said.
        why: String,
    },
    /// There is a supervisor; with this comes its channel.
    Started {
        /// The claim.
        nonce: String,
        /// Its pid.
        pid: u32,
    },
    /// A supervisor has ended, in whatever way.
    Ended {
        /// Its pid.
        pid: u32,
    },
}

pub(super) fn send<T: Serialize>(socket: &UnixStream, value: &T, fd: Option<RawFd>) -> io::Result<()> {
    let body = serde_json::to_vec(value)?;
    let len = u32::try_from(body.len()).map_err(io::Error::other)?.to_le_bytes();
    let fds: Vec<RawFd> = fd.into_iter().collect();
    let control = if fds.is_empty() { vec![] } else { vec![ControlMessage::ScmRights(&fds)] };
    let slices = [IoSlice::new(&len), IoSlice::new(&body)];
    let sent = sendmsg::<()>(socket.as_raw_fd(), &slices, &control, MsgFlags::empty(), None)?;
    // A large message goes in pieces; the descriptor went with the first.
    let mut socket = socket;
    let rest = [&len[..], &body[..]].concat();
    socket.write_all(&rest[sent..])
}

/// The next message and its descriptor; nothing at the end of the stream.
pub(super) fn receive<T: DeserializeOwned>(socket: &UnixStream) -> io::Result<Option<(T, Option<OwnedFd>)>> {
    let mut len = [0; 4];
    let mut space = nix::cmsg_space!([RawFd; 1]);
    let (got, fd) = {
        let mut slices = [IoSliceMut::new(&mut len)];
        let message = loop {
            match recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut space), MsgFlags::empty()) {
                Err(nix::errno::Errno::EINTR) => {}
                other => break other?,
            }
        };
        let mut fd = None;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(fds) = control {
                fd = fds.into_iter().map(own).next();
            }
        }
        (message.bytes, fd)
    };
    if got == 0 {
        return Ok(None);
    }
    let mut socket = socket;
    socket.read_exact(&mut len[got..])?;
    let len = u32::from_le_bytes(len) as usize;
    if len > LIMIT {
        return Err(io::Error::other("a message is too long"));
    }
    let mut body = vec![0; len];
    socket.read_exact(&mut body)?;
    if let Some(fd) = &fd {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok(Some((serde_json::from_slice(&body)?, fd)))
}

#[expect(unsafe_code, reason = "a descriptor that was just received has no other owner")]
fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: the kernel made this descriptor for us a moment ago.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

#[cfg(test)]
mod tests {
    use std::io::Seek as _;

    use super::*;

    #[test]
    fn a_descriptor_travels_with_a_large_message() {
        let (here, there) = UnixStream::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hello").unwrap();
        let big = "x".repeat(1_000_000);
        let sender = std::thread::spawn({
            let big = big.clone();
            move || send(&here, &big, Some(file.as_raw_fd())).unwrap()
        });
        let (text, fd) = receive::<String>(&there).unwrap().unwrap();
        sender.join().unwrap();
        assert_eq!(text, big);
        let mut file = std::fs::File::from(fd.unwrap());
        let mut read = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, "hello");
        assert!(receive::<String>(&there).unwrap().is_none());
    }
}
