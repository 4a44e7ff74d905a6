//! Latest wins: whatever frames a client is given, as seldom as it asks for them, it ends with exactly the
//! host's screen.

use std::path::Path;
use std::time::Duration;

use maestro_core::input::{Input, ScrollTo};
use maestro_core::screen::Size;

use crate::harness::{Place, User, stop};

/// Prints a recording of a real agent in pieces, then leaves whatever it was in and says so.
fn script(recording: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let path = root.join(recording);
    assert!(path.is_file(), "{} is in the repository", path.display());
    format!(
        "i=0; while [ $i -lt 60 ]; do dd if='{}' bs=1733 skip=$i count=1 2>/dev/null; \
         i=$((i+1)); [ $((i % 7)) = 0 ] && sleep 0.02; done; \
         printf '\\030\\033[?2026l\\033[?1049l\\033[0m\\033[9;1Hthe-end'; read wait",
        path.display()
    )
}

/// A small generator (xorshift): when a client asks is up to chance, but to the same one each time.
fn chance(state: &mut u64, below: u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state % below
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_end_with_the_screen_however_seldom_they_ask() {
    let place = Place::new();
    let host = place.host().await;
    let user = User::of(&host).await;
    let mut random = 0x5eed;
    for recording in [
        "gemini/tui/turn-and-exit.raw",
        "opencode/tui/turn-and-exit.raw",
        "copilot/tui/turn-and-exit.raw",
        "codex/tui/first-run.raw",
    ] {
        let terminal = user.sh(&script(recording)).await.id;
        // One is given every frame, one asks now and then, one comes late and asks once.
        let seldom = User::without_credit(&host).await;
        user.watch(terminal, true).await;
        seldom.watch(terminal, false).await;
        for round in 0..20 {
            tokio::time::sleep(Duration::from_millis(chance(&mut random, 20))).await;
            seldom.client.credit(terminal).expect("connected");
            let input = match chance(&mut random, 6) {
                0 => Input::Resize(Size::new(
                    60 + chance(&mut random, 60) as u16,
                    12 + chance(&mut random, 30) as u16,
                )),
                1 => Input::Scroll(ScrollTo::Lines(chance(&mut random, 9) as i32 - 4)),
                _ => continue,
            };
            // What comes last brings the viewport back to where everybody looks.
            let input = if round == 19 { Input::Scroll(ScrollTo::Bottom) } else { input };
            let _ = user.client.input(terminal, input).expect("connected");
        }
        let _ = user.client.input(terminal, Input::Resize(Size::new(80, 24)));
        let _ = user.client.input(terminal, Input::Scroll(ScrollTo::Bottom));
        user.until_read(terminal, "the-end").await;
        let late = User::without_credit(&host).await;
        late.watch(terminal, false).await;
        let wanted = user.read(terminal).await.rows;
        assert_eq!(wanted.len(), 24);
        for client in [&user, &seldom, &late] {
            // The one frame that was on its way may be older than the end.
            client.client.credit(terminal).expect("connected");
            client
                .until("the host's screen", |state| {
                    let shown = state.screens.get(&terminal)?;
                    if shown.rows != wanted {
                        let _ = client.client.credit(terminal);
                        return None;
                    }
                    Some(())
                })
                .await;
        }
    }
    stop(&host).await;
}
