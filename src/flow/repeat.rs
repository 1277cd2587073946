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
        let mark = self.here().loops.last().map_or(log, |l| l.log.unwrap_or(log));
        let open = self.frames.iter().any(|f| f.transactions > 0);
        let waits = waited || self.waited_since(mark);
        for flight in flights.iter().filter(|f| f.making.is_none()) {
            let site = self.out.sites.get(flight.site).clone();
            let region = Place {
                unit: place.unit,
                span: found.region,
            };
            let changes = self.changes(&site, flight, Some(region));
            let resumed = site.iteration
                && site.ty.is_some_and(|t| self.k.ty(t).spec.dead_after_loss)
                && flight
                    .created
                    .is_some_and(|c| !self.made_since(c, mark) && c != site.at);
            // Rust: the transaction is an object that was made before.
            let begun = !site.iteration && flight.created.is_some_and(|c| !self.made_since(c, mark));
            let in_transaction = site.in_transaction && (open || begun);
            if !in_transaction {
                self.note_tried_again(flight.site, mark);
            }
            let retried = self.retried(place);
            retried.limited |= found.limited;
            retried.waits |= waits;
            retried.silent |= found.silent;
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
        let site = self.out.sites.get(flight.site).clone();
        let open = self.frames.iter().any(|f| f.transactions > 0);
        let changes = self.changes(&site, flight, None);
        let (limited, waits, silent) = (guard.limited, guard.waits, guard.silent);
        let mark = self.guard_mark;
        let resumed = site.iteration
            && site.ty.is_some_and(|t| self.k.ty(t).spec.dead_after_loss)
            && flight
                .created
                .is_some_and(|c| c != site.at && !mark.is_some_and(|m| self.made_since(c, m)));
        let begun = !site.iteration
            && flight
                .created
                .is_some_and(|c| !mark.is_some_and(|m| self.made_since(c, m)));
        let in_transaction = site.in_transaction && (open || begun);
        if let Some(mark) = mark.filter(|_| !in_transaction) {
            self.note_tried_again(flight.site, mark);
        }
        let retried = self.retried(guard.place);
        retried.limited |= limited;
        retried.waits |= waits;
        retried.silent |= silent;
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
        let Some(mark) = self.here().loops.last().map(|l| l.log.unwrap_or(log)) else {
            return;
        };
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
