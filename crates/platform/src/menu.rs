//! The menus of the system: the bar at the top of the screen on macOS. Elsewhere there is none, and nothing here
//! does anything.

use maestro_core::command::menu::Menu;

#[cfg(target_os = "macos")]
mod mac;

/// Whether this system has menus of its own.
pub const IS_HERE: bool = cfg!(target_os = "macos");

/// The menus as they were shown last. They belong to the thread of the windows.
#[derive(Default)]
pub struct Bar {
    shown: Vec<Menu>,
    #[cfg(target_os = "macos")]
    bar: mac::Bar,
}

impl std::fmt::Debug for Bar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bar").field("shown", &self.shown.len()).finish_non_exhaustive()
    }
}

impl Bar {
    /// Shows these menus, which may be those that are shown.
    pub fn show(&mut self, menus: Vec<Menu>) {
        if self.shown == menus {
            return;
        }
        #[cfg(target_os = "macos")]
        self.bar.show(&menus);
        self.shown = menus;
    }
}

/// Is called with the name of a command whenever it is chosen in a menu. Only the first one is.
pub fn on_choice(heard: impl Fn(&str) + Send + Sync + 'static) {
    #[cfg(target_os = "macos")]
    mac::on_choice(heard);
    #[cfg(not(target_os = "macos"))]
    drop(heard);
}
