//! The language server, as an editor talks to it: a scripted client on the streams of the program.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

use crate::configuration::{APP, REQUIREMENTS};
use crate::support::Project;

/// Longer than any answer takes, even on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);

/// An editor.
struct Client {
    child: Child,
    input: ChildStdin,
    output: Receiver<Value>,
    root: String,
    last: u64,
}

impl Client {
    /// Starts the server in another folder than the project: editors do. `initialize` is done.
    fn start(project: &Project, arguments: &[&str]) -> Self {
        let mut client = Self::spawn(project, arguments);
        let capabilities = json!({
            "textDocument": { "publishDiagnostics": { "relatedInformation": true } },
            "workspace": { "didChangeWatchedFiles": { "dynamicRegistration": true } },
        });
        let folder = json!([{ "uri": client.root, "name": "shop" }]);
        let answer = client.ask(
            "initialize",
            json!({ "processId": null, "capabilities": capabilities, "workspaceFolders": folder }),
        );
        assert_eq!(answer["result"]["serverInfo"]["name"], "reconnect-lint");
        assert_eq!(answer["result"]["capabilities"]["hoverProvider"], true);
        client.tell("initialized", json!({}));
        client
    }

    fn spawn(project: &Project, arguments: &[&str]) -> Self {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("reconnect-lint"))
            .arg("server")
            .args(arguments)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let input = child.stdin.take().expect("it is piped");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let path = project.path().canonicalize().expect("the folder is there");
        Self {
            child,
            input,
            output: receiver,
            root: format!("file://{}", path.display()),
            last: 0,
        }
    }

    fn uri(&self, path: &str) -> String {
        format!("{}/{path}", self.root)
    }

    fn raw(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).expect("the server listens");
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.raw(&format!("Content-Length: {}\r\n\r\n{text}", text.len()));
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The next message for which this holds; others are passed over.
    fn wait(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.output.recv_timeout(PATIENCE).expect("the server answers");
            if wanted(&message) {
                return message;
            }
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.wait(|message| message["id"] == id && message.get("method").is_none())
    }

    fn open(&mut self, path: &str, text: &str) {
        let uri = self.uri(path);
        let document = json!({ "uri": uri, "languageId": "python", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn change(&mut self, path: &str, version: u64, text: &str) {
        let document = json!({ "uri": self.uri(path), "version": version });
        let changes = json!([{ "text": text }]);
        self.tell(
            "textDocument/didChange",
            json!({ "textDocument": document, "contentChanges": changes }),
        );
    }

    /// What is published next for a version of a file.
    fn diagnostics(&self, path: &str, version: u64) -> Vec<Value> {
        let uri = self.uri(path);
        let message = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri.as_str()
                && message["params"]["version"] == version
        });
        message["params"]["diagnostics"].as_array().expect("a list").clone()
    }

    fn codes(&self, path: &str, version: u64) -> Vec<String> {
        let diagnostics = self.diagnostics(path, version);
        let code = |d: &Value| d["code"].as_str().expect("a string").to_owned();
        diagnostics.iter().map(code).collect()
    }

    fn at(&mut self, method: &str, path: &str, line: u64, character: u64) -> Value {
        let place = json!({ "line": line, "character": character });
        let params = json!({
            "textDocument": { "uri": self.uri(path) },
            "position": place,
            "range": { "start": place, "end": place },
            "context": { "diagnostics": [] },
        });
        self.ask(method, params)
    }

    /// Says goodbye; the exit status.
    fn stop(mut self) -> i32 {
        assert_eq!(self.ask("shutdown", Value::Null)["result"], Value::Null);
        self.tell("exit", Value::Null);
        self.child.wait().expect("it ends").code().expect("by itself")
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().strip_prefix("Content-Length: ") {
            Some(value) => length = value.parse().expect("a number"),
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).expect("the server writes JSON"))
}

/// The text after the edits of an action.
fn edited(text: &str, action: &Value, uri: &str) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let edits = action["edit"]["changes"][uri].as_array().expect("edits");
    for edit in edits.iter().rev() {
        let number = |pointer: &str| edit.pointer(pointer).and_then(Value::as_u64).expect("a number") as usize;
        let (row, from) = (number("/range/start/line"), number("/range/start/character"));
        let (last, to) = (number("/range/end/line"), number("/range/end/character"));
        let units = |line: &str| line.encode_utf16().collect::<Vec<_>>();
        let before = String::from_utf16(&units(&lines[row])[..from]).expect("a boundary of characters");
        let after = String::from_utf16(&units(&lines[last])[to..]).expect("a boundary of characters");
        let new = edit["newText"].as_str().expect("a string");
        lines.splice(row..=last, [format!("{before}{new}{after}")]);
    }
    lines.join("\n")
}

fn shop() -> Project {
    Project::new(&[("shop/app.py", APP), REQUIREMENTS])
}

/// The error is received.
const GUARDED: &str = "\
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

users = MongoClient(\"mongodb://a,b/?replicaSet=rs\").app.users
def greet(name):
    try:
        return users.find_one({\"name\": name})
    except AutoReconnect:
        return None
";

#[test]
fn findings_come_and_go_with_the_text_on_the_screen() {
    let shop = shop();
    let mut client = Client::start(&shop, &["--stdio"]);
    client.wait(|message| message["method"] == "client/registerCapability");
    client.open("shop/app.py", APP);
    let found = client.diagnostics("shop/app.py", 1);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["code"], "RL101");
    assert_eq!(found[0]["severity"], 1);
    assert_eq!(found[0]["range"]["start"], json!({ "line": 4, "character": 11 }));
    assert!(
        found[0]["codeDescription"]["href"]
            .as_str()
            .is_some_and(|url| url.contains("RL101"))
    );
    assert!(
        found[0]["relatedInformation"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
    client.change("shop/app.py", 2, GUARDED);
    assert_eq!(client.codes("shop/app.py", 2), Vec::<String>::new());
    client.change("shop/app.py", 3, APP);
    assert_eq!(client.codes("shop/app.py", 3), ["RL101"]);
    let document = json!({ "textDocument": { "uri": client.uri("shop/app.py") } });
    client.tell("textDocument/didClose", document);
    let gone = client.wait(|message| message["method"] == "textDocument/publishDiagnostics");
    assert_eq!(gone["params"]["diagnostics"], json!([]));
    assert_eq!(client.stop(), 0);
}

#[test]
fn the_whole_project_is_the_context_open_or_not() {
    let store = "from pymongo import MongoClient\nusers = MongoClient(\"mongodb://a,b/?replicaSet=rs\").app.users\n\
                 def load():\n    return users.find_one({})\n";
    let guard = "import store\nfrom pymongo.errors import AutoReconnect\ndef main():\n    try:\n        store.load()\n    \
                 except AutoReconnect:\n        pass\nmain()\n";
    let bare = "import store\ndef main():\n    store.load()\nmain()\n";
    let project = Project::new(&[("store.py", store), ("main.py", guard), REQUIREMENTS]);
    let mut client = Client::start(&project, &[]);
    client.open("store.py", store);
    assert_eq!(
        client.codes("store.py", 1),
        Vec::<String>::new(),
        "the caller on disk guards it"
    );
    client.open("main.py", bare);
    assert_eq!(
        client.codes("store.py", 1),
        ["RL101"],
        "the caller on the screen does not"
    );
    // A file that is nowhere but in the editor.
    client.open("new.py", APP);
    assert_eq!(client.codes("new.py", 1), ["RL101"]);
    // What others change on disk counts once it is told.
    project.write("reconnect-lint.toml", "ignore = ['RL101']\n");
    client.tell("workspace/didChangeWatchedFiles", json!({ "changes": [] }));
    assert_eq!(client.codes("store.py", 1), Vec::<String>::new());
    // A mistake in the configuration is told, and the findings stay.
    project.write("reconnect-lint.toml", "ignroe = ['RL101']\n");
    client.tell(
        "textDocument/didSave",
        json!({ "textDocument": { "uri": client.uri("store.py") } }),
    );
    let said = client.wait(|message| message["method"] == "window/showMessage");
    assert!(
        said["params"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("ignroe")),
        "{said}"
    );
    assert_eq!(client.stop(), 0);
}

#[test]
fn what_is_left_out_is_left_out_in_the_editor_too() {
    let project = Project::new(&[
        ("shop/app.py", APP),
        ("generated/app.py", APP),
        (
            "reconnect-lint.toml",
            "exclude = ['generated']\nbaseline = 'known.json'\n",
        ),
        REQUIREMENTS,
    ]);
    assert_eq!(project.run(&["shop", "--write-baseline"]).status, 0);
    let mut client = Client::start(&project, &[]);
    client.open("generated/app.py", APP);
    assert_eq!(client.codes("generated/app.py", 1), Vec::<String>::new());
    client.open("shop/app.py", APP);
    assert_eq!(client.codes("shop/app.py", 1), Vec::<String>::new(), "it is known");
    client.open("shop/more.py", APP);
    assert_eq!(client.codes("shop/more.py", 1), ["RL101"], "this one is not");
    assert_eq!(client.stop(), 0);
}

#[test]
fn the_call_under_the_pointer_is_explained() {
    let shop = shop();
    let mut client = Client::start(&shop, &[]);
    client.open("shop/app.py", APP);
    // Nobody waits for diagnostics before pointing at something.
    let answer = client.at("textDocument/hover", "shop/app.py", 4, 20);
    let text = answer["result"]["contents"]["value"].as_str().expect("text");
    assert!(text.starts_with("```text\nshop/app.py:5:12: "), "{text}");
    assert!(text.contains("find_one") && text.contains("RL101"), "{text}");
    assert_eq!(
        answer["result"]["range"]["start"],
        json!({ "line": 4, "character": 11 })
    );
    for (line, character) in [(0, 0), (4, 5), (99, 99)] {
        let answer = client.at("textDocument/hover", "shop/app.py", line, character);
        assert_eq!(answer["result"], Value::Null, "{line}:{character}");
    }
    assert_eq!(client.stop(), 0);
}

#[test]
fn a_finding_can_be_suppressed_where_it_is() {
    // Two code units for the sign, four bytes: the comment goes to the end of the line nevertheless.
    let text = APP.replace("{\"name\": name})", "{\"𝄞ü\": name})");
    let shop = shop();
    let mut client = Client::start(&shop, &[]);
    client.open("shop/app.py", &text);
    assert_eq!(client.codes("shop/app.py", 1), ["RL101"]);
    let answer = client.at("textDocument/codeAction", "shop/app.py", 4, 15);
    let actions = answer["result"].as_array().expect("a list");
    let suppress = actions
        .iter()
        .find(|action| action["title"] == "suppress RL101 here")
        .unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(suppress["kind"], "quickfix");
    assert_eq!(suppress["diagnostics"][0]["code"], "RL101");
    let uri = client.uri("shop/app.py");
    let suppressed = edited(&text, suppress, &uri);
    assert_eq!(
        suppressed,
        format!("{}  # reconnect-lint: ignore[RL101]\n", text.trim_end())
    );
    client.change("shop/app.py", 2, &suppressed);
    assert_eq!(client.codes("shop/app.py", 2), Vec::<String>::new());
    assert_eq!(
        client.at("textDocument/codeAction", "shop/app.py", 0, 0)["result"],
        json!([])
    );
    assert_eq!(client.stop(), 0);
}

#[test]
fn fixes_are_offered_one_by_one_and_all_at_once() {
    let text = format!("{}\nX = 1  # reconnect-lint: ignore[RL102]\n", GUARDED.trim_end());
    let shop = shop();
    let mut client = Client::start(&shop, &[]);
    client.open("shop/app.py", &text);
    assert_eq!(client.codes("shop/app.py", 1), ["RL902"]);
    let answer = client.at("textDocument/codeAction", "shop/app.py", 9, 20);
    let actions = answer["result"].as_array().expect("a list");
    let kinds: Vec<&str> = actions.iter().filter_map(|action| action["kind"].as_str()).collect();
    assert_eq!(kinds, ["quickfix", "source.fixAll.reconnect-lint"], "{answer}");
    let uri = client.uri("shop/app.py");
    let expected = format!("{}\nX = 1\n", GUARDED.trim_end());
    for action in actions {
        assert_eq!(edited(&text, action, &uri), expected, "{action}");
    }
    let mut only = |kind: &str| {
        let everywhere = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
        let params = json!({
            "textDocument": { "uri": uri },
            "range": everywhere,
            "context": { "diagnostics": [], "only": [kind] },
        });
        client.ask("textDocument/codeAction", params)["result"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!((only("source"), only("quickfix"), only("refactor")), (1, 1, 0));
    assert_eq!(client.stop(), 0);
}

#[test]
fn nothing_that_a_client_sends_ends_the_server() {
    let shop = shop();
    let mut client = Client::spawn(&shop, &[]);
    let code = |answer: &Value| answer["error"]["code"].as_i64();
    assert_eq!(code(&client.ask("textDocument/hover", Value::Null)), Some(-32002));
    client.tell("textDocument/didOpen", Value::Null);
    assert!(client.ask("initialize", Value::Null).get("result").is_some());
    client.raw("nonsense\r\n\r\n");
    assert_eq!(code(&client.wait(|message| message["id"].is_null())), Some(-32700));
    client.raw("Content-Length: 4\r\n\r\n{\"a\"");
    assert_eq!(code(&client.wait(|message| message["id"].is_null())), Some(-32700));
    for message in [json!([]), json!(1), json!({}), json!({ "method": 7 })] {
        client.send(&message);
        assert_eq!(
            code(&client.wait(|message| message["id"].is_null())),
            Some(-32600),
            "{message}"
        );
    }
    client.send(&json!({ "id": "watch", "result": null }));
    for params in [
        json!(null),
        json!([]),
        json!({ "textDocument": { "uri": "file:///%" } }),
    ] {
        for method in ["didOpen", "didChange", "didSave", "didClose", "willSave"] {
            client.tell(&format!("textDocument/{method}"), params.clone());
        }
        for method in ["workspace/didChangeWorkspaceFolders", "$/cancelRequest"] {
            client.tell(method, params.clone());
        }
    }
    assert_eq!(code(&client.ask("textDocument/hover", json!({}))), Some(-32602));
    assert_eq!(code(&client.ask("textDocument/codeAction", json!(null))), Some(-32602));
    assert_eq!(code(&client.ask("textDocument/rename", json!({}))), Some(-32601));
    // Without folders the project around the file is meant.
    client.open("shop/app.py", APP);
    assert_eq!(client.codes("shop/app.py", 1), ["RL101"]);
    assert_eq!(client.stop(), 0);
}

#[test]
fn a_client_that_goes_away_without_a_word_leaves_no_server_behind() {
    let shop = shop();
    let client = Client::start(&shop, &[]);
    let Client { mut child, input, .. } = client;
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
}
