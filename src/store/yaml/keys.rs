//! The keys of sequence.yaml in their canonical order, and the other names they are read from.

use crate::model;

/// The keys of one kind of mapping.
#[derive(Debug, PartialEq)]
pub(super) struct Keys {
    /// In the order in which they are written.
    pub(super) names: &'static [&'static str],
    /// Another name, and the key it stands for.
    pub(super) others: &'static [(&'static str, &'static str)],
}

impl Keys {
    /// The place in the order of what `written` stands for.
    pub(super) fn place(&self, written: &str) -> Option<usize> {
        let name = self.others.iter().find(|(other, _)| *other == written).map_or(written, |(_, name)| name);
        self.names.iter().position(|known| *known == name)
    }

    /// The known key that `written` was probably meant to be.
    pub(super) fn nearest(&self, written: &str) -> Option<String> {
        let others = self.others.iter().map(|(other, _)| *other);
        model::nearest(written, self.names.iter().copied().chain(others))
    }
}

/// Whether a key is the user's own.
pub(super) fn is_own(written: &str) -> bool {
    written.starts_with("x-")
}

pub(super) static SEQUENCE: Keys =
    Keys { names: &["version", "name", "metadata", "policy", "defaults", "steps", "gates"], others: &[] };

pub(super) static METADATA: Keys =
    Keys { names: &["created_at", "updated_at", "created_by", "description", "tags"], others: &[] };

pub(super) static POLICY: Keys = Keys {
    names: &["mode", "max_fanout", "max_concurrent", "allowed_commands", "allowed_cwd", "forbidden_patterns"],
    others: &[("command_allowlist", "allowed_commands"), ("cwd_patterns", "allowed_cwd")],
};

pub(super) static DEFAULTS: Keys = Keys {
    names: &["model", "timeout", "cwd", "retries", "retry_delay", "fail_policy", "review", "max_cost_usd", "env", "agent_args"],
    others: &[("agent", "model"), ("timeout_ms", "timeout"), ("retry_delay_ms", "retry_delay")],
};

pub(super) static STEP: Keys = Keys {
    names: &[
        "id",
        "name",
        "type",
        "lane",
        "role",
        "model",
        "prompt",
        "prompt_file",
        "command",
        "cwd",
        "env",
        "depends_on",
        "status",
        "artifacts",
        "group_id",
        "fanout",
        "fusion_candidates",
        "fusion_synth",
        "watchdog_for",
        "orchestrator",
        "timeout",
        "fail_policy",
        "retries",
        "retry_delay",
        "watchdog_interval",
        "max_cost_usd",
        "limit",
        "review",
        "agent_args",
    ],
    others: &[
        ("agent", "model"),
        ("timeout_ms", "timeout"),
        ("retry_delay_ms", "retry_delay"),
        ("watchdog_interval_ms", "watchdog_interval"),
    ],
};

pub(super) static GATE: Keys = Keys { names: &["id", "name", "depends_on", "status", "note"], others: &[] };
