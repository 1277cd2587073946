//! What the server says to its client.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::transport;

/// Numbers of errors that the protocol names.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// What came is no JSON.
    Parse = -32700,
    /// It is no message.
    InvalidRequest = -32600,
    /// No such method here.
    UnknownMethod = -32601,
    /// The parameters of a method are not what it needs.
    InvalidParams = -32602,
    /// A defect of the server.
    Internal = -32603,
    /// Something came before `initialize`.
    NotInitialized = -32002,
}

/// How much a message matters.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// Something does not work.
    Error = 1,
    /// Something is odd.
    Warning = 2,
}

/// The other side.
pub struct Client<W> {
    output: W,
}

impl<W: Write> Client<W> {
    /// On this stream.
    pub fn new(output: W) -> Self {
        Self { output }
    }

    /// Answers a request.
    pub fn answer(&mut self, id: &Value, result: Value) -> io::Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    }

    /// Refuses a request.
    pub fn refuse(&mut self, id: &Value, failure: Failure, message: &str) -> io::Result<()> {
        let error = json!({ "code": failure as i32, "message": message });
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))
    }

    /// Tells something.
    pub fn notify(&mut self, method: &str, params: Value) -> io::Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    /// Asks for something, and does not care for the answer.
    pub fn ask(&mut self, id: &str, method: &str, params: Value) -> io::Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
    }

    /// A message that the user should see.
    pub fn show(&mut self, level: Level, message: &str) -> io::Result<()> {
        self.notify("window/showMessage", json!({ "type": level as u8, "message": message }))
    }

    /// A message for the client's log.
    pub fn log(&mut self, level: Level, message: &str) -> io::Result<()> {
        self.notify("window/logMessage", json!({ "type": level as u8, "message": message }))
    }

    fn send(&mut self, message: &Value) -> io::Result<()> {
        transport::write(&mut self.output, message)
    }
}
