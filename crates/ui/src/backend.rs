//! Which renderer draws. The toolkit decides when the window opens, and tells only those who draw.

use std::sync::atomic::{AtomicBool, Ordering};

use iced::Renderer;

static SOFTWARE: AtomicBool = AtomicBool::new(false);

/// Takes note of what draws; called while drawing.
pub fn note(renderer: &Renderer) {
    SOFTWARE.store(matches!(renderer, Renderer::Secondary(_)), Ordering::Relaxed);
}

/// Whether the processor drew last, for want of a graphics card.
#[must_use]
pub fn is_software() -> bool {
    SOFTWARE.load(Ordering::Relaxed)
}
