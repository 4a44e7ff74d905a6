//! Orders to a window from outside: the one that is looked at obeys, and says what came of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maestro_core::order::{Obeyed, Order};
use maestro_protocol::message::{Error, ErrorKind};
use tokio::sync::oneshot;

use super::{Shared, refuse};
use crate::client::ClientId;

/// How long a window may take to say what came of it. One that is drawn answers within a frame.
const PATIENCE: Duration = Duration::from_secs(10);

/// Orders that are under way.
#[derive(Default)]
pub(crate) struct Orders {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    waiting: HashMap<u64, (ClientId, oneshot::Sender<Result<Obeyed, String>>)>,
}

impl Orders {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, window: ClientId) -> (u64, oneshot::Receiver<Result<Obeyed, String>>) {
        let (answer, answered) = oneshot::channel();
        let mut state = self.lock();
        state.last += 1;
        let number = state.last;
        let _ = state.waiting.insert(number, (window, answer));
        (number, answered)
    }

    /// A window says what came of an order. What it was not asked is nobody's business.
    pub(crate) fn obeyed(&self, window: ClientId, number: u64, result: Result<Obeyed, String>) {
        let mut state = self.lock();
        if state.waiting.get(&number).is_some_and(|(asked, _)| *asked == window)
            && let Some((_, answer)) = state.waiting.remove(&number)
        {
            // Whoever asked may have gone.
            let _ = answer.send(result);
        }
    }

    /// A window is gone, and with it what it was ordered.
    pub(crate) fn forget(&self, window: ClientId) {
        self.lock().waiting.retain(|_, (asked, _)| *asked != window);
    }
}

/// Orders the window that is looked at to do something; where none is, the one that came last.
pub(crate) async fn run(shared: &Shared, order: Order) -> Result<Obeyed, Error> {
    if !order.is_sound() {
        return Err(refuse(ErrorKind::Invalid, "an order is not that long"));
    }
    let windows = shared.all_clients().into_iter().filter(|client| client.is_window());
    let Some(window) = windows.max_by_key(|client| (client.is_looking(), client.id)) else {
        return Err(refuse(ErrorKind::NotFound, "no window is open: `maestro` opens one"));
    };
    let (number, answered) = shared.orders.begin(window.id);
    window.order(number, order);
    let answer = tokio::time::timeout(PATIENCE, answered).await;
    let result = match answer {
        Ok(Ok(result)) => result.map_err(|why| refuse(ErrorKind::Failed, why)),
        Ok(Err(_)) => Err(refuse(ErrorKind::Failed, "the window was closed before it answered")),
        Err(_) => Err(refuse(ErrorKind::TimedOut, "the window does not answer")),
    };
    let _ = shared.orders.lock().waiting.remove(&number);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_window_that_was_asked_answers() {
        let orders = Orders::default();
        let (first, answered) = orders.begin(ClientId(1));
        let (second, lost) = orders.begin(ClientId(2));
        orders.obeyed(ClientId(2), first, Err("not mine".to_owned()));
        orders.obeyed(ClientId(1), first, Ok(Obeyed::Done));
        orders.obeyed(ClientId(1), first, Ok(Obeyed::Done));
        assert_eq!(answered.await, Ok(Ok(Obeyed::Done)));
        assert_ne!(first, second);
        orders.forget(ClientId(2));
        assert!(lost.await.is_err(), "its window is gone");
    }
}
