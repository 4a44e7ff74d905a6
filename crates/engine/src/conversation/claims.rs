//! Sessions that somebody is about to open: what is open is known by its tab or its terminal, but a program
//! takes seconds until it is either, and another one could be started for the same session meanwhile.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use maestro_core::agent::Provider;

/// Somebody else is about to open the session.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this session is being opened elsewhere at this moment; try again when it is there")]
pub(crate) struct Claimed;

/// The sessions that are being opened.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<HashSet<(Provider, String)>>);

impl Claims {
    /// Claims a session until what is returned is dropped.
    ///
    /// # Errors
    ///
    /// When somebody else has claimed it.
    pub(crate) fn take(
        self: &Arc<Self>,
        provider: Provider,
        session: &str,
    ) -> Result<Claim, Claimed> {
        let key = (provider, session.to_owned());
        if !self.lock().insert(key.clone()) {
            return Err(Claimed);
        }
        Ok(Claim { claims: Arc::clone(self), key })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<(Provider, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session that is being opened.
#[derive(Debug)]
pub(crate) struct Claim {
    claims: Arc<Claims>,
    key: (Provider, String),
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = self.claims.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_opened_by_one_at_a_time() {
        let claims = Arc::new(Claims::default());
        let first = claims.take(Provider::Codex, "a").expect("it is free");
        assert_eq!(claims.take(Provider::Codex, "a").err(), Some(Claimed));
        let _other = claims.take(Provider::Codex, "b").expect("another one");
        let _same = claims.take(Provider::Claude, "a").expect("another provider's");
        drop(first);
        let _again = claims.take(Provider::Codex, "a").expect("it is free again");
    }
}
