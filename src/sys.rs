//! The few system calls that no safe crate offers, each with its reason.
#![expect(unsafe_code, reason = "fork, signal handlers and closing inherited descriptors have no safe wrapper")]

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    sync::{
        OnceLock,
        atomic::{AtomicI32, Ordering},
    },
};

/// What a fork returned.
pub enum Fork {
    /// This is the child.
    Child,
    /// This is the parent, and the child's pid.
    Parent(i32),
}

/// Forks the process.
///
/// Only single-threaded processes may call it (the spawner, supervisors, and `main` before it
/// starts anything): the child then may do whatever the parent could.
pub fn fork() -> io::Result<Fork> {
    // SAFETY: the process has one thread, so no lock of the allocator or of std can be held by
    // another one in the child.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

/// Runs `child` in a new process that shares our memory, while we sleep until it executes a
/// program or ends (as `posix_spawn` does). Returns its pid.
///
/// Against a fork it saves the copy of the page tables and a fault for every page that the child
/// touches. `child` must end in exec or [`exit`] and must not unwind.
#[cfg(target_os = "linux")]
pub fn spawn_sharing<F: FnMut()>(mut child: F) -> io::Result<i32> {
    const STACK: usize = 256 * 1024;
    extern "C" fn enter<F: FnMut()>(child: *mut libc::c_void) -> libc::c_int {
        // SAFETY: the pointer is to the `child` of the sleeping parent's frame.
        let child = unsafe { &mut *child.cast::<F>() };
        child();
        127
    }
    // Filling it would cost more than all the rest: what a child needs of it is a few pages.
    let mut stack = Box::<[u128]>::new_uninit_slice(STACK / 16);
    // SAFETY: the process has one thread, which sleeps until the child has left this memory
    // (CLONE_VFORK); the stack is large, aligned, and outlives the child's use of it.
    let pid = unsafe {
        let top = stack.as_mut_ptr().add(stack.len());
        libc::clone(enter::<F>, top.cast(), libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, (&raw mut child).cast())
    };
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid) }
}

/// Runs `child` in a forked process. Returns its pid.
#[cfg(not(target_os = "linux"))]
pub fn spawn_sharing<F: FnMut()>(mut child: F) -> io::Result<i32> {
    match fork()? {
        Fork::Parent(pid) => Ok(pid),
        Fork::Child => {
            child();
            exit(127)
        }
    }
}

/// Ends a forked process at once, without running the parent's exit handlers.
pub fn exit(code: i32) -> ! {
    // Coverage counters are written by an exit handler.
    if cfg!(coverage) {
        #[expect(clippy::exit, reason = "this is the one place that ends a forked process")]
        std::process::exit(code);
    }
    // SAFETY: `_exit` only ends the process.
    unsafe { libc::_exit(code) }
}

static WAKE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_signal(signal: libc::c_int) {
    let fd = WAKE.load(Ordering::Relaxed);
    let byte = u8::try_from(signal).unwrap_or(0);
    // SAFETY: write(2) is async-signal-safe, errno is put back, and a full pipe (EAGAIN) loses nothing but a duplicate.
    unsafe {
        let errno = *errno();
        libc::write(fd, (&raw const byte).cast(), 1);
        *self::errno() = errno;
    }
}

fn errno() -> *mut libc::c_int {
    // SAFETY: both return the address of this thread's errno.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::__errno_location()
    }
    // SAFETY: as above.
    #[cfg(not(target_os = "linux"))]
    unsafe {
        libc::__error()
    }
}

/// From now on each of `signals` writes its number as one byte into a pipe, whose read end is
/// returned (non-blocking, closed on exec). A second call replaces the pipe of the first.
pub fn signal_pipe(signals: &[i32]) -> io::Result<OwnedFd> {
    let (read, write) = rustix::pipe::pipe()?;
    for end in [&read, &write] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(end, rustix::fs::OFlags::NONBLOCK)?;
    }
    // The write end lives as long as the process: a handler may run at any time.
    let old = WAKE.swap(std::os::fd::IntoRawFd::into_raw_fd(write), Ordering::Relaxed);
    if old >= 0 {
        // SAFETY: `old` came from `into_raw_fd` above and nobody else has it.
        drop(unsafe { OwnedFd::from_raw_fd(old) });
    }
    for &signal in signals {
        set_action(signal, on_signal as *const () as libc::sighandler_t)?;
    }
    Ok(read)
}

/// Gives `signal` back its default action.
pub fn default_action(signal: i32) -> io::Result<()> {
    set_action(signal, libc::SIG_DFL)
}

fn set_action(signal: i32, action: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: the structure is fully initialised, and `on_signal` is async-signal-safe.
    let result = unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = action;
        new.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&raw mut new.sa_mask);
        libc::sigaction(signal, &raw const new, std::ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Default actions and an empty mask: both are inherited through exec, and a step that inherits
/// a blocked SIGTERM cannot be stopped.
///
/// Which signals have another action is found out once: call it after the last [`signal_pipe`].
pub fn reset_signals() {
    static CHANGED: OnceLock<Vec<i32>> = OnceLock::new();
    for &signal in CHANGED.get_or_init(|| (1..65).filter(|&signal| has_action(signal)).collect()) {
        let _ = set_action(signal, libc::SIG_DFL);
    }
    let _ = nix::sys::signal::SigSet::empty().thread_set_mask();
}

/// Whether `signal` is ignored or handled. A number that this system does not have is neither.
fn has_action(signal: i32) -> bool {
    // SAFETY: nothing is set, and the structure is only read after the call has filled it.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut now) == 0 && now.sa_sigaction != libc::SIG_DFL
    }
}

/// Moves `keep` to descriptors 3 and up, points 0 to 2 at `/dev/null` and closes everything else.
/// Returns what was kept, in order.
///
/// A descriptor that a forked process inherits keeps its parent's locks and pipes alive.
pub fn keep_only<const N: usize>(keep: [OwnedFd; N]) -> io::Result<[OwnedFd; N]> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let mut high = Vec::with_capacity(N);
    for fd in &keep {
        high.push(rustix::io::fcntl_dupfd_cloexec(fd, 16)?);
    }
    // SAFETY: the process was just forked for this purpose; no value that owns a descriptor is
    // used (or dropped) after this call but those it returns.
    unsafe {
        for fd in 0..3 {
            if libc::dup2(null.as_raw_fd(), fd) < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        for (to, from) in (3..).zip(&high) {
            if libc::dup2(from.as_raw_fd(), to) < 0 {
                return Err(io::Error::last_os_error());
            }
        }
    }
    keep.into_iter().chain(high).for_each(std::mem::forget);
    std::mem::forget(null);
    let mut next = 3;
    let kept = std::array::from_fn(|_| {
        next += 1;
        // SAFETY: the descriptor was just made by `dup2` and nothing else owns it.
        unsafe { OwnedFd::from_raw_fd(next - 1) }
    });
    close_from(next);
    // The parent's pipe is closed with the rest; its number may soon be another file's.
    WAKE.store(-1, Ordering::Relaxed);
    for fd in &kept {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok(kept)
}

/// Closes what whoever started this process left open beside the standard streams. What we opened ourselves is closed on
/// exec, which tells the two apart.
pub fn close_inherited() {
    for fd in 3..4096 {
        // SAFETY: asking does nothing, and no value of ours owns a descriptor that outlives exec.
        unsafe {
            let flags = libc::fcntl(fd, libc::F_GETFD);
            if flags >= 0 && flags & libc::FD_CLOEXEC == 0 {
                libc::close(fd);
            }
        }
    }
}

fn close_from(first: RawFd) {
    #[cfg(target_os = "linux")]
    // SAFETY: as in `keep_only`, the only caller.
    if unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) } == 0 {
        return;
    }
    // SAFETY: as in `keep_only`; closing a number that is not open does nothing.
    unsafe {
        let limit = libc::sysconf(libc::_SC_OPEN_MAX).clamp(256, 65_536);
        for fd in first..RawFd::try_from(limit).unwrap_or(65_536) {
            libc::close(fd);
        }
    }
}

/// Takes standard input or output over, which the parent left open for us as something else.
pub fn take_standard(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: only borrowed for the duplicate.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    Ok(rustix::io::fcntl_dupfd_cloexec(borrowed, 3)?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_signal_becomes_a_byte() {
        let read = signal_pipe(&[libc::SIGUSR2]).unwrap();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::USR2).unwrap();
        let mut poll = [rustix::event::PollFd::new(&read, rustix::event::PollFlags::IN)];
        rustix::event::poll(&mut poll, None).unwrap();
        let mut byte = [0];
        std::fs::File::from(read).read_exact(&mut byte).unwrap();
        assert_eq!(i32::from(byte[0]), libc::SIGUSR2);
    }
}
