//! The Messages API, as far as claude uses it.

use serde_json::{Value, json};

use super::provider::{Answer, Model, events};

/// Answers a request for a message.
pub(super) fn wire(model: &Model, request: &Value) -> String {
    let content = &request["messages"].as_array().unwrap().last().unwrap()["content"];
    let has_result = content.as_array().is_some_and(|parts| parts.iter().any(|part| part["type"] == "tool_result"));
    let usage =
        json!({"input_tokens": 1200, "output_tokens": 1, "cache_read_input_tokens": 300, "cache_creation_input_tokens": 0});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": request["model"], "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage});
    let uses = |tool: &str, input: &Value| {
        (
            json!({"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}),
            json!({"type": "input_json_delta", "partial_json": input.to_string()}),
            "tool_use",
        )
    };
    let (block, delta, reason) = match model.answer(content, has_result) {
        Answer::Write { file, text } => uses("Write", &json!({"file_path": file, "content": text})),
        Answer::Execute(command) => uses("Bash", &json!({"command": command, "description": "lead the others"})),
        Answer::Say(text) => (json!({"type": "text", "text": ""}), json!({"type": "text_delta", "text": text}), "end_turn"),
    };
    events(&[
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": block}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": 40}}),
        json!({"type": "message_stop"}),
    ])
}
