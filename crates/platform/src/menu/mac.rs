//! The menu bar of macOS.

use std::collections::HashMap;

use maestro_core::command::Id;
use maestro_core::command::menu::{Item, Menu};
use muda::{IsMenuItem, MenuEvent, MenuId, MenuItem, PredefinedMenuItem, Submenu};

/// What is in the bar.
#[derive(Default)]
pub struct Bar {
    menu: Option<muda::Menu>,
    items: HashMap<Id, MenuItem>,
}

impl Bar {
    /// Makes the bar, or changes what is in it.
    pub fn show(&mut self, menus: &[Menu]) {
        let all = || menus.iter().flat_map(|menu| menu.sections.iter().flatten());
        if self.menu.is_some() && all().all(|item| self.items.contains_key(&item.id)) {
            for item in all() {
                if let Some(shown) = self.items.get(&item.id) {
                    shown.set_text(&item.title);
                    shown.set_enabled(item.enabled);
                }
            }
            return;
        }
        match self.build(menus) {
            Ok(menu) => {
                menu.init_for_nsapp();
                self.menu = Some(menu);
            }
            Err(error) => tracing::warn!(%error, "there is no menu bar"),
        }
    }

    fn build(&mut self, menus: &[Menu]) -> muda::Result<muda::Menu> {
        self.items.clear();
        let bar = muda::Menu::new();
        let line = PredefinedMenuItem::separator;
        let own: [&dyn IsMenuItem; 7] = [
            &PredefinedMenuItem::about(None, None),
            &line(),
            &PredefinedMenuItem::services(None),
            &line(),
            &PredefinedMenuItem::hide(None),
            &PredefinedMenuItem::hide_others(None),
            &PredefinedMenuItem::show_all(None),
        ];
        bar.append(&Submenu::with_items("Maestro", true, &own)?)?;
        for menu in menus {
            let shown = Submenu::new(menu.title, true);
            for (number, section) in menu.sections.iter().enumerate() {
                if number > 0 {
                    shown.append(&line())?;
                }
                for item in section {
                    shown.append(&self.item(item))?;
                }
            }
            bar.append(&shown)?;
        }
        let windows: [&dyn IsMenuItem; 3] = [
            &PredefinedMenuItem::minimize(None),
            &PredefinedMenuItem::maximize(None),
            &PredefinedMenuItem::fullscreen(None),
        ];
        bar.append(&Submenu::with_items("Window", true, &windows)?)?;
        Ok(bar)
    }

    fn item(&mut self, item: &Item) -> MenuItem {
        let id = MenuId::new(item.id.name());
        let shown = MenuItem::with_id(id, &item.title, item.enabled, None);
        let _ = self.items.insert(item.id, shown.clone());
        shown
    }
}

pub fn on_choice(heard: impl Fn(&str) + Send + Sync + 'static) {
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| heard(event.id().as_ref())));
}
