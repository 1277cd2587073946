//! Handlers that ask an exception for its code or text: whether what they ask for is a lost connection.

use super::Interp;
use crate::core::{ExprId, ExprKind, Module, Symbol};
use crate::knowledge::LibId;
use crate::resolve::value::{Obj, ObjId};

impl Interp<'_> {
    /// `code = error.args[0]`: the variable holds a part of a handler's exception.
    pub(super) fn note_parts(&mut self, m: &Module, targets: &[ExprId], value: ExprId) {
        if self.here().handlers.is_empty() || !self.is_of_exception(m, value) {
            return;
        }
        let mut names = Vec::new();
        for target in targets {
            match &m.expr(*target).kind {
                ExprKind::Name(name) => names.push(*name),
                ExprKind::Tuple(items) | ExprKind::List(items) => {
                    names.extend(items.iter().filter_map(|i| match m.expr(*i).kind {
                        ExprKind::Name(name) => Some(name),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        if let Some(handler) = self.frame().handlers.last_mut() {
            handler.parts.extend(names);
        }
    }

    /// The value of a comparison with the code or text of a lost connection, where that is known to be another one:
    /// `error.errno == 1146` is false. If it can't be told what is compared, the handler is marked.
    pub(super) fn asks_code(&mut self, m: &Module, test: ExprId) -> Option<bool> {
        let ExprKind::Op { op, operands } = &m.expr(test).kind else {
            return None;
        };
        let [left, right] = operands[..] else { return None };
        let (equal, within) = match op.as_str() {
            "==" => (true, false),
            "!=" => (false, false),
            "in" => (true, true),
            "not in" => (false, true),
            _ => return None,
        };
        let losses = self.here().handlers.last()?.losses.clone();
        let known: Vec<LibId> = losses.into_iter().filter(|l| !self.codes(*l).is_empty()).collect();
        if known.is_empty() {
            return None;
        }
        let other = match (self.is_of_exception(m, left), self.is_of_exception(m, right)) {
            (true, false) => right,
            (false, true) => left,
            _ => return None,
        };
        // `code in known_codes(error)` says nothing.
        if within && other == left && !matches!(m.expr(left).kind, ExprKind::Str(_)) {
            return None;
        }
        let value = self.eval(m, other);
        let mut compared = Vec::new();
        for obj in self.v.list(value) {
            match self.v.get(obj).clone() {
                Obj::Tuple(items) => items.iter().for_each(|i| compared.extend(self.v.list(*i))),
                Obj::List(_) => {
                    let items = self.entries(obj);
                    compared.extend(self.v.list(items));
                }
                _ => compared.push(obj),
            }
        }
        let mut stands = Some(false);
        for &obj in &compared {
            match self.stands_for_loss(obj, &known) {
                Some(false) => {}
                Some(true) => return None,
                None => stands = None,
            }
        }
        if stands.is_none() || compared.is_empty() {
            self.mark_unclear();
            return None;
        }
        Some(!equal)
    }

    fn mark_unclear(&mut self) {
        if let Some(handler) = self.frame().handlers.last_mut() {
            handler.unclear = true;
        }
    }

    fn codes(&self, lib: LibId) -> &[String] {
        let own = &self.k.library(lib).file.errors.codes;
        if own.is_empty() {
            &self.k.library(self.k.library(lib).driver).file.errors.codes
        } else {
            own
        }
    }

    /// Whether a constant is a code or text of a lost connection.
    fn stands_for_loss(&self, obj: ObjId, libs: &[LibId]) -> Option<bool> {
        let is_code = |text: &str| {
            libs.iter()
                .flat_map(|l| self.codes(*l))
                .any(|code| match code.strip_suffix('*') {
                    Some(start) => text.starts_with(start) && text.len() == 5,
                    None => code == text,
                })
        };
        match self.v.get(obj) {
            Obj::Int(number) => Some(is_code(&number.to_string())),
            Obj::Str(Some(text), _) => {
                let text = text.as_str();
                let lower = text.to_ascii_lowercase();
                let says = |lib: &LibId| {
                    let texts = &self.k.library(*lib).file.errors.texts;
                    texts
                        .iter()
                        .any(|t| t.contains(lower.as_str()) || lower.contains(t.as_str()))
                };
                Some(is_code(text) || libs.iter().any(says))
            }
            // A constant by its name: `errorcode.ER_NO_SUCH_TABLE`.
            Obj::External(path) => {
                let name = path.as_str().rsplit('.').next().unwrap_or_default();
                let is_constant = name.len() > 3 && !name.contains(|c: char| c.is_ascii_lowercase());
                (is_code(name) || is_constant).then(|| is_code(name))
            }
            _ => None,
        }
    }

    /// An expression made of the exception of a handler around this place.
    fn is_of_exception(&self, m: &Module, expr: ExprId) -> bool {
        let is_it = |name: Symbol| {
            self.here()
                .handlers
                .iter()
                .any(|h| h.name == Some(name) || h.parts.contains(&name))
        };
        match &m.expr(expr).kind {
            ExprKind::Name(name) => is_it(*name),
            ExprKind::Attr { base, .. } | ExprKind::Index { base, .. } => self.is_of_exception(m, *base),
            ExprKind::Call { callee, args, .. } => {
                self.is_of_exception(m, *callee) || args.iter().any(|a| self.is_of_exception(m, a.value))
            }
            _ => false,
        }
    }
}
