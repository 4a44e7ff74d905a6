//! How threads of the host share the processor. On Linux a thread has a niceness of its own; elsewhere
//! nothing happens here.
//!
//! Threads that parse keep the usual one: a terminal that its user looks at while it prints as fast as it
//! can would lose against the very frames it is drawn in, and a niceness cannot be taken back for the next.

/// For work that nobody waits for.
pub(crate) fn behind_everybody() {
    set(10);
}

#[cfg(target_os = "linux")]
fn set(niceness: i32) {
    // Without a process it is the calling thread, on Linux. It can only be refused where it was made
    // nicer than this before.
    if let Err(error) = rustix::process::setpriority_process(None, niceness) {
        tracing::debug!(%error, niceness, "a thread keeps its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn set(_niceness: i32) {}
