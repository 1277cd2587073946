//! Retries that were met: what they repeat, and what is wrong with that.

use super::flight::{Flight, Place, SiteId};
use super::log::Mark;
use super::retry::RetryLoop;
use super::{Guard, Interp};
use crate::knowledge::Repeat;

/// A retry and the call sites that it repeats.
#[derive(Clone, Debug)]
pub struct Retried {
    /// The loop, the handler or the decorator.
    pub place: Place,
    /// The number of attempts is limited.
    pub limited: bool,
    /// It waits between attempts.
    pub waits: bool,
    /// After the last attempt it goes on as if nothing had happened.
    pub silent: bool,
    /// What it repeats.
    pub sites: Vec<SiteId>,
    /// Writes among them that change the result when applied twice.
    pub changing: Vec<SiteId>,
    /// Statements of a transaction that is not begun again.
    pub in_transaction: Vec<SiteId>,
    /// Iterations that go on with the same object.
    pub resumed: Vec<SiteId>,
}

/// What is known of a retry where a call turns out to be repeated by it.
#[derive(Clone, Copy)]
struct Attempts {
    /// Where it is reported.
    place: Place,
    /// The body of a loop, in which what is written is made anew each time.
    region: Option<Place>,
    /// Where in the log an attempt begins, if that is known.
    since: Option<Mark>,
    limited: bool,
    waits: bool,
    silent: bool,
}

impl Interp<'_> {
    fn retried(&mut self, place: Place) -> &mut Retried {
        let index = if let Some(index) = self.out.retried.iter().position(|r| r.place == place) {
            index
        } else {
            self.out.retried.push(Retried {
                place,
                limited: false,
                waits: false,
                silent: false,
                sites: Vec::new(),
                changing: Vec::new(),
                in_transaction: Vec::new(),
                resumed: Vec::new(),
            });
            self.out.retried.len() - 1
        };
        &mut self.out.retried[index]
    }

    /// A loop or recursion of the project repeats these.
    pub(super) fn note_retry(&mut self, place: Place, found: &RetryLoop, flights: &[Flight], log: Mark, waited: bool) {
        let mark = match self.here().loops.last() {
            _ if found.recursive => self.here().begin,
            Some(around) => around.log.unwrap_or(log),
            None => log,
        };
        let attempts = Attempts {
            place,
            region: Some(Place {
                unit: place.unit,
                span: found.region,
            }),
            since: Some(mark),
            limited: found.limited,
            waits: waited || self.waited_since(mark),
            silent: found.silent,
        };
        for flight in flights.iter().filter(|f| f.making.is_none()) {
            self.note_repeated(flight, attempts);
        }
    }

    /// The end of a loop's body, after a handler of its retry went on there.
    pub(super) fn note_wait_after(&mut self, place: Place, handled: Mark) {
        if self.waited_since(handled) {
            self.retried(place).waits = true;
        }
    }

    /// A library's retry repeats this.
    pub(super) fn note_guard_retry(&mut self, guard: &Guard, flight: &Flight) {
        if flight.making.is_some() {
            return;
        }
        let attempts = Attempts {
            place: guard.place,
            region: None,
            since: self.guard_mark,
            limited: guard.limited,
            waits: guard.waits,
            silent: guard.silent,
        };
        self.note_repeated(flight, attempts);
    }

    /// What it means that this call is tried again.
    fn note_repeated(&mut self, flight: &Flight, attempts: Attempts) {
        let site = self.out.sites.get(flight.site).clone();
        let changes = self.changes(&site, flight, attempts.region);
        let anew = |made| attempts.since.is_some_and(|mark| self.made_since(made, mark));
        let again = |made| {
            let mark = attempts.region.and_then(|_| self.taken_up_since());
            mark.is_some_and(|mark| self.made_since(made, mark))
        };
        let resumed = site.iteration
            && site.ty.is_some_and(|t| self.k.ty(t).spec.dead_after_loss)
            && flight
                .created
                .is_some_and(|made| made != site.at && !anew(made) && !again(made));
        // Rust: the transaction is an object that was made before.
        let begun = !site.iteration && flight.created.is_some_and(|made| !anew(made));
        let open = self.frames.iter().any(|f| f.transactions > 0);
        let in_transaction = site.in_transaction && (open || begun);
        if let Some(mark) = attempts.since.filter(|_| !in_transaction) {
            self.note_tried_again(flight.site, mark);
        }
        let retried = self.retried(attempts.place);
        retried.limited |= attempts.limited;
        retried.waits |= attempts.waits;
        retried.silent |= attempts.silent;
        push(&mut retried.sites, flight.site);
        if resumed {
            push(&mut retried.resumed, flight.site);
        } else if changes {
            push(&mut retried.changing, flight.site);
        }
        if in_transaction {
            push(&mut retried.in_transaction, flight.site);
        }
    }

    /// A handler goes on with its loop: an iteration taken up there again must be of a new object.
    pub(super) fn note_resumed(&mut self, place: Place, flights: &[Flight], log: Mark) {
        if self.here().loops.is_empty() {
            return;
        }
        let mark = self.taken_up_since().unwrap_or(log);
        for flight in flights.iter().filter(|f| f.making.is_none()) {
            let site = self.out.sites.get(flight.site).clone();
            let Some(created) = flight.created else { continue };
            let dead = site.ty.is_some_and(|t| self.k.ty(t).spec.dead_after_loss);
            if site.iteration && dead && site.steps && created != site.at && !self.made_since(created, mark) {
                push(&mut self.retried(place).resumed, flight.site);
            }
        }
    }

    /// Applying the write twice changes the result.
    fn changes(&mut self, site: &super::flight::Site, flight: &Flight, region: Option<Place>) -> bool {
        match site.repeat {
            Some(Repeat::Changes) => true,
            Some(Repeat::Inserts) => {
                // A document made once carries its key along; one made in each attempt is another one each time.
                let Some(document) = site.document else { return false };
                let inside = match region {
                    Some(region) => {
                        let span = self.place_of(document).span;
                        document.unit == region.unit && region.span.contains(span)
                    }
                    None => false,
                };
                inside || flight.path != super::flight::PathId::EMPTY || region.is_none()
            }
            _ => false,
        }
    }
}

fn push(list: &mut Vec<SiteId>, site: SiteId) {
    if !list.contains(&site) {
        list.push(site);
    }
}
