//! Files and hunks of several lines of work, taken into one checkout.

use std::fs;
use std::path::Path;

use maestro_core::changes::{Look, Name, Source};
use maestro_git::{Error, Git, Piece};

use super::Sandbox;

const NOW: u64 = 1_700_000_000_000;

fn lines(changed: &[(u32, &str)]) -> String {
    let word = |n| changed.iter().find(|(at, _)| *at == n).map_or("line", |(_, word)| word);
    (1..=40).map(|n| format!("{} {n}\n", word(n))).collect()
}

fn hunks(git: &Git, directory: &Path, name: &str) -> Vec<u64> {
    let sides = git.sides(directory, &Source::Base(Some("main".into()))).expect("sides");
    let listing = git.changes(directory, &sides, &[]).expect("a list");
    let file = listing.files.iter().find(|file| file.name == Name::from(name)).expect("the file");
    let patch = git.patch(directory, &sides, file, Look::default()).expect("a patch");
    patch.hunks().iter().map(|hunk| hunk.id).collect()
}

fn piece(directory: &Path, file: &str, hunks: Option<Vec<u64>>) -> Piece {
    Piece { directory: directory.to_owned(), file: Name::from(file), hunks }
}

#[test]
fn the_best_of_two_comes_together_and_goes_again() {
    let (sandbox, app) = Sandbox::with_app();
    let git = sandbox.handle();
    fs::write(app.join("gone"), "gone\n").expect("a file");
    fs::write(app.join("old"), lines(&[(1, "moved")])).expect("a file");
    sandbox.commit(&app, "file", &lines(&[]), "Lines");
    let (one, two) = (sandbox.root().join("one"), sandbox.root().join("two"));
    for (place, name) in [(&one, "race-1"), (&two, "race-2")] {
        let _ = sandbox.git(&app, &["worktree", "add", "-qb", name, &place.display().to_string()]);
    }
    // The one is committed, the other is not.
    sandbox.commit(&one, "file", &lines(&[(3, "one"), (20, "one")]), "One");
    fs::write(two.join("file"), lines(&[(10, "two"), (20, "two")])).expect("a file");
    fs::write(two.join("new"), "new\n").expect("a file");
    fs::remove_file(two.join("gone")).expect("removed");
    let _ = sandbox.git(&two, &["mv", "old", "moved"]);
    // Both worlds go on meanwhile.
    sandbox.commit(&app, "other", "x\n", "Main");
    fs::write(app.join("file"), lines(&[(38, "mine")])).expect("a file");

    let (first, second) = (hunks(&git, &one, "file"), hunks(&git, &two, "file"));
    assert_eq!((first.len(), second.len()), (2, 2));
    let pieces = [
        piece(&one, "file", Some(vec![first[0]])),
        piece(&two, "file", Some(vec![second[0], second[1]])),
        piece(&two, "new", None),
        piece(&two, "gone", None),
        piece(&two, "moved", None),
    ];
    let take = |pieces: &[Piece]| git.take(&app, "main", pieces, Look::default(), NOW);
    let taken = take(&pieces).expect("taken");
    assert_eq!(taken.files.len(), 5);
    let all = lines(&[(3, "one"), (10, "two"), (20, "two"), (38, "mine")]);
    assert_eq!(fs::read_to_string(app.join("file")).ok(), Some(all));
    assert_eq!(
        sandbox.git(&app, &["status", "--porcelain"]).lines().map(str::trim).collect::<Vec<_>>(),
        ["M file", "D gone", "D old", "?? moved", "?? new"],
        "nothing is staged"
    );
    let _ = git.undo_discard(&app, None, NOW).expect("undone");
    assert_eq!(sandbox.git(&app, &["status", "--porcelain"]), "M file");
    assert_eq!(fs::read_to_string(app.join("file")).ok(), Some(lines(&[(38, "mine")])));
    assert!(git.kept(&app, "takes").expect("kept").is_empty());

    // Both at the same place: nothing of it is taken.
    let both = [
        piece(&two, "new", None),
        piece(&one, "file", Some(vec![first[1]])),
        piece(&two, "file", Some(vec![second[1]])),
    ];
    let error = take(&both).expect_err("it does not fit");
    assert!(matches!(error, Error::CannotChange { .. }), "{error}");
    assert!(!app.join("new").exists());
    fs::write(app.join("new"), "mine\n").expect("a file");
    assert!(take(&[piece(&two, "new", None)]).is_err(), "somebody else's file stays");
    assert_eq!(fs::read_to_string(app.join("new")).ok().as_deref(), Some("mine\n"));
    assert!(matches!(take(&[piece(&one, "none", None)]), Err(Error::ChangedMeanwhile { .. })));
}
