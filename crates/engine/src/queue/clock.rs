//! What time it is, and waiting for a time of the wall clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Later;

/// How long is slept at most before the wall clock is looked at again: a machine that was suspended, or
/// whose clock was set, is noticed this late.
const SLICE: Duration = Duration::from_secs(5);

/// A clock.
pub trait Clock: Send + Sync + 'static {
    /// Now: milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Waits until then, by the wall clock.
    fn sleep_until(&self, at_ms: u64) -> Later<'static, ()>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
    }

    fn sleep_until(&self, at_ms: u64) -> Later<'static, ()> {
        Box::pin(async move {
            loop {
                let left = at_ms.saturating_sub(Self.now_ms());
                if left == 0 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(left).min(SLICE)).await;
            }
        })
    }
}
