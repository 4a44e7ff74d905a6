//! Who is told what: the transcript first, then those who follow, then everybody.

use super::*;

impl Actor {
    pub(super) fn add(&mut self, updates: Vec<Update>) {
        if updates.is_empty() {
            return;
        }
        self.pending_bytes += updates
            .iter()
            .map(|update| match update {
                Update::Append { text, .. } => text.len(),
                Update::Entry(_) => 1024,
            })
            .sum::<usize>();
        self.pending.extend(updates);
        if self.tell_at.is_none() {
            self.tell_at = Some(Instant::now() + TELL);
        }
    }

    /// Writes what is pending, then tells it.
    pub(super) async fn flush(&mut self) {
        self.tell_at = None;
        self.pending_bytes = 0;
        if self.pending.is_empty() {
            return;
        }
        self.before(Step::Write);
        let updates = coalesced(std::mem::take(&mut self.pending));
        let Some(mut log) = self.log.take() else { return };
        let written = block(move || {
            let result = log.write(&updates, false);
            Ok((log, updates, result))
        })
        .await;
        match written {
            Ok((log, updates, result)) => {
                self.log = Some(log);
                if let Err(error) = result {
                    self.shared.problem(
                        Some(self.agent.id),
                        format!("What is said in {} is not being kept: {error}", self.tab.id),
                    );
                }
                self.tell(&updates);
            }
            Err(error) => tracing::error!(tab = %self.tab.id, %error, "a transcript was lost"),
        }
    }

    pub(super) fn tell(&mut self, updates: &[Update]) {
        let id = self.tab.id;
        self.followers.retain(|client| client.said(id, updates));
    }

    pub(super) fn set(&mut self, state: TabState) {
        if self.tab.state != state {
            self.tab.state = state;
            self.tab.since_ms = now_ms();
        }
    }

    /// Everybody sees the tab as it is now.
    pub(super) fn show(&mut self) {
        self.show_at = None;
        self.shown_at = Some(Instant::now());
        self.shared.world.set_tab(&self.tab);
        self.shared.watch_tab(&self.tab);
    }

    /// The same, but not too often.
    pub(super) fn show_soon(&mut self) {
        if self.show_at.is_none() {
            let now = Instant::now();
            self.show_at = Some(self.shown_at.map_or(now, |at| (at + SHOW).max(now)));
        }
    }

    /// The next step of a turn is about to be taken.
    pub(super) fn before(&self, step: Step) {
        self.shared.tabs.drivers.before(self.tab.id, step);
    }

    pub(super) fn store(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let (store, tab) = (self.shared.store.clone(), self.tab.clone());
        block(move || store.put_tab(&tab).map_err(store_error))
    }

    /// The same where nobody waits for it.
    pub(super) async fn save(&mut self) {
        if let Err(error) = self.store().await {
            self.shared.problem(
                Some(self.agent.id),
                format!("The tab {} is not being kept: {error}", self.tab.id),
            );
        }
    }
}
