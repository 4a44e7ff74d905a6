//! The host: actors that own agents, terminals and runs, and recovery after a crash.
