//! What is wrong with a file that people write for this tool (configuration, driver files), shown with a caret into it.
//!
//! May not know: what the files mean.

use std::fmt;
use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::files::SimpleFile;
use codespan_reporting::term::termcolor::{Ansi, NoColor};
use codespan_reporting::term::{self, Config};

use crate::suggest;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// Which bytes of the file, unless the file as a whole is meant.
    pub span: Option<Range<usize>>,
    /// What to do, or what is known instead.
    pub help: Option<String>,
    /// A warning does not stop the run.
    pub warning: bool,
}

impl Problem {
    /// A mistake at a place.
    pub fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span: Some(span),
            help: None,
            warning: false,
        }
    }

    /// A mistake of the file as a whole.
    pub fn general(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span: None,
            help: None,
            warning: false,
        }
    }

    /// What TOML, or serde behind it, has to say. An unknown key gets a "did you mean".
    pub fn from_toml(error: &toml::de::Error) -> Self {
        let text = error.message().trim().trim_end_matches('.');
        let (message, help) = if let Some((key, known)) = unknown_key(text) {
            // `fail_on` for `fail-on` is the most frequent mistake of all.
            let dashed = key.replace('_', "-");
            let similar = known
                .contains(&dashed.as_str())
                .then(|| format!("did you mean `{dashed}`?"));
            let similar = similar.or_else(|| suggest::did_you_mean(key, known.iter().copied()));
            let help = similar.unwrap_or_else(|| format!("known keys: {}", known.join(", ")));
            (format!("unknown key `{key}`"), Some(help))
        } else {
            let list = text.contains("expected a sequence");
            (
                text.to_owned(),
                list.then(|| "a list is meant: write it in brackets".to_owned()),
            )
        };
        match error.span() {
            Some(span) => Self::new(message, span).help(help),
            None => Self::general(message).help(help),
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: Option<impl Into<String>>) -> Self {
        self.help = help.map(Into::into);
        self
    }

    /// Makes it a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

/// The key and the known ones in serde's words: ``unknown field `x`, expected one of `a`, `b` ``.
fn unknown_key(message: &str) -> Option<(&str, Vec<&str>)> {
    let (key, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((key, known))
}

/// The mistakes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file's name as it is shown.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
}

impl Problems {
    /// No mistakes yet.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            problems: Vec::new(),
        }
    }

    /// Whether the run has to stop.
    pub fn fatal(&self) -> bool {
        self.problems.iter().any(|problem| !problem.warning)
    }

    /// As text for a terminal.
    pub fn render(&self, color: bool) -> String {
        let file = SimpleFile::new(&self.name, &self.text);
        let mut problems: Vec<&Problem> = self.problems.iter().collect();
        problems.sort_by_key(|problem| problem.span.as_ref().map(|span| span.start));
        let mut out = Vec::new();
        for problem in problems {
            let base = if problem.warning {
                Diagnostic::warning()
            } else {
                Diagnostic::error()
            };
            let mut diagnostic = base.with_message(&problem.message);
            match &problem.span {
                Some(span) => diagnostic = diagnostic.with_label(Label::primary((), self.within(span))),
                None => diagnostic = diagnostic.with_note(format!("in {}", self.name)),
            }
            if let Some(help) = &problem.help {
                diagnostic = diagnostic.with_note(format!("help: {help}"));
            }
            // Writing to a vector cannot fail, and the spans are within the text.
            let _ = if color {
                term::emit_to_write_style(&mut Ansi::new(&mut out), &Config::default(), &file, &diagnostic)
            } else {
                term::emit_to_write_style(&mut NoColor::new(&mut out), &Config::default(), &file, &diagnostic)
            };
        }
        String::from_utf8_lossy(&out).trim_end().to_owned()
    }

    /// A span brought into the text, at character boundaries.
    fn within(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.floor_char_boundary(span.end.max(start)).max(start)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}
