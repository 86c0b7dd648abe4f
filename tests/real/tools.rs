//! Programs that are not ours, installed once into `target/tools`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

/// The packages, and the versions these tests were written against.
const PACKAGES: [(&str, &str); 3] =
    [("@anthropic-ai/claude-code", "2.1.197"), ("@openai/codex", "0.169.0"), ("@google/gemini-cli", "0.61.0")];

/// mprocs, and the version that `seqctl` works with.
const MPROCS: (&str, &str) = ("mprocs", "0.9.6");

/// The folder with the agents' programs.
pub(super) fn agents() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(install);
    &FOLDER
}

/// The folder with mprocs.
pub(super) fn mprocs() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(install_mprocs);
    &FOLDER
}

/// The folder of all of it, and its lock: whoever comes second, in whatever process, finds everything there.
fn tools() -> (PathBuf, File) {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    fs::create_dir_all(&tools).unwrap();
    let lock = File::create(tools.join(".lock")).unwrap();
    lock.lock().unwrap();
    (tools, lock)
}

/// By npm where it is, which takes seconds, else by cargo, which takes minutes.
fn install_mprocs() -> PathBuf {
    let (tools, _lock) = tools();
    let (name, version) = MPROCS;
    let (by_npm, by_cargo) = (tools.join("node_modules/.bin"), tools.join("bin"));
    if installed(&tools, name).as_deref() == Some(version) {
        return by_npm;
    }
    if by_cargo.join(name).exists() {
        return by_cargo;
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&tools).arg(format!("{name}@{version}"));
    if npm.output().is_ok_and(|out| out.status.success()) {
        return by_npm;
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["install", "--locked", name, "--version", version, "--root"]).arg(&tools);
    let out = cargo.output().unwrap();
    let needs = "the feature `real-tools` needs `npm` or `cargo`, and a package registry it can reach";
    assert!(out.status.success(), "{needs}; cargo install {name}: {}", String::from_utf8_lossy(&out.stderr));
    by_cargo
}

fn install() -> PathBuf {
    let (tools, _lock) = tools();
    let missing: Vec<String> = PACKAGES
        .iter()
        .filter(|(name, version)| installed(&tools, name).as_deref() != Some(version))
        .map(|(name, version)| format!("{name}@{version}"))
        .collect();
    if !missing.is_empty() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&tools).args(&missing);
        let needs = "the feature `real-tools` needs Node.js 20 or newer with `npm`, and a package registry it can reach";
        let out = npm.output().unwrap_or_else(|error| panic!("{needs}; npm: {error}"));
        assert!(out.status.success(), "{needs}; npm install {missing:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
    tools.join("node_modules/.bin")
}

fn installed(tools: &Path, package: &str) -> Option<String> {
    let text = fs::read_to_string(tools.join("node_modules").join(package).join("package.json")).ok()?;
    let about: Value = serde_json::from_str(&text).ok()?;
    about["version"].as_str().map(str::to_owned)
}
