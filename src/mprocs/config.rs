//! mprocs.yaml: a pane for each step, with keys that keep the order of the panes ours.

use std::{collections::BTreeMap, path::Path};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::{Command, Key, Panes};
use crate::error::Error;

/// What is said at the top of the file.
const HEAD: &str = "# Made by `seqctl mprocs open`, which writes it anew each time.\n";

/// How wide the list of panes may become, in columns.
const WIDEST: usize = 40;

/// The lines that a pane keeps.
const SCROLLBACK: usize = 5000;

/// What the configuration is made of.
pub struct Config<'a> {
    /// Where mprocs listens, on this machine only.
    pub port: u16,
    /// What stands above the list.
    pub title: &'a str,
    /// `seqctl` itself.
    pub program: &'a Path,
    /// The project's root.
    pub root: &'a Path,
    /// What every pane has in its environment; nothing takes a variable away.
    pub env: &'a [(&'a str, Option<&'a str>)],
    /// The panes.
    pub panes: &'a Panes,
}

#[derive(Serialize)]
struct Document<'a> {
    server: String,
    proc_list_title: &'a str,
    proc_list_width: usize,
    hide_keymap_window: bool,
    scrollback: usize,
    keymap_procs: BTreeMap<String, Option<Command>>,
    procs: Procs<'a>,
}

struct Procs<'a>(&'a Config<'a>);

#[derive(Serialize)]
struct Proc<'a> {
    cmd: Vec<&'a str>,
    cwd: &'a str,
    env: BTreeMap<&'a str, Option<&'a str>>,
    autostart: bool,
    stop: &'static str,
}

impl Config<'_> {
    /// The file.
    pub fn text(&self) -> Result<String, Error> {
        let longest = self.panes.all().iter().map(|pane| pane.step.as_str().len()).max().unwrap_or(0);
        let document = Document {
            server: format!("127.0.0.1:{}", self.port),
            proc_list_title: self.title,
            // The mark of the selection, ` DOWN (255)` and the frame.
            proc_list_width: (longest + 14).clamp(20, WIDEST),
            hide_keymap_window: false,
            scrollback: SCROLLBACK,
            keymap_procs: keymap(),
            procs: Procs(self),
        };
        let text = serde_yaml::to_string(&document).map_err(|error| Error::internal(error.to_string()))?;
        Ok(format!("{HEAD}{text}"))
    }
}

/// Keys on the list. Those that would add, copy, remove or rename a pane, or open the menu that does, mean nothing: the
/// order of the panes is ours.
/// What starts and stops a step is typed into its pane, which knows how; a pane that is down is started for it first.
fn keymap() -> BTreeMap<String, Option<Command>> {
    let typed = |letter| Command::SendKey { key: Key::letter(letter) };
    let started = |letter| Command::Batch { cmds: vec![Command::StartProc, typed(letter)] };
    let without = ["<a>", "<C>", "<d>", "<e>", "<p>", "<R>"].map(|key| (key, None));
    let ours = [
        ("<s>", started('s')),
        ("<r>", started('r')),
        ("<x>", typed('x')),
        // Answers to what a view asks.
        ("<y>", typed('y')),
        ("<n>", typed('n')),
    ];
    let ours = ours.map(|(key, command)| (key, Some(command)));
    without.into_iter().chain(ours).map(|(key, command)| (key.to_owned(), command)).collect()
}

impl Serialize for Procs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let config = self.0;
        let mut map = to.serialize_map(Some(config.panes.all().len()))?;
        for pane in config.panes.all() {
            let program = config.program.to_str().ok_or_else(|| not_utf8(config.program))?;
            let proc = Proc {
                cmd: vec![program, "run", "step", pane.step.as_str()],
                cwd: config.root.to_str().ok_or_else(|| not_utf8(config.root))?,
                env: config.env.iter().copied().collect(),
                autostart: false,
                stop: "SIGTERM",
            };
            map.serialize_entry(pane.step.as_str(), &proc)?;
        }
        map.end()
    }
}

fn not_utf8<E: serde::ser::Error>(path: &Path) -> E {
    E::custom(format!("mprocs takes no path that is not UTF-8, like {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(steps: &[&str]) -> String {
        let panes = Panes::of(steps.iter().map(|step| step.parse().unwrap()));
        let env = [("THREADOS_PANE", Some("1")), ("THREADOS_BASE_PATH", None)];
        let (program, root) = (Path::new("/bin/seqctl"), Path::new("/a project"));
        Config { port: 4050, title: "shop: \"it\"", program, root, env: &env, panes: &panes }.text().unwrap()
    }

    #[test]
    fn it_says_what_mprocs_reads() {
        let text = text(&["z-first", "a-last"]);
        let read: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!((&read["server"], &read["proc_list_title"]), (&"127.0.0.1:4050".into(), &"shop: \"it\"".into()));
        assert_eq!(
            read["procs"]["z-first"],
            serde_json::json!({
                "cmd": ["/bin/seqctl", "run", "step", "z-first"],
                "cwd": "/a project",
                "env": {"THREADOS_PANE": "1", "THREADOS_BASE_PATH": null},
                "autostart": false,
                "stop": "SIGTERM",
            })
        );
        assert!(read.get("deps").is_none());
        for key in ["<a>", "<C>", "<d>", "<e>", "<p>", "<R>"] {
            assert!(read["keymap_procs"][key].is_null() && text.contains(key), "{key}");
        }
        assert_eq!(read["keymap_procs"]["<x>"], serde_json::json!({"c": "send-key", "key": "<x>"}));
    }

    #[test]
    fn panes_stand_in_their_order() {
        let text = text(&["z", "m", "a"]);
        let at = |step: &str| text.find(&format!("\n  {step}:\n")).unwrap_or_else(|| panic!("no {step} in {text}"));
        assert!(at("z") < at("m") && at("m") < at("a"), "{text}");
    }

    #[test]
    fn names_that_yaml_reads_as_something_else_stay_names() {
        let read: serde_json::Value = serde_yaml::from_str(&text(&["1", "no", "null"])).unwrap();
        let names: Vec<&String> = read["procs"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["1", "no", "null"]);
    }
}
