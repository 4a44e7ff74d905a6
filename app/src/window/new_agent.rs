//! The dialog that makes an agent from a provider, a repository and a branch.

mod view;

use std::path::{Path, PathBuf};

use maestro_core::agent::Provider;
use maestro_core::fuzzy;
use maestro_core::screen::Size;
use maestro_core::worktree::{Ask, Base, MAX_RACE, Make};
use maestro_protocol::message::{Branch, Command, NewAgent as Order, ProviderInfo, Repository};

/// Branches offered at once for what was typed.
const SUGGESTIONS: usize = 5;

/// What is wanted: an agent, or several on one task in worktrees of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The agent.
    pub order: Order,
    /// How many, with a number behind the branch; one and without a number when 0.
    race: u32,
    /// The folder its worktree goes into.
    location: Option<PathBuf>,
}

/// What the host is asked for. One in a worktree is there at once, and its files come behind.
#[must_use]
pub fn command(wish: Wish) -> Command {
    let Wish { order, race, location } = wish;
    let Some(branch) = order.branch else {
        return Command::NewAgent(order);
    };
    let (branch, existing, base) = match branch {
        Branch::New { name, base } => (name, false, base),
        Branch::Existing(name) => (name, true, None),
    };
    Command::Worktrees(Ask::Make(Box::new(Make {
        repository: order.directory,
        branch,
        existing,
        base,
        path: None,
        location,
        race,
        agent: Some(order.provider),
        name: order.name,
        task: None,
        start: order.start,
        size: order.size,
        wait: false,
    })))
}

/// A place in the dialog that can have the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Provider,
    Directory,
    Mode,
    Branch,
    Base,
    Race,
    Location,
    Name,
    Create,
}

impl Field {
    /// The id of the field's input, where it is one.
    #[must_use]
    pub fn input(self) -> Option<&'static str> {
        match self {
            Self::Directory => Some("new-agent-directory"),
            Self::Branch => Some("new-agent-branch"),
            Self::Base => Some("new-agent-base"),
            Self::Race => Some("new-agent-race"),
            Self::Location => Some("new-agent-location"),
            Self::Name => Some("new-agent-name"),
            Self::Provider | Self::Mode | Self::Create => None,
        }
    }
}

/// Where the agent is to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In a new worktree, on a new branch.
    New,
    /// In a worktree of a branch there is.
    Existing,
    /// In the directory itself.
    Directly,
}

impl Mode {
    const ALL: [Self; 3] = [Self::New, Self::Existing, Self::Directly];
}

/// What is known about the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Looking,
    Repository(Repository),
    Refused(String),
}

/// The open dialog.
#[derive(Debug, Clone)]
pub struct NewAgent {
    providers: Vec<ProviderInfo>,
    provider: Provider,
    /// Whether the user chose it; until then the first usable one is taken.
    provider_chosen: bool,
    directory: String,
    seen: Seen,
    mode: Mode,
    /// What the user chose; without it a repository gets a new branch.
    mode_chosen: Option<Mode>,
    branch: String,
    base: String,
    /// What a new branch could start from, for what was typed.
    bases: Vec<Base>,
    race: String,
    location: String,
    name: String,
    focus: Field,
    error: Option<(Field, String)>,
    creating: bool,
}

/// What happens in the dialog.
#[derive(Debug, Clone)]
pub enum Message {
    /// A provider was pressed.
    ProviderPicked(Provider),
    /// A way to work was pressed.
    ModePicked(Mode),
    /// A text is another one.
    Edited(Field, String),
    /// A branch that was offered was pressed.
    BranchPicked(String),
    /// A base that was offered was pressed.
    BasePicked(String),
    /// The mouse was pressed in a field.
    Pressed(Field),
    /// The main button.
    Accepted,
    /// The other button.
    Cancelled,
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Give the keyboard to a field.
    Focus(Field),
    /// A field has the keyboard already.
    Focused(Field),
    /// Look at a directory.
    Inspect(PathBuf),
    /// Ask what a new branch in a directory could start from, for what was typed.
    Bases(PathBuf, String),
    /// Make the agent; the dialog stays open until that is done.
    Create(Wish),
    /// Close the dialog.
    Close,
}

impl NewAgent {
    /// An open dialog about a directory.
    #[must_use]
    pub fn new(directory: Option<&Path>, providers: &[ProviderInfo]) -> (Self, Action) {
        let directory = directory.map(|path| path.display().to_string()).unwrap_or_default();
        let mut dialog = Self {
            providers: Vec::new(),
            provider: Provider::ALL[0],
            provider_chosen: false,
            seen: Seen::Looking,
            mode: Mode::New,
            mode_chosen: None,
            branch: String::new(),
            base: String::new(),
            bases: Vec::new(),
            race: String::new(),
            location: String::new(),
            name: String::new(),
            focus: if directory.is_empty() { Field::Directory } else { Field::Branch },
            error: None,
            creating: false,
            directory,
        };
        dialog.providers_detected(providers);
        let inspect = dialog.inspect();
        (dialog, inspect)
    }

    /// What has the keyboard.
    #[must_use]
    pub fn focus(&self) -> Field {
        self.focus
    }

    /// It is to work in the directory itself.
    pub fn works_directly(&mut self) {
        (self.mode, self.mode_chosen) = (Mode::Directly, Some(Mode::Directly));
        self.focus = Field::Name;
    }

    /// The providers are known now.
    pub fn providers_detected(&mut self, providers: &[ProviderInfo]) {
        providers.clone_into(&mut self.providers);
        if !self.provider_chosen
            && let Some(usable) = providers.iter().find(|info| info.unusable.is_none())
        {
            self.provider = usable.provider;
        }
    }

    /// A directory was looked at.
    pub fn inspected(&mut self, directory: &Path, result: Result<Repository, String>) -> Action {
        if directory != self.path() {
            return Action::None;
        }
        self.bases.clear();
        let mut follows = Action::None;
        self.seen = match result {
            Ok(repository) => {
                let worktrees = repository.root.is_some() && repository.has_commits;
                let wanted = self.mode_chosen.unwrap_or(Mode::New);
                self.mode = if worktrees { wanted } else { Mode::Directly };
                if worktrees {
                    follows = Action::Bases(self.path(), self.base.trim().to_owned());
                }
                Seen::Repository(repository)
            }
            Err(why) => Seen::Refused(why),
        };
        if !self.fields().contains(&self.focus) {
            self.focus = Field::Directory;
        }
        follows
    }

    /// What a new branch could start from is known.
    pub fn bases_found(&mut self, directory: &Path, like: &str, bases: Vec<Base>) {
        if directory == self.path() && like == self.base.trim() {
            self.bases = bases;
        }
    }

    /// The host refused; the sentence goes where it belongs.
    pub fn refused(&mut self, why: String) {
        let about_branch = why.contains("branch") && self.mode != Mode::Directly;
        let field = if about_branch { Field::Branch } else { Field::Create };
        self.error = Some((field, why));
        self.creating = false;
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::ProviderPicked(provider) => {
                self.provider = provider;
                self.provider_chosen = true;
                self.focus_on(Field::Provider)
            }
            Message::ModePicked(mode) => {
                self.mode = mode;
                self.mode_chosen = Some(mode);
                self.error = None;
                self.focus_on(Field::Mode)
            }
            Message::Edited(field, text) => self.edited(field, text),
            Message::BranchPicked(branch) => {
                self.branch = branch;
                self.focus_on(Field::Branch)
            }
            Message::BasePicked(base) => {
                self.base = base;
                self.focus_on(Field::Base)
            }
            Message::Pressed(field) => {
                self.focus = field;
                Action::Focused(field)
            }
            Message::Accepted => self.accept(),
            Message::Cancelled => Action::Close,
        }
    }

    fn edited(&mut self, field: Field, text: String) -> Action {
        self.focus = field;
        if self.error.as_ref().is_some_and(|(at, _)| *at == field || *at == Field::Create) {
            self.error = None;
        }
        match field {
            Field::Directory => {
                self.directory = text;
                return self.inspect();
            }
            Field::Branch => self.branch = text,
            Field::Base => {
                self.base = text;
                return Action::Bases(self.path(), self.base.trim().to_owned());
            }
            Field::Race => self.race = text,
            Field::Location => self.location = text,
            Field::Name => self.name = text,
            Field::Provider | Field::Mode | Field::Create => {}
        }
        Action::None
    }

    fn inspect(&mut self) -> Action {
        let path = self.path();
        if path.as_os_str().is_empty() {
            self.seen = Seen::Refused("Say which repository it is to work in.".to_owned());
            return Action::None;
        }
        self.seen = Seen::Looking;
        Action::Inspect(path)
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(self.directory.trim())
    }

    fn focus_on(&mut self, field: Field) -> Action {
        self.focus = field;
        Action::Focus(field)
    }

    /// The fields there are, in the order of the Tab key.
    fn fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::Provider, Field::Directory, Field::Mode];
        match self.mode {
            Mode::New => {
                fields.extend([Field::Branch, Field::Base, Field::Race, Field::Location]);
            }
            Mode::Existing => fields.extend([Field::Branch, Field::Location]),
            Mode::Directly => {}
        }
        fields.extend([Field::Name, Field::Create]);
        fields
    }

    /// Goes to another field; the ends are joined.
    pub fn step_field(&mut self, by: isize) -> Action {
        let fields = self.fields();
        let at = fields.iter().position(|field| *field == self.focus).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(fields.len() as isize) as usize;
        self.focus_on(fields[next])
    }

    /// Goes to another choice of the field with the keyboard.
    pub fn step_choice(&mut self, by: isize) -> Action {
        match self.focus {
            Field::Provider => {
                if let Some(next) = stepped(&Provider::ALL, &self.provider, by) {
                    (self.provider, self.provider_chosen) = (next, true);
                }
                Action::None
            }
            Field::Mode => {
                if let Some(next) = stepped(&Mode::ALL, &self.mode, by) {
                    (self.mode, self.mode_chosen) = (next, Some(next));
                }
                Action::None
            }
            Field::Branch if self.mode == Mode::Existing => {
                let offered = self.offered();
                let next = stepped(&offered, &self.branch, by)
                    .or_else(|| offered.first().filter(|_| by > 0).cloned());
                self.branch = next.unwrap_or_else(|| self.branch.clone());
                Action::None
            }
            Field::Base if !self.bases.is_empty() => {
                let names: Vec<String> = self.bases.iter().map(|base| base.name.clone()).collect();
                let next = stepped(&names, &self.base, by);
                self.base = next.unwrap_or_else(|| names[0].clone());
                Action::None
            }
            Field::Race => {
                let now = self.race.trim().parse().unwrap_or(1u32);
                // Up is more.
                let next = now.saturating_add_signed(-by as i32).clamp(1, MAX_RACE);
                self.race = next.to_string();
                Action::None
            }
            _ => self.step_field(by),
        }
    }

    /// Makes the agent, if everything is said.
    pub fn accept(&mut self) -> Action {
        if self.creating {
            return Action::None;
        }
        match self.wish() {
            Ok(wish) => {
                self.error = None;
                self.creating = true;
                Action::Create(wish)
            }
            Err((field, why)) => {
                self.error = Some((field, why));
                self.focus_on(field)
            }
        }
    }

    fn wish(&self) -> Result<Wish, (Field, String)> {
        let refuse = |field, why: &str| Err((field, why.to_owned()));
        if let Some(why) = self.info(self.provider).and_then(|info| info.unusable.clone()) {
            return Err((Field::Provider, why));
        }
        if let Seen::Refused(why) = &self.seen {
            return refuse(Field::Directory, why);
        }
        let words = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let branch = match (self.mode, words(&self.branch)) {
            (Mode::Directly, _) => None,
            (Mode::New, None) => return refuse(Field::Branch, "Name the branch it is to work on."),
            (Mode::Existing, None) => return refuse(Field::Branch, "Choose a branch."),
            (Mode::New, Some(name)) => Some(Branch::New { name, base: words(&self.base) }),
            (Mode::Existing, Some(name)) => Some(Branch::Existing(name)),
        };
        let race = match words(&self.race).filter(|_| self.mode == Mode::New).map(|n| n.parse()) {
            None | Some(Ok(1)) => 0,
            Some(Ok(count)) if (2..=MAX_RACE).contains(&count) => count,
            Some(_) => {
                return Err((Field::Race, format!("From 1 to {MAX_RACE} agents on one task.")));
            }
        };
        let location = words(&self.location).filter(|_| self.mode != Mode::Directly);
        let location = location.map(|text| from_home(&text));
        if location.as_ref().is_some_and(|path| !path.is_absolute()) {
            return refuse(
                Field::Location,
                "Write the folder as a whole path, or with ~/ before it.",
            );
        }
        let order = Order {
            provider: self.provider,
            name: words(&self.name),
            directory: self.path(),
            branch,
            // The shell knows how large its pane will be.
            size: Size::new(80, 24),
            start: true,
        };
        Ok(Wish { order, race, location })
    }

    /// The bases that are shown, the chosen one among them.
    fn bases_in_sight(&self) -> &[Base] {
        let at = self.bases.iter().position(|base| base.name == self.base).unwrap_or(0);
        let top = (at + 1).saturating_sub(SUGGESTIONS);
        &self.bases[top..(top + SUGGESTIONS).min(self.bases.len())]
    }

    fn info(&self, provider: Provider) -> Option<&ProviderInfo> {
        self.providers.iter().find(|info| info.provider == provider)
    }

    /// The branches that fit what was typed.
    fn offered(&self) -> Vec<String> {
        let Seen::Repository(repository) = &self.seen else { return Vec::new() };
        // A branch that was picked must not hide its neighbours.
        let exact = repository.branches.contains(&self.branch);
        let query = if exact { "" } else { self.branch.trim() };
        let mut found: Vec<_> = repository
            .branches
            .iter()
            .filter_map(|branch| fuzzy::find(query, branch).map(|found| (found.score, branch)))
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        let at = found.iter().position(|(_, branch)| **branch == self.branch).unwrap_or(0);
        let top = (at + 1).saturating_sub(SUGGESTIONS);
        found.into_iter().skip(top).take(SUGGESTIONS).map(|(_, branch)| branch.clone()).collect()
    }
}

/// A path as it was typed, `~/` being the home folder.
fn from_home(text: &str) -> PathBuf {
    let home = text.strip_prefix("~/").zip(std::env::home_dir());
    home.map_or_else(|| PathBuf::from(text), |(rest, home)| home.join(rest))
}

fn stepped<T: PartialEq + Clone>(all: &[T], now: &T, by: isize) -> Option<T> {
    let at = all.iter().position(|other| other == now)? as isize;
    all.get((at + by).rem_euclid(all.len() as isize) as usize).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;

    fn dialog() -> NewAgent {
        let path = Path::new("/home/ada/shop");
        let (mut dialog, action) = NewAgent::new(Some(path), &scene::providers());
        assert_eq!(action, Action::Inspect(path.to_owned()));
        let bases = dialog.inspected(path, Ok(scene::repository()));
        assert_eq!(bases, Action::Bases(path.to_owned(), String::new()));
        dialog.bases_found(path, "", scene::bases());
        dialog
    }

    fn edit(dialog: &mut NewAgent, field: Field, text: &str) {
        let _ = dialog.update(Message::Edited(field, text.to_owned()));
    }

    #[test]
    fn a_branch_name_is_all_it_takes() {
        let mut dialog = dialog();
        edit(&mut dialog, Field::Branch, "feat/search");
        let Action::Create(Wish { order, race: 0, location: None }) = dialog.accept() else {
            panic!("not created")
        };
        let branch = Branch::New { name: "feat/search".to_owned(), base: None };
        assert_eq!(order.branch, Some(branch));
        assert_eq!(order.directory, Path::new("/home/ada/shop"));
        assert_eq!(dialog.accept(), Action::None, "created twice");
    }

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        let mut dialog = dialog();
        assert_eq!(dialog.accept(), Action::Focus(Field::Branch));
        assert_eq!(dialog.error.as_ref().map(|(field, _)| *field), Some(Field::Branch));
        edit(&mut dialog, Field::Branch, "x");
        assert_eq!(dialog.error, None);
    }

    #[test]
    fn an_unusable_provider_says_why() {
        let mut dialog = dialog();
        let _ = dialog.update(Message::ProviderPicked(Provider::Droid));
        edit(&mut dialog, Field::Branch, "x");
        assert_eq!(dialog.accept(), Action::Focus(Field::Provider));
    }

    #[test]
    fn a_refusal_stays_in_the_dialog_and_can_be_answered() {
        let mut dialog = dialog();
        edit(&mut dialog, Field::Branch, "main");
        assert!(matches!(dialog.accept(), Action::Create(_)));
        dialog.refused("the branch main is checked out in /home/ada/shop".to_owned());
        assert_eq!(dialog.error.as_ref().map(|(field, _)| *field), Some(Field::Branch));
        assert!(matches!(dialog.accept(), Action::Create(_)));
    }

    #[test]
    fn tab_goes_round_every_field_there_is() {
        let mut dialog = dialog();
        let mut seen = vec![dialog.focus()];
        while let Action::Focus(field) = dialog.step_field(1) {
            if field == seen[0] {
                break;
            }
            seen.push(field);
        }
        assert_eq!(seen.len(), 9);
        dialog.mode = Mode::Directly;
        assert!(!dialog.fields().contains(&Field::Branch));
    }

    #[test]
    fn tab_goes_on_from_where_the_mouse_was_pressed() {
        let mut dialog = dialog();
        let pressed = dialog.update(Message::Pressed(Field::Directory));
        assert_eq!(pressed, Action::Focused(Field::Directory));
        assert_eq!(dialog.step_field(1), Action::Focus(Field::Mode));
    }

    #[test]
    fn arrows_choose_among_branches() {
        let mut dialog = dialog();
        let _ = dialog.update(Message::ModePicked(Mode::Existing));
        dialog.focus = Field::Branch;
        let _ = dialog.step_choice(1);
        assert_eq!(dialog.branch, "main");
        let _ = dialog.step_choice(1);
        assert_eq!(dialog.branch, "feat/preferences");
    }

    #[test]
    fn bases_are_chosen_by_arrows_and_looked_for_by_letters() {
        let mut dialog = dialog();
        dialog.focus = Field::Base;
        let _ = dialog.step_choice(1);
        assert_eq!(dialog.base, "main", "the current one goes first");
        let _ = dialog.step_choice(1);
        assert_eq!(dialog.base, scene::bases()[1].name);
        assert_eq!(dialog.bases.len(), scene::bases().len(), "neighbours stay");
        let typed = Message::Edited(Field::Base, "orig".to_owned());
        let path = Path::new("/home/ada/shop");
        assert_eq!(dialog.update(typed), Action::Bases(path.to_owned(), "orig".to_owned()));
        dialog.bases_found(path, "ori", Vec::new());
        assert!(!dialog.bases.is_empty(), "an answer to what was typed before");
    }

    #[test]
    fn a_race_is_a_number_and_a_location_a_whole_path() {
        let mut dialog = dialog();
        edit(&mut dialog, Field::Branch, "fix");
        for (race, refused) in [("0", true), ("17", true), ("many", true), ("", false)] {
            edit(&mut dialog, Field::Race, race);
            assert_eq!(dialog.wish().is_err(), refused, "{race}");
        }
        dialog.focus = Field::Race;
        let _ = dialog.step_choice(-1);
        let _ = dialog.step_choice(-1);
        assert_eq!(dialog.race, "3");
        edit(&mut dialog, Field::Location, "trees");
        assert_eq!(dialog.accept(), Action::Focus(Field::Location));
        edit(&mut dialog, Field::Location, "/trees");
        let Action::Create(wish) = dialog.accept() else { panic!("not created") };
        assert_eq!((wish.race, wish.location), (3, Some("/trees".into())));
    }

    #[test]
    fn an_answer_about_another_directory_is_ignored() {
        let mut dialog = dialog();
        edit(&mut dialog, Field::Directory, "/elsewhere");
        let _ = dialog.inspected(Path::new("/home/ada/shop"), Ok(scene::repository()));
        assert_eq!(dialog.seen, Seen::Looking);
    }

    #[test]
    fn a_path_that_is_still_being_typed_decides_nothing() {
        let (mut dialog, _) = NewAgent::new(None, &scene::providers());
        let nothing =
            Repository { root: None, branch: None, branches: Vec::new(), has_commits: false };
        edit(&mut dialog, Field::Directory, "/home/ada");
        let _ = dialog.inspected(Path::new("/home/ada"), Ok(nothing));
        assert_eq!(dialog.mode, Mode::Directly);
        edit(&mut dialog, Field::Directory, "/home/ada/shop");
        let _ = dialog.inspected(Path::new("/home/ada/shop"), Ok(scene::repository()));
        assert_eq!(dialog.mode, Mode::New);
    }

    #[test]
    fn a_directory_without_a_repository_is_worked_in_directly() {
        let path = Path::new("/tmp");
        let (mut dialog, _) = NewAgent::new(Some(path), &scene::providers());
        let nothing =
            Repository { root: None, branch: None, branches: Vec::new(), has_commits: false };
        let _ = dialog.inspected(path, Ok(nothing));
        let Action::Create(Wish { order, .. }) = dialog.accept() else { panic!("not created") };
        assert_eq!(order.branch, None);
    }

    #[test]
    fn a_worktree_is_asked_for_so_that_nobody_waits_for_its_files() {
        let order = |branch| Wish {
            order: Order {
                provider: Provider::Demo,
                name: None,
                directory: "/r".into(),
                branch,
                size: Size::new(80, 24),
                start: true,
            },
            race: 3,
            location: Some("/trees".into()),
        };
        assert!(matches!(command(order(None)), Command::NewAgent(_)));
        let new = Branch::New { name: "x".into(), base: Some("main".into()) };
        let Command::Worktrees(Ask::Make(make)) = command(order(Some(new))) else {
            panic!("a worktree is made otherwise");
        };
        assert_eq!((make.branch.as_str(), make.base.as_deref()), ("x", Some("main")));
        assert_eq!((make.race, make.location), (3, Some("/trees".into())));
        assert!(!make.wait && !make.existing && make.agent == Some(Provider::Demo));
    }
}
