//! `maestro terminal`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use maestro_core::TerminalId;
use maestro_core::agent::Agent;
use maestro_core::input::Input;
use maestro_core::screen::{Cell, Color, ColorKind, Row, Underline, flags};
use maestro_core::search::{Case, Query};
use maestro_core::text;
use maestro_protocol::client::Incoming;
use maestro_protocol::message::{
    Command, Event, IMAGE_LIMIT, NewTerminal, PASTE_LIMIT, Reply, Screen, TerminalInfo,
    TerminalStats, ToHost,
};
use serde_json::{Value, json};

use super::agent::absolute;
use super::args;
use super::failure::{Code, Failure, Result, unexpected};
use super::output::{self, Out};
use super::{Host, PATIENCE, find_agent};

/// The most bytes one message carries; more is sent in several.
const PIECE: usize = 1 << 20;
/// Between two looks whether a paste is written.
const PAUSE: Duration = Duration::from_millis(50);

pub fn run(command: args::Terminal, out: &mut Out) -> Result<()> {
    match command {
        args::Terminal::New { dir, size, env, command } => {
            let directory = absolute(&dir.unwrap_or_else(|| ".".into()))?;
            let new = NewTerminal { command, directory: Some(directory), env, size };
            match Host::on_demand()?.ask(Command::NewTerminal(new))? {
                Reply::Terminal(terminal) if out.json => out.value(&output::terminal(&terminal)),
                Reply::Terminal(terminal) => out.line(&terminal.id.to_string()),
                other => Err(unexpected(&other)),
            }
        }
        args::Terminal::List => {
            let world = Host::running()?.world(false)?;
            if out.json {
                let all: Vec<_> = world.terminals.iter().map(output::terminal).collect();
                return out.value(&json!(all));
            }
            print(&world.terminals.iter().collect::<Vec<_>>(), &world.agents, out)
        }
        args::Terminal::Show { terminal, history, ansi } => {
            if ansi && out.json {
                return Err(Failure::new(Code::Usage, "give --ansi or --json, not both"));
            }
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            let screen = match host.ask(Command::ReadTerminal { terminal, history })? {
                Reply::Screen(screen) => *screen,
                other => return Err(unexpected(&other)),
            };
            show(&screen, ansi, out)
        }
        args::Terminal::Send { terminal, text, enter, escapes } => {
            let mut bytes = typed(&text, escapes)?;
            if enter {
                bytes.push(b'\r');
            }
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            bytes.chunks(PIECE).try_for_each(|piece| {
                host.tell(Command::SendBytes { terminal, bytes: piece.to_vec() })
            })
        }
        args::Terminal::Resize { terminal, size } => {
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            host.tell(Command::ResizeTerminal { terminal, size })
        }
        args::Terminal::Search { terminal, text, regex, case } => {
            let case = match case {
                args::Case::Smart => Case::Smart,
                args::Case::Sensitive => Case::Sensitive,
                args::Case::Insensitive => Case::Insensitive,
            };
            search(&terminal, Query { text, regex, case }, out)
        }
        args::Terminal::CopyOutput { terminal } => {
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            match host.ask(Command::CopyOutput { terminal })? {
                Reply::Text(text) if out.json => out.value(&json!({ "text": text })),
                Reply::Text(Some(text)) => out.line(&plain_lines(&text)),
                Reply::Text(None) => Err(Failure::failed(format!(
                    "{terminal} has no output of a command: its shell marks no prompts (OSC 133), \
                     or nothing was printed yet"
                ))),
                other => Err(unexpected(&other)),
            }
        }
        args::Terminal::Clear { terminal, history } => {
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            host.tell(Command::ClearTerminal { terminal, history })
        }
        args::Terminal::Reset { terminal } => {
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            host.tell(Command::ResetTerminal { terminal })
        }
        args::Terminal::Export { terminal, file, ansi } => {
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            let path = absolute(&file)?;
            host.tell(Command::ExportTerminal { terminal, path: path.clone(), ansi })?;
            if out.json { out.value(&json!({ "file": path })) } else { Ok(()) }
        }
        args::Terminal::Stats => stats(out),
        args::Terminal::Paste { terminal, cancel: true, .. } => {
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            host.tell(Command::CancelPaste { terminal })
        }
        args::Terminal::Paste { terminal, file, image, cancel: false } => {
            let mut host = Host::running()?;
            let terminal = find(&mut host, &terminal)?;
            let limit = if image { IMAGE_LIMIT } else { PASTE_LIMIT };
            let bytes = read(&file.unwrap_or_else(|| "-".into()), limit)?;
            if image {
                return host.tell(Command::PasteImage { terminal, png: bytes });
            }
            let text = String::from_utf8(bytes).map_err(|_| {
                Failure::new(Code::Usage, "only text can be pasted: this is not UTF-8")
            })?;
            paste(&mut host, terminal, text)
        }
        args::Terminal::Close { terminal } => {
            Host::running()?.tell(Command::CloseTerminal { terminal })
        }
    }
}

/// Counts matches. The search ends with the connection it was begun on.
fn search(named: &str, query: Query, out: &mut Out) -> Result<()> {
    let mut host = Host::running()?;
    let terminal = find(&mut host, named)?;
    let _ = host.world(true)?;
    host.tell(Command::Search { terminal, query: Some(query.clone()) })?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let search = match host.client.next(Some(left))? {
            Incoming::Event { event: Event::Search { terminal: of, search }, .. }
                if of == terminal =>
            {
                search
            }
            Incoming::Event { event: Event::TerminalClosed(of), .. } if of == terminal => {
                return Err(Failure::failed(format!("{terminal} was closed meanwhile")));
            }
            Incoming::Lagged => {
                let _ = host.world(true)?;
                continue;
            }
            Incoming::Event { .. }
            | Incoming::Frame(_)
            | Incoming::Said { .. }
            | Incoming::Heard { .. }
            | Incoming::Order { .. } => continue,
            Incoming::Closed(why) => return Err(Failure::failed(why)),
        };
        let Some(search) = search else {
            return Err(Failure::failed("the search was ended by another client"));
        };
        if search.query != query {
            // What another client looked for before, or looks for now.
            continue;
        }
        if let Some(error) = search.error {
            return Err(Failure::new(Code::Usage, error));
        }
        if search.done {
            if out.json {
                return out.value(&json!({ "matches": search.matches }));
            }
            return out.line(&search.matches.to_string());
        }
    }
}

fn stats(out: &mut Out) -> Result<()> {
    let stats = match Host::running()?.ask(Command::TerminalStats)? {
        Reply::TerminalStats(stats) => stats,
        other => return Err(unexpected(&other)),
    };
    if out.json {
        let all: Vec<Value> = stats
            .iter()
            .map(|of| {
                json!({
                    "terminal": of.terminal.to_string(),
                    "hot_bytes": of.hot_bytes,
                    "cold_bytes": of.cold_bytes,
                    "history": of.history,
                    "printed": of.printed,
                    "waiting": of.waiting,
                    "frames": of.frames,
                    "unwritten": of.unwritten,
                })
            })
            .collect();
        return out.value(&json!(all));
    }
    let row = |of: &TerminalStats| {
        vec![
            of.terminal.to_string(),
            text::size(of.hot_bytes),
            text::size(of.cold_bytes),
            of.history.to_string(),
            text::size(of.printed),
            text::size(of.waiting),
            of.frames.to_string(),
            text::size(of.unwritten),
        ]
    };
    let rows: Vec<_> = stats.iter().map(row).collect();
    out.table(
        &["TERMINAL", "SCREEN", "HISTORY", "ROWS", "PRINTED", "UNPARSED", "FRAMES", "UNWRITTEN"],
        &rows,
        "no terminals: `maestro terminal new -- COMMAND` starts one",
    )
}

/// Pastes a text and waits until it is written, however slowly it is read.
fn paste(host: &mut Host, terminal: TerminalId, text: String) -> Result<()> {
    let known = |host: &mut Host| -> Result<TerminalInfo> {
        let found = host.world(true)?.terminals.into_iter().find(|info| info.id == terminal);
        found.ok_or_else(|| Failure::failed(format!("there is no terminal {terminal}")))
    };
    let before = known(host)?;
    if before.exit.is_some() {
        return Err(Failure::failed(format!("the program in {terminal} has ended")));
    }
    if before.pasting.is_some() {
        return Err(Failure::failed(format!(
            "another large paste goes into {terminal}; wait for it, or give --cancel"
        )));
    }
    host.client.send(&ToHost::Input { terminal, seq: 1, input: Input::Paste(text) })?;
    // The host has read the paste before it answers this, and has told why where it did not take it.
    let mut now = known(host)?;
    if let Some(why) = refusal(host, terminal)
        && now.pasting.is_none()
    {
        return Err(Failure::failed(why));
    }
    let mut unwritten = 0;
    loop {
        match (now.pasting, now.exit) {
            (Some(pasting), _) => {
                unwritten = pasting.total.saturating_sub(pasting.written);
                std::thread::sleep(PAUSE);
            }
            (None, Some(code)) if unwritten > 0 && code != 0 => {
                let text = format!("the program in {terminal} ended before it read everything");
                return Err(Failure::failed(text));
            }
            (None, _) => return Ok(()),
        }
        now = known(host)?;
    }
}

/// Why input for a terminal was not taken, where the host has told so by now.
fn refusal(host: &mut Host, terminal: TerminalId) -> Option<String> {
    let begin = format!("Input for {terminal} was dropped");
    let mut why = None;
    while let Ok(heard) = host.client.next(Some(Duration::ZERO)) {
        if let Incoming::Event { event: Event::Problem { text, .. }, .. } = heard
            && text.starts_with(&begin)
        {
            why = Some(text);
        }
    }
    why
}

/// A file, or the standard input, of a limited size.
fn read(file: &Path, limit: usize) -> Result<Vec<u8>> {
    let name = if file == Path::new("-") {
        "the standard input".to_owned()
    } else {
        file.display().to_string()
    };
    let mut bytes = Vec::new();
    let most = limit as u64 + 1;
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    let _ = read.map_err(|error| Failure::failed(format!("{name} cannot be read: {error}")))?;
    if bytes.len() > limit {
        let text = format!("{name} has more than the {} MiB allowed", limit >> 20);
        return Err(Failure::new(Code::Usage, text));
    }
    Ok(bytes)
}

/// Text of a terminal with its line breaks, and with nothing that could move the user's own cursor.
fn plain_lines(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(output::plain).collect();
    lines.join("\n")
}

/// A terminal by its id, or the one of an agent's program.
fn find(host: &mut Host, named: &str) -> Result<TerminalId> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let agent = find_agent(host.world(false)?, named).map_err(|_| {
        Failure::failed(format!(
            "there is no terminal or agent `{named}`: `maestro terminal list` shows them"
        ))
    })?;
    agent.ai_terminal.ok_or_else(|| {
        Failure::failed(format!(
            "{named} has no terminal now: `maestro agent open {named}` starts its program"
        ))
    })
}

fn typed(text: &[String], escapes: bool) -> Result<Vec<u8>> {
    if text == ["-"] {
        let mut bytes = Vec::new();
        let _ = std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| {
            Failure::failed(format!("the standard input cannot be read: {error}"))
        })?;
        return Ok(bytes);
    }
    let text = text.join(" ");
    if escapes { unescape(&text) } else { Ok(text.into_bytes()) }
}

fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let byte = match chars.next() {
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('e') => 0x1b,
            Some('\\') => b'\\',
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                u8::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 2)
                    .ok_or_else(|| unknown_escape(&format!("\\x{digits}")))?
            }
            other => return Err(unknown_escape(&format!("\\{}", other.unwrap_or(' ')))),
        };
        bytes.push(byte);
    }
    Ok(bytes)
}

fn unknown_escape(escape: &str) -> Failure {
    let sentence = format!("`{escape}` is no escape: use \\n, \\r, \\t, \\e, \\\\ or \\xHH");
    Failure::new(Code::Usage, sentence)
}

pub fn print(terminals: &[&TerminalInfo], agents: &[Agent], out: &mut Out) -> Result<()> {
    let owner = |terminal: &TerminalInfo| {
        let agent = agents.iter().find(|agent| Some(agent.id) == terminal.agent);
        agent.map(|agent| agent.name.clone()).unwrap_or_default()
    };
    let row = |&terminal: &&TerminalInfo| {
        let state = match (terminal.exit, terminal.pid) {
            (Some(code), _) => format!("ended with {code}"),
            (None, Some(pid)) => format!("process {pid}"),
            (None, None) => "gone".to_owned(),
        };
        vec![
            terminal.id.to_string(),
            owner(terminal),
            state,
            format!("{}x{}", terminal.size.cols, terminal.size.rows),
            terminal.title.clone(),
            terminal.directory.display().to_string(),
        ]
    };
    let rows: Vec<_> = terminals.iter().map(row).collect();
    out.table(
        &["TERMINAL", "AGENT", "STATE", "SIZE", "TITLE", "DIRECTORY"],
        &rows,
        "no terminals: `maestro terminal new -- COMMAND` starts one",
    )
}

fn show(screen: &Screen, ansi: bool, out: &mut Out) -> Result<()> {
    if out.json {
        return out.value(&to_json(screen));
    }
    for row in screen.history.iter().chain(&screen.rows) {
        let line = if ansi { to_ansi(row) } else { row.text().trim_end().to_owned() };
        out.line(&line)?;
    }
    Ok(())
}

fn to_json(screen: &Screen) -> Value {
    let rows = |rows: &[Row]| rows.iter().map(row_to_json).collect::<Vec<_>>();
    json!({
        "terminal": output::terminal(&screen.info),
        "title": screen.info.title,
        "cursor": screen.cursor,
        "modes": screen.modes,
        "scroll": screen.scroll,
        "history": rows(&screen.history),
        "rows": rows(&screen.rows),
    })
}

/// A row as its text, and runs of cells that look alike and differ from plain text.
fn row_to_json(row: &Row) -> Value {
    let mut runs: Vec<Value> = Vec::new();
    let mut start = 0;
    for cells in row.cells.chunk_by(|one, other| same_look(row, one, other)) {
        let first = cells[0];
        let look = look_to_json(row, first);
        if look.as_object().is_some_and(|look| !look.is_empty()) {
            let mut run = json!({ "col": start, "cells": cells.len() });
            if let (Some(run), Value::Object(look)) = (run.as_object_mut(), look) {
                run.extend(look);
            }
            runs.push(run);
        }
        start += cells.len();
    }
    json!({ "text": row.text().trim_end(), "wrapped": row.wrapped, "runs": runs })
}

/// Flags that are about how a cell looks, not about what is in it.
const STYLE: u16 = flags::BOLD
    | flags::ITALIC
    | flags::DIM
    | flags::INVERSE
    | flags::HIDDEN
    | flags::STRIKE
    | flags::UNDERLINE_MASK;

fn same_look(row: &Row, one: &Cell, other: &Cell) -> bool {
    one.fg == other.fg
        && one.bg == other.bg
        && one.flags & STYLE == other.flags & STYLE
        && extra(row, *one) == extra(row, *other)
}

fn extra(row: &Row, cell: Cell) -> Option<&maestro_core::screen::Extra> {
    usize::from(cell.extra).checked_sub(1).and_then(|index| row.extras.get(index))
}

fn look_to_json(row: &Row, cell: Cell) -> Value {
    let mut look = serde_json::Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            let _ = look.insert(name.to_owned(), value);
        }
    };
    add("fg", color_to_json(cell.fg));
    add("bg", color_to_json(cell.bg));
    for (name, flag) in [
        ("bold", flags::BOLD),
        ("italic", flags::ITALIC),
        ("dim", flags::DIM),
        ("inverse", flags::INVERSE),
        ("hidden", flags::HIDDEN),
        ("strike", flags::STRIKE),
    ] {
        add(name, cell.has(flag).then_some(Value::Bool(true)));
    }
    let underline = match Underline::of(cell.flags) {
        Underline::None => None,
        Underline::Single => Some("single"),
        Underline::Double => Some("double"),
        Underline::Curl => Some("curl"),
        Underline::Dotted => Some("dotted"),
        Underline::Dashed => Some("dashed"),
    };
    add("underline", underline.map(Value::from));
    let extra = extra(row, cell);
    add("underline_color", extra.and_then(|extra| extra.underline).and_then(color_to_json));
    add("link", extra.and_then(|extra| extra.link.clone()).map(Value::from));
    Value::Object(look)
}

fn color_to_json(color: Color) -> Option<Value> {
    match color.kind() {
        ColorKind::Default => None,
        ColorKind::Indexed(index) => Some(json!(index)),
        ColorKind::Rgb(r, g, b) => Some(json!(format!("#{r:02x}{g:02x}{b:02x}"))),
    }
}

/// A row as a terminal would have to be sent it. Links are left out: text of an agent must not become
/// something to click in the user's own terminal unasked.
fn to_ansi(row: &Row) -> String {
    let end = row.cells.iter().rposition(|cell| *cell != Cell::BLANK).map_or(0, |last| last + 1);
    let mut text = String::new();
    for cells in row.cells[..end].chunk_by(|one, other| same_look(row, one, other)) {
        let sgr = sgr(row, cells[0]);
        let part = Row { cells: cells.to_vec(), clusters: row.clusters.clone(), ..Row::default() };
        let part = output::plain(&part.text());
        if sgr.is_empty() {
            text.push_str(&part);
        } else {
            text.push_str(&format!("\x1b[{sgr}m{part}\x1b[0m"));
        }
    }
    text
}

fn sgr(row: &Row, cell: Cell) -> String {
    let mut codes: Vec<String> = Vec::new();
    for (flag, code) in [
        (flags::BOLD, "1"),
        (flags::DIM, "2"),
        (flags::ITALIC, "3"),
        (flags::INVERSE, "7"),
        (flags::HIDDEN, "8"),
        (flags::STRIKE, "9"),
    ] {
        if cell.has(flag) {
            codes.push(code.to_owned());
        }
    }
    match Underline::of(cell.flags) {
        Underline::None => {}
        Underline::Single => codes.push("4".to_owned()),
        style => codes.push(format!("4:{}", style as u16)),
    }
    let underline = extra(row, cell).and_then(|extra| extra.underline);
    for (kind, color) in [(38, Some(cell.fg)), (48, Some(cell.bg)), (58, underline)] {
        match color.unwrap_or_default().kind() {
            ColorKind::Default => {}
            ColorKind::Indexed(index) => codes.push(format!("{kind};5;{index}")),
            ColorKind::Rgb(r, g, b) => codes.push(format!("{kind};2;{r};{g};{b}")),
        }
    }
    codes.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(c: char) -> Cell {
        Cell { glyph: c as u32, ..Cell::BLANK }
    }

    #[test]
    fn a_row_is_coloured_where_it_is_coloured() {
        let red = |c| Cell { fg: Color::indexed(1), flags: flags::BOLD, ..cell(c) };
        let row = Row { cells: vec![cell('a'), red('b'), red('c'), cell(' ')], ..Row::default() };
        assert_eq!(to_ansi(&row), "a\x1b[1;38;5;1mbc\x1b[0m ");
        assert_eq!(
            row_to_json(&row),
            json!({
                "text": "abc",
                "wrapped": false,
                "runs": [{ "col": 1, "cells": 2, "fg": 1, "bold": true }],
            })
        );
    }

    #[test]
    fn escapes_are_read_and_wrong_ones_refused() {
        let read = |text| unescape(text).map_err(|failure| failure.message);
        assert_eq!(read(r"a\r\x1b[A\\\e"), Ok(b"a\r\x1b[A\\\x1b".to_vec()));
        for text in [r"\q", r"\x1", "\\"] {
            assert!(unescape(text).is_err(), "{text}");
        }
    }
}
