//! The Responses API, as far as codex uses it.

use serde_json::{Value, json};

use super::provider::{Answer, Model, events};

/// Answers a request for a response.
pub(super) fn wire(model: &Model, request: &Value) -> String {
    let last = request["input"].as_array().unwrap().last().unwrap();
    let has_result = last["type"].as_str().is_some_and(|kind| kind.ends_with("_output"));
    let item = match model.answer(last, has_result) {
        Answer::Write { file, text } => {
            let command = format!("printf %s '{text}' > '{}'", file.display());
            let tools = request["tools"].as_array().unwrap();
            let (name, arguments) = if tools.iter().any(|tool| tool["name"] == "exec_command") {
                ("exec_command", json!({"cmd": command}))
            } else {
                ("shell", json!({"command": ["sh", "-c", command]}))
            };
            json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": arguments.to_string()})
        }
        Answer::Say(text) | Answer::Execute(text) => {
            json!({"type": "message", "id": "m_1", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
        }
    };
    let usage = json!({"input_tokens": 900, "input_tokens_details": {"cached_tokens": 100}, "output_tokens": 30,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 930});
    events(&[
        json!({"type": "response.created", "response": {"id": "resp_1"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "usage": usage}}),
    ])
}
