//! What the dialog looks like.

use iced::widget::{Column, button, column, container, row, text_input};
use iced::{Alignment, Color, Element, Length};
use maestro_core::agent::Provider;
use maestro_core::text;
use maestro_protocol::message::Repository;
use maestro_ui::icon::{Icon, icon};
use maestro_ui::theme::{Tokens, radius, space, type_scale};
use maestro_ui::{font, keys, line, part, style};

use super::super::ago;
use super::{Field, Message, Mode, NewAgent, Seen};

impl Mode {
    fn title(self) -> &'static str {
        match self {
            Self::New => "New branch",
            Self::Existing => "Existing branch",
            Self::Directly => "No worktree",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::New => "Works in a worktree of its own, on a branch made for it.",
            Self::Existing => "Works in a worktree of its own, on a branch there is.",
            Self::Directly => "Works in the directory itself, beside whoever else does.",
        }
    }
}

impl NewAgent {
    /// The dialog. Where it is not `roomy`, what can be had by asking is not shown.
    pub fn view(&self, tokens: &'static Tokens, roomy: bool, now_ms: u64) -> Element<'_, Message> {
        let title = line("New agent", type_scale::TITLE, font::SEMIBOLD, tokens.text).fill();
        let mut body =
            column![title, self.providers_view(tokens, roomy), self.directory_view(tokens)]
                .push(self.mode_view(tokens))
                .spacing(14.0);
        if self.mode != Mode::Directly {
            body = body.push(self.branch_view(tokens, now_ms));
        }
        let placeholder = self.default_name();
        let name = self.input(tokens, Field::Name, &placeholder, &self.name);
        let hint = "What you call it: in the list, in the palette, on the command line.";
        let name = part::field(tokens, "Name", name, self.below(Field::Name, Some(hint)));
        body.push(name).push(self.buttons(tokens)).padding(space::XL).width(Length::Fill).into()
    }

    fn providers_view(&self, tokens: &'static Tokens, roomy: bool) -> Element<'_, Message> {
        let pair = |pair: &[Provider]| -> Element<'_, Message> {
            // Neighbours are equally high.
            let reasons = roomy && pair.iter().any(|provider| self.unusable(*provider).is_some());
            let pair = pair.iter().map(|provider| self.provider_view(tokens, *provider, reasons));
            row(pair).spacing(6.0).into()
        };
        let choices = Column::with_children(Provider::ALL.chunks(2).map(pair)).spacing(6.0);
        let below = self.unusable(self.provider).map(|why| (why.to_owned(), true));
        part::field(tokens, "Provider", choices.into(), below)
    }

    fn unusable(&self, provider: Provider) -> Option<&str> {
        self.info(provider).and_then(|info| info.unusable.as_deref())
    }

    /// A provider and its version; with a second line for the reason when its neighbour or itself has
    /// one.
    fn provider_view(
        &self,
        tokens: &'static Tokens,
        provider: Provider,
        reasons: bool,
    ) -> Element<'_, Message> {
        let unusable = self.unusable(provider);
        let ink = if unusable.is_none() { tokens.text } else { tokens.dim };
        let quiet = |words: String| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
        let fact = match (unusable, self.info(provider)) {
            (_, None) => "looking…".to_owned(),
            (Some(why), _) if reasons => reason(provider, why),
            (Some(_), _) => "not usable".to_owned(),
            (None, Some(info)) => info.version.clone().unwrap_or_default(),
        };
        let name = line(provider.title(), type_scale::BASE, font::MEDIUM, ink).fill();
        let content: Element<'_, Message> = if reasons {
            column![name, quiet(fact).fill()].into()
        } else {
            row![name, quiet(fact)].spacing(space::S).align_y(Alignment::Center).into()
        };
        let picked = self.provider == provider;
        let focused = self.focus == Field::Provider;
        choice(tokens, content, picked, focused, Message::ProviderPicked(provider))
    }

    fn directory_view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let input = self.input(tokens, Field::Directory, "/path/to/repository", &self.directory);
        let (words, wrong) = match &self.seen {
            Seen::Looking => ("Looking…".to_owned(), false),
            Seen::Refused(why) => (part::sentence(why), !self.directory.is_empty()),
            Seen::Repository(repository) => (describe(repository), false),
        };
        let below = self.below(Field::Directory, None).unwrap_or((words, wrong));
        part::field(tokens, "Repository or directory", input, Some(below))
    }

    fn mode_view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let focused = self.focus == Field::Mode;
        let choices = Mode::ALL.map(|mode| {
            let content = line(mode.title(), type_scale::BASE, font::MEDIUM, tokens.text);
            let content = container(content).center_x(Length::Fill).into();
            choice(tokens, content, self.mode == mode, focused, Message::ModePicked(mode))
        });
        let about = Some((self.mode.about().to_owned(), false));
        part::field(tokens, "Works in", row(choices).spacing(6.0).into(), about)
    }

    fn branch_view(&self, tokens: &'static Tokens, now_ms: u64) -> Element<'_, Message> {
        if self.mode == Mode::New {
            let branch = self.input(tokens, Field::Branch, "feat/name", &self.branch);
            let base = self.input(tokens, Field::Base, "the current commit", &self.base);
            let both = row![
                part::field(tokens, "Branch", branch, None),
                part::field(tokens, "From", base, None),
            ]
            .spacing(space::M);
            let bases = (self.focus == Field::Base && !self.bases.is_empty())
                .then(|| Column::with_children(self.bases_view(tokens, now_ms)));
            let race = self.input(tokens, Field::Race, "1", &self.race);
            let race = container(part::field(tokens, "Agents on it", race, None)).width(120.0);
            let more = row![race, self.location_view(tokens)].spacing(space::M);
            return column![both]
                .push(self.wrong(tokens, &[Field::Branch, Field::Base]))
                .push(bases)
                .push(container(more).padding(iced::Padding::ZERO.top(space::S)))
                .push(self.wrong(tokens, &[Field::Race, Field::Location]))
                .spacing(space::XS)
                .into();
        }
        let input = self.input(tokens, Field::Branch, "type to filter", &self.branch);
        let offered = self.offered().into_iter().map(|branch| {
            let picked = branch == self.branch;
            let ink = if picked { tokens.accent } else { tokens.dim };
            button(line(branch.clone(), type_scale::BASE, font::REGULAR, ink).fill())
                .padding([3.0, 10.0])
                .width(Length::Fill)
                .style(style::row(tokens, picked))
                .on_press(Message::BranchPicked(branch))
                .into()
        });
        let list = column![input, Column::with_children(offered)].spacing(space::XS).into();
        let branch = part::field(tokens, "Branch", list, self.below(Field::Branch, None));
        column![branch, self.location_view(tokens)]
            .push(self.wrong(tokens, &[Field::Location]))
            .spacing(space::S)
            .into()
    }

    fn location_view(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let location = self.input(tokens, Field::Location, "as the settings say", &self.location);
        part::field(tokens, "Folder of its worktree", location, None)
    }

    /// What is wrong with one of these fields. A sentence takes the whole width: half of it would be a column
    /// of words.
    fn wrong(&self, tokens: &'static Tokens, fields: &[Field]) -> Option<Element<'_, Message>> {
        let wrong = fields.iter().find_map(|field| self.below(*field, None));
        wrong.map(|(why, _)| part::paragraph(why, type_scale::SMALL, font::REGULAR, tokens.red))
    }

    /// What a new branch could start from: its name, how far it is from here, and how old its last commit is.
    fn bases_view(
        &self,
        tokens: &'static Tokens,
        now_ms: u64,
    ) -> impl Iterator<Item = Element<'_, Message>> {
        self.bases_in_sight().iter().map(move |base| {
            let picked = base.name == self.base;
            let ink = if picked { tokens.accent } else { tokens.dim };
            let far = match base.distance {
                _ if base.current => "current".to_owned(),
                Some((0, 0)) | None => String::new(),
                Some((more, 0)) => format!("+{more}"),
                Some((0, less)) => format!("−{less}"),
                Some((more, less)) => format!("+{more} −{less}"),
            };
            let quiet = |words: String| line(words, type_scale::SMALL, font::REGULAR, tokens.faint);
            let words = row![
                line(text::clean(&base.name, 80), type_scale::BASE, font::REGULAR, ink).fill(),
                quiet(far),
                quiet(ago::since(base.at_ms, now_ms)),
            ]
            .spacing(space::M)
            .align_y(Alignment::Center);
            button(words)
                .padding([3.0, 10.0])
                .width(Length::Fill)
                .style(style::row(tokens, picked))
                .on_press(Message::BasePicked(base.name.clone()))
                .into()
        })
    }

    fn input(
        &self,
        tokens: &'static Tokens,
        field: Field,
        placeholder: &str,
        value: &str,
    ) -> Element<'_, Message> {
        let wrong = self.error.as_ref().is_some_and(|(at, _)| *at == field);
        let (size, height) = type_scale::BASE;
        let input = text_input(placeholder, value)
            .id(field.input().unwrap_or_default())
            .on_input(move |text| Message::Edited(field, text))
            .size(size)
            .line_height(iced::widget::text::LineHeight::Absolute(height.into()))
            .font(font::REGULAR)
            .padding([4.0, 10.0])
            .style(style::input(tokens, wrong));
        keys::pressed(input, Message::Pressed(field))
    }

    /// What stands under a field: what is wrong with it, or a hint.
    fn below(&self, field: Field, hint: Option<&str>) -> Option<(String, bool)> {
        let wrong = self.error.as_ref().filter(|(at, _)| *at == field);
        wrong
            .map(|(_, why)| (part::sentence(why), true))
            .or_else(|| hint.map(|hint| (hint.to_owned(), false)))
    }

    fn default_name(&self) -> String {
        let from = match self.mode {
            Mode::Directly => self.directory.trim_end_matches('/'),
            Mode::New | Mode::Existing => self.branch.trim(),
        };
        let last = from.rsplit('/').next().unwrap_or_default();
        if last.is_empty() { "from the branch".to_owned() } else { last.to_owned() }
    }

    fn buttons(&self, tokens: &'static Tokens) -> Element<'_, Message> {
        let error = self.below(Field::Create, None);
        let error =
            error.map(|(why, _)| part::paragraph(why, type_scale::BASE, font::REGULAR, tokens.red));
        let label = if self.creating { "Creating…" } else { "Create agent" };
        let create = (!self.creating).then_some(Message::Accepted);
        let buttons = row![
            line("", type_scale::SMALL, font::REGULAR, tokens.faint).fill(),
            part::action(tokens, "Cancel", false, false, Some(Message::Cancelled)),
            part::chord(tokens, "Esc"),
            part::action(tokens, label, true, self.focus == Field::Create, create),
            part::chord(tokens, "↵"),
        ]
        .spacing(space::S)
        .align_y(Alignment::Center);
        column![].push(error).push(buttons).spacing(space::M).into()
    }
}

/// The reason without the provider's name, which stands over it.
fn reason(provider: Provider, why: &str) -> String {
    let rest = why.strip_prefix(provider.title()).unwrap_or(why).trim_start();
    rest.strip_prefix("is ").unwrap_or(rest).to_owned()
}

fn describe(repository: &Repository) -> String {
    let Some(root) = &repository.root else {
        return "Not a git repository: it works in the directory itself.".to_owned();
    };
    let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy();
    if !repository.has_commits {
        return format!("{name} has no commits yet: worktrees need one.");
    }
    let branch = repository.branch.as_deref().unwrap_or("no branch");
    let count = match repository.branches.len() {
        1 => "1 branch".to_owned(),
        count => format!("{count} branches"),
    };
    format!("{name} · on {branch} · {count}")
}

/// One of several that exclude each other.
fn choice<'a>(
    tokens: &'static Tokens,
    content: Element<'a, Message>,
    picked: bool,
    focused: bool,
    on_press: Message,
) -> Element<'a, Message> {
    let mark = if picked { Icon::Dot } else { Icon::Ring };
    let ink = if picked { tokens.accent } else { tokens.faint };
    let content = row![icon(mark, 12.0, ink), content].spacing(space::S).align_y(Alignment::Center);
    button(content)
        .padding([4.0, 10.0])
        .width(Length::Fill)
        .style(move |_, status| {
            let hovered = matches!(status, button::Status::Hovered | button::Status::Pressed);
            let line = match (picked, focused) {
                (true, true) => tokens.accent,
                (true, false) => tokens.strong,
                _ => tokens.border,
            };
            let fill = if picked || hovered { tokens.hover } else { Color::TRANSPARENT };
            button::Style {
                background: Some(fill.into()),
                text_color: tokens.text,
                border: iced::Border { color: line, width: 1.0, radius: radius::BUTTON.into() },
                ..button::Style::default()
            }
        })
        .on_press(on_press)
        .into()
}
