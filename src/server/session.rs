//! The conversation: which message leads to what, and when the project is looked at again.

use std::io::{self, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::actions::{Asked, KINDS};
use super::client::{Client, Failure, Level};
use super::diagnostics::diagnostic;
use super::documents::Documents;
use super::hover::hover;
use super::snapshot::{self, Snapshot};
use super::transport::{self, Incoming};
use super::{End, Options, uri};

/// After a key was pressed another one will be: the project is looked at when the keyboard has rested this long.
const REST: Duration = Duration::from_millis(150);
/// Files that change the result when they change on disk.
const WATCHED: &str = "**/{*.py,*.rs,*.toml,*.lock,*.cfg,*requirements*.txt,.gitignore}";

/// Talks until the client ends it. The error is one of `output`; whatever comes in is none.
pub fn serve(input: impl Read + Send + 'static, output: impl Write, options: Options) -> io::Result<End> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut input = BufReader::new(input);
        while let Ok(Some(incoming)) = transport::read(&mut input) {
            if sender.send(incoming).is_err() {
                break;
            }
        }
    });
    let mut session = Session::new(Client::new(output), options);
    loop {
        let incoming = match session.due {
            None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match incoming {
            Ok(Incoming::Message(message)) => {
                if let Some(end) = session.message(&message)? {
                    return Ok(end);
                }
            }
            Ok(Incoming::Malformed(reason)) => session.client.refuse(&Value::Null, Failure::Parse, &reason)?,
            Err(RecvTimeoutError::Timeout) => session.refresh()?,
            Err(RecvTimeoutError::Disconnected) => return Ok(End::Abrupt),
        }
    }
}

/// How far the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before `initialize`.
    Start,
    /// In between.
    Open,
    /// After `shutdown`.
    Closed,
}

struct Session<W> {
    client: Client<W>,
    options: Options,
    phase: Phase,
    /// The folders of the workspace.
    folders: Vec<PathBuf>,
    documents: Documents,
    /// What the client said that it can.
    shows_related: bool,
    registers_watchers: bool,
    /// The last look.
    snapshot: Option<Snapshot>,
    /// When to look again, if something has changed since then.
    due: Option<Instant>,
    /// What was said of the configuration; it is not said twice.
    said: Vec<String>,
    /// What was said of each open document, by its URI; neither is this.
    published: FxHashMap<String, Value>,
}

/// Why a request gets no answer.
type Refusal = (Failure, String);

impl<W: Write> Session<W> {
    fn new(client: Client<W>, options: Options) -> Self {
        Self {
            client,
            options,
            phase: Phase::Start,
            folders: Vec::new(),
            documents: Documents::default(),
            shows_related: false,
            registers_watchers: false,
            snapshot: None,
            due: None,
            said: Vec::new(),
            published: FxHashMap::default(),
        }
    }

    fn message(&mut self, message: &Value) -> io::Result<Option<End>> {
        let params = &message["params"];
        match (message["method"].as_str(), message.get("id")) {
            (Some("exit"), _) => {
                return Ok(Some(match self.phase {
                    Phase::Closed => End::Orderly,
                    Phase::Start | Phase::Open => End::Abrupt,
                }));
            }
            (Some(method), Some(id)) => {
                // A defect in an answer must not end the server either.
                let answer = catch_unwind(AssertUnwindSafe(|| self.request(method, params)))
                    .unwrap_or_else(|_| Ok(Err((Failure::Internal, format!("`{method}` failed")))))?;
                match answer {
                    Ok(result) => self.client.answer(id, result)?,
                    Err((failure, reason)) => self.client.refuse(id, failure, &reason)?,
                }
            }
            (Some(method), None) => self.notification(method, params)?,
            // The answer to a request of ours.
            (None, Some(_)) if message.get("result").is_some() || message.get("error").is_some() => {}
            (None, id) => {
                let id = id.cloned().unwrap_or_default();
                self.client
                    .refuse(&id, Failure::InvalidRequest, "a message without a method")?;
            }
        }
        Ok(None)
    }

    /// The outer result is about the output, the inner one goes there.
    fn request(&mut self, method: &str, params: &Value) -> io::Result<Result<Value, Refusal>> {
        let refuse = |failure, reason: &str| Ok(Err((failure, reason.to_owned())));
        match (self.phase, method) {
            (Phase::Start, "initialize") => Ok(Ok(self.initialize(params))),
            (Phase::Start, _) => refuse(Failure::NotInitialized, "`initialize` comes first"),
            (Phase::Closed, _) => refuse(Failure::InvalidRequest, "the server was shut down"),
            (Phase::Open, "initialize") => refuse(Failure::InvalidRequest, "`initialize` comes once"),
            (Phase::Open, "shutdown") => {
                self.phase = Phase::Closed;
                self.due = None;
                Ok(Ok(Value::Null))
            }
            (Phase::Open, "textDocument/hover" | "textDocument/codeAction") => {
                // Answers are about what is on the screen.
                if self.due.is_some() {
                    self.refresh()?;
                }
                let answer = if method == "textDocument/hover" {
                    self.hover(params)
                } else {
                    self.actions(params)
                };
                let reason = || {
                    (
                        Failure::InvalidParams,
                        format!("`{method}` needs a document and a place"),
                    )
                };
                Ok(answer.ok_or_else(reason))
            }
            (Phase::Open, _) => refuse(Failure::UnknownMethod, &format!("there is no `{method}` here")),
        }
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.phase = Phase::Open;
        let uris = match params["workspaceFolders"].as_array() {
            Some(folders) if !folders.is_empty() => folders.iter().filter_map(|f| f["uri"].as_str()).collect(),
            _ => params["rootUri"].as_str().into_iter().collect::<Vec<_>>(),
        };
        self.folders = uris.into_iter().filter_map(uri::to_path).collect();
        let can = |pointer: &str| params["capabilities"].pointer(pointer) == Some(&Value::Bool(true));
        self.shows_related = can("/textDocument/publishDiagnostics/relatedInformation");
        self.registers_watchers = can("/workspace/didChangeWatchedFiles/dynamicRegistration");
        json!({
            "capabilities": {
                "positionEncoding": "utf-16",
                "textDocumentSync": { "openClose": true, "change": 1, "save": { "includeText": false } },
                "hoverProvider": true,
                "codeActionProvider": { "codeActionKinds": KINDS },
                "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
            },
            "serverInfo": { "name": "reconnect-lint", "version": env!("CARGO_PKG_VERSION") },
        })
    }

    fn notification(&mut self, method: &str, params: &Value) -> io::Result<()> {
        if self.phase != Phase::Open {
            return Ok(());
        }
        let now = Some(Instant::now());
        let (understood, due) = match method {
            "initialized" => {
                self.watch()?;
                (true, None)
            }
            "textDocument/didOpen" => (self.documents.open(params).is_some(), now),
            "textDocument/didChange" => (self.documents.change(params).is_some(), now.map(|now| now + REST)),
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" | "workspace/didChangeConfiguration" => {
                (true, now)
            }
            "textDocument/didClose" => {
                let closed = self.documents.close(params);
                if let Ok(Some(document)) = &closed {
                    self.publish(&document.uri, &Value::Null, Vec::new())?;
                    self.published.remove(&document.uri);
                }
                // What was not saved is gone.
                (closed.is_ok(), now)
            }
            "workspace/didChangeWorkspaceFolders" => (self.change_folders(params).is_some(), now),
            // Much that clients tell is of no use here.
            _ => (true, None),
        };
        if !understood {
            return self.client.log(
                Level::Warning,
                &format!("`{method}` was not understood, and is passed over"),
            );
        }
        self.due = due.or(self.due);
        Ok(())
    }

    /// Asks to be told of files that others change.
    fn watch(&mut self) -> io::Result<()> {
        if !self.registers_watchers {
            return Ok(());
        }
        let registration = json!({
            "id": "files",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": { "watchers": [{ "globPattern": WATCHED }] },
        });
        self.client.ask(
            "watch",
            "client/registerCapability",
            json!({ "registrations": [registration] }),
        )
    }

    fn change_folders(&mut self, params: &Value) -> Option<()> {
        let event = params.get("event")?;
        let paths = |key: &str| -> Option<Vec<PathBuf>> {
            let folders = event.get(key)?.as_array()?.iter();
            Some(folders.filter_map(|f| uri::to_path(f["uri"].as_str()?)).collect())
        };
        let (added, removed) = (paths("added")?, paths("removed")?);
        self.folders.retain(|folder| !removed.contains(folder));
        self.folders.extend(added);
        Some(())
    }

    /// Looks at the project, and says what is found in the open documents.
    fn refresh(&mut self) -> io::Result<()> {
        self.due = None;
        let looked = snapshot::look(&self.options, &self.folders, &self.documents);
        for problem in &looked.problems {
            if !self.said.contains(problem) {
                self.client.show(Level::Error, problem)?;
            }
        }
        let failed = looked.snapshot.is_none() && !looked.problems.is_empty();
        self.said = looked.problems;
        // With a mistake in the configuration the last findings stay: they are better than none.
        if failed && self.snapshot.is_some() {
            return Ok(());
        }
        self.snapshot = looked.snapshot;
        let mut found = Vec::new();
        for (path, document) in self.documents.iter() {
            let diagnostics: Vec<Value> = self.snapshot.iter().fold(Vec::new(), |mut all, snapshot| {
                let findings = snapshot.file(path).into_iter().flat_map(|file| snapshot.findings(file));
                all.extend(findings.map(|f| diagnostic(snapshot, f, &self.documents, self.shows_related)));
                all
            });
            found.push((document.uri.clone(), document.version.clone(), diagnostics));
        }
        for (uri, version, diagnostics) in found {
            self.publish(&uri, &version, diagnostics)?;
        }
        Ok(())
    }

    fn publish(&mut self, uri: &str, version: &Value, diagnostics: Vec<Value>) -> io::Result<()> {
        let mut params = json!({ "uri": uri, "diagnostics": diagnostics });
        if !version.is_null() {
            params["version"] = version.clone();
        }
        if self.published.get(uri) == Some(&params) {
            return Ok(());
        }
        self.published.insert(uri.to_owned(), params.clone());
        self.client.notify("textDocument/publishDiagnostics", params)
    }

    /// `None`: the parameters are malformed.
    fn hover(&self, params: &Value) -> Option<Value> {
        let path = uri::to_path(params.get("textDocument")?.get("uri")?.as_str()?);
        let position = params.get("position")?;
        let Some((snapshot, file)) = self.file(path) else {
            return Some(Value::Null);
        };
        let (text, lines) = snapshot.text(file);
        Some(hover(snapshot, file, lines.offset(text, position)?))
    }

    /// `None`: the parameters are malformed.
    fn actions(&self, params: &Value) -> Option<Value> {
        let path = uri::to_path(params.get("textDocument")?.get("uri")?.as_str()?);
        let range = params.get("range")?;
        let only = params["context"]["only"].as_array();
        let Some((snapshot, file)) = self.file(path) else {
            return Some(json!([]));
        };
        let asked = Asked {
            snapshot,
            documents: &self.documents,
            file,
            span: snapshot.span(file, range)?,
            only: only.map(|kinds| kinds.iter().filter_map(Value::as_str).collect()),
        };
        Some(Value::Array(asked.actions()))
    }

    /// The last look at an open document, if it still is what is on the screen.
    fn file(&self, path: Option<PathBuf>) -> Option<(&Snapshot, crate::findings::FileId)> {
        let path = path?;
        let snapshot = self.snapshot.as_ref()?;
        let file = snapshot.file(&path)?;
        let fresh = self
            .documents
            .get(&path)
            .is_none_or(|document| *document.text == *snapshot.text(file).0);
        fresh.then_some((snapshot, file))
    }
}
