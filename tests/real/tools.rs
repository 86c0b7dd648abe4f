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

/// The folder with the agents' programs.
pub(super) fn agents() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(install);
    &FOLDER
}

fn install() -> PathBuf {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    fs::create_dir_all(&tools).unwrap();
    // Whoever comes second, in whatever process, finds everything there.
    let lock = File::create(tools.join(".lock")).unwrap();
    lock.lock().unwrap();
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
