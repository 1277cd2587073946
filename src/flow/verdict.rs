//! From what happened to an error to what can be said about its call site.

use super::flight::{Around, Escape, Note, Site, Stop};
use super::{Fate, Outcomes};
use crate::knowledge::{Connection, Knowledge, Retry};

/// What is true of one call site.
#[derive(Clone, Debug)]
pub enum Verdict<'a> {
    /// Something stops the error on every path.
    Handled(&'a Stop),
    /// The driver repeats the operation until it succeeds.
    Heals,
    /// Nothing leads here; the error goes nowhere.
    Unreached,
    /// On this path no guard receives the error.
    Unguarded(&'a Escape),
    /// A guard encloses the making of a lazy object, not its round trips.
    LazyOutside(&'a Escape, &'a Stop),
    /// A guard encloses the call, but does not cover the error.
    Missed(&'a Escape, &'a Note),
    /// A guard names something that never fires.
    Lookalike(&'a Escape, &'a Note),
    /// A handler raises again, and nothing further out receives that.
    Reraised(&'a Escape, &'a Note),
}

impl Verdict<'_> {
    /// The word for the inventory.
    pub fn word(&self, retry: Retry) -> &'static str {
        match self {
            Self::Handled(_) => "handled",
            Self::Heals => "heals",
            Self::Unreached => "unreached",
            Self::Unguarded(_) if retry == Retry::Once => "driver-retried",
            Self::Unguarded(_) => "escapes",
            Self::LazyOutside(..) => "lazy-outside-guard",
            Self::Missed(..) => "wrong-exception",
            Self::Lookalike(..) => "missing-exception-class",
            Self::Reraised(..) => "reraised",
        }
    }

    /// The path on which the error gets away.
    pub fn escape(&self) -> Option<&Escape> {
        match self {
            Self::Unguarded(e)
            | Self::LazyOutside(e, _)
            | Self::Missed(e, _)
            | Self::Lookalike(e, _)
            | Self::Reraised(e, _) => Some(e),
            _ => None,
        }
    }
}

/// Judges one call site. Of several ways out the one past the fewest guards counts, then the shortest.
pub fn judge<'a>(out: &'a Outcomes, fate: &'a Fate) -> Verdict<'a> {
    let escape = fate.escapes.iter().min_by_key(|e| {
        let untaken = e.flight.marks.untaken.is_some();
        (serious(e), untaken, out.paths.length(e.flight.path))
    });
    let Some(escape) = escape else {
        return match fate.stops.first() {
            Some(stop) => Verdict::Handled(stop),
            None if fate.heals => Verdict::Heals,
            None => Verdict::Unreached,
        };
    };
    let notes = &escape.flight.notes;
    if let Some(note) = notes
        .iter()
        .find(|n| matches!(n, Note::Missed { lookalike: Some(_), .. }))
    {
        return Verdict::Lookalike(escape, note);
    }
    if fate.heals {
        return Verdict::Heals;
    }
    // A handler that encloses the round trips and raises again says more than one that encloses only the making.
    let raised_again = notes.iter().find(|n| matches!(n, Note::Reraised { .. }));
    if let (Some(note), true) = (raised_again, escape.flight.created.is_some()) {
        return Verdict::Reraised(escape, note);
    }
    // A guard that stops the round trips on another path encloses both, and says nothing of the making.
    let elsewhere = |stop: &&Stop| fate.stops.iter().all(|other| other.place != stop.place);
    let only_making = match (escape.flight.around, escape.flight.created) {
        (Around::Guard(index), _) => out.making_guards.get(index as usize).filter(elsewhere),
        // Kept in an object, or in Rust: only if no making of it is without a guard.
        (Around::Unknown, Some(made)) if !out.bare_makings.contains(&made) => out
            .guarded_makings
            .get(&made)
            .and_then(|stops| stops.iter().find(elsewhere)),
        _ => None,
    };
    if let Some(stop) = only_making {
        return Verdict::LazyOutside(escape, stop);
    }
    // A handler that receives the error and raises again says more than one that it passes.
    if let Some(note) = raised_again {
        return Verdict::Reraised(escape, note);
    }
    if let Some(note) = notes.iter().find(|n| matches!(n, Note::Missed { near: true, .. })) {
        return Verdict::Missed(escape, note);
    }
    Verdict::Unguarded(escape)
}

/// How many guards an error met on its way out.
fn serious(escape: &Escape) -> usize {
    escape
        .flight
        .notes
        .iter()
        .filter(|n| matches!(n, Note::Missed { near: true, .. } | Note::Reraised { .. }))
        .count()
}

/// The kind of connection behind a call site. A bare one that was checked out of a pool and does not outlive its unit of
/// work is as good as the pool.
pub fn connection(out: &Outcomes, knowledge: &Knowledge, site: &Site) -> Connection {
    let kind = own_kind(out, knowledge, site);
    let pooled = site.under.and_then(|under| out.kinds.get(&under)) == Some(&Connection::Pooled);
    let outlives = site.origin.is_some_and(|origin| out.outliving.contains(&origin));
    if kind == Connection::Bare && pooled && !outlives {
        Connection::Pooled
    } else {
        kind
    }
}

fn own_kind(out: &Outcomes, knowledge: &Knowledge, site: &Site) -> Connection {
    if let Some(kind) = site.ty.and_then(|ty| knowledge.connection(ty)) {
        return kind;
    }
    if let Some(kind) = site.origin.and_then(|origin| out.kinds.get(&origin)) {
        return *kind;
    }
    let of = |lib| {
        let library = knowledge.library(lib);
        library.types.values().find_map(|&ty| knowledge.connection(ty))
    };
    of(site.lib)
        .or_else(|| of(site.driver))
        .unwrap_or(Connection::SelfHealing)
}
