//! What a desktop has to offer beside a window.

pub mod hotkey;
pub mod menu;
