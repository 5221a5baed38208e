//! Scope names and sets of them.
//!
//! A scope is an opaque, case-sensitive string ([RFC 6749 §3.3]). It is checked once, when it enters the
//! program, and from then on compared as a small number: every scope that a server's declarations
//! mention gets an index in its [`ScopeTable`], and a set of scopes is a row of bits.
//!
//! [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3

use std::{borrow::Cow, collections::HashMap, fmt};

use super::catalogue::Catalogue;

/// A scope token that satisfies the grammar of [RFC 6749 §3.3]: one or more printable ASCII characters
/// other than space, `"` and `\`.
///
/// ```
/// use toolgate::ScopeName;
///
/// let scope: ScopeName = "notes:read".parse()?;
/// assert_eq!(scope.as_str(), "notes:read");
/// assert!("notes read".parse::<ScopeName>().is_err());
/// # Ok::<(), toolgate::InvalidScope>(())
/// ```
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeName(Cow<'static, str>);

impl ScopeName {
    /// Checks `text` against the scope-token grammar.
    ///
    /// # Errors
    ///
    /// [`InvalidScope`] when `text` is empty or holds a character that a scope may not hold.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Result<Self, InvalidScope> {
        let text = text.into();
        if is_scope_token(&text) {
            Ok(Self(text))
        } else {
            Err(InvalidScope {
                text: text.escape_default().to_string(),
            })
        }
    }

    /// The scope as it is written in tokens, metadata and challenges.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for ScopeName {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.to_owned())
    }
}

/// A text that cannot be a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a scope: use printable ASCII characters without space, `\"` and `\\` (RFC 6749 §3.3)"
)]
pub struct InvalidScope {
    text: String,
}

pub(crate) fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Scopes as OAuth writes them (RFC 6749 §3.3).
pub(crate) fn join(scopes: &[ScopeName]) -> String {
    let scopes: Vec<_> = scopes.iter().map(ScopeName::as_str).collect();
    scopes.join(" ")
}

/// The scopes that one server knows, each with its index and with what it implies.
#[derive(Debug, Default)]
pub(crate) struct ScopeTable {
    index: HashMap<ScopeName, usize>,
    /// For each scope all that its holder holds: itself and, however many steps away, what it implies.
    closures: Vec<ScopeSet>,
}

impl ScopeTable {
    /// The scopes of `catalogue` with their hierarchy.
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let mut table = Self::default();
        let at = |table: &mut Self, name| ScopeName::new(name).ok().map(|name| table.intern(&name));
        let mut implied: Vec<(usize, usize)> = Vec::new();
        for declared in catalogue.scopes() {
            for &name in declared.implies {
                implied.extend(at(&mut table, declared.name).zip(at(&mut table, name)));
            }
            let _ = at(&mut table, declared.name);
        }
        // Each round makes known what is one step further away; there is an end to that, cycles or not.
        for _ in 0..table.closures.len() {
            for &(broad, narrow) in &implied {
                table.closures[broad] = table.closures[broad].union(&table.closures[narrow]);
            }
        }
        table
    }

    /// The index of `scope`, which is added when it is new.
    pub(crate) fn intern(&mut self, scope: &ScopeName) -> usize {
        if let Some(&at) = self.index.get(scope) {
            return at;
        }
        let at = self.closures.len();
        self.closures.push(std::iter::once(at).collect());
        self.index.insert(scope.clone(), at);
        at
    }

    /// The index of `scope`, if it is known here.
    pub(crate) fn get(&self, scope: &ScopeName) -> Option<usize> {
        self.index.get(scope).copied()
    }

    /// What a holder of `scopes` holds: those of them that are known here, with all that they imply.
    /// Others cannot matter.
    pub(crate) fn held<'a>(&self, scopes: impl IntoIterator<Item = &'a ScopeName>) -> ScopeSet {
        let known = scopes.into_iter().filter_map(|scope| self.get(scope));
        known.fold(ScopeSet::default(), |held, at| {
            held.union(&self.closures[at])
        })
    }
}

/// A set of scopes of one [`ScopeTable`], a bit each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ScopeSet(Vec<u64>);

impl ScopeSet {
    /// Whether the scope at index `at` is in it.
    pub(crate) fn contains(&self, at: usize) -> bool {
        self.0
            .get(at / 64)
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Whether every scope of `self` is in `held`.
    pub(crate) fn is_subset_of(&self, held: &Self) -> bool {
        let (shared, beyond) = self.0.split_at(self.0.len().min(held.0.len()));
        shared
            .iter()
            .zip(&held.0)
            .all(|(needed, held)| needed & !held == 0)
            && beyond.iter().all(|&needed| needed == 0)
    }

    /// The scopes of both.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let (mut union, rest) = if self.0.len() < other.0.len() {
            (other.clone(), self)
        } else {
            (self.clone(), other)
        };
        for (word, more) in union.0.iter_mut().zip(&rest.0) {
            *word |= more;
        }
        union
    }
}

impl FromIterator<usize> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = usize>>(indices: I) -> Self {
        let mut words = Vec::new();
        for at in indices {
            let word = at / 64;
            if word >= words.len() {
                words.resize(word + 1, 0);
            }
            words[word] |= 1 << (at % 64);
        }
        Self(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_that_of_rfc_6749() {
        for byte in 0..=255_u8 {
            let text = String::from(char::from(byte));
            let legal =
                byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte);
            assert_eq!(ScopeName::new(text).is_ok(), legal, "byte {byte:#x}");
        }
        assert!(ScopeName::new("").is_err());
        assert!(ScopeName::new("notes:read").is_ok());
        assert!(ScopeName::new("größe").is_err());
    }

    #[test]
    fn subset_looks_at_every_word_on_both_sides() {
        let set = |indices: &[usize]| indices.iter().copied().collect::<ScopeSet>();
        assert!(set(&[]).is_subset_of(&set(&[])));
        assert!(set(&[0, 70]).is_subset_of(&set(&[0, 1, 70, 200])));
        assert!(!set(&[0, 70]).is_subset_of(&set(&[0])));
        assert!(!set(&[70]).is_subset_of(&set(&[6])));
        assert!(!set(&[1]).is_subset_of(&set(&[0, 64, 128])));
    }

    #[test]
    fn a_scope_nobody_declared_is_not_in_any_set() {
        let mut table = ScopeTable::default();
        let read = ScopeName::new("read").unwrap();
        let other = ScopeName::new("other").unwrap();
        assert_eq!(table.intern(&read), table.intern(&read));
        assert_eq!(table.held([&other]), ScopeSet::default());
        assert!(
            table
                .held([&read])
                .is_subset_of(&table.held([&other, &read]))
        );
    }
}
