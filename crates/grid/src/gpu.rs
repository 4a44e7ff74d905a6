use iced::Rectangle;

use crate::pane::Pane;

pub(crate) fn draw(_renderer: &mut iced_wgpu::Renderer, _bounds: Rectangle, _pane: Pane) {}
