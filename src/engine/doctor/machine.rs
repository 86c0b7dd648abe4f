//! The machine and the terminal.

use std::{
    env, fs,
    io::{self, IsTerminal as _},
    path::Path,
};

use super::check::Check;

/// The narrowest terminal on which output lines up.
const WIDTH: u16 = 80;

/// The terminal and its size.
pub(super) fn terminal() -> Check {
    if !io::stdout().is_terminal() {
        return Check::ok("terminal", "standard output is no terminal; output is plain and nothing is asked");
    }
    match rustix::termios::tcgetwinsize(io::stdout()).map(|size| (size.ws_col, size.ws_row)) {
        Ok((width, height)) if width >= WIDTH => Check::ok("terminal", format!("{width} columns, {height} lines")),
        Ok((0, _)) | Err(_) => Check::warning("terminal", "it does not say its size", "`stty cols 80 rows 24` tells it"),
        Ok((width, _)) => {
            Check::warning("terminal", format!("{width} columns; long lines are cut"), "make it at least 80 columns wide")
        }
    }
}

/// Whether colours are shown.
pub(super) fn colours() -> Check {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let term = env::var("TERM").unwrap_or_default();
    if is_set("NO_COLOR") {
        Check::ok("colours", "none, as NO_COLOR says")
    } else if term.is_empty() || term == "dumb" {
        Check::warning("colours", format!("TERM is `{term}`, so there are none"), "set TERM to what the terminal is")
    } else if env::var("COLORTERM").is_ok_and(|value| value == "truecolor" || value == "24bit") {
        Check::ok("colours", format!("all of them (TERM is `{term}`)"))
    } else {
        Check::ok("colours", format!("TERM is `{term}`"))
    }
}

/// Whether glyphs and boxes are shown.
pub(super) fn unicode() -> Check {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    let hint = "set LANG to a UTF-8 locale, like C.UTF-8";
    match set {
        Some(locale) if locale.to_lowercase().replace('-', "").contains("utf8") => {
            Check::ok("unicode", format!("the locale is {locale}"))
        }
        Some(locale) => Check::warning("unicode", format!("the locale is {locale}; glyphs may be drawn wrong"), hint),
        None => Check::warning("unicode", "no locale is set; glyphs may be drawn wrong", hint),
    }
}

/// Whether changes of files are heard of at once.
#[cfg(target_os = "linux")]
pub(super) fn watches() -> Check {
    let limit = |name: &str| {
        let text = fs::read_to_string(Path::new("/proc/sys/fs/inotify").join(name)).unwrap_or_default();
        text.trim().parse::<u64>().unwrap_or(0)
    };
    let (watches, instances) = (limit("max_user_watches"), limit("max_user_instances"));
    match rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::CLOEXEC) {
        Ok(_) if watches >= 8192 && instances >= 64 => {
            Check::ok("watches", format!("inotify works ({watches} watches, {instances} instances for each user)"))
        }
        Ok(_) => Check::warning(
            "watches",
            format!("inotify works, with {watches} watches and {instances} instances for each user"),
            "`sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512` allows more",
        ),
        Err(error) => Check::warning(
            "watches",
            format!("inotify does not work ({error}); changes are noticed within two seconds"),
            "`sysctl fs.inotify.max_user_instances=512` allows more",
        ),
    }
}

/// Whether changes of files are heard of at once.
#[cfg(not(target_os = "linux"))]
pub(super) fn watches() -> Check {
    Check::ok("watches", "the system tells of changes of files")
}

/// Whether what runs goes on after its user has logged out.
pub(super) fn linger() -> Check {
    let name = "logout";
    if !Path::new("/run/systemd/system").is_dir() {
        return Check::ok(name, "nothing ends processes at logout (no systemd)");
    }
    let user = env::var("USER").or_else(|_| env::var("LOGNAME")).unwrap_or_default();
    if Path::new("/var/lib/systemd/linger").join(&user).exists() && !user.is_empty() {
        return Check::ok(name, "runs go on after logout (lingering is on)");
    }
    if kills_at_logout() {
        let hint = "`loginctl enable-linger` lets them go on";
        return Check::warning(name, "systemd ends your processes at logout, runs among them", hint);
    }
    Check::ok(name, "runs go on after logout (KillUserProcesses is off)")
}

/// What logind.conf says; what is read later wins.
fn kills_at_logout() -> bool {
    let folders = ["/usr/lib/systemd/logind.conf.d", "/etc/systemd/logind.conf.d"];
    let parts = folders.iter().flat_map(|folder| {
        let mut files: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
    });
    let files = ["/usr/lib/systemd/logind.conf", "/etc/systemd/logind.conf"].iter().map(Into::into).chain(parts);
    let texts = files.filter_map(|path: std::path::PathBuf| fs::read_to_string(path).ok());
    texts.filter_map(|text| last_word(&text)).next_back().unwrap_or(false)
}

/// `KillUserProcesses=` in a file, if it is set there.
fn last_word(text: &str) -> Option<bool> {
    let mut values =
        text.lines().filter_map(|line| line.trim().strip_prefix("KillUserProcesses")?.trim_start().strip_prefix('='));
    values.next_back().map(|value| ["yes", "true", "on", "1"].contains(&value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_setting_in_a_file_counts() {
        assert_eq!(last_word("[Login]\n#KillUserProcesses=yes\n"), None);
        assert_eq!(last_word("[Login]\nKillUserProcesses=yes\nKillUserProcesses = no\n"), Some(false));
        assert_eq!(last_word("KillUserProcesses=yes"), Some(true));
    }
}
