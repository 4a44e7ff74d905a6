//! One task per connection reads, one writes. A client that is rude, slow or hostile costs its own
//! connection: it may have so many requests in flight and so many subscriptions, and while its replies
//! are not read its requests are not read either.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use maestro_core::TerminalId;
use maestro_core::notice;
use maestro_core::search::{QUERY_LIMIT, Query};
use maestro_protocol::codec;
use maestro_protocol::message::{Command, Error, ErrorKind, Event, Reply, ToHost};
use maestro_protocol::server::{Connection, Listener, Peer, Receiver, Sender};
use maestro_terminal::Palette;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Shared, commands, playbooks, refuse, theme};
use crate::client::Client;
use crate::conversation::Ask;
use crate::session::{Link, NotTaken, Session};

/// Connections at once: windows and commands of one user.
const CLIENTS: usize = 128;
/// Requests of one client that may be in work or unanswered.
const REQUESTS: usize = 64;
/// How many of these one counts for that may have megabytes, or whose answer may: a terminal with its
/// history, an image.
const LARGE: u32 = 16;
/// Terminals one client may watch.
const SUBSCRIPTIONS: usize = 256;
/// After a failed accept (no descriptors left): a moment for others to close theirs.
const BREATHER: Duration = Duration::from_millis(100);
/// How long a client that was told goodbye may take to read it.
const GOODBYE: Duration = Duration::from_millis(800);

/// Takes connections until it is ended.
pub(crate) async fn listen(shared: Arc<Shared>, listener: Listener) {
    loop {
        match listener.accept().await {
            Ok(connection) => {
                super::detach(serve(Arc::clone(&shared), connection));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, connection: Connection) {
    let refusal = if shared.is_stopping() {
        Some(codec::STOPPING)
    } else if shared.client_count() >= CLIENTS {
        Some("it has too many clients; close some")
    } else {
        None
    };
    let peer = match connection.handshake(refusal).await {
        Ok(peer) => peer,
        Err(error) => {
            tracing::debug!(%error, "a hand-shake failed");
            return;
        }
    };
    // Only now: who says nothing takes nobody's place.
    let client = shared.add_client();
    if shared.is_stopping() {
        // The hand-shake took so long that the goodbyes may have been said.
        client.close();
    }
    converse(&shared, &client, peer).await;
    shared.remove_client(&client);
    shared.forget_watches(client.id.0);
    shared.forget_followed_conflicts(client.id.0);
    // Whatever it watched may have been watched by the task that was ended.
    for session in shared.world.terminals() {
        session.forget(client.id);
    }
}

/// Reads and writes until either ends, and then ends the other: a client left, or it was told goodbye.
async fn converse(shared: &Arc<Shared>, client: &Arc<Client>, peer: Peer) {
    let mut writing = tokio::spawn(write(Arc::clone(client), peer.sender));
    let reader = Reader::new(Arc::clone(shared), Arc::clone(client));
    let mut reading = tokio::spawn(reader.run(peer.receiver));
    let writer_ended = tokio::select! {
        result = &mut reading => {
            if result.is_err_and(|error| error.is_panic()) {
                tracing::error!(client = client.id.0, "serving a client panicked");
            }
            false
        }
        _ = &mut writing => true,
    };
    client.close();
    if writer_ended {
        // Until it is gone: it may be about to watch a terminal.
        reading.abort();
        let _ = reading.await;
    } else if tokio::time::timeout(GOODBYE, &mut writing).await.is_err() {
        writing.abort();
    }
}

async fn write(client: Arc<Client>, mut sender: Sender) {
    let sent: Result<(), codec::Error> = async {
        while let Some(batch) = client.next().await {
            for message in &batch.messages {
                sender.send(message).await?;
            }
            sender.flush().await?;
            // Only now may as many requests be made again.
            drop(batch.permits);
        }
        sender.close().await
    }
    .await;
    if let Err(error) = sent {
        tracing::debug!(client = client.id.0, %error, "a client was not reached");
    }
}

struct Reader {
    shared: Arc<Shared>,
    client: Arc<Client>,
    requests: Arc<Semaphore>,
    watched: HashMap<TerminalId, (Weak<Session>, Arc<Link>)>,
    ears: super::runs::Ears,
}

impl Reader {
    fn new(shared: Arc<Shared>, client: Arc<Client>) -> Self {
        Self {
            shared,
            client,
            requests: Arc::new(Semaphore::new(REQUESTS)),
            watched: HashMap::new(),
            ears: super::runs::Ears::default(),
        }
    }

    async fn run(mut self, mut receiver: Receiver) {
        loop {
            match receiver.recv().await {
                Ok(Some(message)) => self.take(message).await,
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(client = self.client.id.0, %error, "a client is cut off");
                    return;
                }
            }
        }
    }

    async fn take(&mut self, message: ToHost) {
        match message {
            ToHost::Input { terminal, seq, input } => {
                let Some(session) = self.shared.world.terminal(terminal) else { return };
                if let Err(why) = session.input(self.client.id, seq, input) {
                    let (agent, text) =
                        (session.agent, format!("Input for {terminal} was dropped: {why}."));
                    match why {
                        // Whoever types into a terminal that is stuck does so again and again.
                        NotTaken::Full => self.shared.problem(agent, text),
                        // At once: before the answer to whatever its client asks next.
                        NotTaken::Pasting | NotTaken::TooLarge | NotTaken::Memory => {
                            self.shared.world.tell(Event::Problem { agent, text });
                        }
                    }
                }
            }
            ToHost::Credit { terminal } => {
                let Some((session, link)) = self.watched.get(&terminal) else { return };
                match session.upgrade() {
                    Some(session) => session.credit(link),
                    None => {
                        let _ = self.watched.remove(&terminal);
                    }
                }
            }
            ToHost::Request { id, command } => {
                let weight = match command {
                    Command::ReadTerminal { history: true, .. }
                    | Command::CopySelection { .. }
                    | Command::CopyOutput { .. }
                    | Command::OpenTab { .. }
                    | Command::ReadTab { .. }
                    | Command::KeepImage { .. }
                    | Command::PasteImage { .. } => LARGE,
                    _ => 1,
                };
                let requests = Arc::clone(&self.requests);
                let Ok(permit) = requests.acquire_many_owned(weight).await else { return };
                self.request(id, command, permit);
            }
        }
    }

    /// What takes no time is done at once, in the order in which it was asked for; the rest gets a task
    /// of its own, so that a slow command holds up no other.
    fn request(&mut self, id: u64, command: Command, permit: OwnedSemaphorePermit) {
        let result = match command {
            Command::World { follow } => {
                self.shared.world.answer(&self.client, id, follow, permit);
                if follow {
                    self.shared.notices.heard();
                    self.shared.sessions.begin(&self.shared);
                }
                return;
            }
            Command::Subscribe { terminal, focused } => self.subscribe(terminal, focused),
            Command::Unsubscribe { terminal } => self.unsubscribe(terminal),
            Command::SendBytes { terminal, bytes } => {
                self.order(terminal, |session| session.bytes(bytes))
            }
            Command::ResizeTerminal { terminal, size } => {
                self.order(terminal, |session| session.resize(size))
            }
            Command::Search { terminal, query } => self.search(terminal, query),
            Command::SearchMove { terminal, forward } => {
                self.order(terminal, |session| session.search_move(forward))
            }
            Command::ClearTerminal { terminal, history } => {
                self.order(terminal, |session| session.clear(history))
            }
            Command::ResetTerminal { terminal } => self.order(terminal, Session::reset),
            Command::CancelPaste { terminal } => self.order(terminal, Session::cancel_paste),
            Command::SetTheme { foreground, background, cursor, ansi, dark } => {
                let palette = Palette { foreground, background, cursor, ansi, dark };
                let changed = self.shared.world.set_palette(palette);
                let (shared, client) = (Arc::clone(&self.shared), Arc::clone(&self.client));
                super::detach(async move {
                    let kept = if changed { theme::keep(&shared).await } else { Ok(()) };
                    client.reply(id, kept.map(|()| Reply::Done), Some(permit));
                });
                return;
            }
            Command::OpenTab { tab, last, follow } => {
                let (shared, client) = (Arc::clone(&self.shared), Arc::clone(&self.client));
                super::detach(async move {
                    let asker = Arc::clone(&client);
                    let ask = Ask::Open { client, id, last, follow, permit };
                    if let Err(error) = shared.tabs.send(&shared, tab, ask).await {
                        asker.reply(id, Err(error), None);
                    }
                });
                return;
            }
            Command::LeaveTab { tab } => {
                self.client.leave_tab(tab);
                Ok(())
            }
            // What is selected now: the same client may end the selection right behind it.
            Command::CopySelection { terminal } => match self.session(terminal) {
                Ok(session) => {
                    let (answer, client) = (session.copy(), Arc::clone(&self.client));
                    super::detach(async move {
                        let text = commands::answered(terminal, answer.await);
                        client.reply(id, text.map(Reply::Text), Some(permit));
                    });
                    return;
                }
                Err(error) => Err(error),
            },
            Command::Notices(notice::Ask::Look(looking)) => {
                self.client.look(looking);
                Ok(())
            }
            Command::Obeyed { number, result } => {
                self.shared.orders.obeyed(self.client.id, number, result);
                Ok(())
            }
            Command::HearRun { run, follow } => {
                self.ears.hear(&self.shared, &self.client, run, follow)
            }
            // Before it is listed, so that nothing is missed in between.
            Command::ListDocuments { folder, follow } => {
                match playbooks::follow(&self.shared, self.client.id.0, &folder, follow) {
                    Ok(()) => {
                        let command = Command::ListDocuments { folder, follow };
                        self.later(id, command, permit);
                        return;
                    }
                    Err(error) => Err(error),
                }
            }
            Command::WatchConflicts { repository, follow } => {
                let (shared, client) = (Arc::clone(&self.shared), Arc::clone(&self.client));
                super::detach(async move {
                    let own = client.id.0;
                    let result = super::conflicts::follow(&shared, own, repository, follow).await;
                    client.reply(id, result, Some(permit));
                });
                return;
            }
            command => {
                self.later(id, command, permit);
                return;
            }
        };
        self.client.reply(id, result.map(|()| Reply::Done), Some(permit));
    }

    /// Runs a command in a task of its own.
    fn later(&self, id: u64, command: Command, permit: OwnedSemaphorePermit) {
        let (shared, client) = (Arc::clone(&self.shared), Arc::clone(&self.client));
        super::detach(async move {
            let result = commands::run(&shared, command).await;
            client.reply(id, result, Some(permit));
        });
    }

    fn subscribe(&mut self, terminal: TerminalId, focused: bool) -> Result<(), Error> {
        let session = self.session(terminal)?;
        self.watched.retain(|_, (session, _)| session.strong_count() > 0);
        if !self.watched.contains_key(&terminal) && self.watched.len() >= SUBSCRIPTIONS {
            let text = format!("a client can watch {SUBSCRIPTIONS} terminals at once");
            return Err(refuse(ErrorKind::Busy, text));
        }
        let link = session.watch(Arc::clone(&self.client), focused);
        let _ = self.watched.insert(terminal, (Arc::downgrade(&session), link));
        Ok(())
    }

    fn unsubscribe(&mut self, terminal: TerminalId) -> Result<(), Error> {
        if let Some((session, _)) = self.watched.remove(&terminal)
            && let Some(session) = session.upgrade()
        {
            session.unsubscribe(self.client.id);
        }
        Ok(())
    }

    fn search(&self, terminal: TerminalId, query: Option<Query>) -> Result<(), Error> {
        let session = self.session(terminal)?;
        if query.as_ref().is_some_and(|query| query.text.len() > QUERY_LIMIT) {
            let text = format!("what is searched for can have at most {QUERY_LIMIT} bytes");
            return Err(refuse(ErrorKind::Invalid, text));
        }
        // Who looks at the terminal is not disturbed by who only counts.
        let looks = self.watched.contains_key(&terminal);
        if query.is_some() && !looks && session.is_searched_by_another(self.client.id) {
            let text = format!("{terminal} is being searched by another client; try again later");
            return Err(refuse(ErrorKind::Busy, text));
        }
        session.search(self.client.id, query);
        Ok(())
    }

    fn order(
        &self,
        terminal: TerminalId,
        order: impl FnOnce(&Arc<Session>) -> Result<(), NotTaken>,
    ) -> Result<(), Error> {
        order(&self.session(terminal)?)
            .map_err(|why| refuse(ErrorKind::Busy, format!("{terminal} was given no input: {why}")))
    }

    fn session(&self, terminal: TerminalId) -> Result<Arc<Session>, Error> {
        commands::session(&self.shared, terminal)
    }
}
