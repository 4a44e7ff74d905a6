//! Turns: how one begins, is said, is stopped, answered, said again, and ends.

use super::*;

impl Actor {
    /// Does what was wanted while a program was waited for, now that it hears.
    pub(super) async fn pressed(&mut self) {
        let presses = std::mem::take(&mut self.presses);
        if presses == 0 || !self.fold.is_running() {
            return;
        }
        if presses > 1 {
            self.kill().await;
        } else {
            self.soft_interrupt().await;
        }
    }

    /// Ends the program of a turn, or the turn that has none.
    pub(super) async fn kill(&mut self) {
        self.presses = 0;
        match &mut self.driver {
            Some(running) => {
                let _ = running.killed.get_or_insert_with(Instant::now);
                running.driver.kill();
            }
            None => self.fail(interrupted()).await,
        }
    }

    /// Begins a turn: refuses it, or writes it down.
    pub(super) async fn begin(
        &mut self,
        prompt: Prompt,
        journal: Option<Journal>,
        again: bool,
    ) -> Result<u64, Error> {
        if self.shared.is_stopping() {
            return Err(refuse(ErrorKind::Busy, "the host is stopping".to_owned()));
        }
        if prompt.text.len() > PROMPT.0 || prompt.images.len() > PROMPT.1 {
            let text = format!(
                "a prompt can have at most {} KiB of text and {} images",
                PROMPT.0 >> 10,
                PROMPT.1
            );
            return Err(refuse(ErrorKind::Invalid, text));
        }
        if prompt.text.trim().is_empty() && prompt.images.is_empty() {
            return Err(refuse(
                ErrorKind::Invalid,
                "there is nothing to say: the prompt is empty".to_owned(),
            ));
        }
        // Only what the host keeps: a prompt is no way to send any file to a provider.
        let images = self.shared.options.home.root().join("images");
        if let Some(image) =
            prompt.images.iter().find(|image| image.path.parent() != Some(images.as_path()))
        {
            let shown = image.path.display();
            let text = format!("{shown} is no image that Maestro keeps; attach it anew");
            return Err(refuse(ErrorKind::Invalid, text));
        }
        if self.tab.closed {
            return Err(refuse(
                ErrorKind::Invalid,
                format!("{} is closed; open it again first", self.tab.id),
            ));
        }
        if self.agent.provider == Provider::Shell {
            return Err(refuse(
                ErrorKind::Invalid,
                format!("{} is a shell: there is nobody to talk to in it", self.agent.name),
            ));
        }
        if self.fold.is_running() || (self.tab.state.is_busy() && !again) {
            return Err(refuse(ErrorKind::Busy, format!("{} has a turn already", self.tab.id)));
        }
        if let Place::Terminal(terminal) = self.tab.place
            && self.shared.world.terminal(terminal).is_some_and(|session| session.is_live())
        {
            let text = format!(
                "this session is open in the terminal {terminal}; take it back into the \
                 conversation first"
            );
            return Err(refuse(ErrorKind::Busy, text));
        }
        if self.is_moving() {
            let text = "this session is being moved into the terminal";
            return Err(refuse(ErrorKind::Busy, text));
        }
        if let Some(who) = elsewhere(&self.shared, &self.tab) {
            return Err(refuse(ErrorKind::Busy, who));
        }
        if !prompt.read_only
            && self.tab.policy != Policy::ReadOnly
            && let Some(run) = crate::conversation::run_in(&self.shared, &self.agent)
        {
            let text = format!(
                "run {run} works in this directory; wait for it, stop it (`maestro run stop \
                 {run}`), or say it read-only"
            );
            return Err(refuse(ErrorKind::Busy, text));
        }
        // What could not be written before is before it.
        self.flush().await;
        let before = self.tab.clone();
        if let Place::Terminal(_) = self.tab.place {
            self.tab.place = Place::Nowhere;
        }
        let mut updates = Vec::new();
        self.fold.begin(&prompt, now_ms(), &mut self.tab, &mut updates);
        let (tab, store) = (self.tab.clone(), self.shared.store.clone());
        let log = self.log.take();
        let written = updates.clone();
        let drivers = Arc::clone(&self.shared.tabs.drivers);
        let result = block(move || {
            let mut log = log.ok_or_else(lost)?;
            let before = |step| drivers.before(tab.id, step);
            before(Step::Journal);
            let result = journal
                .map_or(Ok(()), |journal| journal(tab.turns))
                .inspect(|()| before(Step::Tab))
                .and_then(|()| store.put_tab(&tab).map_err(store_error))
                .inspect(|()| before(Step::Prompt))
                .and_then(|()| log.write(&written, true).map_err(|error| unwritten(&error)))
                .inspect(|()| before(Step::Began));
            Ok((log, result))
        })
        .await;
        let result = result.and_then(|(log, result)| {
            self.log = Some(log);
            result
        });
        if let Err(error) = result {
            // Nothing of it is in the transcript, so it did not happen.
            self.tab = before;
            self.fold = Conversation::new(&self.tab);
            return Err(error);
        }
        self.tell(&updates);
        self.last = Some(prompt);
        self.touched = false;
        self.presses = 0;
        self.shared.tabs.set_alive(self.tab.id, true);
        self.show();
        Ok(self.fold.turn())
    }

    /// Hands a turn that was begun to the program, which is started where it does not run.
    pub(super) async fn speak(&mut self, prompt: Prompt) {
        let policy = if prompt.read_only { Policy::ReadOnly } else { self.tab.policy };
        self.fold.for_this_turn((policy != self.tab.policy).then_some(policy));
        let prompt = self.retold(prompt).await;
        for attempt in 0..2 {
            let driven = self.drive(policy).await;
            if self.ending {
                // What is done next ends the turn, too.
                return;
            }
            // Whoever pressed before it was said got what was wanted.
            let driven = if self.presses > 0 { Err(interrupted()) } else { driven };
            if let Err(failure) = driven {
                self.fail(failure).await;
                return;
            }
            self.before(Step::Say);
            match self.order(Order::Say(prompt.clone())).await {
                Ok(Taken::Now) => return,
                Ok(Taken::Restart) if attempt == 0 => self.end_driver().await,
                Ok(Taken::Restart) => {
                    let message = "The program cannot take this prompt, not even started anew.";
                    self.fail(Failure { kind: FailureKind::Unusable, message: message.to_owned() })
                        .await;
                }
                Err(_) if self.ending => return,
                Err(failure) => {
                    self.fail(failure).await;
                    return;
                }
            }
        }
    }

    /// A prompt for a new session in a tab in which something was said already: that session is lost, full, or
    /// cannot go on here, so what was said in it is told first.
    pub(super) async fn retold(&mut self, prompt: Prompt) -> Prompt {
        if self.tab.session.is_some() || self.driver.is_some() || self.tab.entries < 2 {
            return prompt;
        }
        let said = match self.page(u64::MAX, PAGE.0 as u32).await {
            Ok(page) => page.entries,
            Err(error) => {
                tracing::warn!(tab = %self.tab.id, %error, "what was said cannot be told again");
                return prompt;
            }
        };
        if !said.iter().any(|entry| matches!(entry.body, Body::Text(_) | Body::Tool(_))) {
            return prompt;
        }
        let mut updates = Vec::new();
        let text = "A new session begins with what was said before.";
        self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
        self.add(updates);
        Prompt { text: rebuild(&said, &prompt.text), ..prompt }
    }

    /// The open turn ends, because the program could not be started or told.
    pub(super) async fn fail(&mut self, failure: Failure) {
        let outcome = Outcome {
            session: None,
            text: String::new(),
            usage: Usage::default(),
            result: Err(failure),
        };
        self.ended(outcome).await;
    }

    pub(super) async fn again(&mut self, done: oneshot::Sender<Result<(), Error>>) {
        let waits = matches!(self.tab.state, TabState::Limited { .. } | TabState::Retrying { .. });
        if !waits || self.fold.is_running() {
            let _ = done.send(Ok(()));
            return;
        }
        let last = self.last.clone();
        let Some(prompt) = last.filter(|_| !self.touched) else {
            // A part of it was done: to say it again would do that twice.
            self.set(TabState::Idle);
            self.save().await;
            self.show();
            queues::freed(&self.shared, self.agent.id);
            let _ = done.send(Ok(()));
            return;
        };
        match self.begin(prompt.clone(), None, true).await {
            Ok(_) => {
                let _ = done.send(Ok(()));
                self.speak(prompt).await;
            }
            Err(refused) => {
                let _ = done.send(Err(refused));
            }
        }
    }

    pub(super) async fn retry(&mut self, done: oneshot::Sender<Result<Tab, Error>>) {
        if self.fold.is_running() {
            if !matches!(self.tab.state, TabState::Retrying { .. }) {
                let text = "a turn is open; interrupt it first to say it again";
                let _ = done.send(Err(refuse(ErrorKind::Busy, text)));
                return;
            }
            if self.touched {
                let text = "a part of this turn is done already, which saying it again would do twice; \
                            its program goes on by itself, or interrupt it first";
                let _ = done.send(Err(refuse(ErrorKind::Busy, text)));
                return;
            }
            return self.retry_now(done).await;
        }
        let Some(prompt) = self.last.clone() else {
            let text = "nothing was said here that could be said again";
            let _ = done.send(Err(refuse(ErrorKind::Invalid, text)));
            return;
        };
        match self.begin(prompt.clone(), None, true).await {
            Ok(_) => {
                let _ = done.send(Ok(self.tab.clone()));
                self.speak(prompt).await;
            }
            Err(refused) => {
                let _ = done.send(Err(refused));
            }
        }
    }

    /// The program of a turn waits by itself to try again, which cannot be made shorter: it is ended, and what
    /// was asked is said to a new one.
    pub(super) async fn retry_now(&mut self, done: oneshot::Sender<Result<Tab, Error>>) {
        let state = self.tab.state.clone();
        if let Some(running) = &self.driver {
            running.driver.kill();
        }
        self.end_driver().await;
        if self.ending {
            return;
        }
        let Some(prompt) = self.last.clone().filter(|_| self.presses == 0) else {
            self.fail(interrupted()).await;
            let _ = done.send(Ok(self.tab.clone()));
            return;
        };
        let used = self.fold.usage();
        let outcome = Outcome {
            session: None,
            text: String::new(),
            usage: Usage::default(),
            result: Err(interrupted()),
        };
        let mut updates = Vec::new();
        self.fold.take(Event::Ended(outcome), now_ms(), &mut self.tab, &mut updates);
        self.add(updates);
        self.flush().await;
        usage::turn_ended(&self.shared, &self.tab, &used, self.model.as_deref());
        // It is never free between the two: nothing of the queue gets there first.
        self.tab.state = state;
        match self.begin(prompt.clone(), None, true).await {
            Ok(_) => {
                let _ = done.send(Ok(self.tab.clone()));
                self.speak(prompt).await;
            }
            Err(refused) => {
                self.set(TabState::Idle);
                queues::turn_ended(&self.shared, &self.tab, Over::Interrupted);
                self.shared.tabs.set_alive(self.tab.id, false);
                self.save().await;
                self.show();
                queues::freed(&self.shared, self.agent.id);
                let _ = done.send(Err(refused));
            }
        }
    }

    pub(super) async fn rebuild(&mut self, done: oneshot::Sender<Result<Tab, Error>>) {
        let lost = matches!(
            &self.tab.state,
            TabState::Failed(Failure {
                kind: FailureKind::SessionMissing | FailureKind::Context,
                ..
            })
        );
        let Some(prompt) = self.last.clone().filter(|_| lost) else {
            let text =
                "only a session that its provider has lost, or that is full, is started over";
            let _ = done.send(Err(refuse(ErrorKind::Invalid, text)));
            return;
        };
        self.end_driver().await;
        let before = self.tab.session.take();
        match self.begin(prompt.clone(), None, true).await {
            Ok(_) => {
                let _ = done.send(Ok(self.tab.clone()));
                self.speak(prompt).await;
            }
            Err(refused) => {
                self.tab.session = before;
                let _ = done.send(Err(refused));
            }
        }
    }

    pub(super) async fn interrupt(&mut self) -> Result<Tab, Error> {
        queues::interrupted(&self.shared, self.agent.id);
        if !self.fold.is_running() {
            // It may wait for a limit or a network: that ends, too.
            if self.tab.state.is_busy() || matches!(self.tab.state, TabState::Limited { .. }) {
                self.set(TabState::Idle);
                self.save().await;
                self.show();
                self.shared.tabs.set_alive(self.tab.id, self.driver.is_some());
                queues::freed(&self.shared, self.agent.id);
            }
            return Ok(self.tab.clone());
        }
        if self.tab.state == TabState::Interrupting {
            self.kill().await;
            return Ok(self.tab.clone());
        }
        self.set(TabState::Interrupting);
        self.show();
        self.soft_interrupt().await;
        Ok(self.tab.clone())
    }

    /// Asks the program to stop its turn, and ends it when it does not take that.
    pub(super) async fn soft_interrupt(&mut self) {
        if let Err(failure) = self.order(Order::Interrupt).await
            && self.fold.is_running()
        {
            tracing::info!(tab = %self.tab.id, %failure, "an interrupt was not taken");
            self.kill().await;
        }
    }

    pub(super) async fn answer(&mut self, id: &str, answer: Answer) -> Result<Tab, Error> {
        let Some(request) = self.tab.requests.iter().find(|request| request.id == id) else {
            let text = format!("{} does not ask that any more", self.tab.id);
            return Err(refuse(ErrorKind::NotFound, text));
        };
        if answer == Answer::Always && request.always.is_none() {
            let text = "there is no `always` for this request; allow it once";
            return Err(refuse(ErrorKind::Invalid, text));
        }
        let bytes = match &answer {
            Answer::Once | Answer::Always => 0,
            Answer::Deny(reason) => reason.len(),
            Answer::Choices(choices) => choices.iter().flatten().map(String::len).sum(),
        };
        if bytes > 64 << 10 {
            return Err(refuse(ErrorKind::Invalid, "an answer can have at most 64 KiB"));
        }
        let order = Order::Answer { request: id.to_owned(), answer: answer.clone() };
        let _ = self
            .order(order)
            .await
            .map_err(|failure| refuse(ErrorKind::Failed, failure.message))?;
        let mut updates = Vec::new();
        let _ = self.fold.answered(id, answer, now_ms(), &mut self.tab, &mut updates);
        self.add(updates);
        self.show();
        Ok(self.tab.clone())
    }

    /// The end of a turn: in the file first, then the queue, then for everybody to see.
    pub(super) async fn ended(&mut self, mut outcome: Outcome) {
        if !self.fold.is_running() {
            return;
        }
        self.presses = 0;
        let killed = self.driver.as_ref().is_some_and(|running| running.killed.is_some());
        if killed && outcome.result.is_err() {
            outcome.result = Err(interrupted());
        }
        let failure = outcome.result.as_ref().err().cloned();
        let so_far = match outcome.usage {
            nothing if nothing == Usage::default() => self.fold.usage(),
            told => told,
        };
        let mut updates = Vec::new();
        self.fold.take(Event::Ended(outcome), now_ms(), &mut self.tab, &mut updates);
        let used = updates
            .iter()
            .rev()
            .find_map(|update| match update {
                Update::Entry(Entry { body: Body::Ended(ended), .. }) => Some(ended.usage),
                _ => None,
            })
            .unwrap_or(so_far);
        self.add(updates);
        self.flush().await;
        let over = match failure {
            None => Over::Well,
            Some(failure) if failure.kind == FailureKind::Interrupted => Over::Interrupted,
            Some(failure) => {
                let failure = match &self.tab.state {
                    // With the reset that was told before.
                    TabState::Limited { until_ms, .. } => {
                        Failure { kind: FailureKind::Limit { resets_ms: *until_ms }, ..failure }
                    }
                    _ => failure,
                };
                let state = queues::judge(&self.shared, &self.tab, &failure, !self.touched);
                let waits = matches!(
                    state,
                    TabState::Retrying { .. } | TabState::Limited { resumes: true, .. }
                );
                self.set(state);
                if waits { Over::Waits } else { Over::Failed(failure) }
            }
        };
        self.before(Step::Over);
        queues::turn_ended(&self.shared, &self.tab, over);
        self.before(Step::Usage);
        usage::turn_ended(&self.shared, &self.tab, &used, self.model.as_deref());
        self.before(Step::Save);
        self.save().await;
        self.before(Step::Free);
        if self.driver.as_ref().is_some_and(|running| running.stale) {
            self.end_driver().await;
        }
        if let Some(running) = &mut self.driver {
            running.since = Instant::now();
        }
        self.shared.tabs.set_alive(self.tab.id, self.driver.is_some());
        self.show();
        queues::freed(&self.shared, self.agent.id);
    }
}
