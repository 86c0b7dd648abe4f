//! A provider of language models on loopback: real HTTP, and a model of few words.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    thread,
};

use serde_json::Value;
use threados::clock;

/// What our model does: asked to write, it writes a file with a tool, once; if it has a command line, it executes that
/// instead. Then it says that it is done.
pub(super) struct Model {
    pub(super) file: PathBuf,
    pub(super) text: String,
    pub(super) command: Option<String>,
}

/// What the model answers to a request.
pub(super) enum Answer<'a> {
    /// It uses a tool to execute a command line.
    Execute(&'a str),
    /// It uses a tool to write a file.
    Write { file: &'a Path, text: &'a str },
    /// It says something.
    Say(&'a str),
}

/// What the model always says in the end.
pub(super) const DONE: &str = "All done: the file is written.";

impl Model {
    /// What it answers. `last` is the last message, `has_result` says that this is a tool's result.
    pub(super) fn answer(&self, last: &Value, has_result: bool) -> Answer<'_> {
        if let Some(command) = self.command.as_deref().filter(|_| !has_result) {
            Answer::Execute(command)
        } else if !has_result && last.to_string().contains("write") {
            Answer::Write { file: &self.file, text: &self.text }
        } else {
            Answer::Say(DONE)
        }
    }
}

/// The wire format of a provider: request in, server-sent events out.
pub(super) type Wire = fn(&Model, &Value) -> String;

/// A usage limit that begins with the first request and is over three seconds later: the headers and the body that say so, for
/// the second since 1970 in which it is over.
pub(super) type Refusal = fn(i64) -> (String, Value);

/// A provider that listens until its process ends.
pub(super) struct Provider {
    /// `http://127.0.0.1:port`.
    pub(super) url: String,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Provider {
    /// Starts one that speaks `wire`.
    pub(super) fn start(wire: Wire, model: Model, refusal: Option<Refusal>) -> Self {
        let limit = Arc::new(OnceLock::new());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, model) = (Arc::clone(&requests), Arc::new(model));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, model, limit) = (Arc::clone(&seen), Arc::clone(&model), Arc::clone(&limit));
                let refuse = move || {
                    let refusal = refusal?;
                    let end = *limit.get_or_init(|| clock::now().as_second() + 3);
                    (clock::now().as_second() < end).then(|| refusal(end))
                };
                // Whoever hangs up halfway has no more questions.
                thread::spawn(move || drop(serve(stream, wire, &model, &seen, refuse)));
            }
        });
        Self { url, requests }
    }

    /// What it was asked, in order.
    pub(super) fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

/// Answers one request.
fn serve(
    mut stream: TcpStream,
    wire: Wire,
    model: &Model,
    seen: &Mutex<Vec<Value>>,
    refuse: impl FnOnce() -> Option<(String, Value)>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let is_post = line.starts_with("POST ");
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_lowercase();
        let Some((name, value)) = header.split_once(':') else { break };
        match (name, value.trim()) {
            ("content-length", value) => length = value.parse().map_err(io::Error::other)?,
            ("transfer-encoding", "chunked") => is_chunked = true,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    while is_chunked {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        body.extend_from_slice(&chunk[..size]);
        is_chunked = size > 0;
    }
    let answer = if is_post {
        let request: Value = serde_json::from_slice(&body)?;
        if let Some((headers, why)) = refuse() {
            let why = why.to_string();
            let head =
                format!("HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}");
            return write!(stream, "{head}content-length: {}\r\n\r\n{why}", why.len());
        }
        let answer = wire(model, &request);
        seen.lock().unwrap().push(request);
        answer
    } else {
        String::new()
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ncontent-length";
    write!(stream, "{head}: {}\r\n\r\n{answer}", answer.len())
}

/// Server-sent events, each named after its `type`.
pub(super) fn events(events: &[Value]) -> String {
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())).collect()
}
