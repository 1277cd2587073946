//! The texts that are open in the editor.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::position::Lines;
use super::uri;
use crate::analysis::Stdin;

/// An open text.
#[derive(Clone, Debug)]
pub struct Document {
    /// As the client spells it.
    pub uri: String,
    /// The client counts its changes; `null` if it does not.
    pub version: Value,
    /// What is on the screen.
    pub text: Arc<str>,
}

/// Parameters are not what they should be.
#[derive(Clone, Copy, Debug)]
pub struct Malformed;

/// All open texts that are files.
#[derive(Debug, Default)]
pub struct Documents {
    open: BTreeMap<PathBuf, Document>,
}

impl Documents {
    /// The parameters of `didOpen`. `None`: they are malformed. Texts that are no files are passed over.
    pub fn open(&mut self, params: &Value) -> Option<()> {
        let document = params.get("textDocument")?;
        let uri = document.get("uri")?.as_str()?;
        let text = document.get("text")?.as_str()?;
        if let Some(path) = uri::to_path(uri) {
            let document = Document {
                uri: uri.to_owned(),
                version: document.get("version").cloned().unwrap_or_default(),
                text: text.into(),
            };
            self.open.insert(path, document);
        }
        Some(())
    }

    /// The parameters of `didChange`. `None`: they are malformed, and nothing is changed.
    pub fn change(&mut self, params: &Value) -> Option<()> {
        let document = params.get("textDocument")?;
        let Some(path) = uri::to_path(document.get("uri")?.as_str()?) else {
            return Some(());
        };
        let open = self.open.get_mut(&path)?;
        let mut text = open.text.to_string();
        // Whole texts are asked for; a client that sends parts nevertheless is understood.
        for change in params.get("contentChanges")?.as_array()? {
            let new = change.get("text")?.as_str()?;
            match change.get("range") {
                Some(range) if !range.is_null() => {
                    let span = Lines::new(&text).span(&text, range)?;
                    text.replace_range(span.range(), new);
                }
                _ => new.clone_into(&mut text),
            }
        }
        open.text = text.into();
        open.version = document.get("version").cloned().unwrap_or_default();
        Some(())
    }

    /// The parameters of `didClose`: the document, if it was open.
    pub fn close(&mut self, params: &Value) -> Result<Option<Document>, Malformed> {
        let uri = params
            .pointer("/textDocument/uri")
            .and_then(Value::as_str)
            .ok_or(Malformed)?;
        Ok(uri::to_path(uri).and_then(|path| self.open.remove(&path)))
    }

    /// An open document.
    pub fn get(&self, path: &Path) -> Option<&Document> {
        self.open.get(path)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Document)> {
        self.open.iter().map(|(path, document)| (path.as_path(), document))
    }

    /// How the client spells a path.
    pub fn uri(&self, path: &Path) -> String {
        self.get(path)
            .map_or_else(|| uri::from_path(path), |document| document.uri.clone())
    }

    /// As the engine takes them.
    pub fn overlays(&self) -> Vec<Stdin> {
        self.iter()
            .map(|(path, document)| Stdin {
                filename: path.to_path_buf(),
                text: Arc::clone(&document.text),
            })
            .collect()
    }
}
