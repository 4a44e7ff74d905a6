use maestro_core::input::{Action, Code, Input, Key, Mods};
use maestro_core::screen::Size;
use maestro_terminal::{Options, Outbox, ShiftEnter, Terminal};

use super::{give, print, terminal};

const BARE: Key = Key {
    code: Code::Unknown,
    mods: Mods { shift: false, alt: false, control: false, logo: false },
    text: String::new(),
    action: Action::Press,
    base: None,
    shifted: None,
    keypad: false,
};

fn key(code: Code) -> Press {
    Press(Key { code, ..BARE })
}

/// A key that types its character.
fn typed(c: char) -> Press {
    Press(Key { code: Code::Char(c), text: c.to_string(), ..BARE })
}

#[derive(Clone)]
struct Press(Key);

impl Press {
    fn shift(mut self) -> Self {
        self.0.mods.shift = true;
        if let (Code::Char(c), false) = (self.0.code, self.0.text.is_empty()) {
            let upper = c.to_uppercase().next().expect("one character");
            self.0.text = upper.to_string();
            self.0.shifted = Some(upper);
        }
        self
    }

    fn alt(mut self) -> Self {
        self.0.mods.alt = true;
        self
    }

    fn ctrl(mut self) -> Self {
        self.0.mods.control = true;
        self.0.text = String::new();
        self
    }

    fn logo(mut self) -> Self {
        self.0.mods.logo = true;
        self
    }

    fn repeat(mut self) -> Self {
        self.0.action = Action::Repeat;
        self
    }

    fn release(mut self) -> Self {
        self.0.action = Action::Release;
        self
    }

    fn keypad(mut self) -> Self {
        self.0.keypad = true;
        self
    }

    fn base(mut self, c: char) -> Self {
        self.0.base = Some(c);
        self
    }
}

/// With the modes set by some output, a key sends some bytes.
#[track_caller]
fn check(modes: &str, key: Press, wanted: &str) {
    let mut terminal = terminal(80, 24);
    let _ = print(&mut terminal, modes);
    assert_eq!(give(&mut terminal, Input::Key(key.0.clone())), wanted, "{:?} in {modes:?}", key.0);
}

#[test]
fn plain_keys() {
    check("", typed('a'), "a");
    check("", typed('a').repeat(), "a");
    check("", typed('a').release(), "");
    check("", typed('a').shift(), "A");
    check("", typed('ü'), "ü");
    check("", typed('a').alt(), "\x1ba");
    check("", typed('a').shift().alt(), "\x1bA");
    check("", key(Code::Char('a')).alt(), "\x1ba");
    check("", key(Code::Enter), "\r");
    check("", key(Code::Enter).alt(), "\x1b\r");
    check("", key(Code::Enter).shift(), "\x1b\r");
    check("", key(Code::Tab), "\t");
    check("", key(Code::Tab).shift(), "\x1b[Z");
    check("", key(Code::Backspace), "\x7f");
    check("", key(Code::Backspace).ctrl(), "\x08");
    check("", key(Code::Backspace).alt(), "\x1b\x7f");
    check("", key(Code::Escape), "\x1b");
    check("", key(Code::Escape).alt(), "\x1b\x1b");
    check("", key(Code::Shift), "");
    check("", key(Code::CapsLock), "");
    check("", typed('a').logo(), "");
}

#[test]
fn control_characters() {
    for (c, byte) in [
        ('a', "\x01"),
        ('c', "\x03"),
        ('z', "\x1a"),
        (' ', "\0"),
        ('[', "\x1b"),
        ('\\', "\x1c"),
        (']', "\x1d"),
        ('6', "\x1e"),
        ('_', "\x1f"),
        ('/', "\x1f"),
        ('2', "\0"),
        ('8', "\x7f"),
    ] {
        check("", typed(c).ctrl(), byte);
    }
    check("", typed('c').ctrl().shift(), "\x03");
    check("", typed('c').ctrl().alt(), "\x1b\x03");
    // A Cyrillic layout: the key counts by its place.
    check("", typed('с').base('c').ctrl(), "\x03");
    check("", typed('1').ctrl(), "1");
}

#[test]
fn keys_that_type_nothing() {
    for (code, bytes, with_ctrl) in [
        (Code::Up, "\x1b[A", "\x1b[1;5A"),
        (Code::Down, "\x1b[B", "\x1b[1;5B"),
        (Code::Right, "\x1b[C", "\x1b[1;5C"),
        (Code::Left, "\x1b[D", "\x1b[1;5D"),
        (Code::Home, "\x1b[H", "\x1b[1;5H"),
        (Code::End, "\x1b[F", "\x1b[1;5F"),
        (Code::Insert, "\x1b[2~", "\x1b[2;5~"),
        (Code::Delete, "\x1b[3~", "\x1b[3;5~"),
        (Code::PageUp, "\x1b[5~", "\x1b[5;5~"),
        (Code::PageDown, "\x1b[6~", "\x1b[6;5~"),
        (Code::F(1), "\x1bOP", "\x1b[1;5P"),
        (Code::F(4), "\x1bOS", "\x1b[1;5S"),
        (Code::F(5), "\x1b[15~", "\x1b[15;5~"),
        (Code::F(6), "\x1b[17~", "\x1b[17;5~"),
        (Code::F(10), "\x1b[21~", "\x1b[21;5~"),
        (Code::F(12), "\x1b[24~", "\x1b[24;5~"),
        (Code::F(20), "\x1b[34~", "\x1b[34;5~"),
        (Code::F(35), "", ""),
    ] {
        check("", key(code), bytes);
        check("", key(code).ctrl(), with_ctrl);
    }
    check("", key(Code::Left).shift().alt().ctrl(), "\x1b[1;8D");
}

#[test]
fn application_modes() {
    check("\x1b[?1h", key(Code::Up), "\x1bOA");
    check("\x1b[?1h", key(Code::Home), "\x1bOH");
    check("\x1b[?1h", key(Code::Up).shift(), "\x1b[1;2A");
    check("\x1b[?1h\x1b[?1l", key(Code::Up), "\x1b[A");
    check("\x1b=", key(Code::Char('5')).keypad(), "\x1bOu");
    check("\x1b=", key(Code::Char('+')).keypad(), "\x1bOk");
    check("\x1b=", typed('5').keypad(), "5");
    check("\x1b=\x1b>", key(Code::Char('5')).keypad(), "5");
    check("\x1b=", key(Code::Enter).keypad(), "\r");
}

#[test]
fn shift_enter_is_a_choice() {
    for (choice, bytes) in [
        (ShiftEnter::EscapeReturn, "\x1b\r"),
        (ShiftEnter::LineFeed, "\n"),
        (ShiftEnter::Return, "\r"),
        (ShiftEnter::Kitty, "\x1b[13;2u"),
    ] {
        let options = Options { shift_enter: choice, ..Options::new(Size::new(80, 24)) };
        let mut terminal = Terminal::new(options);
        assert_eq!(give(&mut terminal, Input::Key(key(Code::Enter).shift().0)), bytes);
        // Who turned on the protocol gets its form.
        let _ = print(&mut terminal, "\x1b[>1u");
        assert_eq!(give(&mut terminal, Input::Key(key(Code::Enter).shift().0)), "\x1b[13;2u");
    }
}

#[test]
fn kitty_disambiguate() {
    let on = "\x1b[>1u";
    check(on, typed('a'), "a");
    check(on, typed('a').shift(), "A");
    check(on, typed('a').repeat(), "a");
    check(on, typed('a').release(), "");
    check(on, typed('a').ctrl(), "\x1b[97;5u");
    check(on, typed('a').shift().ctrl(), "\x1b[97;6u");
    check(on, typed('a').alt(), "\x1b[97;3u");
    check(on, typed('A').ctrl(), "\x1b[97;5u");
    check(on, key(Code::Escape), "\x1b[27u");
    check(on, key(Code::Enter), "\r");
    check(on, key(Code::Tab), "\t");
    check(on, key(Code::Backspace), "\x7f");
    check(on, key(Code::Enter).shift(), "\x1b[13;2u");
    check(on, key(Code::Tab).shift(), "\x1b[9;2u");
    check(on, key(Code::Backspace).ctrl(), "\x1b[127;5u");
    check(on, key(Code::Up), "\x1b[A");
    check(on, key(Code::Up).ctrl(), "\x1b[1;5A");
    check(on, key(Code::F(3)), "\x1b[13~");
    check(on, key(Code::F(13)), "\x1b[57376u");
    check(on, key(Code::Delete).shift(), "\x1b[3;2~");
    check(on, key(Code::Menu), "\x1b[57363u");
    check(on, key(Code::Shift), "");
    check(on, typed('5').keypad(), "5");
    check(on, key(Code::Left).keypad(), "\x1b[57417u");
    check(on, key(Code::Enter).keypad(), "\x1b[57414u");
    check(on, typed('a').logo(), "\x1b[97;9u");
    // There is one form, whatever the cursor key mode.
    check("\x1b[>1u\x1b[?1h", key(Code::Up), "\x1b[A");
    check(on, key(Code::F(1)), "\x1b[P");
}

#[test]
fn kitty_event_types() {
    let on = "\x1b[>3u";
    check(on, typed('a'), "a");
    check(on, typed('a').repeat(), "a");
    check(on, typed('a').release(), "\x1b[97;1:3u");
    check(on, typed('a').ctrl().repeat(), "\x1b[97;5:2u");
    check(on, typed('a').ctrl().release(), "\x1b[97;5:3u");
    check(on, key(Code::Up).repeat(), "\x1b[1;1:2A");
    check(on, key(Code::Up).release(), "\x1b[1;1:3A");
    check(on, key(Code::Delete).release(), "\x1b[3;1:3~");
    check(on, key(Code::Escape).release(), "\x1b[27;1:3u");
    for code in [Code::Enter, Code::Tab, Code::Backspace] {
        check(on, key(code).release(), "");
    }
    check(on, key(Code::Enter).repeat(), "\r");
}

#[test]
fn kitty_alternate_keys() {
    let on = "\x1b[>5u";
    check(on, typed('a').ctrl(), "\x1b[97;5u");
    let mut shifted = typed('a').shift();
    shifted.0.mods.control = true;
    check(on, shifted.clone(), "\x1b[97:65;6u");
    check(on, shifted.base('q'), "\x1b[97:65:113;6u");
    check(on, typed('с').base('c').ctrl(), "\x1b[1089::99;5u");
    check(on, key(Code::Escape), "\x1b[27u");
}

#[test]
fn kitty_all_keys() {
    let on = "\x1b[>9u";
    check(on, typed('a'), "\x1b[97u");
    check(on, typed('a').shift(), "\x1b[97;2u");
    check(on, key(Code::Enter), "\x1b[13u");
    check(on, key(Code::Tab), "\x1b[9u");
    check(on, key(Code::Shift).shift(), "\x1b[57441;2u");
    check(on, key(Code::CapsLock), "\x1b[57358u");
    check("\x1b[>11u", key(Code::Enter).release(), "\x1b[13;1:3u");
    check("\x1b[>11u", typed('a').repeat(), "\x1b[97;1:2u");
}

#[test]
fn kitty_associated_text() {
    let on = "\x1b[>25u";
    check(on, typed('a'), "\x1b[97;;97u");
    check(on, typed('a').shift(), "\x1b[97;2;65u");
    check(on, typed('a').ctrl(), "\x1b[97;5u");
    check(on, key(Code::Enter), "\x1b[13u");
    check("\x1b[>31u", typed('a').release(), "\x1b[97;1:3u");
    check("\x1b[>31u", typed('a').shift(), "\x1b[97:65;2;65u");
    let mut terminal = terminal(80, 24);
    let _ = print(&mut terminal, on);
    assert_eq!(give(&mut terminal, Input::Text("好a".to_owned())), "\x1b[0;;22909:97u");
}

#[test]
fn kitty_flags_are_kept_in_a_stack() {
    let mut terminal = terminal(80, 24);
    let ask = |terminal: &mut Terminal, modes: &str| {
        String::from_utf8(print(terminal, &format!("{modes}\x1b[?u")).replies).expect("text")
    };
    assert_eq!(ask(&mut terminal, ""), "\x1b[?0u");
    assert_eq!(ask(&mut terminal, "\x1b[>1u"), "\x1b[?1u");
    assert_eq!(ask(&mut terminal, "\x1b[>7u"), "\x1b[?7u");
    assert_eq!(ask(&mut terminal, "\x1b[=8;2u"), "\x1b[?15u");
    assert_eq!(ask(&mut terminal, "\x1b[=1;3u"), "\x1b[?14u");
    assert_eq!(ask(&mut terminal, "\x1b[?1049h"), "\x1b[?0u");
    assert_eq!(ask(&mut terminal, "\x1b[>4u"), "\x1b[?4u");
    assert_eq!(ask(&mut terminal, "\x1b[?1049l\x1b[<u"), "\x1b[?1u");
    assert_eq!(ask(&mut terminal, "\x1b[<9u"), "\x1b[?0u");
}

#[test]
fn text_of_an_input_method() {
    let mut terminal = terminal(80, 24);
    assert_eq!(give(&mut terminal, Input::Text("好\x1b[A\r".to_owned())), "好[A");
}

#[test]
fn focus_is_told_once_to_who_asks() {
    let mut terminal = terminal(80, 24);
    assert_eq!(give(&mut terminal, Input::Focus(true)), "");
    let _ = print(&mut terminal, "\x1b[?1004h");
    assert_eq!(give(&mut terminal, Input::Focus(false)), "\x1b[O");
    assert_eq!(give(&mut terminal, Input::Focus(false)), "");
    assert_eq!(give(&mut terminal, Input::Focus(true)), "\x1b[I");
}

#[test]
fn no_key_is_lost_behind_replies() {
    // A child that floods queries fills the box for its answers, not the one for the user's keys.
    let mut terminal = terminal(80, 24);
    let mut out = Outbox::new();
    for _ in 0..100 {
        terminal.advance("\x1b[6n".repeat(1000).as_bytes(), &mut out);
    }
    assert!(out.replies.len() <= maestro_terminal::REPLIES_LIMIT);
    terminal.input(&Input::Key(typed('q').0), &mut out);
    assert_eq!(out.replies.last(), Some(&b'q'));
}
