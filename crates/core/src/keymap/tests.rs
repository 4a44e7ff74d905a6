use super::*;
use crate::command::ALL;
use crate::input::Motion;

const PLATFORMS: [Platform; 2] = [Platform::Mac, Platform::Other];

fn key(code: Code, mods: Mods) -> Key {
    Key {
        code,
        mods,
        text: String::new(),
        action: Action::Press,
        base: None,
        shifted: None,
        keypad: false,
    }
}

fn mods(text: &str) -> Mods {
    Mods {
        shift: text.contains('s'),
        alt: text.contains('a'),
        control: text.contains('c'),
        logo: text.contains('l'),
    }
}

#[test]
fn chords_read_back_as_written() {
    for text in
        ["Mod+N", "Mod+Shift+Left", "Alt+Mod+1", "Ctrl+Tab", "F2", "Mod+=", "Mod++", "+", "Space"]
    {
        let chord: Chord = text.parse().expect(text);
        assert_eq!(chord.to_string(), text);
    }
    for command in ALL {
        for platform in PLATFORMS {
            for text in command.default_chords(platform) {
                let keys: Keys = text.parse().expect(text);
                assert_eq!(keys.to_string().parse(), Ok(keys), "{text}");
            }
        }
    }
}

#[test]
fn other_text_is_no_chord() {
    for text in ["", "Mod+", "Hyper+A", "Mod+Nope", "F99", "F0"] {
        assert!(text.parse::<Chord>().is_err(), "{text}");
    }
}

#[test]
fn people_read_chords_as_their_platform_writes_them() {
    let chord: Chord = "Mod+Shift+Left".parse().expect("a chord");
    assert_eq!(chord.title(Platform::Other), "Ctrl+Shift+←");
    assert_eq!(chord.title(Platform::Mac), "⇧⌘←");
    let chord: Chord = "Alt+Mod+Enter".parse().expect("a chord");
    assert_eq!(chord.title(Platform::Other), "Ctrl+Alt+Enter");
    assert_eq!(chord.title(Platform::Mac), "⌥⌘↩");
}

#[test]
fn no_two_defaults_share_a_chord() {
    for platform in PLATFORMS {
        assert_eq!(Keymap::with(platform, &[]).1, []);
    }
}

#[test]
fn a_chord_is_looked_up_from_the_narrow_context_to_the_wide() {
    let keymap = Keymap::new(Platform::Other);
    let check = |context, code, held, expected: Option<Id>| {
        assert_eq!(keymap.lookup(context, &key(code, mods(held))), expected, "{code:?} {held}");
    };
    check(Context::Terminal, Code::Char('n'), "c", Some(Id::AgentNew));
    check(Context::Terminal, Code::Char('N'), "c", Some(Id::AgentNew));
    check(Context::Terminal, Code::Char('c'), "cs", Some(Id::Copy));
    check(Context::Agents, Code::Char('c'), "cs", None);
    check(Context::Terminal, Code::Up, "", None);
    check(Context::Agents, Code::Up, "", Some(Id::ListUp));
    check(Context::Overlay, Code::Escape, "", Some(Id::OverlayCancel));
    check(Context::Overlay, Code::Char('n'), "c", None);
    check(Context::Overlay, Code::Char('='), "ca", Some(Id::ZoomIn));
    check(Context::Terminal, Code::Char('='), "c", Some(Id::PaneZoomIn));
    check(Context::Search, Code::Enter, "", Some(Id::SearchOlder));
    check(Context::Search, Code::Char('f'), "cs", None);
    check(Context::Search, Code::Tab, "c", Some(Id::FocusNext));
    check(Context::Hints, Code::Escape, "", Some(Id::HintLeave));
    check(Context::Vi, Code::Char('j'), "", Some(Id::Vi(Motion::Down)));
    check(Context::Vi, Code::Char('G'), "s", Some(Id::Vi(Motion::Bottom)));
    check(Context::Vi, Code::Char('c'), "cs", Some(Id::Copy));
    check(Context::Main, Code::Char('3'), "ca", Some(Id::FocusNumber(3)));
    check(Context::Main, Code::Char('n'), "l", None);
    let mac = Keymap::new(Platform::Mac);
    assert_eq!(mac.lookup(Context::Terminal, &key(Code::Char('n'), mods("l"))), Some(Id::AgentNew));
    assert_eq!(mac.lookup(Context::Terminal, &key(Code::Char('n'), mods("c"))), None);
}

#[test]
fn the_physical_key_decides_where_the_layout_has_other_letters() {
    let keymap = Keymap::new(Platform::Other);
    let mut pressed = key(Code::Char('т'), mods("c"));
    pressed.base = Some('n');
    assert_eq!(keymap.lookup(Context::Terminal, &pressed), Some(Id::AgentNew));
}

#[test]
fn a_held_key_repeats_moves_but_not_toggles() {
    let keymap = Keymap::new(Platform::Other);
    let mut held = key(Code::PageUp, mods("s"));
    held.action = Action::Repeat;
    assert_eq!(keymap.lookup(Context::Terminal, &held), Some(Id::ScrollPageUp));
    let mut held = key(Code::Char('j'), mods("c"));
    held.action = Action::Repeat;
    assert_eq!(keymap.lookup(Context::Terminal, &held), None);
    held.action = Action::Release;
    assert_eq!(keymap.lookup(Context::Terminal, &held), None);
}

/// What programs in terminals need. Ours are only those that the registry's own comment names.
#[test]
fn nothing_essential_is_taken_from_a_terminal() {
    const OURS: [char; 3] = ['j', 'k', 'n'];
    for command in ALL.iter().filter(|command| command.context.covers_terminal()) {
        for platform in PLATFORMS {
            for text in command.default_chords(platform) {
                let (held, code) = text.parse::<Keys>().expect(text).first.pressed(platform);
                let name = format!("{text} of {} on {platform:?}", command.name);
                // The one key that leaves a pane, whatever runs in it, on every desktop.
                if code == Code::F(6) && !held.control && !held.alt && !held.logo {
                    assert!(matches!(command.id, Id::RegionNext | Id::RegionPrevious), "{name}");
                    continue;
                }
                assert!(held.control || held.alt || held.logo || held.shift, "bare: {name}");
                if held.logo {
                    continue;
                }
                let shift_alone = held.shift && !held.control && !held.alt;
                let alt_alone = held.alt && !held.control && !held.shift;
                let control_alone = held.control && !held.alt && !held.shift;
                match code {
                    Code::Char(c) if control_alone && c.is_ascii_alphabetic() => {
                        assert!(OURS.contains(&c), "a shell's own: {name}");
                    }
                    // Ctrl+[ is Escape, Ctrl+\ quits, Ctrl+Space marks, Ctrl+/ undoes.
                    Code::Char(c) if control_alone => {
                        assert!(matches!(c, '=' | '-' | '0' | ','), "a shell's own: {name}");
                    }
                    Code::Char(_) => assert!(!shift_alone && !alt_alone, "typed: {name}"),
                    Code::Tab => assert!(held.control, "completion: {name}"),
                    Code::Enter | Code::Backspace | Code::Escape | Code::F(_) => {
                        assert!(held.control && (held.alt || held.shift), "a program's: {name}");
                    }
                    Code::Left | Code::Right | Code::Up | Code::Down => {
                        assert!(held.shift && (held.control || held.alt), "moves words: {name}");
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn a_users_own_chord_comes_first_and_conflicts_are_told() {
    let own = vec![own(Id::Quit, &["Mod+N"])];
    let (keymap, conflicts) = Keymap::with(Platform::Other, &own);
    assert_eq!(keymap.lookup(Context::Main, &key(Code::Char('n'), mods("c"))), Some(Id::Quit));
    assert_eq!(
        conflicts,
        [Conflict { chord: "Ctrl+N".to_owned(), first: Id::Quit, second: Id::AgentNew }]
    );
    assert_eq!(keymap.title(Id::AgentNew), None);
}

#[test]
fn a_key_in_another_place_is_what_is_written_on_it() {
    let keymap = Keymap::new(Platform::Other);
    let check = |written: char, base: char, held: &str, expected: Option<Id>| {
        let pressed = Key { base: Some(base), ..key(Code::Char(written), mods(held)) };
        assert_eq!(keymap.lookup(Context::Terminal, &pressed), expected, "{written} on {base}");
    };
    // Dvorak: Ctrl+B, which is where QWERTY has N, and Ctrl+N, where it has L.
    check('b', 'n', "c", None);
    check('n', 'l', "c", Some(Id::AgentNew));
    // Greek; and AZERTY, where the digits are on Shift.
    check('ν', 'n', "c", Some(Id::AgentNew));
    check('&', '1', "ca", keymap.lookup(Context::Terminal, &key(Code::Char('1'), mods("ca"))));
    assert!(keymap.lookup(Context::Terminal, &key(Code::Char('1'), mods("ca"))).is_some());
}

/// Every chord that a terminal's program does not get, on a keyboard with Ctrl. What is not here is the
/// program's; a new one is written down here on purpose.
const OURS: &[&str] = &[
    "Ctrl+N",
    "Ctrl+J",
    "Ctrl+K",
    "Ctrl+=",
    "Ctrl+-",
    "Ctrl+0",
    "Ctrl+,",
    "Ctrl+Tab",
    "F6",
    "Shift+F6",
    "Ctrl+Insert",
    "Shift+Insert",
    "Shift+PageUp",
    "Shift+PageDown",
    "Alt+Shift+Up",
    "Alt+Shift+Down",
    "Alt+Shift+PageUp",
    "Alt+Shift+PageDown",
    "Ctrl+Shift+Tab",
    "Ctrl+Shift+Left",
    "Ctrl+Shift+Right",
    "Ctrl+Shift+Up",
    "Ctrl+Shift+Down",
    "Ctrl+Shift+Home",
    "Ctrl+Shift+End",
    "Ctrl+Shift+F12",
    "Ctrl+Shift+Space",
    "Ctrl+Shift+`",
    "Ctrl+Shift+=",
    "Ctrl+Shift+2",
    "Ctrl+Shift+A",
    "Ctrl+Shift+B",
    "Ctrl+Shift+C",
    "Ctrl+Shift+E",
    "Ctrl+Shift+F",
    "Ctrl+Shift+J",
    "Ctrl+Shift+K",
    "Ctrl+Shift+L",
    "Ctrl+Shift+O",
    "Ctrl+Shift+Q",
    "Ctrl+Shift+V",
    "Ctrl+Shift+W",
    "Ctrl+Shift+X",
    "Ctrl+Shift+Y",
    "Ctrl+Alt+K",
    "Ctrl+Alt+Enter",
    "Ctrl+Alt+.",
    "Ctrl+Alt+[",
    "Ctrl+Alt+]",
    "Ctrl+Alt+Shift+[",
    "Ctrl+Alt+Shift+]",
    "Ctrl+Alt+=",
    "Ctrl+Alt+Shift+=",
    "Ctrl+Alt+-",
    "Ctrl+Alt+0",
    "Ctrl+Alt+1",
    "Ctrl+Alt+2",
    "Ctrl+Alt+3",
    "Ctrl+Alt+4",
    "Ctrl+Alt+5",
    "Ctrl+Alt+6",
    "Ctrl+Alt+7",
    "Ctrl+Alt+8",
    "Ctrl+Alt+9",
    "Ctrl+Alt+A",
    "Ctrl+Alt+B",
    "Ctrl+Alt+D",
    "Ctrl+Alt+F",
    "Ctrl+Alt+G",
    "Ctrl+Alt+I",
    "Ctrl+Alt+J",
    "Ctrl+Alt+V",
    "Ctrl+Alt+X",
    "Ctrl+Alt+/",
    "Ctrl+Alt+N",
    "Ctrl+Alt+O",
    "Ctrl+Alt+Q",
    "Ctrl+Alt+R",
    "Ctrl+Alt+Shift+R",
    "Ctrl+Shift+R",
    "Ctrl+Alt+U",
    "Ctrl+Alt+V",
    "Ctrl+Alt+Shift+Down",
    "Ctrl+Shift+D",
    "Ctrl+Shift+G",
    "Ctrl+Alt+C",
    "Ctrl+Alt+Shift+C",
    "Ctrl+Alt+W",
    "Ctrl+Alt+Shift+H",
    "Ctrl+Alt+Shift+J",
    "Ctrl+Alt+Shift+K",
    "Ctrl+Alt+Shift+L",
];

/// Every key there is, with every combination of modifiers: ours are the ones in the table above, and
/// the program in the terminal gets all the others.
#[test]
fn no_chord_of_ours_reaches_the_child_and_none_of_the_childs_is_eaten() {
    let keymap = Keymap::new(Platform::Other);
    let ours: Vec<(Mods, Code)> = OURS
        .iter()
        .map(|text| text.parse::<Chord>().expect(text).pressed(Platform::Other))
        .collect();
    let printed = (' '..='~').map(|c| Code::Char(lower(c)));
    let named = NAMES.iter().map(|(_, code)| *code);
    let codes: Vec<Code> = printed.chain(named).chain((1..=35).map(Code::F)).collect();
    for code in codes {
        for held in 0..16_u8 {
            let mods = Mods {
                shift: held & 1 != 0,
                alt: held & 2 != 0,
                control: held & 4 != 0,
                logo: held & 8 != 0,
            };
            let taken = keymap.press(Context::Terminal, None, &key(code, mods));
            assert_eq!(
                taken.is_some(),
                ours.contains(&(mods, code)),
                "{mods:?} {code:?}: {taken:?}"
            );
        }
    }
}

#[test]
fn in_vi_mode_signs_are_what_is_typed_wherever_they_are() {
    let keymap = Keymap::new(Platform::Other);
    let check = |code: char, held: &str, text: &str, expected: Option<Id>| {
        let pressed = Key { text: text.to_owned(), ..key(Code::Char(code), mods(held)) };
        assert_eq!(keymap.lookup(Context::Vi, &pressed), expected, "{text} on {code}");
    };
    // US, German, French.
    check('4', "s", "$", Some(Id::Vi(Motion::Last)));
    check('$', "", "$", Some(Id::Vi(Motion::Last)));
    check('7', "s", "/", Some(Id::ViSearch));
    check('/', "", "/", Some(Id::ViSearch));
    check('&', "s", "1", Some(Id::ViCount(1)));
    check('5', "s", "%", Some(Id::Vi(Motion::Bracket)));
    check('g', "s", "G", Some(Id::Vi(Motion::Bottom)));
    check('v', "c", "", Some(Id::ViSelectBlock));
    check('x', "", "x", None);
}

#[test]
fn two_chords_read_back_as_written() {
    for text in ["Alt+Mod+X T", "Mod++ F2", "F3 Mod+Shift+Left"] {
        let keys: Keys = text.parse().expect(text);
        assert!(keys.then.is_some(), "{text}");
        assert_eq!(keys.to_string(), text);
    }
    let blanks: Keys = "Mod + N".parse().expect("a chord");
    assert_eq!(blanks.to_string(), "Mod+N");
    for text in ["", "F1 F2 F3", "F3 Nope", "Nope F3"] {
        assert!(text.parse::<Keys>().is_err(), "{text}");
    }
    let keys: Keys = "Alt+Mod+X T".parse().expect("two chords");
    assert_eq!(keys.title(Platform::Other), "Ctrl+Alt+X T");
}

fn own(id: Id, chords: &[&str]) -> (Id, Vec<Keys>) {
    (id, chords.iter().map(|text| text.parse().expect(text)).collect())
}

#[test]
fn the_second_of_two_chords_runs_the_command() {
    let all = [own(Id::AgentNew, &["F14 A"]), own(Id::ThemeToggle, &["F14 Mod+A", "F14 T"])];
    let (keymap, conflicts) = Keymap::with(Platform::Other, &all);
    assert_eq!(conflicts, []);
    let f14 = (Mods::default(), Code::F(14));
    let first = key(Code::F(14), Mods::default());
    assert_eq!(keymap.press(Context::Terminal, None, &first), Some(Step::Wait(f14)));
    assert_eq!(keymap.lookup(Context::Terminal, &first), None);
    for (code, held, expected) in [
        (Code::Char('a'), "", Some(Id::AgentNew)),
        (Code::Char('a'), "c", Some(Id::ThemeToggle)),
        (Code::Char('t'), "", Some(Id::ThemeToggle)),
        (Code::Char('x'), "", None),
        (Code::F(14), "", None),
        // A chord of its own is none behind another.
        (Code::Char('k'), "c", None),
    ] {
        let found = keymap.press(Context::Terminal, Some(f14), &key(code, mods(held)));
        assert_eq!(found, expected.map(Step::Run), "{held} {code:?}");
    }
    // Those of the window are no use under a dialog.
    let a = key(Code::Char('a'), Mods::default());
    assert_eq!(keymap.press(Context::Overlay, Some(f14), &a), None);
    let after = keymap.after(Context::Terminal, f14);
    let expected = [("A", Id::AgentNew), ("Ctrl+A", Id::ThemeToggle), ("T", Id::ThemeToggle)];
    assert_eq!(after, expected.map(|(chord, id)| (chord.to_owned(), id)));
    let russian = Key { base: Some('a'), ..key(Code::Char('ф'), Mods::default()) };
    assert_eq!(keymap.press(Context::Main, Some(f14), &russian), Some(Step::Run(Id::AgentNew)));
}

#[test]
fn the_beginning_of_another_is_a_conflict() {
    for (one, other, conflict) in [
        ("F14", "F14 A", true),
        ("F14 A", "F14", true),
        ("F14 A", "F14 A", true),
        ("F14 A", "F14 B", false),
        ("F14 A", "F15 A", false),
    ] {
        let all = [own(Id::AgentNew, &[one]), own(Id::Quit, &[other])];
        let (keymap, conflicts) = Keymap::with(Platform::Other, &all);
        assert_eq!(!conflicts.is_empty(), conflict, "{one}, {other}: {conflicts:?}");
        assert_eq!(keymap.chords(Id::Quit).is_empty(), conflict, "{one}, {other}");
    }
}

#[test]
fn keys_that_everybody_types_are_no_chord_for_everywhere() {
    for (text, fit) in [
        ("Ctrl+M", true),
        ("F12", true),
        ("Pause", true),
        ("M", false),
        ("Shift+M", false),
        ("Space", false),
    ] {
        let chord: Chord = text.parse().expect("a chord");
        assert_eq!(chord.is_for_everywhere(), fit, "{text}");
    }
}
