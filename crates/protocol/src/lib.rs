//! How clients and the host talk: commands, events, the codec and the transports.
//!
//! A client connects, shakes hands, gets a [`message::World`] with a sequence number, then events.
//! Commands are acknowledged after they are persisted. Terminals cross as frames, latest wins, one
//! credit per terminal and client.

pub mod message;
