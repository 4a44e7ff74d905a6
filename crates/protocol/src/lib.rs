//! How clients and the host talk: commands, events, the codec and the transports.
//!
//! A client connects, shakes hands, gets a [`message::World`] with a sequence number, then events.
//! Commands are acknowledged after they are persisted. Terminals cross as frames, latest wins, one
//! credit per terminal and client.
//!
//! This crate knows how messages travel and nothing about what they do: no command is understood here.

pub mod client;
pub mod codec;
pub mod home;
pub mod message;
pub mod server;

use tokio::sync::mpsc;

pub use client::{Client, Incoming};
pub use home::Home;

/// Bytes in flight in one direction of [`in_process`]: about what a socket holds.
const PIPE: usize = 64 << 10;

/// A client and its peer in one process, over the same hand-shake and codec as the socket: what a test
/// of the host needs instead of one.
pub async fn in_process()
-> Result<((Client, mpsc::Receiver<Incoming>), server::Peer), client::Error> {
    let (ours, theirs) = tokio::io::duplex(PIPE);
    let connection = server::Connection::over(theirs);
    let (client, peer) = tokio::join!(Client::over(ours), connection.handshake(None));
    Ok((client?, peer?))
}

/// A connection as [`in_process`] makes it, with the host's half still before its hand-shake: for
/// handing to whatever takes a [`server::Connection`] from a [`server::Listener`]. The future of the
/// client resolves once the other half has shaken hands.
pub fn in_process_halves() -> (
    impl Future<Output = Result<(Client, mpsc::Receiver<Incoming>), client::Error>> + Send,
    server::Connection,
) {
    let (ours, theirs) = tokio::io::duplex(PIPE);
    (Client::over(ours), server::Connection::over(theirs))
}
