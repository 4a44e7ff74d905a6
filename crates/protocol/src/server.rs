//! The host's side of the local socket: only the same user gets in, and a client that is rude, slow
//! or hostile costs one connection.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use interprocess::local_socket::tokio::prelude::*;
use interprocess::local_socket::tokio::{Listener as Socket, Stream};
use interprocess::local_socket::{GenericFilePath, ListenerOptions};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf};

use crate::codec::{self, Hello, MAX_TO_CLIENT};
use crate::home::{Home, Lock};
use crate::message::{self, ToClient, ToHost};

/// How long a client may take to say hello.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Why the socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody answers on our socket although we hold the lock.
    #[error("something already answers on {0}: end it, or set MAESTRO_HOME to another folder")]
    Answered(PathBuf),
    /// The socket cannot be made.
    #[error("the socket {path} cannot be made: {source}")]
    Bind {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No further connection can be taken.
    #[error("no connection can be taken: {0}")]
    Accept(io::Error),
}

/// The bound socket. Dropping it removes the socket's file.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    path: PathBuf,
}

impl Listener {
    /// Binds the socket of a home folder. The lock proves that nobody else may: a file that nobody
    /// answers on was left by a host that died, and is removed.
    pub fn bind(home: &Home, _lock: &Lock) -> Result<Self, Error> {
        let path = home.socket();
        if !cfg!(windows) && path.symlink_metadata().is_ok() {
            if crate::client::probe(&path) {
                return Err(Error::Answered(path));
            }
            std::fs::remove_file(&path)
                .map_err(|source| Error::Bind { path: path.clone(), source })?;
        }
        let socket = path
            .as_path()
            .to_fs_name::<GenericFilePath>()
            .and_then(|name| ListenerOptions::new().name(name).create_tokio())
            .map_err(|source| Error::Bind { path: path.clone(), source })?;
        Ok(Self { socket, path })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next connection of this user. Another user's is dropped without a word and the wait goes
    /// on. An error here (too many open files, for one) passes: wait a moment and call again.
    ///
    /// Safe to cancel. The hand-shake waits for the peer: do it in a task of its own.
    pub async fn accept(&self) -> Result<Connection, Error> {
        loop {
            let stream = self.socket.accept().await.map_err(Error::Accept)?;
            match same_user(&stream) {
                Ok(true) => return Ok(Connection { stream: Box::new(stream) }),
                Ok(false) => tracing::warn!("another user's process tried to connect"),
                Err(error) => tracing::warn!(%error, "a peer's user is unknown; it is refused"),
            }
        }
    }
}

#[cfg(unix)]
fn same_user(stream: &Stream) -> io::Result<bool> {
    use interprocess::local_socket::traits::StreamCommon as _;

    let user = stream
        .peer_creds()?
        .euid()
        .ok_or_else(|| io::Error::other("the platform does not tell a peer's user"))?;
    Ok(user == rustix::process::geteuid().as_raw())
}

#[cfg(not(unix))]
fn same_user(_: &Stream) -> io::Result<bool> {
    // A named pipe's default security descriptor already keeps other users from writing.
    Ok(true)
}

/// Anything bytes go through in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for T {}

/// A connection before its hand-shake.
pub struct Connection {
    stream: Box<dyn Duplex>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    pub(crate) fn over(stream: impl Duplex) -> Self {
        Self { stream: Box::new(stream) }
    }

    /// Shakes hands, within a bound. With a sentence in `refuse` the client is turned away with it
    /// (too many clients, the host is stopping).
    pub async fn handshake(mut self, refuse: Option<&str>) -> Result<Peer, codec::Error> {
        let greeting = codec::greet_client(&mut self.stream, refuse);
        let hello = tokio::time::timeout(HANDSHAKE, greeting)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let (read, write) = tokio::io::split(self.stream);
        Ok(Peer {
            hello,
            receiver: Receiver { from: BufReader::new(read), buffer: Vec::new() },
            sender: Sender { to: write, buffer: Vec::new() },
        })
    }
}

/// A client after its hand-shake.
#[derive(Debug)]
pub struct Peer {
    /// What it said.
    pub hello: Hello,
    /// What it sends.
    pub receiver: Receiver,
    /// What it is sent.
    pub sender: Sender,
}

/// What a client sends.
pub struct Receiver {
    from: BufReader<ReadHalf<Box<dyn Duplex>>>,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

impl Receiver {
    /// The next message; `None` when the client is gone. After an error the connection is of no use:
    /// drop both halves.
    ///
    /// Not safe to cancel: await it in a task of its own.
    pub async fn recv(&mut self) -> Result<Option<ToHost>, codec::Error> {
        codec::read_to_host(&mut self.from, &mut self.buffer).await
    }
}

/// What a client is sent. Messages gather in memory until [`Sender::flush`]; the caller bounds how
/// many it hands over in between.
pub struct Sender {
    to: WriteHalf<Box<dyn Duplex>>,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("gathered", &self.buffer.len()).finish_non_exhaustive()
    }
}

/// Gathered bytes from which on a message is written at once.
const GATHER: usize = 256 << 10;

impl Sender {
    /// Adds a message. A reply too large for the wire becomes an error reply; any other such message
    /// is an error.
    pub async fn send(&mut self, message: &ToClient) -> Result<(), codec::Error> {
        match (codec::encode(message, MAX_TO_CLIENT, &mut self.buffer), message) {
            (Err(codec::Error::TooLarge { limit }), ToClient::Reply { id, .. }) => {
                let message = message::Error {
                    kind: message::ErrorKind::Failed,
                    message: format!("the answer is larger than {limit} bytes: ask for less"),
                };
                let reply = ToClient::Reply { id: *id, result: Err(message) };
                codec::encode(&reply, MAX_TO_CLIENT, &mut self.buffer)?;
            }
            (result, _) => result?,
        }
        if self.buffer.len() >= GATHER { self.flush().await } else { Ok(()) }
    }

    /// Writes everything added since the last time. Waits for a client that does not read.
    ///
    /// Not safe to cancel, except to give the client up.
    pub async fn flush(&mut self) -> Result<(), codec::Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.to.write_all(&self.buffer).await?;
        self.to.flush().await?;
        self.buffer.clear();
        self.buffer.shrink_to(GATHER);
        Ok(())
    }

    /// Says goodbye properly, so that what was sent arrives.
    pub async fn close(mut self) -> Result<(), codec::Error> {
        self.flush().await?;
        self.to.shutdown().await?;
        Ok(())
    }
}
