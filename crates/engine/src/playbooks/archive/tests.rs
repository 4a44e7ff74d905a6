use super::*;

/// A place with a folder for playbooks and one for archives.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, path: &str) -> PathBuf {
        join(self.0.path(), path)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    fn put(&self, path: &str, text: &str) {
        write(&self.path(path), text.as_bytes()).expect("a file");
    }

    /// An archive with these files, by its path.
    fn zip(&self, files: &[(&str, &str)]) -> PathBuf {
        self.zip_with(files, |options| options)
    }

    fn zip_with(
        &self,
        files: &[(&str, &str)],
        change: impl Fn(SimpleFileOptions) -> SimpleFileOptions,
    ) -> PathBuf {
        let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, text) in files {
            let options = change(SimpleFileOptions::default());
            writer.start_file(*name, options).expect("a file");
            writer.write_all(text.as_bytes()).expect("its text");
        }
        let bytes = writer.finish().expect("an archive").into_inner();
        self.bytes(&bytes)
    }

    fn bytes(&self, bytes: &[u8]) -> PathBuf {
        let path = self.path("in.zip");
        fs::write(&path, bytes).expect("an archive");
        path
    }

    /// Imports an archive that must be refused; nothing may be written.
    fn refused(&self, archive: &Path, words: &str) {
        let error = import(archive, &self.path("books"), None, true).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
        assert!(!self.path("books").exists(), "{words}: something was written");
    }
}

/// As the program that invented them writes it.
const THEIRS: &str = r#"{
  "version": 1,
  "name": "Nightly: tests & docs",
  "documents": [
    { "filename": "1-plan", "resetOnCompletion": false },
    { "filename": "sub/2-build", "resetOnCompletion": true }
  ],
  "loopEnabled": true,
  "maxLoops": null,
  "prompt": "Open the document and do the first unchecked task.",
  "taskSelectionMode": "document",
  "worktreeSettings": {
    "branchNameTemplate": "auto/{{DATE}}",
    "createPROnCompletion": true,
    "prTargetBranch": "main"
  },
  "exportedAt": 1760000000000
}"#;

#[test]
fn an_archive_of_the_other_program_keeps_its_folders() {
    let place = Place::new();
    let archive = place.zip(&[
        ("manifest.json", THEIRS),
        ("documents/1-plan.md", "- [ ] plan\r\n"),
        ("documents/sub/2-build.md", "- [ ] build\n"),
        ("assets/logo.svg", "<svg/>"),
        ("README.md", "about"),
    ]);
    let found = import(&archive, &place.path("books"), None, false).expect("a playbook");
    assert_eq!(found.folder, place.path("books/nightly-tests-docs"));
    assert_eq!((found.problem, found.playbook.name.as_str()), (None, "Nightly: tests & docs"));
    assert_eq!(
        found.playbook.documents,
        [
            Listed { path: "1-plan.md".into(), reset: false },
            Listed { path: "sub/2-build.md".into(), reset: true },
        ]
    );
    assert_eq!((found.playbook.loops, found.playbook.mode), (Loops::Forever, Mode::Document));
    assert_eq!(found.playbook.worktree.as_deref(), Some("auto/{{DATE}}"));
    assert_eq!(found.playbook.pull_request.map(|to| to.target), Some(Some("main".to_owned())));
    assert_eq!(found.playbook.prompt, None, "its words would let the agent pick and tick");
    assert_eq!(place.text("books/nightly-tests-docs/1-plan.md"), "- [ ] plan\r\n");
    assert_eq!(place.text("books/nightly-tests-docs/assets/logo.svg"), "<svg/>");
    assert!(!place.path("books/nightly-tests-docs/README.md").exists());
}

#[test]
fn nothing_is_replaced_unless_the_user_says_so() {
    let place = Place::new();
    let manifest = r#"{"version":1,"name":"mine","documents":[{"filename":"a"}]}"#;
    let archive = place.zip(&[("manifest.json", manifest), ("documents/a.md", "- [ ] theirs\n")]);
    let books = place.path("books");
    place.put("books/mine/a.md", "- [x] my own\n");
    let error = import(&archive, &books, None, false).expect_err("a refusal").to_string();
    assert!(error.contains("a.md") && error.contains("Nothing was written"), "{error}");
    assert_eq!(place.text("books/mine/a.md"), "- [x] my own\n");
    assert!(!place.path("books/mine/playbook.toml").exists());

    let other = import(&archive, &books, Some("other"), false).expect("another name");
    assert_eq!(other.folder, books.join("other"));
    for name in ["../out", "a/b", ".hidden", ""] {
        assert!(import(&archive, &books, Some(name), false).is_err(), "{name}");
    }
    place.put("books/mine/kept.md", "- [ ] kept\n");
    let _ = import(&archive, &books, None, true).expect("replaced");
    assert_eq!(place.text("books/mine/a.md"), "- [ ] theirs\n");
    assert_eq!(place.text("books/mine/kept.md"), "- [ ] kept\n");
}

#[test]
fn what_was_exported_comes_back_the_same() {
    let place = Place::new();
    let file = "name = \"Round\"\ndescription = \"d\"\nverify = \"make\"\nloops = 3\n\
                documents = [\"b/2.md\", { path = \"1.md\", reset = true }]\n\
                worktree = \"auto/{{date}}\"\n[budgets]\ncost-usd = 2.5\n[pull-request]\ndraft = true\n";
    place.put("from/playbook.toml", file);
    place.put("from/1.md", "\u{feff}- [x] one\r\n");
    place.put("from/b/2.md", "- [ ] two\n  - verify: x\n");
    place.put("from/assets/deep/data.bin", "\0\u{1}");
    place.put("from/runs/1-1-loop-1.md", "- [ ] copy\n");
    let archive = place.path("out/round.maestro-playbook.zip");
    export(&place.path("from"), &archive, false, 5).expect("an archive");
    assert!(matches!(export(&place.path("from"), &archive, false, 5), Err(Error::Exists(_))));
    export(&place.path("from"), &archive, true, 5).expect("replaced");

    let found = import(&archive, &place.path("books"), Some("back"), false).expect("a playbook");
    let source = folder::open(&place.path("from"));
    assert_eq!(found.playbook, source.playbook);
    for path in ["1.md", "b/2.md", "assets/deep/data.bin"] {
        assert_eq!(place.text(&format!("books/back/{path}")), place.text(&format!("from/{path}")));
    }
    assert!(!place.path("books/back/runs").exists());
    // The other program reads its own part.
    let bytes = File::open(&archive).expect("an archive");
    let mut zip = ZipArchive::new(bytes).expect("an archive");
    let manifest: serde_json::Value =
        serde_json::from_reader(zip.by_name("manifest.json").expect("a manifest")).expect("JSON");
    assert_eq!(manifest["documents"][0]["filename"], "b/2");
    assert_eq!(manifest["documents"][1]["resetOnCompletion"], true);
    assert_eq!((&manifest["version"], &manifest["maxLoops"]), (&1.into(), &3.into()));
    assert_eq!(manifest["worktreeSettings"]["createPROnCompletion"], true);
}

#[test]
fn a_folder_without_a_file_can_be_exported() {
    let place = Place::new();
    place.put("plain/1.md", "- [ ] one\n");
    export(&place.path("plain"), &place.path("p.zip"), false, 5).expect("an archive");
    let found =
        import(&place.path("p.zip"), &place.path("books"), None, false).expect("a playbook");
    assert_eq!((found.playbook.name.as_str(), found.has_file), ("plain", true));
    assert!(export(&place.path("nothing"), &place.path("q.zip"), false, 5).is_err());
}

#[test]
fn no_name_leads_out_of_the_folder() {
    let good = r#"{"version":1,"documents":[]}"#;
    for name in [
        "documents/../../out.md",
        "../out.md",
        "/etc/out.md",
        "documents\\..\\out.md",
        "C:/out.md",
        "documents/a\u{202e}dm.md",
        "documents/a\nb.md",
        "documents//a.md",
    ] {
        let place = Place::new();
        let archive = place.zip(&[("manifest.json", good), (name, "- [ ] x\n")]);
        place.refused(&archive, "nothing was written");
    }
    let place = Place::new();
    let manifest = r#"{"version":1,"documents":[{"filename":"../../out"}]}"#;
    let archive = place.zip(&[("manifest.json", manifest), ("documents/a.md", "")]);
    place.refused(&archive, "leads out");
}

#[test]
fn what_nobody_should_unpack_is_refused() {
    let good = ("manifest.json", r#"{"version":1,"documents":[]}"#);
    let place = Place::new();
    place.refused(&place.bytes(b"no archive"), "no archive that can be read");
    place.refused(&place.path("nowhere.zip"), "cannot be read");
    place.refused(&place.zip(&[("documents/a.md", "- [ ] a\n")]), "no manifest.json");
    place.refused(&place.zip(&[("manifest.json", "{")]), "manifest.json cannot be read");
    place.refused(&place.zip(&[("manifest.json", r#"{"version":2}"#)]), "of version 2");
    let lost = r#"{"version":1,"documents":[{"filename":"gone"}]}"#;
    place.refused(&place.zip(&[("manifest.json", lost)]), "`gone.md` is not in it");
    let twice = [good, ("documents/a.md", "1"), ("documents/A.md", "2")];
    place.refused(&place.zip(&twice), "twice");
    let both = [good, ("documents/a.md", "1"), ("documents/a.md/b.md", "2")];
    place.refused(&place.zip(&both), "a file and a folder");
    let toml = ("playbook.toml", "lops = 1\n");
    place.refused(&place.zip(&[good, toml]), "line 1: `lops`");

    let many: Vec<String> = (0..=MAX_ENTRIES).map(|n| format!("documents/{n}.md")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    place.refused(&place.zip(&many), "more than 2000 files");
    // One that only says so.
    let mut bytes = fs::read(place.zip(&[good])).expect("an archive");
    let end = bytes.windows(4).position(|part| part == b"PK\x05\x06").expect("its end");
    bytes[end + 10..end + 12].copy_from_slice(&u16::MAX.to_le_bytes());
    place.refused(&place.bytes(&bytes), "more than 2000 files");
    let deep = format!("documents/{}a.md", "d/".repeat(MAX_DEPTH));
    place.refused(&place.zip(&[good, (&deep, "")]), "deeper than");
}

#[cfg(unix)]
#[test]
fn a_new_playbook_is_there_as_a_whole_or_not_at_all() {
    let place = Place::new();
    let manifest = r#"{"version":1,"name":"mine","documents":[{"filename":"a"}]}"#;
    // A name that is longer than the file system takes, and not longer than we let through.
    let long = format!("documents/{}", "x".repeat(255));
    let files = [("manifest.json", manifest), ("documents/a.md", ""), (long.as_str(), "")];
    let _ = import(&place.zip(&files), &place.path("books"), None, false);
    let left: Vec<_> = fs::read_dir(place.path("books"))
        .map(|entries| entries.flatten().map(|entry| entry.file_name()).collect())
        .unwrap_or_default();
    assert!(left.is_empty() || left == ["mine"], "{left:?}");
}

#[test]
fn a_bomb_is_refused_before_it_goes_off() {
    let place = Place::new();
    let good = ("manifest.json", r#"{"version":1,"documents":[]}"#);
    let large = " ".repeat(MAX_FILE as usize + 1);
    place.refused(&place.zip(&[good, ("documents/a.md", &large)]), "more than 16 MiB");
    let names: Vec<String> = (0..9).map(|n| format!("assets/{n}")).collect();
    let large = " ".repeat(MAX_FILE as usize);
    let mut files = vec![good];
    files.extend(names.iter().map(|name| (name.as_str(), large.as_str())));
    place.refused(&place.zip(&files), "more than 128 MiB");
}

#[test]
fn links_devices_and_secrets_are_refused() {
    let place = Place::new();
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer.start_file("manifest.json", options).expect("a file");
    writer.write_all(br#"{"version":1,"documents":[]}"#).expect("its text");
    writer.add_symlink("documents/a.md", "/etc/passwd", options).expect("a link");
    let bytes = writer.finish().expect("an archive").into_inner();
    place.refused(&place.bytes(&bytes), "is a link or a device");

    // The flag for encryption, in both headers of the only file.
    let archive = place.zip(&[("manifest.json", "{}")]);
    let mut bytes = fs::read(archive).expect("an archive");
    for (header, flags) in [(*b"PK\x03\x04", 6), (*b"PK\x01\x02", 8)] {
        let at = bytes.windows(4).position(|part| part == header).expect("a header");
        bytes[at + flags] |= 1;
    }
    place.refused(&place.bytes(&bytes), "is encrypted");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link_that_lies_there() {
    let place = Place::new();
    let manifest = r#"{"version":1,"name":"mine","documents":[{"filename":"sub/a"}]}"#;
    let archive =
        place.zip(&[("manifest.json", manifest), ("documents/sub/a.md", "- [ ] theirs\n")]);
    place.put("books/mine/1.md", "");
    fs::create_dir_all(place.path("elsewhere")).expect("a folder");
    std::os::unix::fs::symlink(place.path("elsewhere"), place.path("books/mine/sub"))
        .expect("a link");
    let error = import(&archive, &place.path("books"), None, true).expect_err("a refusal");
    assert!(error.to_string().contains("is a link already"), "{error}");
    assert!(!place.path("elsewhere/a.md").exists());
}

#[test]
fn a_folder_gets_a_name_that_every_system_takes() {
    for (name, expected) in [
        ("Nightly: tests & docs", "nightly-tests-docs"),
        ("../../etc", "etc"),
        ("???", "playbook"),
        ("Prüfung 2", "prüfung-2"),
        ("", "playbook"),
    ] {
        assert_eq!(folder_name(name), expected);
    }
}
