//! What a condition or a pattern that was passed says of the result that it looked at: where only a success gets to,
//! the variable holds no error any more.

use super::super::Interp;
use super::super::flight::SiteId;
use super::branch::{is_error_pattern, names_kind};
use crate::core::{ExprId, ExprKind, Module, Symbol};
use crate::knowledge::OutcomeRole;
use crate::resolve::value::{Obj, OutcomeId, Value};

/// A variable, or the result behind a flag that was asked before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fact {
    Success(Symbol),
    Asked(OutcomeId),
}

impl Interp<'_> {
    /// The local variable that an expression looks at, and whether it is its whole value: `x`, `&x`, `x.as_ref()`, `x.err()`.
    pub(super) fn rust_looks_at(&mut self, m: &Module, mut of: ExprId) -> Option<Symbol> {
        for _ in 0..8 {
            match &m.expr(of).kind {
                ExprKind::Same(inner) => of = *inner,
                ExprKind::Call { callee, args } if args.is_empty() => match self.rust_result_method(m, *callee)? {
                    (base, OutcomeRole::Pass | OutcomeRole::Error) => of = base,
                    _ => return None,
                },
                ExprKind::Name(name) => return Some(*name),
                _ => return None,
            }
        }
        None
    }

    /// `x.is_err`, `x.as_ref`: the object, and what the method does with a result.
    fn rust_result_method(&mut self, m: &Module, callee: ExprId) -> Option<(ExprId, OutcomeRole)> {
        let ExprKind::Attr {
            base,
            name,
            path: false,
            ..
        } = m.expr(callee).kind
        else {
            return None;
        };
        let spec = self.rust_common_method("result", name)?;
        Some((base, self.k.call(spec).call.outcome?))
    }

    /// What is certain if a condition holds, or if it does not.
    pub(super) fn rust_facts(&mut self, m: &Module, test: ExprId, truth: bool) -> Vec<Fact> {
        match &m.expr(test).kind {
            ExprKind::Same(inner) => self.rust_facts(m, *inner, truth),
            ExprKind::Not(inner) => self.rust_facts(m, *inner, !truth),
            ExprKind::And(parts) if truth => parts.iter().flat_map(|&p| self.rust_facts(m, p, true)).collect(),
            ExprKind::Or(parts) if !truth => parts.iter().flat_map(|&p| self.rust_facts(m, p, false)).collect(),
            ExprKind::LetCond { pattern, value }
                if !truth && is_error_pattern(m, pattern) && !names_kind(m, pattern) =>
            {
                self.rust_looks_at(m, *value).map(Fact::Success).into_iter().collect()
            }
            ExprKind::Call { callee, args } if args.is_empty() => {
                let succeeded = match self.rust_result_method(m, *callee) {
                    Some((base, OutcomeRole::Failed)) if !truth => base,
                    Some((base, OutcomeRole::Succeeded)) if truth => base,
                    _ => return Vec::new(),
                };
                self.rust_looks_at(m, succeeded)
                    .map(Fact::Success)
                    .into_iter()
                    .collect()
            }
            ExprKind::Name(name) => {
                let value = self.rust_local(*name).unwrap_or(Value::UNKNOWN);
                match self.v.only(value) {
                    Some(&Obj::Tested(id, failed)) if failed != truth => vec![Fact::Asked(id)],
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// Takes the errors out of the variables that are known to hold none, and gives their old values.
    pub(super) fn rust_learn(&mut self, facts: &[Fact]) -> Vec<(Symbol, Value)> {
        let mut old = Vec::new();
        let env = self.here().env.0 as usize;
        for fact in facts {
            match *fact {
                Fact::Success(name) => {
                    if let Some(&value) = self.envs[env].vars.get(&name) {
                        old.extend(self.rust_learned(name, value));
                    }
                }
                Fact::Asked(id) => {
                    let holders: Vec<(Symbol, Value)> = self.envs[env]
                        .vars
                        .iter()
                        .map(|(n, v)| (*n, *v))
                        .filter(|(_, v)| matches!(self.v.only(*v), Some(Obj::Outcome(_, held)) if *held == id))
                        .collect();
                    for (name, value) in holders {
                        old.extend(self.rust_learned(name, value));
                    }
                }
            }
        }
        old
    }

    fn rust_learned(&mut self, name: Symbol, value: Value) -> Option<(Symbol, Value)> {
        let (inner, flights) = self.rust_split(value);
        if flights.is_empty() || inner == Value::NOTHING {
            return None;
        }
        let new = self.rust_outcome(inner, Vec::new());
        let env = self.here().env.0 as usize;
        self.envs[env].vars.insert(name, new);
        Some((name, value))
    }

    /// The variable that a branch looks at without the errors that took other ways.
    pub(super) fn rust_learn_way(&mut self, name: Symbol, sites: &[SiteId]) {
        let env = self.here().env.0 as usize;
        let Some(&value) = self.envs[env].vars.get(&name) else {
            return;
        };
        if self.rust_split(value).0 == Value::NOTHING {
            return;
        }
        let new = self.rust_without(value, sites);
        if new != value {
            self.envs[env].vars.insert(name, new);
        }
    }

    /// Gives variables back what they held before something was learned of them.
    pub(super) fn rust_unlearn(&mut self, old: Vec<(Symbol, Value)>) {
        let env = self.here().env.0 as usize;
        for (name, value) in old.into_iter().rev() {
            self.envs[env].vars.insert(name, value);
        }
    }
}
