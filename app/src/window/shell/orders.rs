//! What the window is ordered to do from outside: commands of the registry, as far as they can be run.

use iced::Task;
use maestro_core::AgentId;
use maestro_core::command::{self, Argument, Command, Id};
use maestro_core::layout::{Grid, Kind, NoGrid};
use maestro_core::order::{Obeyed, Offer, Order};
use maestro_core::{settings, text};
use maestro_protocol::message;

use super::{Message, Overlay, Shell};
use crate::window::palette::Target;
use crate::window::{tabs, themes};

impl Shell {
    pub(super) fn ordered(&mut self, number: u64, order: Order) -> Task<Message> {
        let (result, task) = match order {
            Order::Offer => (Ok(Obeyed::Offers(self.offers())), Task::none()),
            Order::Run { command, argument } => match self.obey(&command, argument.as_deref()) {
                Ok(task) => (Ok(Obeyed::Done), task),
                Err(why) => (Err(why), Task::none()),
            },
        };
        self.link.tell(message::Command::Obeyed { number, result });
        task
    }

    fn offers(&self) -> Vec<Offer> {
        let offer = |command: &Command| Offer {
            command: command.name.to_owned(),
            reason: self.prevents(command),
        };
        command::ALL.iter().map(offer).collect()
    }

    /// Why a command cannot be run at the moment, if it cannot.
    fn prevents(&self, command: &Command) -> Option<String> {
        let here = self.context();
        if here.chain().contains(&command.context) {
            return command.unavailable(self.place()).map(str::to_owned);
        }
        if !command.listed {
            let (there, here) = (command.context.title(), here.title());
            return Some(format!("it is for {there}, and the keyboard is in {here}"));
        }
        let asks = self.overlay.is_some() || self.autorun_has_overlay() || self.review.asks();
        // A palette holds nothing that could be lost.
        if asks && !matches!(self.overlay, Some(Overlay::Palette(_))) {
            return Some("something lies over the window: Esc there closes it".to_owned());
        }
        command.unavailable(self.place()).map(str::to_owned)
    }

    fn obey(&mut self, name: &str, argument: Option<&str>) -> Result<Task<Message>, String> {
        let id: Id = name.parse().map_err(|error: command::Unknown| error.to_string())?;
        let command = id.command();
        let aim = match (command.argument(), argument) {
            (_, None) => None,
            (Some(kind), Some(argument)) => Some(self.aim(id, kind, argument)?),
            (None, Some(_)) => return Err(format!("`{name}` is run without anything behind it")),
        };
        let before = self.kept.focused;
        if let Some(Aim::At(agent)) = aim {
            // What the command is about is what is shown.
            if let Some(why) =
                self.prevents(command).filter(|_| command.need() != command::Need::Agent)
            {
                return Err(why);
            }
            let _ = self.go_to(agent);
        }
        if let Some(why) = self.prevents(command) {
            self.kept.focused = before;
            return Err(why);
        }
        if matches!(self.overlay, Some(Overlay::Palette(_)))
            && !self.context().chain().contains(&command.context)
        {
            self.overlay = None;
        }
        Ok(match aim {
            Some(Aim::Go(target)) => self.go_to_target(target),
            Some(Aim::Save(name)) => self.save_workspace(&name)?,
            Some(Aim::At(_)) | None => self.command(id),
        })
    }

    /// What an argument means.
    fn aim(&self, id: Id, kind: Argument, argument: &str) -> Result<Aim, String> {
        let said = text::clean(argument, 60);
        Ok(match kind {
            Argument::Agent => {
                let named = argument.parse::<AgentId>().ok();
                let agents = &self.model.agents;
                let found = agents.iter().find(|it| it.name == argument || Some(it.id) == named);
                let agent = found.ok_or_else(|| format!("there is no agent `{said}`"))?.id;
                match id {
                    Id::AgentsSwitch => Aim::Go(Target::Agent(agent)),
                    _ => Aim::At(agent),
                }
            }
            Argument::Tab => {
                let named = argument.parse().ok();
                let mut open = self.model.tabs.iter().filter(|tab| !tab.closed);
                let found = open.find(|tab| Some(tab.id) == named || tabs::title(tab) == argument);
                Aim::Go(Target::Tab(found.ok_or_else(|| format!("there is no tab `{said}`"))?.id))
            }
            Argument::Theme if argument.eq_ignore_ascii_case(themes::SYSTEM) => {
                Aim::Go(Target::System)
            }
            Argument::Theme => {
                let theme = self.themes.named(argument);
                Aim::Go(Target::Theme(theme.ok_or_else(|| format!("there is no theme `{said}`"))?))
            }
            Argument::File => Aim::Go(Target::File(argument.to_owned())),
            Argument::Branch => Aim::Go(Target::Branch { name: argument.to_owned(), from: None }),
            Argument::Grid => {
                let grid: Grid = argument.parse().map_err(|error: NoGrid| error.to_string())?;
                Aim::Go(Target::Layout(Kind::Grid(grid)))
            }
            Argument::Workspace if id == Id::WorkspaceSave => Aim::Save(argument.to_owned()),
            Argument::Workspace => {
                let found = self.workspaces.named(argument);
                let name = found.ok_or_else(|| format!("there is no workspace `{said}`"))?;
                let name = name.name.clone();
                Aim::Go(match id {
                    Id::WorkspaceDelete => Target::WorkspaceDelete(name),
                    _ => Target::Workspace(name),
                })
            }
            Argument::Setting => {
                let setting = settings::find(argument);
                let setting = setting.ok_or_else(|| format!("there is no setting `{said}`"))?;
                Aim::Go(Target::Setting(setting.key))
            }
        })
    }
}

/// What an argument leads to.
enum Aim {
    /// The agent that the command is about.
    At(AgentId),
    /// What is done in its place.
    Go(Target),
    /// The name under which something is kept.
    Save(String),
}

#[cfg(test)]
mod tests {
    use iced::Size;
    use maestro_core::command::Context;
    use maestro_ui::font;
    use maestro_ui::theme::NOCTURNE;

    use super::*;

    fn shell() -> Shell {
        font::load();
        Shell::scene("grid", Size::new(1440.0, 900.0), 1.0, &NOCTURNE).expect("a scene")
    }

    /// What the window says to an order.
    fn answer(shell: &mut Shell, command: &str, argument: Option<&str>) -> Result<Obeyed, String> {
        let _ = shell.link.unasked();
        let order =
            Order::Run { command: command.to_owned(), argument: argument.map(str::to_owned) };
        let _ = shell.ordered(7, order);
        let answers = shell.link.unasked().into_iter().filter_map(|command| match command {
            message::Command::Obeyed { number: 7, result } => Some(result),
            _ => None,
        });
        let mut answers: Vec<_> = answers.collect();
        assert_eq!(answers.len(), 1, "an order is answered once");
        answers.remove(0)
    }

    #[test]
    fn what_can_be_run_is_run_and_the_rest_says_why_not() {
        for (command, argument, expected) in [
            ("palette", None, Ok(Context::Palette)),
            ("files.open", None, Ok(Context::Files)),
            ("palette.settings", Some("terminal.scrollback"), Ok(Context::Settings)),
            ("palette.files", Some("README.md"), Ok(Context::Files)),
            ("theme.none", None, Err("there is no command `theme.none`")),
            ("window.quit", Some("now"), Err("`window.quit` is run without anything behind it")),
            ("agent.stop", Some("nobody"), Err("there is no agent `nobody`")),
            ("palette.themes", Some("Beige"), Err("there is no theme `Beige`")),
            ("palette.settings", Some("a.b"), Err("there is no setting `a.b`")),
            ("palette.tabs", Some("t9"), Err("there is no tab `t9`")),
        ] {
            let mut shell = shell();
            let got = answer(&mut shell, command, argument);
            let got = got.map(|_| shell.context());
            assert_eq!(got, expected.map_err(str::to_owned), "{command} {argument:?}");
        }
    }

    #[test]
    fn a_command_for_an_agent_is_about_the_one_that_is_named() {
        let mut shell = shell();
        let other = shell.model.agents.last().expect("agents").clone();
        let _ = shell.link.asked();
        assert_eq!(answer(&mut shell, "agent.stop", Some(&other.name)), Ok(Obeyed::Done));
        assert_eq!(shell.link.asked(), [message::Command::StopAgent { agent: other.id }]);
        let id = other.id.to_string();
        assert_eq!(answer(&mut shell, "palette.agents", Some(&id)), Ok(Obeyed::Done));
        assert_eq!(shell.focused_agent().map(|(agent, _)| agent.id), Some(other.id));
    }

    #[test]
    fn nothing_is_taken_from_under_a_dialog() {
        let mut shell = shell();
        let _ = shell.command(Id::AgentNew);
        let why = answer(&mut shell, "settings.page", None).expect_err("a dialog is open");
        assert!(why.starts_with("something lies over the window"), "{why}");
        let why = answer(&mut shell, "list.up", None).expect_err("a dialog is open");
        assert!(why.starts_with("it is for the list of agents"), "{why}");
        let offers = shell.offers();
        let reason = |name: &str| {
            offers.iter().find(|offer| offer.command == name).expect("an offer").reason.clone()
        };
        assert_eq!(reason("overlay.cancel"), None);
        assert!(reason("agent.new").is_some());
        assert_eq!(offers.len(), command::ALL.len());
        // A palette is no such thing.
        shell.overlay = None;
        let _ = shell.command(Id::Palette);
        assert_eq!(answer(&mut shell, "settings.page", None), Ok(Obeyed::Done));
        assert_eq!(shell.context(), Context::Settings);
    }
}
