//! What somebody had in the Electron Maestro comes over: once, and without harm to what is here.

use std::fs;

use serde_json::json;

use crate::place::Place;

#[test]
fn agents_groups_playbooks_and_settings_are_taken_over_once() {
    let place = Place::new();
    let (shop, gone) = (place.repository("shop"), place.path("gone"));
    let folder = place.user().join(".config/maestro");
    let put = |name: &str, value: serde_json::Value| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, value.to_string()).expect("a file");
    };
    put(
        "maestro-sessions.json",
        json!({"sessions": [
            {"id": "one", "name": "api", "toolType": "terminal", "cwd": shop, "projectRoot": shop,
             "groupId": "g", "bookmarked": true, "autoRunFolderPath": shop.join("lists"), "aiTabs": []},
            {"id": "two", "name": "lost", "toolType": "codex", "cwd": gone},
        ]}),
    );
    put("maestro-groups.json", json!({"groups": [{"id": "g", "name": "Front"}]}));
    let documents = json!([{"filename": "sub/first", "resetOnCompletion": true}]);
    put(
        "playbooks/one.json",
        json!({"playbooks": [
            {"id": "p", "name": "Nightly", "documents": documents, "loopEnabled": false, "prompt": "Go on."},
            {"id": "q", "name": "Bad", "documents": [{"filename": "../../secret"}]},
        ]}),
    );
    put("maestro-settings.json", json!({"enterToSendAI": true, "osNotificationsEnabled": false}));
    fs::create_dir_all(shop.join("lists/sub")).expect("a folder");
    fs::write(shop.join("lists/sub/first.md"), "- [ ] Do it\r\n").expect("a document");

    let told = place.ok(&["import", "--dry-run"]);
    assert!(told.contains("nothing was done"), "{told}");
    assert_eq!(place.json(&["agent", "list"]), json!([]));

    let _ = place.ok(&["settings", "set", "notices.desktop", "urgent"]);
    let taken = place.json(&["import"]);
    let row = |name: &str| {
        let rows = taken["rows"].as_array().expect("rows");
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {taken:#}"))
    };
    assert_eq!(row("api")["taken"], true);
    assert!(row("lost")["why"].as_str().is_some_and(|why| why.contains("no directory")));
    assert_eq!(row("Nightly")["taken"], true);
    assert!(row("Bad")["why"].as_str().is_some_and(|why| why.contains("leads out")), "{taken:#}");
    assert_eq!(row("composer.enter_sends")["taken"], true);
    assert_eq!(row("notices.desktop")["why"], "it is set here already");

    let agents = place.json(&["agent", "list"]);
    assert_eq!(agents[0]["name"], "api");
    assert_eq!((&agents[0]["group"], &agents[0]["bookmarked"]), (&json!("Front"), &json!(true)));
    let playbook = shop.join(".maestro/playbooks/nightly");
    assert_eq!(place.read(playbook.join("sub/first.md")), "- [ ] Do it\r\n");
    let shown = place.ok(&["playbook", "show", "nightly", "--dir", &shop.display().to_string()]);
    assert!(shown.contains("sub/first.md"), "{shown}");

    let again = place.json(&["import"]);
    let rows = again["rows"].as_array().expect("rows");
    assert!(rows.iter().all(|row| row["taken"] == false), "{again:#}");
    assert_eq!(place.json(&["agent", "list"]).as_array().map(Vec::len), Some(1));
    let nothing = place.path("empty");
    fs::create_dir_all(&nothing).expect("a folder");
    let _ = place.fails(1, &["not the folder"], &["import", &nothing.display().to_string()]);
}
