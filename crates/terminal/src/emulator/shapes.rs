//! The mouse pointer a child asks for (OSC 22), as kitty specified it: a stack for each screen, names as in
//! CSS, and xterm's names of X11 cursors. Codex and OpenCode set it back to the default at their end.

use maestro_core::screen::Pointer;

/// The deepest stack; at its limit the oldest entry goes. What the protocol asks for at least.
const LIMIT: usize = 16;

/// Names and what they are here, the name told first. A name that is not here is not supported.
const NAMES: [(&str, Pointer); 32] = [
    ("default", Pointer::Arrow),
    ("left_ptr", Pointer::Arrow),
    ("text", Pointer::Text),
    ("vertical-text", Pointer::Text),
    ("xterm", Pointer::Text),
    ("pointer", Pointer::Hand),
    ("hand", Pointer::Hand),
    ("hand1", Pointer::Hand),
    ("hand2", Pointer::Hand),
    ("crosshair", Pointer::Crosshair),
    ("cell", Pointer::Crosshair),
    ("grab", Pointer::Grab),
    ("move", Pointer::Grab),
    ("fleur", Pointer::Grab),
    ("grabbing", Pointer::Grabbing),
    ("not-allowed", Pointer::NotAllowed),
    ("no-drop", Pointer::NotAllowed),
    ("wait", Pointer::Wait),
    ("watch", Pointer::Wait),
    ("progress", Pointer::Progress),
    ("help", Pointer::Help),
    ("question_arrow", Pointer::Help),
    ("ew-resize", Pointer::ResizeColumns),
    ("col-resize", Pointer::ResizeColumns),
    ("e-resize", Pointer::ResizeColumns),
    ("w-resize", Pointer::ResizeColumns),
    ("sb_h_double_arrow", Pointer::ResizeColumns),
    ("ns-resize", Pointer::ResizeRows),
    ("row-resize", Pointer::ResizeRows),
    ("n-resize", Pointer::ResizeRows),
    ("s-resize", Pointer::ResizeRows),
    ("sb_v_double_arrow", Pointer::ResizeRows),
];

/// The stacks of the main and of the alternate screen.
#[derive(Debug, Default)]
pub(crate) struct Shapes([Vec<Pointer>; 2]);

impl Shapes {
    pub(crate) fn current(&self, alt: bool) -> Pointer {
        self.0[usize::from(alt)].last().copied().unwrap_or_default()
    }

    /// What follows `OSC 22 ;`. The answer, where it asks, has names of this table and digits only.
    pub(crate) fn command(&mut self, payload: &str, alt: bool) -> Option<String> {
        let stack = &mut self.0[usize::from(alt)];
        if let Some(names) = payload.strip_prefix('?') {
            return Some(answer(names, stack.last().copied()));
        }
        if payload.starts_with('<') {
            let _ = stack.pop();
        } else if let Some(names) = payload.strip_prefix('>') {
            for shape in names.split(',').take(LIMIT).filter_map(known) {
                push(stack, shape);
            }
        } else {
            let name = payload.strip_prefix('=').unwrap_or(payload);
            let shape = if name.is_empty() { Some(Pointer::Default) } else { known(name) };
            if let Some(shape) = shape {
                let _ = stack.pop();
                push(stack, shape);
            }
        }
        None
    }
}

fn push(stack: &mut Vec<Pointer>, shape: Pointer) {
    if stack.len() == LIMIT {
        let _ = stack.remove(0);
    }
    stack.push(shape);
}

fn known(name: &str) -> Option<Pointer> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)
}

fn name(shape: Pointer) -> &'static str {
    NAMES.iter().find(|(_, known)| *known == shape).map_or("0", |(name, _)| name)
}

fn answer(names: &str, current: Option<Pointer>) -> String {
    let answers: Vec<&str> = names
        .split(',')
        .take(LIMIT * 4)
        .map(|asked| match asked {
            "__current__" => current.map_or("0", name),
            "__default__" => "text",
            "__grabbed__" => "default",
            asked => known(asked).map_or("0", |_| "1"),
        })
        .collect();
    answers.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_set_pushed_popped_and_told() {
        let mut shapes = Shapes::default();
        let mut check = |command: &str, current: Pointer, reply: Option<&str>| {
            assert_eq!(shapes.command(command, false).as_deref(), reply, "{command}");
            assert_eq!(shapes.current(false), current, "{command}");
            assert_eq!(shapes.current(true), Pointer::Default);
        };
        check("?__current__", Pointer::Default, Some("0"));
        check("pointer", Pointer::Hand, None);
        check("=crosshair", Pointer::Crosshair, None);
        check("no-such-name", Pointer::Crosshair, None);
        check(">wait,help", Pointer::Help, None);
        check("?__current__", Pointer::Help, Some("help"));
        check("<", Pointer::Wait, None);
        check("<ignored", Pointer::Crosshair, None);
        check("", Pointer::Default, None);
        check("<", Pointer::Default, None);
        check("<", Pointer::Default, None);
        check("?pointer,crosshair,no-such-name,wait", Pointer::Default, Some("1,1,0,1"));
        check("?rm -rf\n,__default__", Pointer::Default, Some("0,text"));
        check(&format!(">{}", "text,".repeat(1000)), Pointer::Text, None);
        for _ in 0..LIMIT - 1 {
            check("<", Pointer::Text, None);
        }
        check("<", Pointer::Default, None);
    }
}
