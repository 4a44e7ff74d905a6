//! The program of a tab: started, told, listened to, and ended.

use super::*;

impl Actor {
    /// Somebody asks while a program is waited for: what concerns the wait itself holds at once, what only
    /// looks is shown, and the rest comes after it.
    pub(super) async fn interject(&mut self, ask: Ask) {
        match ask {
            Ask::Interrupt(done) if self.fold.is_running() => {
                queues::interrupted(&self.shared, self.agent.id);
                self.presses = self.presses.saturating_add(1);
                if self.tab.state == TabState::Interrupting {
                    self.presses = self.presses.max(2);
                }
                self.set(TabState::Interrupting);
                self.show();
                let _ = done.send(Ok(self.tab.clone()));
            }
            Ask::Stop(done) => {
                self.ending = true;
                // Nothing comes after it.
                self.put_off.push_front(Ask::Stop(done));
            }
            // A turn has the session already, which nobody has to wait for its program to be told.
            Ask::Release { done, .. } if self.fold.is_running() => {
                let _ = done.send(Err(self.turn_is_open()));
            }
            Ask::Back { done, .. } if self.fold.is_running() => {
                let _ = done.send(Ok(self.tab.clone()));
            }
            // Only its menu is waited for, by somebody who looks: that is no reason to keep a session.
            ask @ (Ask::Release { .. } | Ask::Back { .. }) if self.put_off.len() < WAITING => {
                self.yields = true;
                self.put_off.push_back(ask);
            }
            // Whoever asked is told to try again: to stop listening would be deaf to an interrupt, too.
            ask if self.put_off.len() >= WAITING => drop(ask),
            ask => self.look(ask).await,
        }
    }

    /// Waits for something of a program; `None` when its user does not want it any more. It is dropped then.
    pub(super) async fn unless_pressed<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            if self.presses > 0 || self.ending || self.yields {
                return None;
            }
            tokio::select! {
                done = &mut work => return Some(done),
                ask = self.asked.recv(), if !self.ending => match ask {
                    Some(ask) => self.interject(ask).await,
                    // Nobody can ask any more, which ends the actor.
                    None => return None,
                },
            }
        }
    }

    /// Sees to it that a driver with this policy lives.
    pub(super) async fn drive(&mut self, policy: Policy) -> Result<(), Failure> {
        if self.driver.as_ref().is_some_and(|running| running.stale || running.killed.is_some()) {
            self.end_driver().await;
        }
        if self.driver.as_ref().is_some_and(|running| running.policy != policy) {
            match self.order(Order::Policy(policy)).await {
                Ok(Taken::Now) => {
                    if let Some(running) = &mut self.driver {
                        running.policy = policy;
                    }
                }
                Ok(Taken::Restart) => self.end_driver().await,
                Err(failure) => return Err(failure),
            }
        }
        if self.driver.is_some() {
            return Ok(());
        }
        if let Some(agent) = self.shared.world.agent(self.agent.id) {
            self.agent = agent;
        }
        let (shared, provider) = (Arc::clone(&self.shared), self.agent.provider);
        let found = block(move || {
            let detected = shared.detect(provider);
            Ok((detected, shared.environment()))
        });
        let found = self.unless_pressed(found).await.ok_or_else(interrupted)?;
        let (detected, environment) = found.map_err(|error| unusable(error.message))?;
        let _claim = match self.tab.session.as_deref() {
            None => None,
            Some(session) => {
                let claim = self.shared.tabs.claims.take(provider, session);
                Some(claim.map_err(|busy| unusable(busy.to_string()))?)
            }
        };
        // Looked at before, but a terminal may have come meanwhile.
        if let Some(who) = elsewhere(&self.shared, &self.tab) {
            return Err(unusable(who));
        }
        let new_session = self.tab.session.is_none().then(|| new_session_id(provider)).flatten();
        let launch = Launch {
            detected,
            environment: (*environment).clone(),
            directory: self.agent.directory.clone(),
            resume: self.tab.session.clone(),
            new_session,
            policy,
            model: self.tab.model.clone(),
            effort: self.tab.effort.clone(),
        };
        let own = self.shared.worktrees.variables(&self.agent.directory).into_iter();
        let own = own.map(|(name, value)| (name.into(), value.into()));
        let marks: Vec<(OsString, OsString)> =
            own.chain(marks(&self.shared.instance, self.agent.id, self.tab.id)).collect();
        let (sender, events) = mpsc::channel(EVENTS);
        self.before(Step::Start);
        let starting = self.shared.tabs.drivers.start(launch, marks, sender);
        // One that is dropped while it starts leaves no process.
        let driver = self.unless_pressed(starting).await.ok_or_else(interrupted)??;
        self.fold.new_driver();
        self.driver = Some(Running {
            driver,
            events,
            policy,
            stale: false,
            since: Instant::now(),
            killed: None,
        });
        self.tab.place = Place::Conversation;
        self.shared.tabs.set_alive(self.tab.id, true);
        self.show();
        tracing::info!(tab = %self.tab.id, agent = %self.agent.id, "a conversation's program was started");
        Ok(())
    }

    /// Tells the driver something, and takes what it reports meanwhile.
    pub(super) async fn order(&mut self, order: Order) -> Result<Taken, Failure> {
        let crashed = || Failure {
            kind: FailureKind::Crashed,
            message: "The program of this conversation has ended.".to_owned(),
        };
        let Some(running) = self.driver.take() else { return Err(crashed()) };
        let Running { driver, mut events, policy, mut stale, since, mut killed } = running;
        let mut early = Vec::new();
        let mut hears = true;
        let result = {
            let is_interrupt = order == Order::Interrupt;
            let order = driver.order(order);
            tokio::pin!(order);
            // Behind one that was asked for already there is only the harder way.
            let mut presses = self.presses;
            let limit = tokio::time::sleep(if is_interrupt { HURRY } else { ORDER });
            tokio::pin!(limit);
            loop {
                if self.ending {
                    stale = true;
                    break Err(interrupted());
                }
                if self.yields {
                    stale = true;
                    killed = Some(Instant::now());
                    driver.kill();
                    break Err(interrupted());
                }
                if self.presses > presses {
                    presses = self.presses;
                    if is_interrupt || presses > 1 {
                        killed = Some(Instant::now());
                        driver.kill();
                        break Err(interrupted());
                    }
                    let soon = Instant::now() + HURRY;
                    if limit.deadline() > soon {
                        limit.as_mut().reset(soon);
                    }
                }
                tokio::select! {
                    taken = &mut order => break taken,
                    // Kept, not taken: an end that comes before the answer is the next thing's.
                    event = events.recv(), if hears && early.len() < EVENTS => match event {
                        Some(event) => early.push(event),
                        // The answer may have been given before.
                        None => hears = false,
                    },
                    ask = self.asked.recv(), if !self.ending => match ask {
                        Some(ask) => self.interject(ask).await,
                        None => self.ending = true,
                    },
                    () = &mut limit => {
                        // It may take the order later, when that is not meant any more.
                        stale = true;
                        if self.presses > 0 {
                            killed = Some(Instant::now());
                            driver.kill();
                            break Err(interrupted());
                        }
                        break Err(Failure {
                            kind: FailureKind::Silent,
                            message: "The program takes no orders; end it with a second interrupt."
                                .to_owned(),
                        });
                    }
                }
            }
        };
        self.driver = Some(Running { driver, events, policy, stale, since, killed });
        for event in early {
            self.event(event).await;
        }
        result
    }

    pub(super) async fn event(&mut self, event: Event) {
        self.before(Step::Event);
        let now = now_ms();
        let mut updates = Vec::new();
        match event {
            Event::Menu(menu) => {
                self.shared.tabs.set_menu(self.tab.id, menu.clone());
                for (_, done) in self.menus.drain(..) {
                    let _ = done.send(Ok(menu.clone()));
                }
            }
            Event::Ended(outcome) => return self.ended(outcome).await,
            Event::Gone { stderr } => {
                let killed = self.driver.take().is_some_and(|running| running.killed.is_some());
                if self.fold.is_running() {
                    if killed {
                        self.fail(interrupted()).await;
                    } else {
                        let last = clean(maestro_core::text::end_of(&stderr, 400), 400);
                        let message = match last.as_str() {
                            "" => "Its program ended in the middle of the turn.".to_owned(),
                            last => format!("Its program ended in the middle of the turn: {last}"),
                        };
                        self.fail(Failure { kind: FailureKind::Crashed, message }).await;
                    }
                }
                self.fold.take(
                    Event::Gone { stderr: String::new() },
                    now,
                    &mut self.tab,
                    &mut updates,
                );
                self.add(updates);
                if self.tab.place == Place::Conversation {
                    self.tab.place = Place::Nowhere;
                }
                for (_, done) in self.menus.drain(..) {
                    let _ = done.send(Ok(plain_menu()));
                }
                self.shared.tabs.set_alive(self.tab.id, false);
                self.save().await;
                self.show();
                queues::freed(&self.shared, self.agent.id);
                return;
            }
            event => {
                self.touched |= touches(&event);
                if let Event::Session { model: Some(model), .. } = &event {
                    self.model = Some(model.clone());
                }
                let before = (self.tab.session.clone(), self.tab.policy, self.tab.requests.len());
                self.fold.take(event, now, &mut self.tab, &mut updates);
                self.add(updates);
                if before.0 != self.tab.session || before.1 != self.tab.policy {
                    // The next host resumes it by this.
                    self.save().await;
                }
                if before.2 != self.tab.requests.len() {
                    self.flush().await;
                    self.show();
                }
                self.show_soon();
                if self.pending_bytes > PENDING {
                    self.flush().await;
                }
                return;
            }
        }
        self.show_soon();
    }

    /// Ends the driver in order, and waits until its program is gone.
    pub(super) async fn end_driver(&mut self) {
        let Some(running) = self.driver.take() else { return };
        let Running { driver, mut events, .. } = running;
        // What it still says has to be taken, or it could not end.
        let mut last = Vec::new();
        let closing = driver.close();
        tokio::pin!(closing);
        let mut open = true;
        loop {
            tokio::select! {
                () = &mut closing => break,
                event = events.recv(), if open => match event {
                    Some(event) => last.push(event),
                    None => open = false,
                },
                ask = self.asked.recv(), if !self.ending => match ask {
                    Some(ask) => self.interject(ask).await,
                    None => self.ending = true,
                },
            }
            if self.presses > 1 {
                // Dropped, it ends its program at once.
                break;
            }
            if last.len() >= EVENTS {
                for event in std::mem::take(&mut last) {
                    self.last_words(event);
                }
            }
        }
        while let Ok(event) = events.try_recv() {
            last.push(event);
        }
        for event in last {
            self.last_words(event);
        }
        if self.tab.place == Place::Conversation {
            self.tab.place = Place::Nowhere;
        }
        self.shared.tabs.set_alive(self.tab.id, self.fold.is_running());
        self.show_soon();
    }

    /// What a driver that is being closed still reports.
    pub(super) fn last_words(&mut self, event: Event) {
        // The end of an open turn is told by whoever closes.
        if matches!(event, Event::Ended(_) | Event::Gone { .. } | Event::Menu(_)) {
            return;
        }
        let mut updates = Vec::new();
        self.fold.take(event, now_ms(), &mut self.tab, &mut updates);
        self.add(updates);
    }

    /// When something is to be done although nothing happens.
    pub(super) fn rest_at(&self) -> Option<Instant> {
        let killed = self.driver.as_ref().and_then(|running| running.killed).map(|at| at + KILLED);
        let idle = self
            .driver
            .as_ref()
            .filter(|_| !self.fold.is_running())
            .map(|running| running.since + IDLE);
        let menu = self.menus.first().map(|(until, _)| *until);
        [killed, idle, menu].into_iter().flatten().min()
    }

    pub(super) async fn rest(&mut self) {
        let now = Instant::now();
        while self.menus.first().is_some_and(|(until, _)| *until <= now) {
            let (_, done) = self.menus.remove(0);
            let _ = done.send(Ok(plain_menu()));
        }
        let Some(running) = &self.driver else { return };
        if running.killed.is_some_and(|at| at + KILLED <= now) {
            // Dropping it does what can be done.
            self.driver = None;
            self.event(Event::Gone { stderr: String::new() }).await;
            if self.fold.is_running() {
                self.fail(interrupted()).await;
            }
        } else if !self.fold.is_running() && running.since + IDLE <= now {
            self.end_driver().await;
            self.save().await;
            self.show();
        }
    }
}
