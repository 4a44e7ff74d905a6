//! SQLite behind one owner thread: agents, runs, journal, settings.
