//! How threads of the host share the processor with each other. On Linux a thread has a niceness of its
//! own; elsewhere nothing happens here, and the pool's order alone decides.

/// For threads that parse what floods: whoever brings a key to its child, a frame to its client or draws
/// comes first when the processor is short.
pub(crate) fn behind_those_who_are_waited_for() {
    set(5);
}

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
