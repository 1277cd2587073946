//! The estimate of how deep the parser will recurse, from tokens alone.
//!
//! Per open bracket it counts what may lie on the parser's stack, or in the tree, between the bracket and the current
//! token. Each operator, call and keyword counts one until the next `,` or `;`, for it may be a prefix (`&&&x`), a link
//! of a chain (`a.b().c()`) or have an operand to its right (`a = b = c`). The sum over all open brackets bounds the
//! nesting, usually several times over; its peak is what the file may need.

/// How many levels of recursion a pair of brackets stands for.
const BRACKET: u32 = 8;

/// The same for `<`, of which types take the most stack and which nobody needs to close for that.
const ANGLE: u32 = 3;

/// `box x` patterns are long gone from the language, and syn needs quadratic time for a row of them.
const BOX: u32 = 100;

/// Keywords that a nested expression, type or pattern may follow. Other words never stand in a row.
const KEYWORDS: [&[u8]; 27] = [
    b"as", b"async", b"await", b"box", b"break", b"const", b"do", b"dyn", b"else", b"fn", b"for", b"if", b"impl",
    b"in", b"let", b"loop", b"match", b"move", b"mut", b"ref", b"return", b"static", b"try", b"unsafe", b"use",
    b"while", b"yield",
];

/// The running estimate.
#[derive(Default)]
pub(super) struct Levels {
    outer: Vec<Level>,
    level: Level,
    total: u32,
    peak: u32,
    /// The previous token was a value, so `|` is an operator and not the start of a closure.
    after_operand: bool,
    /// The previous token was `}`, which ends a statement unless the next one goes on (`}.x()`, `} else`).
    after_brace: bool,
}

#[derive(Default)]
struct Level {
    /// Since the last `,`.
    soft: u32,
    /// Since the last `;`: what the commas of type arguments and closure parameters do not end.
    /// `A<B, A<B, ..` and `|a, b| |a, b| ..` nest although each has commas of its own.
    hard: u32,
    /// How much of `hard` each open `<` moved there.
    angles: Vec<u32>,
}

impl Levels {
    /// How many brackets are open.
    pub fn depth(&self) -> u32 {
        self.outer.len() as u32
    }

    /// The highest estimate so far.
    pub fn peak(&self) -> u32 {
        self.peak
    }

    fn add(&mut self, n: u32) {
        self.level.soft += n;
        self.total += n;
        self.peak = self.peak.max(self.total);
    }

    fn reset_soft(&mut self) {
        self.total -= self.level.soft;
        self.level.soft = 0;
    }

    fn reset(&mut self) {
        self.reset_soft();
        self.total -= self.level.hard;
        self.level.hard = 0;
        self.level.angles.clear();
    }

    /// Moves what was counted since the last comma to where commas do not reach.
    fn harden(&mut self, n: u32) -> u32 {
        self.add(n);
        let moved = std::mem::take(&mut self.level.soft);
        self.level.hard += moved;
        moved
    }

    /// An opening bracket.
    pub fn open(&mut self) {
        self.total += BRACKET;
        self.peak = self.peak.max(self.total);
        self.outer.push(std::mem::take(&mut self.level));
        (self.after_operand, self.after_brace) = (false, false);
    }

    /// A closing bracket.
    pub fn close(&mut self, byte: u8) {
        self.reset();
        if let Some(level) = self.outer.pop() {
            self.level = level;
            self.total -= BRACKET;
        }
        // `f()()[0][0]` is a chain without operators.
        self.add(1);
        (self.after_operand, self.after_brace) = (true, byte == b'}');
    }

    /// A literal or a lifetime.
    pub fn operand(&mut self) {
        if self.after_brace {
            self.reset();
        }
        (self.after_operand, self.after_brace) = (true, false);
    }

    /// An identifier, a keyword or a number.
    pub fn word(&mut self, word: &[u8]) {
        if !KEYWORDS.contains(&word) {
            self.operand();
            return;
        }
        if self.after_brace && !matches!(word, b"else" | b"as") {
            self.reset();
        }
        self.add(if word == b"box" { BOX } else { 1 });
        (self.after_operand, self.after_brace) = (word == b"await", false);
    }

    /// Punctuation, byte by byte; `previous` is the byte before it.
    pub fn punct(&mut self, byte: u8, previous: u8) {
        match byte {
            b';' => self.reset(),
            b',' => self.reset_soft(),
            b'#' if self.after_brace => self.reset(),
            b'<' => {
                let moved = self.harden(ANGLE);
                self.level.angles.push(moved);
            }
            // Not `->`, `=>`, `>=` (where `<=` has pushed as well; both only overestimate).
            b'>' if !matches!(previous, b'-' | b'=') => {
                let back = self.level.angles.pop().unwrap_or(0);
                self.level.hard -= back;
                self.level.soft += back;
                self.add(1);
            }
            b'|' if !self.after_operand => {
                self.harden(1);
            }
            _ => self.add(1),
        }
        (self.after_operand, self.after_brace) = (false, false);
    }
}
