//! Pseudo-terminals: spawn, read, write, resize, and end a whole process group.
