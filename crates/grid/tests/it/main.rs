//! The widget through its public interface: what it draws on both renderers, what it tells the host.

mod drawing;
mod input;
mod stage;
