//! The samples for MongoDB are executed with the real driver, and the connection is lost at one call after another: a mark says that
//! the error leaves the program there, no mark that it does not. So samples cannot be wrong in the same way as the tool.
//!
//! `tests/oracle/run.py` does it. It needs Python 3.11 and the driver, which is installed below the target directory; without them this test
//! says so and passes. `SAMPLE=part-of-a-name VERBOSE=1` narrows a run down.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

use crate::{programs, samples};

/// What is installed together: the driver, and what samples for that version use. The first also runs what names no version.
const SETS: [&[&str]; 3] = [
    &[
        "pymongo==4.6.3",
        "motor==3.3.2",
        "backoff==2.2.1",
        "funcy==2.0",
        "opnieuw==2.0.0",
        "redo==3.0.0",
        "retry==0.9.2",
        "stamina==24.2.0",
        "tenacity==8.2.3",
    ],
    &["pymongo==3.13.0", "retrying==1.3.4"],
    &["pymongo==4.15.5", "motor==3.7.1", "aioretry==6.3.1", "tenacity==8.2.3"],
];

/// Runs a command; its output, or in words why there is none.
fn run(program: &Path, arguments: &[&str]) -> Result<Output, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = text.trim().lines().last().unwrap_or_default();
    Err(format!("{} {} failed: {last}", program.display(), arguments.join(" ")))
}

/// The interpreter of a virtual environment with these packages.
fn environment(packages: &[&str]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("oracle")
        .join(packages[0].replace("==", "-"));
    let python = folder.join("bin/python");
    let ready = folder.join("packages.txt");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&ready).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    let system = Path::new("python3");
    run(
        system,
        &["-c", "import sys; assert sys.version_info >= (3, 11), sys.version"],
    )?;
    run(
        system,
        &["-m", "venv", "--clear", folder.to_str().ok_or("a path is not text")?],
    )?;
    let mut install = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    install.extend(["--retries", "1", "--timeout", "10"]);
    install.extend(packages);
    run(&python, &install)?;
    std::fs::write(&ready, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

/// Every sample and program that has to do with the store.
fn all() -> Vec<serde_json::Value> {
    let mut found = Vec::new();
    for sample in samples::python() {
        if ["pymongo", "motor", "mongoengine"]
            .iter()
            .all(|m| !sample.code.contains(m))
        {
            continue;
        }
        let marks: Vec<_> = samples::expected(&sample.code)
            .into_iter()
            .flat_map(|(row, here)| here.required.into_iter().flatten().map(move |code| (row, code)))
            .map(|(row, code)| json!([sample.file, row, code]))
            .collect();
        found.push(json!({
            "name": sample.name,
            "requires": sample.requires,
            "main": sample.file,
            "files": { sample.file.clone(): sample.code },
            "marks": marks,
        }));
    }
    let language = &programs::PYTHON;
    for category in programs::categories(language) {
        for program in programs::of(language, &category) {
            let manifest = program.files.iter().find(|(path, _)| path == "requirements.txt");
            let requires: Vec<&str> = manifest.map(|(_, text)| text.lines().collect()).unwrap_or_default();
            let files: serde_json::Map<_, _> = program
                .files
                .iter()
                .filter(|(path, _)| path.ends_with(".py"))
                .map(|(path, text)| (path.clone(), json!(text)))
                .collect();
            found.push(json!({
                "name": format!("{category}: {}", program.name),
                "requires": requires,
                "main": "main.py",
                "files": files,
                "marks": programs::expected(language, &program),
            }));
        }
    }
    found
}

/// The samples that a set of packages can run.
fn of_set(set: &[&str], first: bool) -> Vec<serde_json::Value> {
    let pinned = |sample: &serde_json::Value| -> BTreeSet<String> {
        let lines = sample["requires"].as_array().into_iter().flatten();
        lines
            .filter_map(|line| line.as_str())
            .filter(|line| line.starts_with("pymongo"))
            .map(str::to_owned)
            .collect()
    };
    let others: BTreeSet<&str> = SETS[1..].iter().map(|set| set[0]).collect();
    all()
        .into_iter()
        .filter(|sample| {
            let pinned = pinned(sample);
            if first {
                !pinned.iter().any(|p| others.contains(p.as_str()))
            } else {
                pinned.contains(set[0])
            }
        })
        .collect()
}

#[test]
fn samples_do_with_the_real_driver_what_their_marks_say() {
    if !cfg!(unix) {
        eprintln!("skipped: the samples are stopped by signals, which this system does not have");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/run.py");
    let mut failed = String::new();
    for (index, set) in SETS.iter().enumerate() {
        let python = match environment(set) {
            Ok(python) => python,
            Err(why) => {
                eprintln!(
                    "skipped: samples for {} and what follows are not executed, for {why}",
                    set[0]
                );
                break;
            }
        };
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let list = folder.path().join("samples.json");
        let samples = serde_json::to_string(&of_set(set, index == 0)).expect("it is JSON");
        std::fs::write(&list, samples).expect("it can be written");
        let output = Command::new(python)
            .arg(&script)
            .arg(&list)
            .env("TMPDIR", folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .expect("the interpreter was started before");
        let text = String::from_utf8_lossy(&output.stdout);
        println!("{text}");
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            writeln!(failed, "{}:\n{text}\n{error}", set[0]).expect("a string takes it");
        }
    }
    assert!(failed.is_empty(), "{failed}");
}
