//! A run with its tasks: how each stands, what its turn says, what its tick rests on.

use iced::widget::{Column, Space, column, container, row};
use iced::{Alignment, Element, Length, Padding};
use maestro_core::command::Id;
use maestro_core::playbook::HeardKind;
use maestro_core::run::{Ahead, Made, Pause, Run, State, Task, TaskState, Verify};
use maestro_core::text;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::{BOTH, DETAIL, LIST, Look, TALL, boxed, empty, fact, pressable, scrolled, trouble};
use crate::window::autorun::{Autorun, Detail, Known, Message, Part};
use crate::window::model::{self, Model};
use crate::window::prose::{READABLE, printed, prose};
use crate::window::{ago, runs};

/// Width of the tasks beside what is shown of one.
const WIDTH: f32 = 400.0;

/// The most characters of a text in evidence.
const LONGEST: usize = 20_000;

/// The keys that mean something for a run.
pub(super) fn keys(run: Option<&Run>) -> Vec<(&'static str, &'static str)> {
    let active = run.is_some_and(model::is_active);
    let resting =
        run.is_some_and(|run| matches!(run.state, State::Paused(_) | State::Waiting { .. }));
    let mut keys = vec![("↑↓", "task"), ("e", "evidence"), ("d", "changes")];
    if active {
        keys.push(("p", if resting { "go on" } else { "pause" }));
        keys.extend([("s", "skip"), ("x", "stop after task"), ("⇧ X", "stop now")]);
    }
    keys.extend([("r", "retry"), ("u", "undo"), ("o", "report"), ("[ ]", "other runs")]);
    keys.extend([("g", "new run…"), ("Esc", "back")]);
    keys
}

impl Autorun {
    pub(super) fn live<'a>(&'a self, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let Some(run) = self.run(model) else {
            return empty(
                tokens,
                Icon::Panes,
                "Nothing has run yet",
                "Choose checklists and start a run: each task gets a fresh session, is verified, \
                 and only then ticked.",
                &[("1", "checklists"), ("g", "new run…")],
            );
        };
        let focused = self.part == Part::List;
        let mut list = Column::new().width(Length::Fill);
        let marked = self.marked_in(run);
        for (at, task) in run.tasks.iter().enumerate() {
            list = list.push(task_row(look, task, at, (marked == at, focused)));
        }
        for (at, task) in run.ahead.iter().enumerate() {
            let at = at + run.tasks.len();
            list = list.push(ahead_row(look, run, task, at, (marked == at, focused)));
        }
        let list: Element<'a, Message> = if run.tasks.is_empty() && run.ahead.is_empty() {
            let words = match run.state {
                State::Queued { .. } => "It has not begun.",
                _ if model::is_active(run) => "The run is looking at its documents.",
                _ => "It came to no task.",
            };
            container(line(words, type_scale::BASE, font::REGULAR, tokens.dim))
                .padding(space::L)
                .height(Length::Fill)
                .into()
        } else {
            scrolled(tokens, LIST, list)
        };
        let summary = summary(model, run, look, self.is_pausing(run));
        let list = column![summary, part::rule(tokens), list];
        let detail = self.detail(run, look);
        if look.width >= BOTH {
            let list = container(list)
                .width(WIDTH.min(look.width * 0.42))
                .style(move |_| style::surface(tokens.panel));
            return row![list, part::upright(tokens), detail].into();
        }
        if self.part == Part::Detail { detail } else { list.into() }
    }

    fn detail<'a>(&'a self, run: &'a Run, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let task = run.tasks.get(self.marked_in(run));
        let choice = |detail: Detail, name: &str, key: &str| {
            let on = self.detail == detail;
            row![part::toggle(tokens, name, on, Message::Detail(detail)), part::chord(tokens, key)]
                .spacing(space::XS)
                .align_y(Alignment::Center)
        };
        let name = match (self.detail, task) {
            (Detail::Report, _) => "The whole run".to_owned(),
            (_, Some(task)) => text::clean(&task.text, 200),
            (_, None) => "Not begun".to_owned(),
        };
        let head = row![
            line(name, type_scale::BASE, font::MEDIUM, tokens.text).fill(),
            choice(Detail::Said, "said", "f"),
            choice(Detail::Evidence, "evidence", "e"),
            choice(Detail::Changes, "changes", "d"),
            choice(Detail::Report, "report", "o"),
        ]
        .spacing(space::M)
        .align_y(Alignment::Center)
        .height(extent::TABS)
        .padding([0.0, space::L]);
        let body = match self.detail {
            Detail::Said => self.said(run, look),
            Detail::Report => self.shown_report(run, tokens),
            Detail::Evidence | Detail::Changes => self.found(run, look),
        };
        column![head, part::rule(tokens), body].width(Length::Fill).height(Length::Fill).into()
    }

    /// What is known of the marked task.
    fn found<'a>(&'a self, run: &'a Run, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let at = self.marked_in(run);
        if run.tasks.get(at).is_none() {
            let about = "The run has not come to this task: there is nothing to show yet.";
            return empty(tokens, Icon::Ring, "Nothing is done for it yet", about, &[]);
        }
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        match (&self.known, self.known_of(run.id, at)) {
            (_, Some(known)) if self.detail == Detail::Changes => changes(tokens, known),
            (_, Some(known)) => evidence(look, known),
            (Some(Err(why)), None) => trouble(tokens, why),
            _ => container(line("Reading…", type_scale::BASE, font::REGULAR, tokens.faint))
                .padding(space::L)
                .into(),
        }
    }

    /// What the turn of the marked task says.
    fn said<'a>(&'a self, run: &'a Run, look: Look<'a>) -> Element<'a, Message> {
        let tokens = look.tokens;
        let at = self.marked_in(run) as u32;
        let mut column = Column::new().spacing(space::S);
        let mut any = false;
        let heard = self.heard.iter().filter(|heard| heard.task == at);
        for heard in heard.filter(|_| self.hearing == Some(run.id)) {
            any = true;
            let (ink, face, mark) = match heard.kind {
                HeardKind::Text => (tokens.text, font::REGULAR, ""),
                HeardKind::Thinking => (tokens.faint, font::ITALIC, ""),
                HeardKind::Tool => (tokens.dim, font::MONO, "› "),
                HeardKind::Verify => (tokens.dim, font::MONO, ""),
                HeardKind::Maestro => (tokens.accent, font::MEDIUM, "♪ "),
            };
            let step = if face == font::MONO { type_scale::CODE } else { type_scale::BASE };
            let words = format!("{mark}{}", heard.text);
            column = column.push(part::paragraph(words, step, face, ink));
        }
        if any {
            let bar = iced::widget::scrollable::Scrollbar::new()
                .width(4.0)
                .scroller_width(4.0)
                .margin(1.0);
            return iced::widget::scrollable(
                container(column).padding([space::M, space::L]).width(Length::Fill),
            )
            .id(DETAIL)
            .direction(iced::widget::scrollable::Direction::Vertical(bar))
            .anchor_bottom()
            .width(Length::Fill)
            .height(Length::Fill)
            .style(style::scroll(tokens))
            .into();
        }
        let (title, about) = match run.tasks.get(at as usize).map(|task| task.state) {
            Some(state) if state.is_under_way() => {
                ("Nothing was said yet", "What the agent says and does appears here as it comes.")
            }
            Some(_) => ("It is over", "What was said while it ran is in the evidence."),
            None => ("Not begun", "The run comes to this task later."),
        };
        empty(tokens, Icon::Shell, title, about, &[("e", "evidence")])
    }

    fn shown_report<'a>(&'a self, run: &Run, tokens: &'static Tokens) -> Element<'a, Message> {
        match &self.report {
            Some((of, Ok(report))) if *of == run.id => {
                let blocks = report.blocks().iter().map(|block| prose(tokens, block));
                let blocks = Column::with_children(blocks).max_width(READABLE);
                scrolled(tokens, DETAIL, container(blocks).padding([space::M, space::L]))
            }
            Some((of, Err(why))) if *of == run.id => trouble(tokens, why),
            _ => container(line("Reading…", type_scale::BASE, font::REGULAR, tokens.faint))
                .padding(space::L)
                .into(),
        }
    }
}

/// How a run stands, and its buttons.
fn summary<'a>(model: &Model, run: &'a Run, look: Look<'a>, pausing: bool) -> Element<'a, Message> {
    let tokens = look.tokens;
    let (words, ink) = match pausing {
        true => ("pauses after this task".to_owned(), tokens.accent),
        false => runs::standing(run, tokens),
    };
    let who = run.spec.agent.and_then(|id| model.agent(id)).map(|agent| agent.name.clone());
    let who = who.unwrap_or_else(|| run.spec.provider.title().to_owned());
    let failed = run.tasks.iter().any(|task| task.state == TaskState::Failed);
    let color = if failed { tokens.red } else { tokens.green };
    let mut facts = vec![who, run.id.to_string()];
    if run.pass > 1 {
        facts.push(format!("pass {}", run.pass));
    }
    if let Some(worktree) = run.worktree.as_ref().and_then(|path| path.file_name()) {
        facts.push(format!("in {}", worktree.to_string_lossy()));
    }
    if let Some(request) = &run.pull_request {
        facts.push(text::clean(request, 120));
    }
    let mut column = column![
        row![
            line(runs::title(run), type_scale::LARGE, font::SEMIBOLD, tokens.text).fill(),
            line(runs::summary(run, look.now_ms), type_scale::BASE, font::REGULAR, tokens.dim),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center),
        part::progress(tokens, run.done, run.done + run.open, color),
        part::paragraph(words, type_scale::SMALL, font::MEDIUM, ink),
    ]
    .spacing(6.0);
    if look.is_low() {
        return container(column).padding(space::M).into();
    }
    let facts = line(facts.join(" · "), type_scale::SMALL, font::REGULAR, tokens.faint);
    column = column.push(facts.fill());
    if let State::Paused(Pause::Gate { artifact: Some(artifact), .. }) = &run.state {
        let words = format!("Look at {}", text::clean(artifact, 200));
        column = column.push(part::paragraph(words, type_scale::SMALL, font::MONO, tokens.dim));
    }
    if let Some(flag) = run.flags.last() {
        let more = match run.flags.len() {
            1 => String::new(),
            count => format!(" ({} more in the report)", count - 1),
        };
        let words = format!("{}{more}", part::sentence(&text::clean(&flag.text, 300)));
        column = column.push(
            row![
                container(icon(Icon::Warning, 12.0, tokens.orange)).padding(Padding::ZERO.top(3.0)),
                part::paragraph(words, type_scale::SMALL, font::REGULAR, tokens.orange)
            ]
            .spacing(6.0),
        );
    }
    container(column.push(buttons(run, tokens, pausing))).padding(space::M).into()
}

/// What can be done with a run that has not ended.
fn buttons<'a>(run: &Run, tokens: &'static Tokens, pausing: bool) -> Option<Element<'a, Message>> {
    if !model::is_active(run) {
        return None;
    }
    let resting = matches!(run.state, State::Paused(_) | State::Waiting { .. });
    let needs = matches!(run.state, State::Paused(_));
    let label = if resting || pausing { "Go on" } else { "Pause" };
    let stopping = run.state == State::Stopping;
    let stop = (!stopping).then_some(Message::Command(Id::RunEndTask));
    // What has not begun can only be taken back.
    let begun = !matches!(run.state, State::Queued { .. });
    let pause = begun.then(|| {
        row![
            part::action(tokens, label, needs, false, Some(Message::Command(Id::RunPause))),
            part::chord(tokens, "p"),
            Space::new().width(space::XS),
        ]
        .spacing(6.0)
        .align_y(Alignment::Center)
    });
    Some(
        row![]
            .push(pause)
            .push(part::action(
                tokens,
                if begun { "Stop after task" } else { "Take it back" },
                false,
                false,
                stop,
            ))
            .push(part::chord(tokens, "x"))
            .spacing(6.0)
            .align_y(Alignment::Center)
            .into(),
    )
}

fn task_row<'a>(
    look: Look<'a>,
    task: &Task,
    at: usize,
    marked: (bool, bool),
) -> Element<'a, Message> {
    let tokens = look.tokens;
    let shape = status::of_task(tokens, task.state);
    let (words, wrong) = runs::evidence(task, look.now_ms);
    let ink = if wrong { tokens.red } else { tokens.faint };
    let cost =
        task.usage.cost_usd.filter(|cost| *cost >= 0.005).map(|cost| {
            line(format!("${cost:.2}"), type_scale::SMALL, font::REGULAR, tokens.faint)
        });
    let content = row![
        status::glyph(tokens, shape, extent::GLYPH, look.turning),
        column![
            line(text::clean(&task.text, 300), type_scale::BASE, font::REGULAR, tokens.text).fill(),
            line(words, type_scale::SMALL, font::REGULAR, ink).or(runs::short(task)).fill(),
        ]
        .width(Length::Fill),
    ]
    .push(cost)
    .spacing(space::M)
    .align_y(Alignment::Center);
    pressable(tokens, TALL, marked, content, Message::Task(at))
}

fn ahead_row<'a>(
    look: Look<'a>,
    run: &Run,
    task: &Ahead,
    at: usize,
    marked: (bool, bool),
) -> Element<'a, Message> {
    let tokens = look.tokens;
    let name = runs::called(run, &task.document);
    let place = if run.spec.documents.len() > 1 {
        format!("{name}, line {}", task.line)
    } else {
        format!("line {}", task.line)
    };
    let content = row![
        icon(Icon::Ring, extent::GLYPH, tokens.faint),
        column![
            line(text::clean(&task.text, 300), type_scale::BASE, font::REGULAR, tokens.dim).fill(),
            line(place, type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
        ]
        .width(Length::Fill),
    ]
    .spacing(space::M)
    .align_y(Alignment::Center);
    pressable(tokens, TALL, marked, content, Message::Task(at))
}

fn label<'a>(tokens: &'static Tokens, words: &str) -> Element<'a, Message> {
    container(line(words.to_owned(), type_scale::TINY, font::MEDIUM, tokens.faint))
        .padding(Padding::ZERO.top(space::M))
        .into()
}

/// What a tick rests on.
fn evidence<'a>(look: Look<'a>, known: &'a Known) -> Element<'a, Message> {
    let tokens = look.tokens;
    let evidence = &known.evidence;
    let task = &evidence.task;
    let mut column = Column::new().spacing(space::XS);
    let short = |tree: &Option<String>| {
        tree.as_ref().map_or_else(|| "unknown".to_owned(), |tree| tree.chars().take(10).collect())
    };
    if let Some(because) = &task.because {
        let ink = if task.state == TaskState::Failed { tokens.red } else { tokens.dim };
        let words = part::sentence(&text::clean(because, 600));
        column = column.push(part::paragraph(words, type_scale::BASE, font::REGULAR, ink));
    }
    column = column.push(fact(tokens, "state", state(task)));
    let trees = format!("{} → {}", short(&task.tree_before), short(&task.tree_after));
    column = column.push(fact(tokens, "tree", trees));
    if !task.commits.is_empty() {
        let commits = task.commits.iter().map(|id| id.chars().take(10).collect::<String>());
        column = column.push(fact(tokens, "commits", commits.collect::<Vec<_>>().join(" ")));
    }
    if let Some(session) = &task.session {
        column = column.push(fact(tokens, "session", text::clean(session, 80)));
    }
    if let Some(model) = &task.model {
        column = column.push(fact(tokens, "model", text::clean(model, 80)));
    }
    column = column.push(fact(tokens, "took", ago::took(task.duration_ms)));
    let cost = task.usage.cost_usd.map_or_else(String::new, |usd| format!(" · ${usd:.2}"));
    let tokens_used =
        format!("{} in · {} out{cost}", task.usage.input_tokens, task.usage.output_tokens);
    column = column.push(fact(tokens, "usage", tokens_used));
    if !known.changes.is_empty() {
        let (added, removed) = known
            .changes
            .iter()
            .fold((0, 0), |(a, r), change| (a + change.counts.0, r + change.counts.1));
        let files = known.changes.len();
        let s = if files == 1 { "" } else { "s" };
        let words = format!("{files} file{s} · +{added} −{removed} (d shows them)");
        column = column.push(fact(tokens, "changes", words));
    }
    if !evidence.built_on_by.is_empty() {
        let later: Vec<_> = evidence.built_on_by.iter().map(|at| (at + 1).to_string()).collect();
        column = column.push(fact(tokens, "built on by", format!("task {}", later.join(", "))));
    }
    for verify in evidence.verified.iter().rev() {
        column = column.push(verified(tokens, verify));
    }
    for made in evidence.turns.iter().rev() {
        column = column.push(turn(tokens, made));
    }
    let column = container(column).padding([space::M, space::L]).width(Length::Fill);
    scrolled(tokens, DETAIL, column)
}

fn state(task: &Task) -> String {
    let state = match task.state {
        TaskState::Working => "working",
        TaskState::Verifying => "verifying",
        TaskState::Committing => "committing",
        TaskState::Done => "done",
        TaskState::Failed => "failed",
        TaskState::Skipped => "skipped",
        TaskState::Undone => "undone",
    };
    let attempts = match task.attempts {
        0 | 1 => String::new(),
        count => format!(" · {count} attempts"),
    };
    let repairs = match task.repairs {
        0 => String::new(),
        1 => " · 1 repair".to_owned(),
        count => format!(" · {count} repairs"),
    };
    format!("{state}{attempts}{repairs}")
}

fn verified<'a>(tokens: &'static Tokens, verify: &Verify) -> Element<'a, Message> {
    let passed = verify.exit_code == Some(0);
    let (shape, ink) =
        if passed { (Icon::Check, tokens.green) } else { (Icon::Failed, tokens.red) };
    let code = match verify.exit_code {
        Some(code) => format!("exit {code}"),
        None => "was ended".to_owned(),
    };
    let head = row![
        icon(shape, extent::GLYPH, ink),
        line("Verify", type_scale::BASE, font::SEMIBOLD, tokens.text),
        line(
            text::clean(&runs::command(&verify.command), 300),
            type_scale::CODE,
            font::MONO,
            tokens.dim
        )
        .fill(),
        line(code, type_scale::SMALL, font::REGULAR, ink),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center);
    let output = (!verify.output.trim().is_empty()).then(|| printed(tokens, tail(&verify.output)));
    column![head].push(output).spacing(space::XS).padding(Padding::ZERO.top(space::M)).into()
}

fn turn<'a>(tokens: &'static Tokens, made: &Made) -> Element<'a, Message> {
    let failure = made.failure.as_ref().map(|why| {
        let words = part::sentence(&text::clean(why, 600));
        part::paragraph(words, type_scale::SMALL, font::REGULAR, tokens.red)
    });
    let title = format!("ATTEMPT {} · {}", made.attempt, ago::took(made.duration_ms));
    column![label(tokens, &title)]
        .push(failure)
        .push(line("It was told", type_scale::SMALL, font::MEDIUM, tokens.dim))
        .push(printed(tokens, tail(&made.prompt)))
        .push(line("It answered", type_scale::SMALL, font::MEDIUM, tokens.dim))
        .push(printed(
            tokens,
            tail(if made.answer.is_empty() { "(nothing)" } else { &made.answer }),
        ))
        .spacing(space::XS)
        .into()
}

fn tail(words: &str) -> &str {
    let from = words.len().saturating_sub(LONGEST);
    let from = (from..=words.len()).find(|at| words.is_char_boundary(*at)).unwrap_or(0);
    &words[from..]
}

fn changes<'a>(tokens: &'static Tokens, known: &'a Known) -> Element<'a, Message> {
    if known.changes.is_empty() {
        let about = match &known.evidence.diff {
            Some(_) => "No file is another one after it than before it.",
            None => "There is no repository to compare with, or what was kept is gone.",
        };
        return empty(tokens, Icon::Ring, "No changes", about, &[("e", "evidence")]);
    }
    let mut column = Column::new().spacing(space::M);
    for change in &known.changes {
        let (added, removed) = change.counts;
        let head = row![
            line(text::clean(&change.path, 300), type_scale::CODE, font::MONO, tokens.text).fill(),
            line(format!("+{added}"), type_scale::SMALL, font::MONO, tokens.green),
            line(format!("−{removed}"), type_scale::SMALL, font::MONO, tokens.red),
        ]
        .spacing(space::S);
        let last = change.lines.iter().filter_map(|line| line.number).max().unwrap_or(0);
        let digits = last.checked_ilog10().map_or(1, |digits| digits as usize + 1);
        let lines = maestro_ui::code(tokens, &change.lines, digits, true);
        column = column.push(column![head, boxed(tokens, lines)].spacing(space::XS));
    }
    if known.evidence.diff_cut {
        let words = "The rest is too long to be shown: look at it with git.";
        column = column.push(line(words, type_scale::SMALL, font::REGULAR, tokens.faint));
    }
    scrolled(tokens, DETAIL, container(column).padding([space::M, space::L]).width(Length::Fill))
}

/// The panel at the right.
pub fn panel<'a>(autorun: &'a Autorun, model: &'a Model, look: Look<'a>) -> Element<'a, Message> {
    let tokens = look.tokens;
    let shown: Vec<&Run> = model.runs_in_sight(look.now_ms).collect();
    let chord = |id| look.keymap.title(id).unwrap_or_default();
    let head = row![
        line("Auto Run", type_scale::BASE, font::SEMIBOLD, tokens.text).fill(),
        part::word(tokens, "All", Message::Page(super::Page::Live)),
        part::chord(tokens, &chord(Id::RunsOpen)),
    ]
    .spacing(space::S)
    .align_y(Alignment::Center)
    .height(extent::TABS)
    .padding([0.0, space::M]);
    let here = autorun.run(model);
    let mut list = Column::new().width(Length::Fill);
    for (at, run) in shown.iter().enumerate() {
        if at > 0 {
            list = list.push(part::rule(tokens));
        }
        list = list.push(summary(model, run, look, autorun.is_pausing(run)));
        let is_here = here.is_some_and(|here| here.id == run.id);
        let marked = autorun.marked_in(run);
        for (at, task) in run.tasks.iter().enumerate() {
            let marked = (autorun.panel && is_here && marked == at, true);
            list = list.push(task_row(look, task, at, marked));
        }
        let ahead = run.ahead.len();
        for (at, task) in run.ahead.iter().enumerate().take(6) {
            let at = at + run.tasks.len();
            let marked = (autorun.panel && is_here && marked == at, true);
            list = list.push(ahead_row(look, run, task, at, marked));
        }
        let untouched = runs::unvisited(run).max(ahead);
        let more = untouched.saturating_sub(ahead.min(6));
        if more > 0 {
            let words =
                if more == 1 { "1 more task".to_owned() } else { format!("{more} more tasks") };
            let words = row![
                icon(Icon::Ring, extent::GLYPH, tokens.faint),
                line(words, type_scale::BASE, font::REGULAR, tokens.dim).fill()
            ]
            .spacing(space::M)
            .padding([space::XS, space::M]);
            list = list.push(words);
        }
    }
    let keys = if autorun.panel {
        super::foot(
            look,
            [("↑↓", "task"), ("↵", "evidence"), ("p", "pause"), ("x", "stop"), ("Esc", "panes")]
                .into_iter()
                .map(|(key, words)| (key.to_owned(), words)),
        )
    } else {
        super::foot(
            look,
            [(chord(Id::RunsFocus), "keyboard here"), (chord(Id::RunStart), "new run")].into_iter(),
        )
    };
    let body: Element<'a, Message> = if shown.is_empty() {
        empty(
            tokens,
            Icon::Resume,
            "No run is going on",
            "A checklist, a fresh session for each task, and ticks that were verified.",
            &[],
        )
    } else {
        scrolled(tokens, LIST, list)
    };
    column![head, part::rule(tokens), body, part::rule(tokens), keys].into()
}
