//! "Did you mean": the declared name that a misspelt one looks most like.

/// The candidate that differs least from `text`, if it differs little.
pub(crate) fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
    let scored = candidates.map(|candidate| (distance(text, candidate), candidate));
    let (score, candidate) = scored.min()?;
    (score <= text.len() / 3 + 1).then(|| candidate.to_owned())
}

/// The Levenshtein distance, in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_alike_is_suggested() {
        let candidates = || ["notes:read", "notes:write", "admin"].into_iter();
        assert_eq!(
            nearest("notes:raed", candidates()).as_deref(),
            Some("notes:read")
        );
        assert_eq!(
            nearest("note:write", candidates()).as_deref(),
            Some("notes:write")
        );
        assert_eq!(nearest("calendar", candidates()), None);
        assert_eq!(nearest("x", std::iter::empty()), None);
    }
}
