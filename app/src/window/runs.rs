//! The right panel: runs, their tasks and the evidence for each.

use iced::widget::{Column, column, container, row, scrollable};
use iced::{Element, Length, Padding};
use maestro_core::run::{Ending, Run, State, Task, TaskState, Verify};
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, status, style};

use super::ago;
use super::model::Model;

/// The panel, while there is a run to show.
pub fn view<'a, Message: 'a>(
    model: &Model,
    tokens: &'static Tokens,
    now_ms: u64,
    turning: bool,
    width: f32,
) -> Option<Element<'a, Message>> {
    let mut cards = Column::new().spacing(space::L).padding(Padding {
        top: 0.0,
        right: space::M,
        bottom: space::L,
        left: space::M,
    });
    let mut count = 0;
    for run in model.runs_in_sight(now_ms) {
        if count > 0 {
            cards = cards.push(part::rule(tokens));
        }
        cards = cards.push(card(model, run, tokens, now_ms, turning));
        count += 1;
    }
    if count == 0 {
        return None;
    }
    let bar = scrollable::Scrollbar::new().width(4.0).scroller_width(4.0).margin(1.0);
    let list = scrollable(column![part::section(tokens, "Auto Run", count), cards])
        .direction(scrollable::Direction::Vertical(bar))
        .height(Length::Fill)
        .style(style::scroll(tokens));
    let panel = container(list)
        .width(width)
        .height(Length::Fill)
        .style(move |_| style::surface(tokens.panel));
    Some(panel.into())
}

fn card<'a, Message: 'a>(
    model: &Model,
    run: &Run,
    tokens: &'static Tokens,
    now_ms: u64,
    turning: bool,
) -> Element<'a, Message> {
    let header = row![
        line(title(run), type_scale::BASE, font::SEMIBOLD, tokens.text).fill(),
        line(summary(run, now_ms), type_scale::BASE, font::REGULAR, tokens.dim),
    ]
    .spacing(space::S);
    let failed = run.tasks.iter().any(|task| task.state == TaskState::Failed);
    let color = if failed { tokens.red } else { tokens.green };
    let (words, ink) = standing(run, tokens);
    let who = run.spec.agent.and_then(|id| model.agent(id)).map(|agent| agent.name.clone());
    let who = who.unwrap_or_else(|| run.spec.provider.title().to_owned());
    let standing =
        part::paragraph(format!("{who} · {words}"), type_scale::SMALL, font::REGULAR, ink);
    let mut tasks = Column::new().spacing(10.0).padding(Padding::ZERO.top(space::XS));
    for task in &run.tasks {
        tasks = tasks.push(task_row(task, tokens, turning));
    }
    let untouched = unvisited(run);
    if untouched > 0 {
        let words = if untouched == 1 {
            "1 more task".to_owned()
        } else {
            format!("{untouched} more tasks")
        };
        tasks = tasks.push(
            row![
                icon(Icon::Ring, extent::GLYPH, tokens.faint),
                line(words, type_scale::BASE, font::REGULAR, tokens.dim).fill()
            ]
            .spacing(space::M),
        );
    }
    column![header, part::progress(tokens, run.done, run.done + run.open, color), standing, tasks]
        .spacing(space::S)
        .into()
}

/// The first document's name; a number for those after it.
pub fn title(run: &Run) -> String {
    let name = run.spec.documents.first().and_then(|path| path.file_name());
    let name = name.map_or_else(|| run.id.to_string(), |name| name.to_string_lossy().into_owned());
    match run.spec.documents.len() {
        0 | 1 => name,
        count => format!("{name} +{}", count - 1),
    }
}

/// How far a run is: `3 of 5 · 41 min · $1.90`.
pub fn summary(run: &Run, now_ms: u64) -> String {
    let end = run.ended_ms.unwrap_or(now_ms);
    let mut words = format!("{} of {}", run.done, run.done + run.open);
    let took = end.saturating_sub(run.started_ms);
    if took >= 1000 {
        // Whole minutes once there are any: the panel is not rebuilt every second.
        let took = if took >= 60_000 { took / 60_000 * 60_000 } else { took };
        words = format!("{words} · {}", ago::took(took));
    }
    match run.usage.cost_usd {
        Some(cost) if cost >= 0.005 => format!("{words} · ${cost:.2}"),
        _ => words,
    }
}

fn standing(run: &Run, tokens: &Tokens) -> (String, iced::Color) {
    match &run.state {
        State::Running => ("working".to_owned(), tokens.blue),
        State::Stopping => ("stops after this task".to_owned(), tokens.dim),
        State::Waiting { because, .. } => (because.clone(), tokens.purple),
        State::Paused(pause) => (pause.sentence(), tokens.orange),
        State::Interrupted => {
            ("interrupted; goes on when the host has recovered".to_owned(), tokens.orange)
        }
        State::Ended(Ending::Completed) => ("every task is done".to_owned(), tokens.green),
        State::Ended(Ending::WithFailures) => ("ended; some tasks failed".to_owned(), tokens.red),
        State::Ended(Ending::Stopped) => ("stopped".to_owned(), tokens.dim),
        State::Ended(Ending::Killed) => ("killed".to_owned(), tokens.dim),
        State::Ended(Ending::Failed(why)) => (why.clone(), tokens.red),
    }
}

/// Open boxes that no attempt was made at yet.
fn unvisited(run: &Run) -> usize {
    let open_touched = run.tasks.iter().filter(|task| task.state != TaskState::Done).count();
    (run.open as usize).saturating_sub(open_touched)
}

fn task_row<'a, Message: 'a>(
    task: &Task,
    tokens: &'static Tokens,
    turning: bool,
) -> Element<'a, Message> {
    let shape = status::of_task(tokens, task.state);
    let glyph = status::glyph(tokens, shape, extent::GLYPH, turning);
    let text = part::paragraph(task.text.clone(), type_scale::BASE, font::REGULAR, tokens.text);
    let (words, wrong) = evidence(task);
    let ink = if wrong { tokens.red } else { tokens.faint };
    let evidence = line(words, type_scale::SMALL, font::REGULAR, ink).or(short(task)).fill();
    row![
        container(glyph).padding(Padding::ZERO.top(3.0)),
        column![text, evidence].width(Length::Fill)
    ]
    .spacing(space::M)
    .into()
}

/// The evidence where its command does not fit: that it was verified, and how long it took.
fn short(task: &Task) -> Option<String> {
    let verified = task.state == TaskState::Done && task.verify.is_some();
    verified.then(|| format!("verified{} · {}", again(task), ago::took(task.duration_ms)))
}

fn again(task: &Task) -> String {
    match task.attempts {
        0 | 1 => String::new(),
        2 => " after 1 repair".to_owned(),
        attempts => format!(" after {} repairs", attempts - 1),
    }
}

/// What speaks for a task's state, in a line; whether it is bad news.
fn evidence(task: &Task) -> (String, bool) {
    let took = ago::took(task.duration_ms);
    let again = again(task);
    let because = task.because.as_deref();
    match (task.state, &task.verify) {
        (TaskState::Done, Some(verify)) => {
            (format!("verified{again}: {} · {took}", verify.command), false)
        }
        (TaskState::Done, None) => (format!("done{again} · {took}"), false),
        (TaskState::Failed, verify) => (failure(because, verify.as_ref()), true),
        (TaskState::Verifying, Some(verify)) => (format!("verifying: {}", verify.command), false),
        (TaskState::Verifying, None) => ("verifying".to_owned(), false),
        (TaskState::Committing, _) => ("committing".to_owned(), false),
        (TaskState::Skipped, _) => ("skipped".to_owned(), false),
        (TaskState::Undone, _) => ("undone".to_owned(), false),
        (TaskState::Working, _) => {
            let session = task.session.as_deref().map(|id| {
                let short: String = id.chars().take(8).collect();
                format!("session {short}")
            });
            let attempt = (task.attempts > 1).then(|| format!("attempt {}", task.attempts));
            let facts = [session, attempt, because.map(str::to_owned)];
            let words: Vec<_> = facts.into_iter().flatten().collect();
            (if words.is_empty() { "working".to_owned() } else { words.join(" · ") }, false)
        }
    }
}

fn failure(because: Option<&str>, verify: Option<&Verify>) -> String {
    match (because, verify) {
        (Some(because), _) => because.to_owned(),
        (None, Some(Verify { command, exit_code: Some(code), .. })) => {
            format!("{command} exited with {code}")
        }
        (None, Some(Verify { command, exit_code: None, .. })) => format!("{command} was ended"),
        (None, None) => "failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    #[test]
    fn a_run_says_how_far_it_is() {
        let run = &scene::world().runs[0];
        assert_eq!(title(run), "preferences.md");
        assert!(summary(run, scene::NOW_MS).starts_with("3 of 5 · "));
        assert_eq!(unvisited(run), 1);
    }

    #[test]
    fn evidence_names_the_command() {
        let run = &scene::world().runs[0];
        let (words, wrong) = evidence(&run.tasks[0]);
        assert!(words.starts_with("verified: cargo test"), "{words}");
        assert!(!wrong);
    }
}
