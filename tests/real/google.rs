//! `streamGenerateContent`, as far as gemini uses it.

use serde_json::{Value, json};

use super::provider::{Answer, Model};

/// Answers a request for content.
pub(super) fn wire(model: &Model, request: &Value) -> String {
    let last = request["contents"].as_array().unwrap().last().unwrap();
    let parts = last["parts"].as_array().unwrap();
    let has_result = parts.iter().any(|part| part.get("functionResponse").is_some());
    let part = match model.answer(last, has_result) {
        Answer::Write { file, text } => {
            json!({"functionCall": {"name": "write_file", "args": {"file_path": file, "content": text}}})
        }
        Answer::Say(text) | Answer::Execute(text) => json!({"text": text}),
    };
    let answer = json!({
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 800, "candidatesTokenCount": 20, "totalTokenCount": 820},
        "modelVersion": "gemini-2.5-flash",
    });
    format!("data: {answer}\r\n\r\n")
}
