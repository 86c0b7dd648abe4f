//! Agents as config.yaml has them, and what is known of the work of one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An agent as config.yaml has it; what is absent there is absent here.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(default)]
pub struct AgentSettings {
    /// The program and its arguments.
    pub command: Option<Vec<String>>,
    /// How it gets its prompt.
    pub prompt: Option<PromptBy>,
    /// How its standard output is read.
    pub output: Option<OutputFormat>,
    /// Arguments that make it go on with a session; `{session}` is its id.
    pub resume: Option<Vec<String>>,
    /// The program and its arguments for a person at a terminal; `{session}` is the id of the session to go on with.
    pub open: Option<Vec<String>>,
    /// The argument before the name of its own model.
    pub model_flag: Option<String>,
    /// The argument before the most it may cost, in US dollars.
    pub budget_flag: Option<String>,
    /// How people install it.
    pub install: Option<String>,
}

/// How an agent gets its prompt.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PromptBy {
    /// On its standard input.
    #[default]
    Stdin,
    /// As an argument: `{prompt}` in the command, else the last.
    Arg,
    /// In a file whose path is an argument: `{prompt_file}` in the command, else the last.
    File,
}

/// What a standard output is made of.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// Anything.
    #[default]
    Text,
    /// JSON lines as of `claude --output-format stream-json`.
    Claude,
    /// JSON lines as of `codex exec --json`.
    Codex,
    /// JSON lines as of `gemini -o stream-json`.
    Gemini,
}

impl OutputFormat {
    /// Whether nothing is known of its lines.
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }

    /// Whether the tokens that it tells are those of the whole session, and not of the last work on it.
    pub const fn counts_session(&self) -> bool {
        matches!(self, Self::Codex)
    }
}

/// What an agent's work took.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Tokens it was given, cached ones included.
    pub input_tokens: u64,
    /// Those of them that came from a cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cached_input_tokens: u64,
    /// Tokens it wrote.
    pub output_tokens: u64,
    /// What the agent says it cost, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Usage {
    /// Both together; the cost of those that say one.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_input_tokens: self.cached_input_tokens.saturating_add(other.cached_input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cost_usd: match (self.cost_usd, other.cost_usd) {
                (Some(one), Some(two)) => Some(one + two),
                (one, two) => one.or(two),
            },
        }
    }

    /// What is left of it without `before`, as which it began; all of it where it is no continuation of that.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        if self.input_tokens < before.input_tokens || self.output_tokens < before.output_tokens {
            return self;
        }
        Self {
            input_tokens: self.input_tokens - before.input_tokens,
            cached_input_tokens: self.cached_input_tokens.saturating_sub(before.cached_input_tokens),
            output_tokens: self.output_tokens - before.output_tokens,
            cost_usd: self.cost_usd,
        }
    }

    /// In a few words: `12.3k tokens · $0.04`.
    pub fn words(&self) -> String {
        let tokens = self.input_tokens + self.output_tokens;
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let tokens = match tokens {
            0..1_000 => format!("{tokens} tokens"),
            1_000..1_000_000 => format!("{:.1}k tokens", tokens as f64 / 1e3),
            _ => format!("{:.1}M tokens", tokens as f64 / 1e6),
        };
        match self.cost_usd {
            Some(cost) if cost < 0.1 => format!("{tokens} · ${cost:.4}"),
            Some(cost) => format!("{tokens} · ${cost:.2}"),
            None => tokens,
        }
    }
}

/// Something an agent wanted to do and was not permitted to.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(default)]
pub struct Denial {
    /// The name of its tool.
    pub tool: String,
    /// What it wanted of it: a path, a command.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub argument: String,
}

/// A provider's usage limit that ended an agent's work.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UsageLimit {
    /// When it is over, where the agent says so; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
    /// Whether the agent had begun to work, so that there is something in its session to go on with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub began: bool,
}

/// What an agent said of its work, as status.json has it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AgentReport {
    /// What a new attempt needs to go on where this one ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Its own model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How often it asked its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u64>,
    /// What it was not permitted to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub denials: Vec<Denial>,
    /// The usage limit that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<UsageLimit>,
    /// The beginning of its final text, on one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_in_words() {
        let usage = |tokens, cost_usd| Usage { input_tokens: tokens, cost_usd, ..Usage::default() }.words();
        assert_eq!(usage(999, None), "999 tokens");
        assert_eq!(usage(12_345, Some(0.0136)), "12.3k tokens · $0.0136");
        assert_eq!(usage(2_500_000, Some(3.456)), "2.5M tokens · $3.46");
    }
}
