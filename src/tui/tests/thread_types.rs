//! The six thread types as our templates make them, in the graph, some of it done.

use super::stage::{SIZES, Stage, shows};

const TEMPLATES: [&str; 6] = ["base", "parallel", "chained", "fusion", "orchestrated", "long-autonomy"];

/// The plan with these statuses, of its first steps.
fn with_statuses(plan: &str, statuses: &[&str]) -> String {
    let (mut text, mut statuses) = (String::new(), statuses.iter());
    for line in plan.lines() {
        text.push_str(line);
        text.push('\n');
        let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
        if let Some(status) = rest.strip_prefix("- id: ").and_then(|_| statuses.next()) {
            text.push_str(&format!("{indent}  status: {status}\n"));
        }
    }
    text
}

#[test]
fn each_template_in_the_graph() {
    for template in TEMPLATES {
        for (width, height) in SIZES {
            let mut stage = Stage::new((width, height), &format!("version: \"1.0\"\nname: {template}\nsteps: []\n"));
            stage.press(":").write(&format!("template apply {template} --task 'Add a login page'")).press("enter").act();
            let plan = std::fs::read_to_string(stage.root().join(".threados/sequence.yaml")).unwrap();
            let statuses: &[&str] = match template {
                "parallel" => &["DONE", "FAILED"],
                "fusion" => &["DONE", "NEEDS_REVIEW"],
                "chained" => &["DONE"],
                _ => &["NEEDS_REVIEW"],
            };
            stage.plan(&with_statuses(&plan, statuses));
            // What was said about the change goes by itself.
            stage.app.now += 60_000;
            stage.press("2");
            let steps = stage.app.snapshot.as_ref().unwrap().status().steps.len();
            assert!(steps > 0, "{template}: {}", stage.text());
            shows!(stage, format!("thread-{template}-{width}x{height}"));
        }
    }
}
