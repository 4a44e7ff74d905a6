//! The protocol's behaviour through its public API.
#![allow(missing_debug_implementations, missing_docs)]

mod arbitrary;
mod codec;
mod corpus;
mod memory;
#[cfg(unix)]
mod transport;
