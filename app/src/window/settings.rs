//! The settings page: everything that can be set, found by words, changed by keys.

use iced::widget::{button, column, container, mouse_area, row, text_input};
use iced::{Alignment, Color, Element, Length, Padding};
use maestro_core::AgentId;
use maestro_core::command::Id;
use maestro_core::input::{Code, Key, Mods};
use maestro_core::keymap::{Chord, Keymap, Platform};
use maestro_core::settings::{self, Kind, Setting, Value, Values};
use maestro_ui::theme::{Tokens, extent, space, type_scale};
use maestro_ui::{font, line, part, style};

use super::chords::chord_of;
use super::page;

/// Width of the page.
pub const WIDTH: f32 = 760.0;

/// Height of a setting's row.
const ROW: f32 = 44.0;

/// The most rows that are shown at once.
const MOST: usize = 9;

/// What is above and below the rows: the title, the field, what is said of the marked one, the keys.
const AROUND: f32 = 320.0;

/// The field that finds, for the `focus` operation and for tests.
pub const INPUT: &str = "settings-input";

/// The field in which a value is written.
pub const VALUE: &str = "settings-value";

/// The open page.
#[derive(Debug)]
pub struct View {
    query: String,
    /// The agent that was looked at, which can have settings of its own.
    agent: Option<(AgentId, String)>,
    /// Whether what it has of its own is shown and changed.
    scoped: bool,
    only_set: bool,
    values: Values,
    /// Why the file cannot be changed.
    trouble: Option<String>,
    marked: usize,
    top: usize,
    shown: usize,
    edit: Option<Edit>,
    /// Everything is taken out at the next press.
    asked: bool,
    narrow: bool,
}

/// A value that is being written.
#[derive(Debug)]
struct Edit {
    setting: &'static Setting,
    text: String,
    /// What is wrong with it.
    why: Option<String>,
}

/// What happens on the page.
#[derive(Debug, Clone)]
pub enum Message {
    /// Other words are looked for.
    Queried(String),
    /// A row was pressed.
    Pressed(usize),
    /// The wheel was turned: positive is down.
    Scrolled(i32),
    /// The value that is written is another one.
    Written(String),
    /// A key was pressed while a chord is recorded.
    Recorded(Box<Key>),
    /// All agents, or one.
    Scope(bool),
    /// Everything, or only what is set.
    OnlySet(bool),
}

/// What is to be done for it.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing.
    None,
    /// The file is changed: each setting to this, or out of it.
    Write(Option<AgentId>, Vec<(&'static Setting, Option<Value>)>),
    /// The file is opened in an editor.
    Open,
    /// The page is closed.
    Close,
}

impl View {
    /// An open page over what is set, for somebody who looks at this agent.
    #[must_use]
    pub fn new(values: Values, agent: Option<(AgentId, String)>) -> Self {
        Self {
            query: String::new(),
            agent,
            scoped: false,
            only_set: false,
            values,
            trouble: None,
            marked: 0,
            top: 0,
            shown: MOST,
            edit: None,
            asked: false,
            narrow: false,
        }
    }

    /// Other values hold: the file was saved, here or elsewhere.
    pub fn heard(&mut self, values: Values) {
        self.values = values;
        self.trouble = None;
        self.step(0);
    }

    /// The file could not be changed, or cannot be read.
    pub fn failed(&mut self, why: String) {
        self.trouble = Some(why);
    }

    /// The input that has the keyboard.
    #[must_use]
    pub fn input(&self) -> &'static str {
        if self.edit.is_some() { VALUE } else { INPUT }
    }

    /// The window has this size: no more rows and hints than fit.
    pub fn fit(&mut self, width: f32, height: f32) {
        self.narrow = width < WIDTH;
        let shown = (((height - AROUND) / ROW).max(2.0) as usize).min(MOST);
        if shown != self.shown {
            self.shown = shown;
            self.step(0);
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Queried(query) => {
                self.query = query;
                (self.marked, self.top, self.edit) = (0, 0, None);
            }
            Message::Pressed(index) if index == self.marked && self.edit.is_none() => {
                return self.command(Id::OverlayAccept);
            }
            Message::Pressed(index) => {
                (self.marked, self.edit) = (index, None);
                self.step(0);
            }
            Message::Scrolled(by) => {
                let last = self.rows().len().saturating_sub(self.shown);
                self.top = self.top.saturating_add_signed(by as isize).min(last);
            }
            Message::Written(text) => {
                if let Some(edit) = &mut self.edit {
                    edit.why = edit.setting.parse(&text).err().filter(|_| !text.trim().is_empty());
                    edit.text = text;
                }
            }
            Message::Recorded(key) => return self.recorded(&key),
            Message::Scope(scoped) => {
                self.scoped = scoped && self.agent.is_some();
                (self.marked, self.top, self.edit) = (0, 0, None);
            }
            Message::OnlySet(only) => {
                (self.only_set, self.marked, self.top, self.edit) = (only, 0, 0, None);
            }
        }
        Action::None
    }

    /// Does what a key means.
    pub fn command(&mut self, id: Id) -> Action {
        let asked = std::mem::take(&mut self.asked);
        match id {
            Id::OverlayUp | Id::OverlayPrevious => self.step(-1),
            Id::OverlayDown | Id::OverlayNext => self.step(1),
            Id::OverlayCancel if self.edit.is_some() => self.edit = None,
            Id::OverlayCancel if !self.query.is_empty() => {
                return self.update(Message::Queried(String::new()));
            }
            Id::OverlayCancel => return Action::Close,
            Id::OverlayAccept => return self.accept(),
            Id::SettingLess => return self.change(-1),
            Id::SettingMore => return self.change(1),
            Id::SettingReset => {
                self.edit = None;
                if let Some(setting) = self.marked().filter(|setting| self.is_own(setting)) {
                    return self.write(vec![(setting, None)]);
                }
            }
            Id::SettingsResetAll => {
                let own = settings::ALL.iter().filter(|setting| self.is_own(setting));
                let own: Vec<_> = own.map(|setting| (setting, None)).collect();
                if !own.is_empty() && asked {
                    return self.write(own);
                }
                self.asked = !own.is_empty();
            }
            Id::SettingsScope => return self.update(Message::Scope(!self.scoped)),
            Id::SettingsChanged => return self.update(Message::OnlySet(!self.only_set)),
            Id::SettingsFile => return Action::Open,
            _ => {}
        }
        Action::None
    }

    /// Whether the keys that are pressed are the value.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.edit.as_ref().is_some_and(|edit| edit.setting.kind == Kind::Chord)
    }

    /// A key while a chord is recorded: Escape leaves it, Backspace takes it out, others are it.
    fn recorded(&mut self, key: &Key) -> Action {
        let Some(edit) = &mut self.edit else { return Action::None };
        let setting = edit.setting;
        match key.code {
            Code::Escape if key.mods == Mods::default() => self.edit = None,
            Code::Backspace if key.mods == Mods::default() => {
                self.edit = None;
                return self.write(vec![(setting, None)]);
            }
            _ => {
                let Some(chord) = chord_of(key, Platform::HERE) else { return Action::None };
                let text = chord.to_string();
                match setting.parse(&text) {
                    Ok(value) => {
                        self.edit = None;
                        return self.write(vec![(setting, Some(value))]);
                    }
                    Err(why) => (edit.text, edit.why) = (text, Some(why)),
                }
            }
        }
        Action::None
    }

    /// Marks another row; the ends are joined.
    fn step(&mut self, by: isize) {
        let count = self.rows().len() as isize;
        if by != 0 {
            self.edit = None;
        }
        self.marked = match count {
            0 => 0,
            _ if by == 0 => self.marked.min(count as usize - 1),
            _ => (self.marked as isize + by).rem_euclid(count) as usize,
        };
        self.top = self.top.clamp((self.marked + 1).saturating_sub(self.shown), self.marked);
    }

    /// Whose settings are changed.
    fn whose(&self) -> Option<AgentId> {
        self.agent.as_ref().filter(|_| self.scoped).map(|(agent, _)| *agent)
    }

    fn is_own(&self, setting: &Setting) -> bool {
        self.values.own(setting.key, self.whose()).is_some()
    }

    fn rows(&self) -> Vec<&'static Setting> {
        let words: Vec<&str> = self.query.split_whitespace().collect();
        settings::ALL
            .iter()
            .filter(|setting| !self.scoped || setting.per_agent)
            .filter(|setting| !self.only_set || self.is_own(setting))
            .filter(|setting| setting.is_about(&words))
            .collect()
    }

    fn marked(&self) -> Option<&'static Setting> {
        self.rows().get(self.marked).copied()
    }

    fn now(&self, setting: &Setting) -> Option<Value> {
        self.values.get(setting, self.whose())
    }

    fn write(&self, changes: Vec<(&'static Setting, Option<Value>)>) -> Action {
        Action::Write(self.whose(), changes)
    }

    /// Changes what can be changed at once; what is written has a field.
    fn accept(&mut self) -> Action {
        if let Some(edit) = &mut self.edit {
            // An empty field: as it was before anybody set it.
            let value = match edit.text.trim() {
                "" => None,
                text => match edit.setting.parse(text) {
                    Ok(value) => Some(value),
                    Err(why) => {
                        edit.why = Some(why);
                        return Action::None;
                    }
                },
            };
            let change = (edit.setting, value);
            self.edit = None;
            return self.write(vec![change]);
        }
        let Some(setting) = self.marked() else { return Action::None };
        match setting.kind {
            Kind::Switch | Kind::Choice(_) => self.change(1),
            Kind::Number { .. }
            | Kind::Command { .. }
            | Kind::Folder
            | Kind::Name { .. }
            | Kind::Hours
            | Kind::Chord => {
                let text = self.now(setting).map(|value| value.to_string()).unwrap_or_default();
                self.edit = Some(Edit { setting, text, why: None });
                Action::None
            }
        }
    }

    /// More, or less: the next number or choice.
    fn change(&mut self, by: i8) -> Action {
        self.edit = None;
        let Some(setting) = self.marked() else { return Action::None };
        let value = match (setting.kind, self.now(setting)) {
            (Kind::Switch, Some(Value::Switch(on))) => Value::Switch(!on),
            (Kind::Choice(words), Some(Value::Text(now))) => {
                let at = words.iter().position(|(word, _)| *word == now).unwrap_or(0);
                let next = (at as isize + isize::from(by)).rem_euclid(words.len() as isize);
                Value::Text(words[next as usize].0.to_owned())
            }
            (Kind::Number { least, most, step, .. }, Some(Value::Number(now))) => {
                // Onto a whole number of steps, so that 3 rows less 5 are not −2 but the least.
                let next = (now / step + f64::from(by)).round() * step;
                Value::Number(next.clamp(least, most))
            }
            _ => return Action::None,
        };
        if self.now(setting).as_ref() == Some(&value) {
            return Action::None;
        }
        self.write(vec![(setting, Some(value))])
    }

    /// The page.
    pub fn view(&self, tokens: &'static Tokens, keymap: &Keymap) -> Element<'_, Message> {
        let scopes = self.agent.as_ref().map(|(_, name)| {
            let name = maestro_core::text::clean(name, 24);
            row![
                part::toggle(tokens, "All agents", !self.scoped, Message::Scope(false)),
                part::toggle(tokens, &name, self.scoped, Message::Scope(true)),
            ]
            .spacing(space::XS)
        });
        let title = row![line("Settings", type_scale::TITLE, font::SEMIBOLD, tokens.text).fill()]
            .push(scopes)
            .push(part::toggle(
                tokens,
                "Only what is set",
                self.only_set,
                Message::OnlySet(!self.only_set),
            ))
            .spacing(space::M)
            .align_y(Alignment::Center)
            .padding(Padding::new(space::L).bottom(space::S));
        let hint = "Find a setting…";
        let input = page::finder(tokens, INPUT, hint, &self.query, Message::Queried);
        column![
            title,
            input,
            part::rule(tokens),
            self.list(tokens),
            part::rule(tokens),
            self.about(tokens),
            part::rule(tokens),
            self.foot(tokens, keymap),
        ]
        .into()
    }

    fn list(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let rows = self.rows();
        if rows.is_empty() {
            let words = match (self.only_set, self.query.is_empty()) {
                (true, true) if self.scoped => {
                    "This agent has nothing of its own: what holds for all holds here.".to_owned()
                }
                (true, true) => "Nothing is set: everything is as it comes.".to_owned(),
                _ => format!("No setting is about “{}”. Fewer words find more.", self.query),
            };
            return container(part::paragraph(words, type_scale::BASE, font::REGULAR, tokens.dim))
                .padding(space::L)
                .height(ROW * 2.0)
                .into();
        }
        let shown = rows.iter().enumerate().skip(self.top).take(self.shown);
        let rows = shown.map(|(index, setting)| self.row(tokens, index, setting));
        mouse_area(column(rows)).on_scroll(|delta| Message::Scrolled(wheel(delta))).into()
    }

    fn row(
        &self,
        tokens: &'static Tokens,
        index: usize,
        setting: &'static Setting,
    ) -> Element<'_, Message> {
        let marked = index == self.marked;
        let is_own = self.is_own(setting);
        let title = line(setting.title, type_scale::BASE, font::MEDIUM, tokens.text);
        let key = line(setting.key, type_scale::SMALL, font::MONO, tokens.faint).fill();
        let value: Element<'_, Message> = match &self.edit {
            Some(edit) if marked && std::ptr::eq(edit.setting, setting) && self.is_recording() => {
                let held = edit.text.parse::<Chord>().map(|chord| chord.title(Platform::HERE));
                let words = match (&edit.why, held) {
                    (Some(_), Ok(held)) => held,
                    _ => "Press the chord…".to_owned(),
                };
                let ink = if edit.why.is_some() { tokens.red } else { tokens.accent };
                container(line(words, type_scale::BASE, font::MEDIUM, ink)).max_width(320.0).into()
            }
            Some(edit) if marked && std::ptr::eq(edit.setting, setting) => {
                let (size, height) = type_scale::BASE;
                let field = text_input("as it comes", &edit.text)
                    .id(VALUE)
                    .on_input(Message::Written)
                    .size(size)
                    .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
                    .font(font::MONO)
                    .padding([4.0, space::S])
                    .style(style::input(tokens, edit.why.is_some()));
                container(field).width(Length::FillPortion(3)).into()
            }
            _ => {
                let ink = if is_own { tokens.text } else { tokens.dim };
                let face = if is_own { font::MEDIUM } else { font::REGULAR };
                let words = line(self.said(setting), type_scale::BASE, face, ink);
                container(words).max_width(320.0).into()
            }
        };
        let mark = if is_own { tokens.accent } else { Color::TRANSPARENT };
        let mark = container(part::filled(mark, Length::Fixed(6.0), Length::Fixed(6.0)));
        let content = row![column![title, key].width(Length::FillPortion(4)), value, mark]
            .spacing(space::M)
            .align_y(Alignment::Center)
            .height(Length::Fill)
            .padding(Padding::ZERO.left(space::L - extent::BAR).right(space::L));
        let bar = if marked { tokens.accent } else { Color::TRANSPARENT };
        let bar = part::filled(bar, Length::Fixed(extent::BAR), Length::Fill);
        button(row![bar, content])
            .padding(0)
            .height(ROW)
            .width(Length::Fill)
            .style(style::row(tokens, marked))
            .on_press(Message::Pressed(index))
            .into()
    }

    /// What holds, in words.
    fn said(&self, setting: &Setting) -> String {
        let unit = match setting.kind {
            Kind::Number { unit, .. } if !unit.is_empty() => format!(" {unit}"),
            _ => String::new(),
        };
        let value = self.now(setting);
        value.map_or_else(|| setting.default.to_string(), |value| format!("{value}{unit}"))
    }

    /// What the marked setting does, what it can be, and what is wrong.
    fn about(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let quiet = |words: String| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let Some(setting) = self.marked() else {
            return container(quiet(String::new()))
                .padding([space::M, space::L])
                .height(92.0)
                .into();
        };
        let means = match (setting.kind, self.now(setting)) {
            (Kind::Choice(words), Some(Value::Text(now))) => words
                .iter()
                .find(|(word, _)| *word == now)
                .map(|(word, means)| format!(" Now “{word}”: {means}."))
                .unwrap_or_default(),
            _ => String::new(),
        };
        let text = format!("{}{means}", setting.about);
        let about = part::paragraph(text, type_scale::BASE, font::REGULAR, tokens.dim);
        let wrong = self.edit.as_ref().and_then(|edit| edit.why.clone()).or(self.trouble.clone());
        let under: Element<'_, Message> = match wrong {
            Some(why) if self.asked => {
                line(why, type_scale::SMALL, font::REGULAR, tokens.red).into()
            }
            _ if self.asked => {
                let words = "Press it once more to take out everything that is set here.";
                line(words, type_scale::SMALL, font::MEDIUM, tokens.orange).into()
            }
            Some(why) => {
                let why = part::sentence(&why);
                part::paragraph(why, type_scale::SMALL, font::REGULAR, tokens.red)
            }
            None => {
                let of_all = match (self.whose(), setting.per_agent) {
                    (Some(_), _) if !self.is_own(setting) => " · as for all agents",
                    (None, true) => " · an agent can have its own",
                    _ => "",
                };
                quiet(format!("{} · default: {}{of_all}", setting.allowed(), setting.default))
                    .into()
            }
        };
        container(column![about, under].spacing(space::S))
            .padding([space::M, space::L])
            .width(Length::Fill)
            .height(92.0)
            .clip(true)
            .into()
    }

    fn foot(&self, tokens: &'static Tokens, keymap: &Keymap) -> Element<'_, Message> {
        let quiet =
            |words: &'static str| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let key = |id: Id| keymap.title(id).map(|chord| part::chord(tokens, &chord));
        let hint =
            |chord, words: &'static str| row![].push(chord).push(quiet(words)).spacing(space::XS);
        let below = self.rows().len().saturating_sub(self.top + self.shown);
        let more = (below > 0)
            .then(|| line(format!("{below} more"), type_scale::SMALL, font::REGULAR, tokens.faint));
        if self.is_recording() {
            let keys = [("⌫", "none"), ("Esc", "as it was")];
            let keys = keys.map(|(key, words)| hint(Some(part::chord(tokens, key)), words).into());
            return row(keys).spacing(space::M).padding([8.0, space::L]).into();
        }
        row![
            hint(Some(part::chord(tokens, "↵")), "change"),
            hint(key(Id::SettingMore), "more"),
            hint(key(Id::SettingReset), "default"),
        ]
        .push(self.agent.as_ref().map(|_| hint(key(Id::SettingsScope), "all or this agent")))
        .push((!self.narrow).then(|| hint(key(Id::SettingsFile), "file")))
        .push(hint(Some(part::chord(tokens, "Esc")), "close"))
        .push(quiet("").fill())
        .push(more)
        .spacing(space::M)
        .align_y(Alignment::Center)
        .padding([8.0, space::L])
        .into()
    }
}

fn wheel(delta: iced::mouse::ScrollDelta) -> i32 {
    match delta {
        iced::mouse::ScrollDelta::Lines { y, .. } => -y.round() as i32,
        iced::mouse::ScrollDelta::Pixels { y, .. } => -(y / ROW).round() as i32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> View {
        View::new(Values::default(), Some((AgentId(3), "db".to_owned())))
    }

    /// Marks a setting by its key.
    fn at(page: &mut View, key: &str) {
        let _ = page.update(Message::Queried(key.to_owned()));
        assert_eq!(page.marked().map(|setting| setting.key), Some(key));
    }

    /// Does what an action asks for, as the file would.
    fn done(page: &mut View, action: Action) -> usize {
        let Action::Write(agent, changes) = action else { return 0 };
        let count = changes.len();
        let mut values = page.values.clone();
        for (setting, value) in changes {
            values.replace(setting, agent, value);
        }
        page.heard(values);
        count
    }

    #[test]
    fn switches_and_choices_are_changed_at_once() {
        let mut page = page();
        at(&mut page, "composer.enter_sends");
        let action = page.command(Id::OverlayAccept);
        assert_eq!(done(&mut page, action), 1);
        let setting = settings::find("composer.enter_sends").expect("there");
        assert_eq!(page.now(setting), Some(Value::Switch(false)));
        at(&mut page, "terminal.confirm_paste");
        let paste = settings::find("terminal.confirm_paste").expect("there");
        for expected in ["always", "never", "shell"] {
            let action = page.command(Id::SettingMore);
            assert_eq!(done(&mut page, action), 1);
            assert_eq!(page.now(paste), Some(Value::Text(expected.into())));
        }
        let action = page.command(Id::SettingLess);
        assert_eq!(done(&mut page, action), 1);
        assert_eq!(page.now(paste), Some(Value::Text("never".into())));
    }

    #[test]
    fn numbers_go_by_steps_and_stay_within_their_range() {
        let mut page = page();
        at(&mut page, "terminal.wheel_rows");
        let rows = settings::find("terminal.wheel_rows").expect("there");
        for _ in 0..4 {
            let action = page.command(Id::SettingLess);
            let _ = done(&mut page, action);
        }
        assert_eq!(page.now(rows), Some(Value::Number(0.1)), "the least");
        assert_eq!(page.command(Id::SettingLess), Action::None);
        let action = page.command(Id::SettingMore);
        assert_eq!(done(&mut page, action), 1);
        assert_eq!(page.now(rows), Some(Value::Number(1.0)), "a whole step");
    }

    #[test]
    fn what_is_written_is_refused_while_it_is_wrong() {
        let mut page = page();
        at(&mut page, "terminal.scrollback");
        assert_eq!(page.command(Id::OverlayAccept), Action::None);
        assert_eq!(page.input(), VALUE);
        let _ = page.update(Message::Written("many".to_owned()));
        assert_eq!(page.command(Id::OverlayAccept), Action::None);
        assert!(page.edit.as_ref().is_some_and(|edit| edit.why.is_some()));
        let _ = page.update(Message::Written("5000".to_owned()));
        let action = page.command(Id::OverlayAccept);
        assert_eq!(done(&mut page, action), 1);
        let rows = settings::find("terminal.scrollback").expect("there");
        assert_eq!(page.now(rows), Some(Value::Number(5000.0)));
        // An empty field takes it out; Escape leaves the field, then the words, then the page.
        let _ = page.command(Id::OverlayAccept);
        let _ = page.update(Message::Written(" ".to_owned()));
        let action = page.command(Id::OverlayAccept);
        assert_eq!(done(&mut page, action), 1);
        assert_eq!(page.now(rows), Some(Value::Number(10_000.0)));
        let _ = page.command(Id::OverlayAccept);
        assert_eq!(page.command(Id::OverlayCancel), Action::None);
        assert_eq!(page.input(), INPUT);
        assert_eq!(page.command(Id::OverlayCancel), Action::None);
        assert_eq!(page.command(Id::OverlayCancel), Action::Close);
    }

    #[test]
    fn an_agent_has_its_own_and_goes_back_to_that_of_all() {
        let mut page = page();
        let _ = page.command(Id::SettingsScope);
        assert!(page.rows().iter().all(|setting| setting.per_agent) && !page.rows().is_empty());
        at(&mut page, "terminal.scrollback");
        let action = page.command(Id::SettingMore);
        let rows = settings::find("terminal.scrollback").expect("there");
        let more = Value::Number(11_000.0);
        let expected = Action::Write(Some(AgentId(3)), vec![(rows, Some(more.clone()))]);
        assert_eq!(action, expected);
        let _ = done(&mut page, action);
        assert_eq!(page.now(rows), Some(more));
        let action = page.command(Id::SettingReset);
        assert_eq!(done(&mut page, action), 1);
        assert_eq!(page.now(rows), Some(Value::Number(10_000.0)));
        assert_eq!(page.command(Id::SettingReset), Action::None, "nothing of its own");
    }

    #[test]
    fn everything_is_taken_out_at_the_second_press() {
        let mut page = page();
        assert_eq!(page.command(Id::SettingsResetAll), Action::None);
        assert_eq!(page.command(Id::SettingsResetAll), Action::None, "nothing is set");
        for key in ["composer.enter_sends", "terminal.copy_on_select"] {
            at(&mut page, key);
            let action = page.command(Id::OverlayAccept);
            let _ = done(&mut page, action);
        }
        let _ = page.update(Message::Queried(String::new()));
        let _ = page.command(Id::SettingsChanged);
        assert_eq!(page.rows().len(), 2);
        assert_eq!(page.command(Id::SettingsResetAll), Action::None);
        let _ = page.command(Id::OverlayDown);
        assert_eq!(page.command(Id::SettingsResetAll), Action::None, "something else came between");
        let action = page.command(Id::SettingsResetAll);
        assert_eq!(done(&mut page, action), 2);
        assert!(page.rows().is_empty());
    }
}
