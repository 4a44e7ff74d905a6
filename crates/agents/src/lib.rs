//! One adapter per agent program: detection, command lines, streams, error kinds.
