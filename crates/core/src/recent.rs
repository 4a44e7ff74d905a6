//! What is used often, and lately: the order of lists that a person chooses from.
//!
//! A use counts one; what it counts is halved every three days. So what one did today is before what
//! one did often last month, and what one does each day stays before both.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A use counts half after so long, in milliseconds: three days.
const HALF_MS: f64 = 3.0 * 24.0 * 3600.0 * 1000.0;

/// Things that are remembered; of more, what is used least goes.
const MOST: usize = 200;

/// A longer name is not remembered, in bytes.
const LONGEST: usize = 200;

/// How often things were used, and how lately.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recent(Vec<Used>);

/// A thing that was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Used {
    name: String,
    /// What all its uses counted at `at_ms`.
    weight: f64,
    /// When it was used last, in milliseconds since the Unix epoch.
    at_ms: u64,
}

impl Used {
    fn weight(&self, now_ms: u64) -> f64 {
        // A clock that was set back makes nothing older than it is.
        let age = now_ms.saturating_sub(self.at_ms) as f64;
        let weight = if self.weight.is_finite() { self.weight } else { 0.0 };
        weight * (-age / HALF_MS).exp2()
    }
}

impl Recent {
    /// Something was used now.
    pub fn note(&mut self, name: &str, now_ms: u64) {
        if name.len() > LONGEST {
            return;
        }
        match self.0.iter_mut().find(|used| used.name == name) {
            Some(used) => {
                used.weight = used.weight(now_ms) + 1.0;
                used.at_ms = now_ms;
            }
            None => self.0.push(Used { name: name.to_owned(), weight: 1.0, at_ms: now_ms }),
        }
        if self.0.len() > MOST {
            let least =
                self.0.iter().enumerate().min_by(|(_, one), (_, other)| {
                    one.weight(now_ms).total_cmp(&other.weight(now_ms))
                });
            if let Some((at, _)) = least {
                let _ = self.0.remove(at);
            }
        }
    }

    /// How much its uses count now; 0 for what was never used.
    #[must_use]
    pub fn weight(&self, name: &str, now_ms: u64) -> f64 {
        let used = self.0.iter().find(|used| used.name == name);
        used.map_or(0.0, |used| used.weight(now_ms))
    }

    /// How much the uses of everything count now, by name.
    #[must_use]
    pub fn weights(&self, now_ms: u64) -> HashMap<&str, f64> {
        self.0.iter().map(|used| (used.name.as_str(), used.weight(now_ms))).collect()
    }

    /// Whether nothing was used yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What counts most, the most first.
    #[must_use]
    pub fn first(&self, count: usize, now_ms: u64) -> Vec<&str> {
        let mut all: Vec<&Used> = self.0.iter().collect();
        all.sort_by(|one, other| other.weight(now_ms).total_cmp(&one.weight(now_ms)));
        all.into_iter().take(count).map(|used| used.name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600 * 1000;

    #[test]
    fn often_and_lately_come_first() {
        let mut recent = Recent::default();
        for _ in 0..4 {
            recent.note("often", DAY);
        }
        recent.note("once", 2 * DAY);
        assert_eq!(recent.first(9, 2 * DAY), ["often", "once"]);
        recent.note("today", 30 * DAY);
        assert_eq!(recent.first(2, 30 * DAY), ["today", "often"]);
        assert!((recent.weight("often", 4 * DAY) - 2.0).abs() < 1e-9, "half after three days");
        assert_eq!(recent.weights(4 * DAY).get("often"), Some(&recent.weight("often", 4 * DAY)));
        assert!(recent.weight("never", DAY).abs() < f64::EPSILON);
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let mut recent = Recent::default();
        recent.note("mine", 0);
        recent.note("mine", 0);
        for number in 0..3 * MOST {
            recent.note(&format!("c{number}"), number as u64);
        }
        recent.note(&"x".repeat(LONGEST + 1), 0);
        assert_eq!(recent.0.len(), MOST);
        assert!(recent.weight("mine", 0) > 1.0, "what counts more is kept");
        let text = serde_json::to_string(&recent).expect("written");
        assert_eq!(serde_json::from_str::<Recent>(&text).expect("read"), recent);
    }
}
