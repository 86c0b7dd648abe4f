//! The keys of sequence.yaml in their canonical order, what each takes, and the other names they are read from.

use crate::model;

/// The keys of one kind of mapping.
#[derive(Debug, PartialEq)]
pub(super) struct Keys {
    /// In the order in which they are written.
    pub(super) list: &'static [Key],
    /// Another name, and the key it stands for.
    pub(super) others: &'static [(&'static str, &'static str)],
}

/// A key with what may stand behind it.
#[derive(Debug, PartialEq)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    /// For people, in editors.
    pub(super) about: &'static str,
}

/// What may stand behind a key. Nothing at all may stand behind every one but `id`.
#[derive(Debug, PartialEq)]
pub(super) enum Takes {
    /// The format's number.
    Version,
    /// Text; numbers and truth values count as they are written.
    Text,
    /// A whole number.
    Count,
    /// An amount of US dollars.
    Money,
    /// `true` or `false`.
    Flag,
    /// `45m`; under a name that ends in `_ms` a whole number of milliseconds.
    Span,
    /// One of these; the last few are read and never written.
    Word(&'static [&'static str]),
    /// The id of what the mapping describes.
    Name,
    /// An id.
    Id,
    /// A list of ids, or one.
    Ids,
    /// A list of texts, or one.
    Texts,
    /// Names with texts.
    Pairs,
    /// `true`, `false` or an id.
    FlagOrId,
    /// `true`, `false`, or a list of ids.
    FlagOrIds,
    /// A mapping with these keys.
    Section(&'static Keys),
    /// A list of mappings with these keys.
    Records(&'static Keys),
}

const fn key(name: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { name, takes, about }
}

impl Keys {
    /// Their names.
    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.list.iter().map(|key| key.name).collect()
    }

    /// The place in the order of what `written` stands for.
    pub(super) fn place(&self, written: &str) -> Option<usize> {
        let name = self.others.iter().find(|(other, _)| *other == written).map_or(written, |(_, name)| name);
        self.list.iter().position(|known| known.name == name)
    }

    /// The known key that `written` was probably meant to be.
    pub(super) fn nearest(&self, written: &str) -> Option<String> {
        let others = self.others.iter().map(|(other, _)| *other);
        model::nearest(written, self.list.iter().map(|key| key.name).chain(others))
    }
}

/// Whether a key is the user's own.
pub(super) fn is_own(written: &str) -> bool {
    written.starts_with("x-")
}

const FAIL_POLICIES: Takes = Takes::Word(&["fail_fast", "best_effort", "stop-all", "continue"]);

pub(super) static SEQUENCE: Keys = Keys {
    list: &[
        key("version", Takes::Version, "The format: \"1.0\""),
        key("name", Takes::Text, "What people call the sequence"),
        key("metadata", Takes::Section(&METADATA), "Who made it, when, and why"),
        key("policy", Takes::Section(&POLICY), "What tightens policy.yaml for this sequence"),
        key("defaults", Takes::Section(&DEFAULTS), "What steps get that do not say otherwise"),
        key("steps", Takes::Records(&STEP), "The work, in any order"),
        key("gates", Takes::Records(&GATE), "The points that wait for a person"),
    ],
    others: &[],
};

pub(super) static METADATA: Keys = Keys {
    list: &[
        key("created_at", Takes::Text, "When it was made"),
        key("updated_at", Takes::Text, "When it was changed"),
        key("created_by", Takes::Text, "Who made it"),
        key("description", Takes::Text, "What it is for"),
        key("tags", Takes::Texts, "Words to find it by"),
    ],
    others: &[],
};

pub(super) static POLICY: Keys = Keys {
    list: &[
        key("mode", Takes::Word(&["SAFE", "POWER"]), "SAFE asks before it runs anything; POWER here changes nothing"),
        key("max_fanout", Takes::Count, "The largest fan-out of a step"),
        key("max_concurrent", Takes::Count, "How many attempts may run at once"),
        key("max_cost_usd", Takes::Money, "What a run may cost, in US dollars"),
        key("allowed_commands", Takes::Texts, "The only programs that may run"),
        key("allowed_cwd", Takes::Texts, "Globs of the folders that may be used"),
        key("forbidden_patterns", Takes::Texts, "Regular expressions that no text to be run may match"),
    ],
    others: &[("command_allowlist", "allowed_commands"), ("cwd_patterns", "allowed_cwd")],
};

pub(super) static DEFAULTS: Keys = Keys {
    list: &[
        key("model", Takes::Text, "The agent of steps without a command: shell, claude-code, codex, gemini, agent/its-model"),
        key("timeout", Takes::Span, "How long an attempt may take, like 45m"),
        key("cwd", Takes::Text, "Working directory, from the project root"),
        key("retries", Takes::Count, "How many more attempts a failure gets"),
        key("retry_delay", Takes::Span, "The pause before each of them, like 10s"),
        key("fail_policy", FAIL_POLICIES, "What a failure means for the step's group"),
        key("review", Takes::Flag, "Whether a success wants a person's review"),
        key("max_cost_usd", Takes::Money, "What an attempt may cost, in US dollars"),
        key("limit", Takes::Text, "What a provider's usage limit does: wait, fail, or another agent"),
        key("env", Takes::Pairs, "Added to the environment"),
        key("agent_args", Takes::Texts, "Added to the agent's command line"),
    ],
    others: &[("agent", "model"), ("timeout_ms", "timeout"), ("retry_delay_ms", "retry_delay")],
};

pub(super) static STEP: Keys = Keys {
    list: &[
        key("id", Takes::Name, "Its name; steps and gates share one space of names"),
        key("name", Takes::Text, "What people call it; the id where absent"),
        key("type", Takes::Word(&["base", "p", "c", "f", "b", "l"]), "Thread type; inferred where absent"),
        key("lane", Takes::Text, "Row of the canvas"),
        key("role", Takes::Text, "What part it plays"),
        key("model", Takes::Text, "The agent: shell, claude-code, codex, gemini, or agent/its-model"),
        key("prompt", Takes::Text, "The prompt or script itself"),
        key("prompt_file", Takes::Text, "Where the prompt is: in .threados/, else in the project root"),
        key("command", Takes::Texts, "Text for sh -c, or a list: a program and its arguments"),
        key("cwd", Takes::Text, "Working directory, from the project root"),
        key("env", Takes::Pairs, "Added to the environment"),
        key("depends_on", Takes::Ids, "Steps and gates that must be satisfied first"),
        key(
            "status",
            Takes::Word(&["READY", "BLOCKED", "RUNNING", "NEEDS_REVIEW", "DONE", "FAILED"]),
            "The outcome; seqctl writes it",
        ),
        key("artifacts", Takes::Texts, "Globs of what it makes"),
        key("group_id", Takes::Id, "The group it runs with"),
        key("fanout", Takes::Count, "How many workers run it"),
        key("fusion_candidates", Takes::FlagOrIds, "On a synthesiser the ids of its candidates, which are dependencies too"),
        key("fusion_synth", Takes::FlagOrId, "On a candidate the id of its synthesiser"),
        key("watchdog_for", Takes::Id, "The step this one watches"),
        key("orchestrator", Takes::FlagOrId, "Whether it adds and runs steps of its own"),
        key("timeout", Takes::Span, "How long an attempt may take, like 45m"),
        key("fail_policy", FAIL_POLICIES, "What a failure means for its group"),
        key("retries", Takes::Count, "How many more attempts a failure gets"),
        key("retry_delay", Takes::Span, "The pause before each of them, like 10s"),
        key("watchdog_interval", Takes::Span, "How often a watchdog looks, like 5m"),
        key("max_cost_usd", Takes::Money, "What an attempt may cost, in US dollars"),
        key("limit", Takes::Text, "What a provider's usage limit does: wait, fail, or another agent"),
        key("review", Takes::Flag, "Whether a success wants a person's review"),
        key("agent_args", Takes::Texts, "Added to the agent's command line"),
    ],
    others: &[
        ("agent", "model"),
        ("timeout_ms", "timeout"),
        ("retry_delay_ms", "retry_delay"),
        ("watchdog_interval_ms", "watchdog_interval"),
    ],
};

pub(super) static GATE: Keys = Keys {
    list: &[
        key("id", Takes::Name, "Its name; steps and gates share one space of names"),
        key("name", Takes::Text, "What people call it; the id where absent"),
        key("depends_on", Takes::Ids, "What has to be satisfied before it can be decided"),
        key("status", Takes::Word(&["PENDING", "APPROVED", "BLOCKED"]), "The decision; seqctl writes it"),
        key("note", Takes::Text, "Why it was decided so"),
    ],
    others: &[],
};
