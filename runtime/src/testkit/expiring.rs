//! A map whose entries end by themselves, and which refuses to grow without bound.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::refusal::Refusal;

/// Values under unguessable names, each with an end. Time comes in through arguments, so that tests need
/// no sleeping.
pub(super) struct ExpiringMap<V> {
    entries: HashMap<String, (Instant, V)>,
    limit: usize,
}

impl<V> ExpiringMap<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            limit,
        }
    }

    /// Keeps `value` for `lifetime`. A full map refuses rather than forgets what it still vouches for.
    pub(super) fn insert(
        &mut self,
        name: String,
        value: V,
        lifetime: Duration,
        now: Instant,
    ) -> Result<(), Refusal> {
        if self.entries.len() >= self.limit {
            self.entries.retain(|_, (end, _)| *end > now);
        }
        if self.entries.len() >= self.limit {
            return Err(Refusal::full());
        }
        self.entries.insert(name, (now + lifetime, value));
        Ok(())
    }

    pub(super) fn get_mut(&mut self, name: &str, now: Instant) -> Option<&mut V> {
        self.entries
            .get_mut(name)
            .filter(|(end, _)| *end > now)
            .map(|(_, value)| value)
    }

    pub(super) fn remove(&mut self, name: &str, now: Instant) -> Option<V> {
        self.entries
            .remove(name)
            .filter(|(end, _)| *end > now)
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_entry_is_gone_when_its_time_is_over() {
        let now = Instant::now();
        let mut map = ExpiringMap::new(2);
        map.insert("a".to_owned(), 1, MINUTE, now).unwrap();
        assert_eq!(map.get_mut("a", now), Some(&mut 1));
        assert_eq!(map.get_mut("a", now + MINUTE), None);
        assert_eq!(map.remove("a", now + MINUTE), None);
    }

    #[test]
    fn a_full_map_refuses_until_something_in_it_has_expired() {
        let now = Instant::now();
        let mut map = ExpiringMap::new(1);
        map.insert("a".to_owned(), 1, MINUTE, now).unwrap();
        assert_eq!(
            map.insert("b".to_owned(), 2, MINUTE, now),
            Err(Refusal::full())
        );
        map.insert("b".to_owned(), 2, MINUTE, now + MINUTE).unwrap();
    }
}
