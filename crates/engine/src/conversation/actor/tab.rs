//! What is asked of a tab besides its turns: changes, pages, menus, and where its session is.

use super::*;

impl Actor {
    pub(super) async fn change(&mut self, change: TabChange) -> Result<Tab, Error> {
        let before = self.tab.clone();
        match change {
            TabChange::Title(Some(title)) => {
                let title = clean(&title, TITLE);
                if title.is_empty() {
                    return Err(refuse(ErrorKind::Invalid, "a title cannot be empty"));
                }
                self.tab.title = title;
                self.tab.named = true;
            }
            TabChange::Title(None) => {
                self.tab.named = false;
                self.tab.title = self.first_title().await;
            }
            TabChange::Starred(starred) => self.tab.starred = starred,
            TabChange::Unread(unread) => self.tab.unread = unread,
            TabChange::Closed(true) => {
                if self.fold.is_running() {
                    let text = "a turn is open in it; interrupt it first";
                    return Err(refuse(ErrorKind::Busy, text));
                }
                self.end_driver().await;
                if self.tab.state.is_busy() {
                    self.set(TabState::Idle);
                }
                self.tab.closed = true;
            }
            TabChange::Closed(false) => self.tab.closed = false,
            // Of all the agent's tabs: see the host's part.
            TabChange::Before(_) => {}
            TabChange::Policy(policy) => self.tab.policy = policy,
            TabChange::Model(model) => self.tab.model = model.map(|model| clean(&model, 200)),
            TabChange::Effort(effort) => self.tab.effort = effort.map(|effort| clean(&effort, 40)),
            TabChange::Resumes(resumes) => match &mut self.tab.state {
                TabState::Limited { until_ms: None, .. } if resumes => {
                    let text = "nobody knows when this limit ends; try again by hand";
                    return Err(refuse(ErrorKind::Invalid, text));
                }
                TabState::Limited { resumes: known, .. } => *known = resumes,
                _ => {
                    let text = format!("{} waits for no limit", self.tab.id);
                    return Err(refuse(ErrorKind::Invalid, text));
                }
            },
        }
        if self.tab == before {
            return Ok(before);
        }
        self.store().await.inspect_err(|_| self.tab.clone_from(&before))?;
        if let TabState::Limited { resumes, .. } = self.tab.state
            && self.tab.state != before.state
        {
            // As with every end of a turn: the queue first, then everybody.
            queues::resumes(&self.shared, &self.tab, resumes);
        }
        let mut held_back = false;
        let mut orders = Vec::new();
        if self.tab.policy != before.policy {
            orders.push(Order::Policy(self.tab.policy));
        }
        if self.tab.model != before.model {
            orders.push(Order::Model(self.tab.model.clone()));
        }
        if self.tab.effort != before.effort {
            orders.push(Order::Effort(self.tab.effort.clone()));
        }
        for order in orders {
            if self.driver.is_none() {
                break;
            }
            let policy = match &order {
                Order::Policy(policy) => Some(*policy),
                _ => None,
            };
            let now = self.driver.as_ref().map_or(before.policy, |running| running.policy);
            if policy.is_some() && self.fold.is_running() && now != before.policy {
                // This turn has a policy of its own, to its end; the next one is begun with what holds then.
                continue;
            }
            let stricter = policy.is_some_and(|policy| rights(policy) < rights(now));
            let taken = self.order(order).await;
            let idle = !self.fold.is_running();
            match (taken, &mut self.driver) {
                (Ok(Taken::Now), Some(running)) => {
                    running.policy = policy.unwrap_or(running.policy);
                }
                // Between turns the program can be started anew at once; otherwise after the turn.
                (Ok(Taken::Restart), Some(running)) => {
                    running.stale = true;
                    if idle {
                        self.end_driver().await;
                    } else if stricter {
                        held_back = true;
                    } else {
                        let mut updates = Vec::new();
                        let text = "This holds from the next turn on: the program has to be started \
                                    anew for it.";
                        self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
                        self.add(updates);
                    }
                }
                (Err(failure), _) => {
                    self.tab.policy = before.policy;
                    self.tab.model.clone_from(&before.model);
                    self.tab.effort.clone_from(&before.effort);
                    self.save().await;
                    self.show();
                    return Err(refuse(ErrorKind::Failed, failure.message));
                }
                (Ok(_), None) => {}
            }
        }
        if held_back && self.fold.is_running() {
            let mut updates = Vec::new();
            let text = format!(
                "The turn was stopped: {} cannot be held to “{}” in the middle of one. The session \
                 is kept, and what is said next goes on with it.",
                self.agent.provider.title(),
                self.tab.policy.title()
            );
            self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
            self.add(updates);
            self.flush().await;
            let _ = self.interrupt().await?;
        }
        self.show();
        if self.tab.closed != before.closed
            || self.tab.policy != before.policy
            || self.tab.state != before.state
        {
            queues::freed(&self.shared, self.agent.id);
        }
        Ok(self.tab.clone())
    }

    pub(super) async fn first_title(&mut self) -> String {
        self.flush().await;
        let Some(log) = self.log.take() else { return String::new() };
        let read = block(move || {
            let first = log.prompts().last();
            let entry = first.and_then(|n| log.read(n + 1, 1, u64::MAX).ok()?.pop());
            Ok((log, entry))
        })
        .await;
        let Ok((log, entry)) = read else { return String::new() };
        self.log = Some(log);
        match entry.map(|entry| entry.body) {
            Some(Body::Prompt(prompt)) => title_of(&prompt),
            _ => String::new(),
        }
    }

    pub(super) async fn page(&mut self, before: u64, most: u32) -> Result<Page, Error> {
        let log = self.log.take().ok_or_else(lost)?;
        let (store, id) = (self.shared.store.clone(), self.tab.id);
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(PAGE.0);
        let (log, entries, draft) = block(move || {
            let entries = log.read(before, most, PAGE.1);
            let draft = store.draft(id);
            Ok((log, entries, draft))
        })
        .await?;
        self.log = Some(log);
        let mut entries: Vec<Entry> = entries.map_err(|error| {
            refuse(ErrorKind::Failed, format!("the transcript cannot be read: {error}"))
        })?;
        for entry in entries.iter_mut().filter(|entry| entry.open) {
            // In the file only the beginning is in one piece.
            if let Some(grown) = self.fold.open_entry(entry.n) {
                entry.clone_from(grown);
            }
        }
        let draft = draft.unwrap_or_else(|error| {
            tracing::warn!(tab = %id, %error, "a draft cannot be read");
            None
        });
        Ok(Page { entries, total: self.tab.entries, draft })
    }

    pub(super) async fn menu(&mut self, done: oneshot::Sender<Result<Menu, Error>>) {
        if let Some(menu) = self.shared.tabs.menu(self.tab.id) {
            let _ = done.send(Ok(menu));
            return;
        }
        if self.driver.is_none() {
            let free = !self.tab.closed
                && !self.is_moving()
                && !matches!(self.tab.place, Place::Terminal(_))
                && elsewhere(&self.shared, &self.tab).is_none()
                && !self.shared.is_stopping();
            if !free {
                let _ = done.send(Ok(plain_menu()));
                return;
            }
            if let Err(failure) = self.drive(self.tab.policy).await {
                let _ = done.send(Err(refuse(ErrorKind::Unsupported, failure.message)));
                return;
            }
        }
        self.menus.push((Instant::now() + MENU, done));
    }

    pub(super) fn is_moving(&self) -> bool {
        self.moving.is_some_and(|until| Instant::now() < until)
    }

    pub(super) fn turn_is_open(&self) -> Error {
        let text = format!(
            "a turn is open in {} ({}); wait for it or interrupt it",
            self.tab.id, self.tab.title
        );
        refuse(ErrorKind::Busy, text)
    }

    pub(super) async fn release(&mut self, place: Place) -> Result<Tab, Error> {
        if self.fold.is_running() {
            return Err(self.turn_is_open());
        }
        self.end_driver().await;
        self.tab.place = place;
        if let Place::Terminal(terminal) = place {
            let mut updates = Vec::new();
            let text = format!("The session goes on in the terminal {terminal}.");
            self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
            self.add(updates);
            self.flush().await;
        }
        self.store().await?;
        self.show();
        Ok(self.tab.clone())
    }

    pub(super) async fn back(
        &mut self,
        session: Option<String>,
        stored: Vec<Entry>,
    ) -> Result<Tab, Error> {
        if self.fold.is_running() {
            return Ok(self.tab.clone());
        }
        // Its user may have gone to another one there.
        self.tab.session = session.or(self.tab.session.take());
        self.flush().await;
        let ours = self.page(u64::MAX, PAGE.0 as u32).await?.entries;
        let begin = stored.first().map_or(0, |entry| entry.n);
        let new = crate::conversation::missing(&ours, stored, self.tab.entries);
        let mut updates = Vec::new();
        if let Place::Terminal(_) = self.tab.place {
            let text = "The session is back in the conversation.";
            self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
        }
        if begin > 0 && new.first().is_some_and(|entry| entry.n == begin) {
            let text = format!(
                "The first {begin} entries of this session are not shown here: it is very long. The \
                 browser of sessions has them."
            );
            self.fold.note(text, now_ms(), &mut self.tab, &mut updates);
        }
        let last = new.iter().rev().find_map(|entry| match &entry.body {
            Body::Prompt(prompt) => Some(prompt.clone()),
            _ => None,
        });
        self.fold.merge(new, &mut self.tab, &mut updates);
        if let Some(last) = last {
            if self.tab.title.is_empty() {
                self.tab.title = title_of(&last);
            }
            self.last = Some(last);
            self.touched = true;
        }
        self.add(updates);
        self.flush().await;
        self.tab.place = Place::Nowhere;
        self.store().await?;
        self.show();
        queues::freed(&self.shared, self.agent.id);
        Ok(self.tab.clone())
    }

    pub(super) async fn said(&mut self, turn: u64) -> Said {
        self.flush().await;
        let Some(log) = &self.log else { return Said::Maybe };
        if !log.has_turn(turn) {
            return Said::No;
        }
        let Ok(page) = self.page(u64::MAX, PAGE.0 as u32).await else { return Said::Maybe };
        let answered = page.entries.iter().any(|entry| {
            (entry.turn == turn
                && matches!(
                    entry.body,
                    Body::Text(_)
                        | Body::Thinking(_)
                        | Body::Tool(_)
                        | Body::Todo(_)
                        | Body::Request { .. }
                        | Body::Ended(_)
                ))
                || entry.turn > turn
        });
        if answered {
            return Said::Yes;
        }
        // Its provider writes a prompt down when it gets it.
        let prompt = page.entries.iter().rev().find_map(|entry| match &entry.body {
            Body::Prompt(prompt) if entry.turn == turn => Some(prompt.text.trim().to_owned()),
            _ => None,
        });
        let (Some(prompt), Some(session)) = (prompt, self.tab.session.clone()) else {
            return Said::Maybe;
        };
        let (shared, provider) = (Arc::clone(&self.shared), self.agent.provider);
        let stored = block(move || {
            Ok(crate::conversation::stored(provider, &session, &shared.environment())
                .unwrap_or_default())
        });
        let last =
            stored.await.unwrap_or_default().into_iter().rev().find_map(|entry| match entry.body {
                Body::Prompt(prompt) => Some(prompt.text.trim().to_owned()),
                _ => None,
            });
        if last == Some(prompt) { Said::Yes } else { Said::Maybe }
    }

    /// The host stops, or the agent is stopped or removed.
    pub(super) async fn stop(&mut self) {
        let stopping = self.shared.is_stopping();
        if !stopping && self.fold.is_running() {
            queues::interrupted(&self.shared, self.agent.id);
        }
        self.end_driver().await;
        if !stopping && self.fold.is_running() {
            self.fail(interrupted()).await;
        }
        if self.fold.is_running() {
            let mut updates = Vec::new();
            let why = "The host was stopped in the middle of this turn. What had come is kept; the \
                       session can go on.";
            self.fold.cut(why, now_ms(), &mut self.tab, &mut updates);
            self.add(updates);
        }
        self.flush().await;
        self.tab.place = Place::Nowhere;
        self.save().await;
        self.show();
        self.shared.tabs.set_alive(self.tab.id, false);
    }
}
