//! Real children in real terminals.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use maestro_core::screen::Size;
use maestro_pty::{Grace, Marker, Pty, Refused, Spawn, Wake};

/// How long anything here may take before the test gives up.
const DEADLINE: Duration = Duration::from_secs(30);
const SHORT: Grace =
    Grace { hangup: Duration::from_millis(200), terminate: Duration::from_millis(200) };

#[derive(Default)]
struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

struct Running {
    pty: Pty,
    bell: Arc<Bell>,
    output: Vec<u8>,
}

fn sh(script: &str) -> Running {
    shell(script, Marker::default(), &[])
}

fn shell(script: &str, marker: Marker, extra: &[(&str, &str)]) -> Running {
    let bell = Arc::new(Bell::default());
    let ringer = Arc::clone(&bell);
    let wake: Wake = Arc::new(move || {
        *ringer.rung.lock().expect("no panic before") += 1;
        ringer.changed.notify_all();
    });
    let mut env: Vec<(OsString, OsString)> =
        vec![("PATH".into(), std::env::var_os("PATH").unwrap_or_default())];
    env.extend(extra.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    let spawn = Spawn {
        name: "t1".to_owned(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        directory: std::env::temp_dir(),
        env,
        marker,
        size: Size::new(80, 24),
    };
    Running { pty: Pty::spawn(spawn, wake).expect("the shell starts"), bell, output: Vec::new() }
}

impl Running {
    /// Takes output until a condition holds.
    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let seen = *self.bell.rung.lock().expect("no panic before");
            while let Some(chunk) = self.pty.take() {
                self.output.extend_from_slice(&chunk);
            }
            if done(self) {
                return;
            }
            assert!(Instant::now() < deadline, "{what}: {}", self.text());
            let rung = self.bell.rung.lock().expect("no panic before");
            let _ = self
                .bell
                .changed
                .wait_timeout_while(rung, Duration::from_millis(50), |now| *now == seen)
                .expect("no panic before");
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }

    fn until_text(&mut self, text: &str) {
        self.until(text, |running| running.text().contains(text));
    }

    fn until_exit(&mut self) -> i32 {
        self.until("exit", |running| running.pty.exit().is_some());
        self.pty.exit().expect("just seen")
    }
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_is_typed_comes_back() {
    let mut running = sh("read line; echo got:$line");
    running.pty.write(b"hello\n").expect("there is room");
    assert_eq!(running.until_exit(), 0);
    assert!(running.text().contains("got:hello"), "{}", running.text());
}

#[test]
fn exit_codes_and_signals_are_told_apart() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143)] {
        assert_eq!(sh(script).until_exit(), code, "{script}");
    }
}

#[test]
fn the_last_output_is_there_before_the_exit() {
    let mut running =
        sh("i=0; while [ $i -lt 3000 ]; do echo line $i of it all; i=$((i+1)); done; echo end");
    let _ = running.until_exit();
    assert!(running.text().ends_with("end\r\n"));
    assert!(running.text().contains("line 2999 of"));
}

#[test]
fn output_that_nobody_takes_holds_the_child() {
    let marker = tempfile::tempdir().expect("a directory");
    let done = marker.path().join("done");
    let running = sh(&format!("head -c 8000000 /dev/zero | tr '\\0' x; echo > {}", done.display()));
    wait("the queue fills", || running.pty.has_output());
    // The child cannot have finished: at most the queue, one chunk and the kernel's buffer are read.
    assert!(!done.exists());
    let mut running = running;
    let _ = running.until_exit();
    assert_eq!(running.output.len(), 8_000_000);
}

#[test]
fn its_owner_is_woken_when_there_is_room_for_input_again() {
    let folder = tempfile::tempdir().expect("a directory");
    let go = folder.path().join("go");
    let mut running = sh(&format!(
        "stty raw -echo; echo ready; while [ ! -e {} ]; do sleep 0.02; done; exec cat > /dev/null",
        go.display()
    ));
    running.until_text("ready");
    running.pty.write(&vec![b'x'; 1024 * 1024]).expect("there is room");
    let before = running.pty.unwritten();
    assert!(before > Pty::ROOM && before < 1024 * 1024, "{before}");
    assert_eq!(running.pty.waiting(), 0);
    let rung = *running.bell.rung.lock().expect("no panic before");
    std::fs::write(&go, "").expect("written");
    // It prints nothing: whatever rings now is about the input.
    wait("everything is written", || running.pty.unwritten() == 0);
    wait("the bell", || *running.bell.rung.lock().expect("no panic before") > rung);
    running.pty.close(SHORT);
    running.until("closed", |running| running.pty.is_closed());
    assert_eq!(running.pty.unwritten(), 0);
}

#[test]
fn a_child_that_does_not_read_refuses_input_beyond_the_bound_and_blocks_nobody() {
    let running = sh("stty raw -echo; echo ready; exec sleep 60");
    let mut running = running;
    running.until_text("ready");
    let megabyte = vec![b'x'; 1024 * 1024];
    let begin = Instant::now();
    let refused = (0..8).map(|_| running.pty.write(&megabyte)).find(Result::is_err);
    assert_eq!(refused, Some(Err(Refused::Full { limit: Pty::INPUT })));
    assert!(begin.elapsed() < DEADLINE / 3, "writing waited for the child");
    running.pty.close(SHORT);
    running.until("closed", |running| running.pty.is_closed());
    assert_eq!(running.pty.write(b"x"), Err(Refused::Closed));
}

#[test]
fn a_large_paste_arrives_whole_and_in_order() {
    let mut running = sh("stty raw -echo; echo ready; head -c 1000006 | md5sum");
    running.until_text("ready");
    let paste: Vec<u8> = (0..1_000_000u32).map(|i| b'a' + (i % 23) as u8).collect();
    running.pty.write(&paste).expect("a megabyte fits");
    running.pty.write(b"after!").expect("there is room");
    assert_eq!(running.until_exit(), 0);
    let mut sum = sh("i=0; stty raw -echo; echo ready; head -c 1000006 | md5sum");
    sum.until_text("ready");
    for part in [paste.as_slice(), b"after!"].concat().chunks(4000) {
        sum.pty.write(part).expect("there is room");
    }
    let _ = sum.until_exit();
    assert_eq!(running.text(), sum.text());
}

#[test]
fn a_resize_is_seen_by_the_child() {
    let mut running = sh("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done");
    running.until_text("ready");
    running.pty.resize(Size::new(101, 33));
    running.until_text("33 101");
}

#[test]
fn a_child_that_ignores_hangup_and_terminate_is_killed_with_its_children() {
    let marker = Marker::new([("MAESTRO_HOST".to_owned(), format!("test-{}", std::process::id()))]);
    let value = format!("test-{}", std::process::id());
    let mut running = shell(
        "trap '' HUP TERM; setsid sh -c 'trap \"\" HUP TERM; while :; do sleep 1; done' & echo ready; while :; do sleep 1; done",
        marker.clone(),
        &[("MAESTRO_HOST", &value)],
    );
    running.until_text("ready");
    wait("both run", || marker.processes().len() >= 2);
    running.pty.close(SHORT);
    running.until("closed", |running| running.pty.is_closed());
    assert_eq!(marker.processes(), []);
    assert_eq!(running.pty.exit(), Some(137));
}

#[test]
fn closing_types_nothing_into_the_terminal() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("typed");
    let script = format!("trap 'exit 3' HUP; echo ready; cat > {}; exit 4", file.display());
    let mut running = sh(&script);
    running.until_text("ready");
    running.pty.write(b"half a pro").expect("there is room");
    running.until_text("half a pro");
    running.pty.close(SHORT);
    running.until("closed", |running| running.pty.is_closed());
    assert_eq!(std::fs::read(&file).unwrap_or_default(), b"");
}

#[test]
fn a_missing_directory_is_no_reason_to_start_somewhere_else() {
    let spawn = Spawn {
        name: "t1".to_owned(),
        program: "/bin/sh".into(),
        args: Vec::new(),
        directory: PathBuf::from("/nowhere/at/all"),
        env: Vec::new(),
        marker: Marker::default(),
        size: Size::new(80, 24),
    };
    let error = Pty::spawn(spawn.clone(), Arc::new(|| ())).expect_err("it is gone");
    assert!(error.to_string().contains("/nowhere/at/all does not exist"), "{error}");

    let missing = Spawn { program: "/nowhere/program".into(), directory: "/".into(), ..spawn };
    let error = Pty::spawn(missing, Arc::new(|| ())).expect_err("there is no program");
    assert!(error.to_string().contains("/nowhere/program could not be started"), "{error}");
}

#[test]
fn closing_leaves_no_thread_and_no_descriptor_behind() {
    let ours = || {
        std::fs::read_dir("/proc/self/task")
            .expect("our threads")
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|name| name.starts_with("pty-"))
            .count()
    };
    if ours() > 0 {
        // Tests share a process under `cargo test`; under nextest each has its own.
        return;
    }
    let running = sh("sleep 60");
    let _ = running.pty.write(b"x");
    running.pty.close(SHORT);
    wait("closed", || running.pty.is_closed());
    wait("the threads end", || ours() == 0);
}
