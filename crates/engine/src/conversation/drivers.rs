//! What conversations need of drivers, so that tests can put others in their place.

use std::ffi::OsString;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use maestro_agents::drive::{Driver, Launch, Order, Taken};
use maestro_core::TabId;
use maestro_core::conversation::Event;
use maestro_core::turn::Failure;
use tokio::sync::mpsc;

/// A future that can be kept in a box.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Starts drivers. Variables by which their processes are found again come with the launch.
pub trait Drivers: fmt::Debug + Send + Sync {
    /// As [`Driver::start`].
    fn start(
        &self,
        launch: Launch,
        marks: Vec<(OsString, OsString)>,
        events: mpsc::Sender<Event>,
    ) -> Boxed<'static, Result<Box<dyn Driven>, Failure>>;

    /// Called before each step of a turn, for tests of what a host leaves that dies right there. Nothing of
    /// the conversation goes on until it returns.
    fn before(&self, _tab: TabId, _step: Step) {}
}

/// A step of a turn, after which a host may be dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Whoever had the prompt before writes down that it is being said.
    Journal,
    /// The tab is written.
    Tab,
    /// The prompt is written into the transcript.
    Prompt,
    /// Whoever asked is told that it began.
    Began,
    /// The program is started.
    Start,
    /// The prompt is said to it.
    Say,
    /// Something that it reports is taken.
    Event,
    /// What was reported is written into the transcript.
    Write,
    /// The queue is told that the turn is over.
    Over,
    /// What the turn cost is written.
    Usage,
    /// The tab is written as it is after the turn.
    Save,
    /// Everybody sees the tab free, and the queue goes on.
    Free,
}

/// A driver that was started. Dropping it ends its program.
pub trait Driven: fmt::Debug + Send + Sync {
    /// As [`Driver::order`].
    fn order(&self, order: Order) -> Boxed<'_, Result<Taken, Failure>>;
    /// As [`Driver::close`].
    fn close(self: Box<Self>) -> Boxed<'static, ()>;
    /// As [`Driver::kill`].
    fn kill(&self);
}

/// The providers' own programs.
#[derive(Debug)]
pub(crate) struct Programs;

impl Drivers for Programs {
    fn start(
        &self,
        launch: Launch,
        marks: Vec<(OsString, OsString)>,
        events: mpsc::Sender<Event>,
    ) -> Boxed<'static, Result<Box<dyn Driven>, Failure>> {
        Box::pin(async move {
            let driver = Driver::start(launch, &marks, events).await?;
            Ok(Box::new(driver) as Box<dyn Driven>)
        })
    }
}

impl Driven for Driver {
    fn order(&self, order: Order) -> Boxed<'_, Result<Taken, Failure>> {
        Box::pin(Driver::order(self, order))
    }

    fn close(self: Box<Self>) -> Boxed<'static, ()> {
        Box::pin(Driver::close(*self))
    }

    fn kill(&self) {
        Driver::kill(self);
    }
}
