//! Theme tokens, icons and reusable widgets.
