//! Hand-made findings, for tests that need no engine.

use std::path::PathBuf;
use std::time::Duration;

use reconnect_lint::analysis::Stats;
use reconnect_lint::core::{Language, Span};
use reconnect_lint::findings::{
    self, Applicability, Confidence, Edit, FileId, Finding, Fix, Location, Related, Sources,
};
use reconnect_lint::lints::texts;
use reconnect_lint::report::{self, Place, Report, Style};

/// The place of a needle in a file; `<<` and `>>` in it mark the part that is meant.
pub fn at(sources: &Sources, file: FileId, needle: &str) -> Location {
    let plain = needle.replace("<<", "").replace(">>", "");
    let text = &sources.get(file).text;
    let start = text
        .find(&plain)
        .unwrap_or_else(|| panic!("{plain:?} is not in the sample"));
    let from = needle.find("<<").unwrap_or(0);
    let to = needle.find(">>").map_or(plain.len(), |i| i - 2);
    Location {
        file,
        span: Span::new(start + from, start + to),
    }
}

/// A finding of a rule with its default severity.
pub fn finding(rule: &str, location: Location, message: &str) -> Finding {
    let rule = texts::find(rule).expect("a rule of the registry");
    Finding::new(rule.code, rule.name, rule.severity, location, message.to_owned())
}

const STORE: &str = "\
from pymongo import MongoClient

db = MongoClient(URL).app


def load(name):
    return db.users.find_one(
        {\"name\": name}
    )
";

const APP: &str = "\
import store


@app.route(\"/grüße/<name>\")
def greet(name):
    übung = store.load(name); return übung
";

const WORKER: &str = "\
async fn work(users: Collection<Document>) {
\tlet user = users.find_one(doc! {}).await.unwrap();
}
";

/// Three findings in two languages: a path through two files, a fix, a likely one, characters beyond ASCII.
pub fn sample() -> (Sources, Vec<Finding>) {
    let mut sources = Sources::default();
    let store = sources.add("shop/store.py".into(), STORE.into());
    let app = sources.add("shop/app.py".into(), APP.into());
    let worker = sources.add("src/worker, v1:2.rs".into(), WORKER.into());

    let mut first = finding(
        "RL101",
        at(&sources, store, "db.users.find_one(\n        {\"name\": name}\n    )"),
        "`find_one` does not survive a lost connection: pymongo 3.4.0 never retries it, and nothing receives `AutoReconnect`",
    );
    first.label = "waits for MongoDB here".into();
    first.context = "load".into();
    first.related = vec![
        Related {
            message: "the client is opened here".into(),
            location: at(&sources, store, "MongoClient(URL)"),
        },
        Related {
            message: "1: called here, unguarded".into(),
            location: at(&sources, app, "store.load(name)"),
        },
        Related {
            message: "2: leaves the route here".into(),
            location: at(&sources, app, "def <<greet>>(name)"),
        },
    ];
    first.notes = vec!["driver: pymongo 3.4.0, from requirements.txt".into()];
    first.help = "receive `AutoReconnect` around the call\n\ntry:\n    return db.users.find_one(...)\nexcept AutoReconnect:\n    ...".into();
    first.fix = Some(Fix {
        applicability: Applicability::Unsafe,
        message: "wrap the call in `retrying`".into(),
        edits: vec![
            Edit {
                location: at(&sources, store, "return <<>>db.users"),
                content: "retrying(lambda: ".into(),
            },
            Edit {
                location: at(&sources, store, "\n    )<<>>"),
                content: ")".into(),
            },
        ],
    });

    let mut second = finding(
        "RL102",
        at(&sources, app, "<<store.load(name)>>; return"),
        "`load` loses the second connection: 100% sure, <b>not</b> | \"quoted\" & 'more'\nand a second line",
    );
    second.confidence = Confidence::Likely;
    second.context = "greet".into();

    let mut third = finding(
        "RL107",
        at(&sources, worker, "users.find_one(doc! {}).await<<.unwrap()>>"),
        "panics",
    );
    third.label = "panics when the connection is lost".into();
    third.help = "return the error: `?`".into();
    third.context = "work".into();

    let mut findings = vec![third, second, first];
    findings::sort(&mut findings, &sources);
    (sources, findings)
}

/// Work done for the sample.
pub fn stats() -> Stats {
    Stats {
        files_seen: 14,
        files_parsed: 3,
        bytes: 4096,
        duration: Duration::from_millis(84),
        unreadable: vec![("shop/old name.py".into(), "permission denied".into())],
        drivers: vec!["pymongo".into()],
        truncated: false,
    }
}

/// A place below a repository's root: shown paths are relative to `/repo/services`.
pub fn place() -> Place {
    Place {
        cwd: PathBuf::from("/repo/services"),
        root: PathBuf::from("/repo"),
        job_summary: None,
    }
}

/// Findings in a format, as text.
pub fn render(format: &str, sources: &Sources, findings: &[Finding], style: Style) -> String {
    let stats = stats();
    let report = Report {
        sources,
        findings,
        stats: &stats,
        style,
        place: place(),
    };
    let mut out = Vec::new();
    report::find(format)
        .expect("a format of the registry")
        .write(&report, &mut out)
        .expect("a vector takes it");
    String::from_utf8(out).expect("reports are UTF-8")
}

/// The comments of a sample, as a front-end would find them; good enough where strings have no `#` and no `//`.
pub fn comments(text: &str, language: Language) -> Vec<Span> {
    let sign = if language == Language::Python { "#" } else { "//" };
    let mut found: Vec<Span> = Vec::new();
    for (start, _) in text.match_indices(sign) {
        let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        if found.last().is_none_or(|last| last.end as usize <= start) {
            found.push(Span::new(start, end));
        }
    }
    found
}

/// A folder with files, for tests of the program as a whole.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// With these files; folders are made as needed.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let project = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is below the folder")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).expect("the file is there")
    }

    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The program in this folder, in an environment without CI and colours.
    pub fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("reconnect-lint"));
        command.current_dir(self.path()).args(arguments);
        for name in [
            "GITHUB_ACTIONS",
            "GITHUB_STEP_SUMMARY",
            "GITLAB_CI",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "FORCE_HYPERLINK",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::new(
            self,
            &self.command(arguments).output().expect("the program can be started"),
        )
    }

    /// Runs the program with text on its standard input.
    pub fn pipe(&self, arguments: &[&str], input: &str) -> Ran {
        let output = self
            .command(arguments)
            .write_stdin(input)
            .output()
            .expect("the program can be started");
        Ran::new(self, &output)
    }

    /// Runs git.
    pub fn git(&self, arguments: &[&str]) {
        let done = std::process::Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(["-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(self.path())
            .output()
            .expect("git is installed");
        assert!(
            done.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

/// What a run of the program gave.
#[derive(Debug)]
pub struct Ran {
    /// The exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error; times and the folder are made equal.
    pub err: String,
}

impl Ran {
    fn new(project: &Project, output: &std::process::Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
        let folder = project.path().canonicalize().expect("the folder is there");
        let same = |text: String| {
            let text = text.replace(&folder.display().to_string(), "FOLDER");
            // `0.08 s` is another time in each run.
            let mut parts: Vec<&str> = text.split(' ').collect();
            for i in 1..parts.len() {
                if (parts[i].starts_with("s)") || parts[i] == "s,") && parts[i - 1].parse::<f64>().is_ok() {
                    parts[i - 1] = "TIME";
                }
            }
            parts.join(" ")
        };
        Self {
            status: output.status.code().expect("it ended by itself"),
            out: same(text(&output.stdout)),
            err: same(text(&output.stderr)),
        }
    }
}
