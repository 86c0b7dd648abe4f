//! What an agent changes in a work tree of git itself.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    harness::{Test, names, text},
    products::project,
};

/// A project in a repository of its own, with one commit.
fn repository(plan: &str) -> Test {
    let test = project(plan);
    test.write("kept", "one\n");
    test.write("gone", "bye\n");
    test.write(".gitignore", "ignored\ntold-*\n");
    let setup =
        "git init -q . && git config user.name ada && git config user.email ada@example.com && git add -A && git commit -qm one";
    test.sh(setup).success();
    test
}

const ONE: &str = "version: \"1.0\"\nsteps:\n  - {id: work, model: me, prompt: Work., retries: 1}\n";

/// Everything in `.git`, by name and content.
fn inside(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            found.extend(inside(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.push((name, fs::read(path).unwrap()));
        }
    }
    found
}

#[test]
fn the_changes_of_an_agent_are_a_patch_that_applies() {
    let test = repository(ONE);
    // What was there before the step is not its work: changed, staged and new files.
    test.write("kept", "one\nmine\n");
    test.write("new-before", "mine\n");
    test.write(
        "do-work",
        "echo two >> kept; rm gone; mkdir dir; printf '\\0\\377' > dir/bin; printf '\\351\\n' > latin; echo x > ignored\n",
    );
    test.sh("git add do-work").success();
    let before = inside(&test.path(".git"));
    test.run(&["run"]).success();
    assert!(inside(&test.path(".git")) == before, "nothing in .git is touched");
    let folder = test.attempt("work", 1);
    let patch = fs::read(folder.join("diff.patch")).unwrap();
    let status = test.attempt_status("work", 1);
    assert_eq!(status["diff"], json!({"files": 4, "added": 2, "removed": 1, "bytes": patch.len()}));
    assert_eq!((status.get("shared"), status.get("productNotes")), (None, None));
    let left = names(&folder);
    assert_eq!(left, ["diff.patch", "prompt.md", "spec.json", "status.json", "stderr.log", "stdout.log"]);
    test.run(&["step", "show", "work"]).success().prints("4 files, +2 −1: seqctl diff work");
    // Taken back and made again, byte for byte.
    test.sh("rm -r dir latin; echo bye > gone; printf 'one\\nmine\\n' > kept; \"$SEQCTL\" diff work | git apply").success();
    assert_eq!((test.read("kept"), test.path("gone").exists()), ("one\nmine\ntwo\n".into(), false));
    assert_eq!((fs::read(test.path("dir/bin")).unwrap(), fs::read(test.path("latin")).unwrap()), (vec![0, 255], vec![233, 10]));
}

#[test]
fn every_attempt_has_its_own_patch_and_a_failed_one_too() {
    let test = repository(ONE);
    test.write("do-work", "echo $THREADOS_ATTEMPT >> kept; test $THREADOS_ATTEMPT = 2\n");
    test.run(&["run"]).success();
    for attempt in [1, 2] {
        let patch = test.run(&["diff", "work", "--attempt", &attempt.to_string()]).success().stdout;
        let added: Vec<&str> = patch.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++")).collect();
        assert_eq!(added, [format!("+{attempt}")]);
    }
}

#[test]
fn steps_that_work_in_the_same_tree_are_named() {
    let test = repository(
        "version: \"1.0\"\nsteps:\n  - {id: early, command: \"true\"}\n  - {id: a, model: me, prompt: A., depends_on: [early]}\n  - {id: b, model: me, prompt: B., depends_on: [early]}\n  - {id: away, command: \"touch ready; until [ -e ../b-is-here ]; do sleep 0.01; done\", cwd: other, depends_on: [early]}\n  - {id: last, model: me, prompt: Last., depends_on: [a, b, away]}\n",
    );
    test.write(".gitignore", "told-*\nother\n*-is-here\n");
    test.write("other/.keep", "");
    test.sh("git init -q other").success();
    let meet = |own: &str, other: &str| {
        format!("touch {own}-is-here; until [ -e {other}-is-here ]; do sleep 0.01; done; echo {own} > {own}\n")
    };
    test.write("do-a", meet("a", "b"));
    test.write("do-b", meet("b", "a"));
    test.write("do-last", "echo last > last\n");
    test.run(&["run"]).success();
    let shared = |step: &str| test.attempt_status(step, 1)["sharedWith"].clone();
    assert_eq!(test.attempt_status("a", 1)["shared"], true);
    assert!(shared("a").as_array().unwrap().contains(&json!("b")), "{}", shared("a"));
    assert!(shared("b").as_array().unwrap().contains(&json!("a")), "{}", shared("b"));
    assert!(!shared("a").as_array().unwrap().contains(&json!("early")), "{}", shared("a"));
    assert_eq!(shared("last"), json!(null));
    let told = test.read("told-last");
    assert!(told.contains("worked in the same tree, so some of it may be theirs"), "{told}");
}

#[test]
fn nothing_that_a_repository_sets_runs_or_spoils_the_patch() {
    let test = repository(ONE);
    test.write("do-work", "echo two >> kept\n");
    test.write("trap", "#!/bin/sh\ntouch \"$THREADOS_BASE_PATH/ran\" \"$HOME/ran\"\n");
    test.sh("chmod +x trap; mkdir hooks; for h in post-index-change pre-commit post-checkout; do cp trap hooks/$h; done")
        .success();
    let root = test.root().display().to_string();
    for (name, value) in [
        ("core.fsmonitor", format!("{root}/trap")),
        ("core.hooksPath", format!("{root}/hooks")),
        ("diff.external", format!("{root}/trap")),
        ("diff.noprefix", "true".into()),
        ("color.ui", "always".into()),
        ("diff.trap.textconv", format!("{root}/trap")),
    ] {
        test.sh(&format!("git config {name} '{value}'")).success();
    }
    test.write(".gitattributes", "kept diff=trap\n");
    test.set_env("GIT_DIR", Some("/nowhere"));
    test.set_env("GIT_EXTERNAL_DIFF", Some(&format!("{root}/trap")));
    test.run(&["run"]).success();
    assert!(!test.path("ran").exists() && !test.path("../home/ran").exists());
    let patch = test.run(&["diff", "work"]).success().stdout;
    assert!(patch.starts_with("diff --git a/kept b/kept\n") && patch.ends_with("\n one\n+two\n"), "{patch}");
}

#[test]
fn a_tree_that_git_cannot_read_costs_the_patch_and_nothing_else() {
    let test = repository(ONE);
    test.write("do-work", "echo two >> kept; printf broken > .git/HEAD; mkdir later; git init -q later\n");
    test.run(&["run"]).success();
    let status = test.attempt_status("work", 1);
    assert_eq!((&status["status"], status.get("diff")), (&json!("DONE"), None));
    assert!(text(&status["productNotes"][0]).contains("the work tree is gone"), "{status}");
    test.run(&["diff", "work"]).success().says("the work tree is gone");
}

#[test]
fn a_linked_tree_and_a_project_below_the_top_have_diffs_too() {
    let test = Test::new();
    test.sh("git init -q ../repo && cd ../repo && git config user.name a && git config user.email a@b && mkdir -p sub && echo one > sub/f && git add -A && git commit -qm one && git worktree add -q ../tree").success();
    test.sh("cd ../tree/sub && \"$SEQCTL\" init --empty && printf 'version: \"1.0\"\\nmode: POWER\\n' > .threados/policy.yaml && printf 'agents: {me: {command: [sh, -c, \"echo two >> f\"]}}\\n' > .threados/config.yaml && \"$SEQCTL\" trust && \"$SEQCTL\" step add work --agent me --prompt go && \"$SEQCTL\" run").success();
    let patch = test.sh("cd ../tree/sub && \"$SEQCTL\" diff work").success().stdout;
    assert!(patch.starts_with("diff --git a/sub/f b/sub/f\n"), "{patch}");
    assert!(!patch.contains(".threados"), "{patch}");
}

#[test]
fn a_synthesis_is_told_what_its_candidates_changed_and_made() {
    let test = repository(
        "version: \"1.0\"\ndefaults: {model: me}\nsteps:\n  - {id: left, prompt: L., artifacts: [left.txt]}\n  - {id: right, prompt: R., depends_on: [left]}\n  - {id: both, prompt: B., fusion_candidates: [left, right]}\n",
    );
    test.write("do-left", "echo left > left.txt; echo two >> kept; echo 'I did it left.'\n");
    test.write("do-right", "echo three >> kept; echo 'I did it right.'\n");
    test.write("do-both", "cat left.txt kept\n");
    test.sh("git add do-left do-right do-both").success();
    test.run(&["run", "left"]).success();
    test.run(&["run", "fusion", "both"]).success();
    let told = test.read("told-both");
    for (candidate, files, file, said) in
        [("left", "2 files, +2 −0", "- file: `left.txt`, 5 bytes\n", "left"), ("right", "1 file, +1 −0", "", "right")]
    {
        let patch = test.attempt(candidate, 1).join("diff.patch");
        let wanted = format!(
            "### Candidate `{candidate}`: DONE, by me\n\n- changes: {files} in `{}`\n{file}- result, also in `{}`:\n\n```text\nI did it {said}.\n```\n",
            patch.display(),
            patch.with_file_name("stdout.log").display()
        );
        assert!(told.contains(&wanted), "{wanted}\nis not in\n{told}");
    }
    let kept = test.run(&["metrics", "--json"]).success().json()["fusions"][0].clone();
    assert_eq!(
        (&kept["lines"], &kept["kept"]),
        (&json!(5), &json!(3)),
        "`two`, `three`, `left` of what both said and changed: {kept:#}"
    );
}
