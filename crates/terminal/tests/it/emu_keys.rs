//! Every rule for keys as a row: what is pressed, in which modes, what is sent.
//!
//! [K] is kitty's "Comprehensive keyboard handling in terminals", [X] xterm's control sequences and its page
//! about modifyOtherKeys, [V] the VT100 and VT220 programmer's references.

use maestro_core::input::{Action, Code, Input, Key, Mods};
use maestro_core::screen::Size;
use maestro_terminal::{Options, Terminal};

use super::{give, print, with};

/// A key as a US keyboard on Linux tells it, from words like `ctrl+shift+a`. After a colon: `repeat`,
/// `release`; `text=…`, `code=…`, `base=…` and `shifted=…` say what another layout makes of it.
fn key(words: &str) -> Key {
    let (chord, rest) = words.split_once(':').unwrap_or((words, ""));
    let mut key = Key {
        code: Code::Unknown,
        mods: Mods::default(),
        text: String::new(),
        action: Action::Press,
        base: None,
        shifted: None,
        keypad: false,
    };
    let mut parts: Vec<&str> = chord.split('+').collect();
    // The plus key itself.
    if chord.ends_with('+') {
        parts.truncate(parts.len() - 2);
        parts.push("+");
    }
    let name = parts.pop().expect("a key");
    for part in parts {
        match part {
            "shift" => key.mods.shift = true,
            "alt" => key.mods.alt = true,
            "ctrl" => key.mods.control = true,
            "super" => key.mods.logo = true,
            "kp" => key.keypad = true,
            other => panic!("no modifier {other:?}"),
        }
    }
    key.code = code(name);
    if let Code::Char(c) = key.code {
        let upper = if key.keypad { c } else { shifted(c) };
        key.shifted = Some(upper).filter(|upper| key.mods.shift && *upper != c);
        if !key.mods.control && !key.mods.logo {
            key.text = if key.mods.shift { upper } else { c }.to_string();
        }
    }
    for extra in rest.split(' ').filter(|extra| !extra.is_empty()) {
        let one = |text: &str| text.chars().next().expect("a character");
        match extra.split_once('=') {
            None if extra == "repeat" => key.action = Action::Repeat,
            None if extra == "release" => {
                key.action = Action::Release;
                key.text.clear();
            }
            None if extra == "silent" => key.text.clear(),
            Some(("text", text)) => key.text = text.to_owned(),
            Some(("code", text)) => key.code = Code::Char(one(text)),
            Some(("base", text)) => key.base = Some(one(text)),
            Some(("shifted", text)) => key.shifted = Some(one(text)),
            _ => panic!("what is {extra:?}?"),
        }
    }
    key
}

fn code(name: &str) -> Code {
    match name {
        "enter" => Code::Enter,
        "tab" => Code::Tab,
        "backspace" => Code::Backspace,
        "esc" => Code::Escape,
        "space" => Code::Char(' '),
        "left" => Code::Left,
        "right" => Code::Right,
        "up" => Code::Up,
        "down" => Code::Down,
        "home" => Code::Home,
        "end" => Code::End,
        "pgup" => Code::PageUp,
        "pgdn" => Code::PageDown,
        "ins" => Code::Insert,
        "del" => Code::Delete,
        "caps" => Code::CapsLock,
        "scroll" => Code::ScrollLock,
        "num" => Code::NumLock,
        "print" => Code::PrintScreen,
        "pause" => Code::Pause,
        "menu" => Code::Menu,
        "lshift" => Code::Shift,
        "rshift" => Code::ShiftRight,
        "lctrl" => Code::Control,
        "rctrl" => Code::ControlRight,
        "lalt" => Code::Alt,
        "ralt" => Code::AltRight,
        "lsuper" => Code::Super,
        "rsuper" => Code::SuperRight,
        "altgr" => Code::AltGraph,
        "unknown" => Code::Unknown,
        name => match name.strip_prefix('f').and_then(|number| number.parse().ok()) {
            Some(number) => Code::F(number),
            None => {
                let mut chars = name.chars();
                let c = chars.next().expect("a key");
                assert_eq!(chars.next(), None, "no key {name:?}");
                Code::Char(c)
            }
        },
    }
}

/// What a US keyboard types with Shift.
fn shifted(c: char) -> char {
    let (plain, upper) = ("`1234567890-=[]\\;',./", "~!@#$%^&*()_+{}|:\"<>?");
    match plain.chars().position(|plain| plain == c) {
        Some(at) => upper.chars().nth(at).expect("as many"),
        None => c.to_ascii_uppercase(),
    }
}

/// Checks rows of keys and bytes in modes that some output sets.
#[track_caller]
fn check(modes: &str, rows: &[(&str, &str)]) {
    check_with(Options::new(Size::new(80, 24)), modes, rows);
}

#[track_caller]
fn check_with(options: Options, modes: &str, rows: &[(&str, &str)]) {
    let mut terminal = Terminal::new(options);
    let _ = print(&mut terminal, modes);
    for (words, wanted) in rows {
        assert_eq!(give(&mut terminal, Input::Key(key(words))), *wanted, "{words} in {modes:?}");
    }
}

/// [K] "Legacy text keys": the table's rows, and what xterm does where the table says nothing.
#[test]
fn legacy_text_keys() {
    check(
        "",
        &[
            ("a", "a"),
            ("shift+a", "A"),
            ("alt+a", "\x1ba"),
            ("alt+shift+a", "\x1bA"),
            ("ctrl+a", "\x01"),
            ("ctrl+alt+a", "\x1b\x01"),
            ("ctrl+shift+a", "\x01"),
            ("1", "1"),
            ("shift+1", "!"),
            ("alt+1", "\x1b1"),
            ("alt+shift+1", "\x1b!"),
            ("ctrl+1", "1"),
            ("ctrl+alt+1", "\x1b1"),
            ("space", " "),
            ("shift+space", " "),
            ("alt+space", "\x1b "),
            ("ctrl+space", "\0"),
            ("ctrl+alt+space", "\x1b\0"),
            // On Linux a key with Alt carries its text; on Windows it may not.
            ("alt+a:silent", "\x1ba"),
            ("alt+shift+a:silent", "\x1bA"),
            ("super+a", ""),
            ("a:release", ""),
            ("a:repeat", "a"),
        ],
    );
}

/// [K] "Legacy ctrl mapping of ASCII keys", all of it; [X] agrees where it has a row.
#[test]
fn legacy_control_keys() {
    for (c, byte) in [
        (' ', 0),
        ('/', 31),
        ('0', 48),
        ('1', 49),
        ('2', 0),
        ('3', 27),
        ('4', 28),
        ('5', 29),
        ('6', 30),
        ('7', 31),
        ('8', 127),
        ('9', 57),
        ('[', 27),
        ('\\', 28),
        (']', 29),
    ] {
        let name = if c == ' ' { "space".to_owned() } else { c.to_string() };
        check("", &[(&format!("ctrl+{name}"), &char::from(byte).to_string())]);
    }
    for (at, c) in ('a'..='z').enumerate() {
        check("", &[(&format!("ctrl+{c}"), &char::from(at as u8 + 1).to_string())]);
    }
    // By what the key has with Shift: `?`, `@`, `^`, `_`, `~`.
    check(
        "",
        &[
            ("ctrl+shift+/", "\x7f"),
            ("ctrl+shift+2", "\0"),
            ("ctrl+shift+6", "\x1e"),
            ("ctrl+shift+-", "\x1f"),
            ("ctrl+shift+`", "\x1e"),
            // No row: the key as it is.
            ("ctrl+-", "-"),
            ("ctrl+=", "="),
            ("ctrl+;", ";"),
        ],
    );
}

/// [K] "Legacy functional keys": Enter, Escape, Backspace, Tab and Space with modifiers. Shift with Enter
/// is ours to choose there.
#[test]
fn legacy_special_keys() {
    check(
        "",
        &[
            ("enter", "\r"),
            ("ctrl+enter", "\r"),
            ("alt+enter", "\x1b\r"),
            ("esc", "\x1b"),
            ("shift+esc", "\x1b"),
            ("alt+esc", "\x1b\x1b"),
            ("backspace", "\x7f"),
            ("shift+backspace", "\x7f"),
            ("ctrl+backspace", "\x08"),
            ("alt+backspace", "\x1b\x7f"),
            ("ctrl+alt+backspace", "\x1b\x08"),
            ("tab", "\t"),
            ("shift+tab", "\x1b[Z"),
            ("ctrl+tab", "\t"),
            ("alt+tab", "\x1b\t"),
            ("alt+shift+tab", "\x1b\x1b[Z"),
            ("lshift", ""),
            ("rctrl", ""),
            ("altgr", ""),
            ("caps", ""),
            ("print", ""),
            ("menu", "\x1b[29~"),
            // Dead keys and layouts beyond the table: text without a name.
            ("unknown:text=é", "é"),
            ("unknown", ""),
        ],
    );
}

/// [V] DECKPAM and DECKPNM, [X] mode 66; without Num Lock the keypad moves.
#[test]
fn the_keypad() {
    let application = [
        ("kp+0:silent", "\x1bOp"),
        ("kp+5:silent", "\x1bOu"),
        ("kp+9:silent", "\x1bOy"),
        ("kp+-:silent", "\x1bOm"),
        ("kp+,:silent", "\x1bOl"),
        ("kp+.:silent", "\x1bOn"),
        ("kp+/:silent", "\x1bOo"),
        ("kp+*:silent", "\x1bOj"),
        ("kp++:silent", "\x1bOk"),
        ("kp+=:silent", "\x1bOX"),
        ("kp+5", "5"),
        ("kp+enter", "\r"),
        ("kp+up", "\x1b[A"),
        ("5", "5"),
    ];
    check("\x1b=", &application);
    check("\x1b[?66h", &application);
    for numeric in ["", "\x1b=\x1b>", "\x1b=\x1b[?66l"] {
        check(numeric, &[("kp+5:silent", "5"), ("kp++", "+"), ("kp+home", "\x1b[H")]);
    }
    // [K] "Disambiguate escape codes": what types stays text, all others have names of their own.
    check(
        "\x1b[>1u",
        &[
            ("kp+5", "5"),
            ("kp++", "+"),
            ("kp+enter", "\x1b[57414u"),
            ("kp+left", "\x1b[57417u"),
            ("kp+right", "\x1b[57418u"),
            ("kp+up", "\x1b[57419u"),
            ("kp+down", "\x1b[57420u"),
            ("kp+pgup", "\x1b[57421u"),
            ("kp+pgdn", "\x1b[57422u"),
            ("kp+home", "\x1b[57423u"),
            ("kp+end", "\x1b[57424u"),
            ("kp+ins", "\x1b[57425u"),
            ("kp+del", "\x1b[57426u"),
            ("ctrl+kp+5", "\x1b[57404;5u"),
        ],
    );
    check(
        "\x1b[>9u",
        &[
            ("kp+0", "\x1b[57399u"),
            ("kp+9", "\x1b[57408u"),
            ("kp+.", "\x1b[57409u"),
            ("kp+/", "\x1b[57410u"),
            ("kp+*", "\x1b[57411u"),
            ("kp+-", "\x1b[57412u"),
            ("kp++", "\x1b[57413u"),
            ("kp+=", "\x1b[57415u"),
            ("kp+,", "\x1b[57416u"),
        ],
    );
    // Without "disambiguate" the keypad is not told apart.
    check("\x1b[>2u", &[("kp+up", "\x1b[A"), ("kp+up:release", "\x1b[1;1:3A")]);
}

/// [X] modifyOtherKeys. Claude, Copilot and OpenCode turn it on beside the kitty protocol, which wins.
#[test]
fn modify_other_keys() {
    let level_1 = [
        ("a", "a"),
        ("shift+a", "A"),
        ("ctrl+a", "\x01"),
        ("alt+a", "\x1ba"),
        ("ctrl+i", "\t"),
        ("shift+enter", "\x1b[27;2;13~"),
        ("ctrl+enter", "\x1b[27;5;13~"),
        ("alt+enter", "\x1b\r"),
        ("ctrl+tab", "\x1b[27;5;9~"),
        ("shift+tab", "\x1b[Z"),
        ("ctrl+1", "\x1b[27;5;49~"),
        ("ctrl+;", "\x1b[27;5;59~"),
        ("ctrl+shift+a", "\x1b[27;6;65~"),
        ("ctrl+2", "\0"),
        ("backspace", "\x7f"),
        ("up", "\x1b[A"),
    ];
    check("\x1b[>4;1m", &level_1);
    check(
        "\x1b[>4;2m",
        &[
            ("a", "a"),
            ("shift+a", "A"),
            ("ctrl+a", "\x1b[27;5;97~"),
            ("alt+a", "\x1b[27;3;97~"),
            ("ctrl+i", "\x1b[27;5;105~"),
            ("shift+enter", "\x1b[27;2;13~"),
            ("alt+enter", "\x1b[27;3;13~"),
            ("enter", "\r"),
            ("shift+tab", "\x1b[27;2;9~"),
            ("ctrl+backspace", "\x1b[27;5;127~"),
            ("shift+space", "\x1b[27;2;32~"),
            ("alt+shift+a", "\x1b[27;4;65~"),
            ("ctrl+up", "\x1b[1;5A"),
        ],
    );
    for off in ["\x1b[>4;2m\x1b[>4m", "\x1b[>4;2m\x1b[>4;0m", "\x1b[>4;2m\x1bc"] {
        check(off, &[("ctrl+a", "\x01"), ("shift+enter", "\x1b\r")]);
    }
    check("\x1b[>4;2m\x1b[>1u", &[("ctrl+a", "\x1b[97;5u"), ("shift+enter", "\x1b[13;2u")]);
}

/// Alt with what it composes: AltGr on Windows is Control with Alt, Option is Alt on macOS.
#[test]
fn alt_that_composes() {
    let meta = |alt_is_meta| Options { alt_is_meta, ..Options::new(Size::new(80, 24)) };
    // AltGr+q on a German layout.
    let alt_gr = "ctrl+alt+q:text=@";
    check_with(meta(true), "", &[(alt_gr, "@"), ("ctrl+alt+q", "\x1b\x11"), ("q:text=@", "@")]);
    check_with(meta(true), "\x1b[>1u", &[(alt_gr, "@"), ("ctrl+alt+q", "\x1b[113;7u")]);
    check_with(meta(true), "\x1b[>25u", &[(alt_gr, "\x1b[113;;64u")]);
    // Option+l types `@` there, Option+Shift+l something else, Option+Left nothing.
    let option = "alt+l:text=@";
    check_with(meta(false), "", &[(option, "@"), ("alt+left", "\x1b[1;3D"), ("alt+l", "\x1bl")]);
    check_with(meta(false), "\x1b[>1u", &[(option, "@"), ("alt+l", "\x1b[108;3u")]);
    check_with(meta(true), "", &[(option, "\x1bl"), ("alt+shift+l:text=Ł", "\x1bL")]);
    check_with(meta(true), "\x1b[>1u", &[(option, "\x1b[108;3u")]);
    check_with(meta(true), "\x1b[>25u", &[(option, "\x1b[108;3u")]);
}

/// [K] "base layout key": shortcuts by the key's place, text by the layout.
#[test]
fn layouts_without_latin_letters() {
    let cyrillic = "ctrl+c:code=с base=c";
    check(
        "",
        &[
            (cyrillic, "\x03"),
            ("c:code=с text=с base=c", "с"),
            ("alt+c:code=с text=с base=c", "\x1bс"),
            // A Latin letter elsewhere counts as itself: `ctrl+a` on an AZERTY keyboard.
            ("ctrl+q:code=a base=q", "\x01"),
            // A French digit row: no control character by place.
            ("ctrl+2:code=é base=2", "\0"),
            ("ctrl+3:code=\" base=3", "\""),
        ],
    );
    check("\x1b[>1u", &[(cyrillic, "\x1b[1089;5u")]);
    check(
        "\x1b[>5u",
        &[
            (cyrillic, "\x1b[1089::99;5u"),
            ("ctrl+shift+c:code=с base=c shifted=С", "\x1b[1089:1057:99;6u"),
            ("c:code=с text=с base=c", "с"),
            ("ctrl+a", "\x1b[97;5u"),
            ("ctrl+shift+a", "\x1b[97:65;6u"),
            ("esc", "\x1b[27u"),
        ],
    );
    check("\x1b[>29u", &[("c:code=с text=с base=c", "\x1b[1089::99;;1089u")]);
}

/// [K] "Disambiguate escape codes" (1).
#[test]
fn kitty_1() {
    check(
        "\x1b[>1u",
        &[
            ("a", "a"),
            ("shift+a", "A"),
            ("shift+1", "!"),
            ("shift+space", " "),
            ("alt+a", "\x1b[97;3u"),
            ("alt+shift+a", "\x1b[97;4u"),
            ("ctrl+a", "\x1b[97;5u"),
            ("ctrl+shift+a", "\x1b[97;6u"),
            ("ctrl+alt+a", "\x1b[97;7u"),
            ("ctrl+shift+1", "\x1b[49;6u"),
            ("super+a", "\x1b[97;9u"),
            ("ctrl+i", "\x1b[105;5u"),
            ("ctrl+space", "\x1b[32;5u"),
            ("esc", "\x1b[27u"),
            ("shift+esc", "\x1b[27;2u"),
            ("enter", "\r"),
            ("tab", "\t"),
            ("backspace", "\x7f"),
            ("shift+enter", "\x1b[13;2u"),
            ("ctrl+enter", "\x1b[13;5u"),
            ("shift+tab", "\x1b[9;2u"),
            ("ctrl+shift+tab", "\x1b[9;6u"),
            ("ctrl+backspace", "\x1b[127;5u"),
            ("super+enter", "\x1b[13;9u"),
            ("lshift", ""),
            ("caps", ""),
            ("num", ""),
            ("scroll", "\x1b[57359u"),
            ("print", "\x1b[57361u"),
            ("pause", "\x1b[57362u"),
            ("menu", "\x1b[57363u"),
            ("f1", "\x1b[P"),
            ("f2", "\x1b[Q"),
            ("f3", "\x1b[13~"),
            ("f4", "\x1b[S"),
            ("shift+f1", "\x1b[1;2P"),
            ("shift+f3", "\x1b[13;2~"),
            ("f5", "\x1b[15~"),
            ("f12", "\x1b[24~"),
            ("f13", "\x1b[57376u"),
            ("f35", "\x1b[57398u"),
            ("ctrl+up", "\x1b[1;5A"),
            ("a:release", ""),
            ("up:release", ""),
            ("a:repeat", "a"),
            ("up:repeat", "\x1b[A"),
        ],
    );
    // There is one form, whatever the cursor key mode.
    check("\x1b[>1u\x1b[?1h", &[("up", "\x1b[A"), ("end", "\x1b[F")]);
}

/// [K] "Report event types" (2).
#[test]
fn kitty_2() {
    check(
        "\x1b[>3u",
        &[
            ("a", "a"),
            ("a:repeat", "a"),
            ("a:release", "\x1b[97;1:3u"),
            ("shift+a:release", "\x1b[97;2:3u"),
            ("ctrl+a:repeat", "\x1b[97;5:2u"),
            ("ctrl+a:release", "\x1b[97;5:3u"),
            ("up:repeat", "\x1b[1;1:2A"),
            ("up:release", "\x1b[1;1:3A"),
            ("shift+up:release", "\x1b[1;2:3A"),
            ("f5:release", "\x1b[15;1:3~"),
            ("esc:repeat", "\x1b[27;1:2u"),
            ("enter:repeat", "\r"),
            // "will not have release events unless Report all keys is also set"
            ("enter:release", ""),
            ("ctrl+enter:release", ""),
            ("tab:release", ""),
            ("backspace:release", ""),
            ("lctrl:release", ""),
        ],
    );
}

/// [K] "Report all keys as escape codes" (8): modifiers, too, with what holds after the event.
#[test]
fn kitty_8() {
    check(
        "\x1b[>11u",
        &[
            ("a", "\x1b[97u"),
            ("shift+a", "\x1b[97;2u"),
            ("enter", "\x1b[13u"),
            ("enter:release", "\x1b[13;1:3u"),
            ("tab", "\x1b[9u"),
            ("backspace", "\x1b[127u"),
            ("caps", "\x1b[57358u"),
            ("num", "\x1b[57360u"),
            ("lshift", "\x1b[57441;2u"),
            ("shift+lshift:release", "\x1b[57441;1:3u"),
            ("lctrl", "\x1b[57442;5u"),
            ("ctrl+lctrl:release", "\x1b[57442;1:3u"),
            ("lalt", "\x1b[57443;3u"),
            ("lsuper", "\x1b[57444;9u"),
            ("rshift", "\x1b[57447;2u"),
            ("rctrl", "\x1b[57448;5u"),
            ("ralt", "\x1b[57449;3u"),
            ("rsuper", "\x1b[57450;9u"),
            ("altgr", "\x1b[57453u"),
            ("ctrl+lshift", "\x1b[57441;6u"),
        ],
    );
}

/// [K] "Report associated text" (16): never with a modifier that types nothing, never with a release.
#[test]
fn kitty_16() {
    check(
        "\x1b[>27u",
        &[
            ("a", "\x1b[97;;97u"),
            ("shift+a", "\x1b[97;2;65u"),
            ("shift+1", "\x1b[49;2;33u"),
            ("a:repeat", "\x1b[97;1:2;97u"),
            ("a:release", "\x1b[97;1:3u"),
            ("ctrl+a", "\x1b[97;5u"),
            ("alt+a", "\x1b[97;3u"),
            ("enter", "\x1b[13u"),
            ("space", "\x1b[32;;32u"),
            ("unknown:text=é", "\x1b[0;;233u"),
            ("a:text=ab", "\x1b[97;;97:98u"),
        ],
    );
    check("\x1b[>31u", &[("shift+a", "\x1b[97:65;2;65u")]);
}

/// [K] Whoever wants releases gets them when the keyboard goes elsewhere, too, once and before the focus.
#[test]
fn keys_that_are_down_are_released_with_the_focus() {
    let key = |code: Code, action| {
        let text = if action == Action::Release { String::new() } else { "a".to_owned() };
        Input::Key(Key {
            code,
            mods: Mods::default(),
            text,
            action,
            base: None,
            shifted: None,
            keypad: false,
        })
    };
    let a = Code::Char('a');
    for (modes, keys, wanted) in [
        ("\x1b[>10u\x1b[?1004h", vec![(a, Action::Press)], "\x1b[97;1:3u\x1b[O"),
        ("\x1b[>10u", vec![(a, Action::Press), (a, Action::Repeat)], "\x1b[97;1:3u"),
        ("\x1b[>10u", vec![(a, Action::Press), (a, Action::Release)], ""),
        ("", vec![(a, Action::Press)], ""),
    ] {
        let mut terminal = with(20, 5, modes);
        let _ = give(&mut terminal, Input::Focus(true));
        for (code, action) in keys {
            let _ = give(&mut terminal, key(code, action));
        }
        assert_eq!(give(&mut terminal, Input::Focus(false)), wanted, "{modes:?}");
        assert_eq!(give(&mut terminal, Input::Focus(false)), "", "once");
    }
}
