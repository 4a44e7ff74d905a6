//! `maestro do`: the open window runs a command of the registry.

use std::ffi::OsStr;

use clap::Args;
use clap::builder::{PossibleValue, TypedValueParser};
use maestro_core::command::{self, Id};
use maestro_core::order::{Obeyed, Offer, Order};
use maestro_protocol::message::{Command, Reply};
use serde_json::json;

use super::Host;
use super::failure::{Code, Failure, Result, unexpected};
use super::keymap::known;
use super::output::Out;

/// What the window is to do.
#[derive(Debug, Args)]
pub struct Do {
    /// A command's name, such as `palette.files`: `maestro do --list` has all.
    #[arg(value_parser = Name, hide_possible_values = true, required_unless_present = "list")]
    command: Option<String>,
    /// What it is run with, where it takes something: an agent, a tab, a theme, a file, a branch, a
    /// setting.
    argument: Option<String>,
    /// Print every command, what it takes, and why it cannot be run at the moment.
    #[arg(long, conflicts_with = "command")]
    list: bool,
}

/// The name of a command. Shells complete it; whether there is such a command is said by us.
#[derive(Debug, Clone)]
struct Name;

impl TypedValueParser for Name {
    type Value = String;

    fn parse_ref(
        &self,
        _command: &clap::Command,
        _argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> std::result::Result<String, clap::Error> {
        Ok(value.to_string_lossy().into_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let named = |command: &command::Command| {
            PossibleValue::new(command.name).help(command.title.trim_end_matches('…'))
        };
        Some(Box::new(command::ALL.iter().map(named)))
    }
}

pub fn run(order: Do, out: &mut Out) -> Result<()> {
    let Some(name) = order.command else { return list(out) };
    let id = known(&name)?;
    if order.argument.is_some() && id.command().argument().is_none() {
        let text = format!("`{name}` is run without anything behind it.");
        return Err(Failure::new(Code::Usage, text));
    }
    let wanted = Order::Run { command: name.clone(), argument: order.argument };
    match ask(wanted)? {
        Obeyed::Done if out.json => out.value(&json!({ "command": name })),
        Obeyed::Done => Ok(()),
        Obeyed::Offers(_) => Err(odd()),
    }
}

fn ask(order: Order) -> Result<Obeyed> {
    // A window is there only with a host.
    let mut host = Host::running()?;
    match host.ask(Command::Order(order))? {
        Reply::Obeyed(obeyed) => Ok(obeyed),
        other => Err(unexpected(&other)),
    }
}

fn odd() -> Failure {
    Failure::failed("the window gave an answer to another question: please report it")
}

fn list(out: &mut Out) -> Result<()> {
    let Obeyed::Offers(offers) = ask(Order::Offer)? else {
        return Err(odd());
    };
    let known = |offer: &Offer| offer.command.parse::<Id>().ok().map(Id::command);
    let takes = |offer: &Offer| {
        known(offer).and_then(command::Command::argument).map(command::Argument::title)
    };
    if out.json {
        let value = |offer: &Offer| {
            json!({
                "name": offer.command,
                "title": known(offer).map(|it| it.title.trim_end_matches('…')),
                "takes": takes(offer),
                "reason": offer.reason,
            })
        };
        return out.value(&offers.iter().map(value).collect());
    }
    let row = |offer: &Offer| {
        let title = known(offer).map_or("", |it| it.title.trim_end_matches('…'));
        let reason = offer.reason.clone().unwrap_or_default();
        let takes = takes(offer).unwrap_or_default();
        vec![offer.command.clone(), takes.to_owned(), title.to_owned(), reason]
    };
    let rows: Vec<Vec<String>> = offers.iter().map(row).collect();
    out.table(&["COMMAND", "TAKES", "WHAT", "WHY NOT NOW"], &rows, "There is none.")
}
