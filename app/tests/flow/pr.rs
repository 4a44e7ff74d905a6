//! Pull requests, with a `gh` that the test plays and without one.

use std::fs;

use crate::place::Place;

/// A repository with a remote that takes everything, on the branch `fix/cart` with a commit.
fn pushed(place: &Place) -> std::path::PathBuf {
    let repository = place.repository("shop");
    let remote = place.path("remote.git");
    let _ = place.git(place.root(), &["init", "-q", "--bare", &remote.display().to_string()]);
    let _ = place.git(&repository, &["remote", "add", "origin", &remote.display().to_string()]);
    let _ = place.git(&repository, &["push", "-q", "origin", "main"]);
    let _ = place.git(&repository, &["checkout", "-q", "-b", "fix/cart"]);
    let _ = place.git(&repository, &["commit", "-q", "--allow-empty", "-m", "Empty the cart"]);
    repository
}

/// What a `gh` says that knows one pull request with a check that failed.
const GH: &str = r#"#!/bin/sh
printf '%s\n' "$*" >> "$HOME/gh.log"
case "$1 $2" in
"pr create") cat > "$HOME/gh.body"; echo https://github.com/a/b/pull/7 ;;
"pr view") cat <<'END'
{"number": 7, "url": "https://github.com/a/b/pull/7", "title": "Empty the cart", "state": "OPEN",
 "isDraft": false, "statusCheckRollup": [
  {"name": "test", "status": "COMPLETED", "conclusion": "FAILURE",
   "detailsUrl": "https://github.com/a/b/actions/runs/1/job/22"},
  {"name": "lint", "status": "COMPLETED", "conclusion": "SUCCESS"}]}
END
;;
"run view") echo "assertion failed: cart.is_empty()" ;;
*) exit 1 ;;
esac
"#;

#[test]
fn a_request_is_opened_looked_at_and_its_failure_sent() {
    let place = Place::new();
    let repository = pushed(&place);
    let dir = repository.display().to_string();
    let _ = place.script("bin/gh", GH);
    place.profile(&format!("{}:/usr/local/bin:/usr/bin:/bin", place.path("bin").display()), &[]);
    let made = place.json(&[
        "pr",
        "create",
        &dir,
        "--target",
        "main",
        "--draft",
        "--reviewer",
        "octo",
        "--reviewer",
        "org/team",
    ]);
    assert_eq!((&made["number"], &made["state"]), (&7.into(), &"draft".into()), "{made:#}");
    let log = place.read(place.user().join("gh.log"));
    for part in [
        "--title Empty the cart",
        "--head fix/cart",
        "--base main",
        "--draft",
        "--reviewer octo --reviewer org/team",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    assert_eq!(place.read(place.user().join("gh.body")), "- Empty the cart\n");
    let branches = place.git(&repository, &["ls-remote", "--heads", "origin"]);
    assert!(branches.contains("refs/heads/fix/cart"), "{branches}");
    let text = place.ok(&["pr", "status", &dir]);
    assert!(text.contains("#7") && text.contains("✗ test") && text.contains("✓ lint"), "{text}");
    let _ = place.fails(1, &["reviewers"], &["pr", "create", &dir, "--reviewer=--web"]);

    let _ = place.fails(1, &["no agent works there"], &["pr", "status", &dir, "--send"]);
    let _ = place.ok(&["agent", "new", "it", "-p", "demo", "-d", &dir, "--no-start"]);
    let sent = place.ok(&["pr", "status", "it", "--send"]);
    assert!(sent.contains("test") && !sent.contains("lint"), "{sent}");
    let transcript = place.home().root().join("conversations/c1.jsonl");
    crate::place::until("the agent is told", || {
        let said = fs::read_to_string(&transcript).unwrap_or_default();
        said.contains("cart.is_empty()").then_some(())
    });
}

#[test]
fn without_gh_the_branch_is_pushed_and_the_page_told() {
    let place = Place::new();
    let repository = pushed(&place);
    let dir = repository.display().to_string();
    place.profile("/usr/bin:/bin", &[]);
    if ["/usr/bin/gh", "/bin/gh"].iter().any(|path| fs::exists(path).unwrap_or(false)) {
        eprintln!("SKIPPED: pull requests without gh: there is one where git is");
        return;
    }
    // What is fetched is somewhere else than what is pushed to, so the page is that of a service.
    let ended = place.run(&["pr", "create", &dir]);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stderr.contains("`gh` is not installed"), "{ended}");
    let ended = place.run(&["pr", "status", &dir]);
    assert!(ended.stderr.contains("nothing is known"), "{ended}");
    let _ = place.git(&repository, &["remote", "remove", "origin"]);
    let _ = place.fails(1, &["could not be pushed", "git remote add"], &["pr", "create", &dir]);
}
