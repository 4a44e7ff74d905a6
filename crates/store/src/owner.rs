//! The thread that owns the connection, and the bounded queue to it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use crate::error::Error;
use crate::{Result, open};

/// Requests that may wait. Beyond it callers wait in line: a request is a closure and an answer, and
/// the owner does thousands a second, so a longer queue would only hide a stuck disk.
const QUEUE: usize = 64;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

enum Request {
    Job(Job),
    Close,
}

#[derive(Clone)]
pub(crate) struct Owner {
    path: Arc<Path>,
    requests: SyncSender<Request>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Owner {
    pub(crate) fn start(path: &Path, connection: Connection) -> Result<Self> {
        let (requests, queue) = sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store".into())
            .spawn(move || serve(connection, &queue))
            .map_err(|error| Error::io(path, error))?;
        Ok(Self { path: path.into(), requests, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    pub(crate) fn call<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        let job: Job = Box::new(move |connection| {
            // The caller may be gone (its task was cancelled); the work is done all the same.
            let _ = reply.send(work(connection));
        });
        self.requests.send(Request::Job(job)).map_err(|_| Error::Closed)?;
        answer.recv().map_err(|_| Error::Closed)?.map_err(|error| error.explained(&self.path))
    }

    pub(crate) fn close(self) {
        let _ = self.requests.send(Request::Close);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").finish_non_exhaustive()
    }
}

fn serve(mut connection: Connection, queue: &Receiver<Request>) {
    while let Ok(Request::Job(job)) = queue.recv() {
        // A bug in one request must not take the store away from everybody else. An open transaction
        // is rolled back by its guard while the stack unwinds.
        if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
            tracing::error!("a request to the store panicked; the store goes on");
        }
    }
    open::close(connection);
}
