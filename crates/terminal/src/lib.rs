//! The terminal: emulation, the OSC tap, frames, input encoding, selection and search.
