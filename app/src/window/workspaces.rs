//! Workspaces: panes and how they are laid out, under a name.

use maestro_core::layout::Tree;
use maestro_core::text;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::panes::Pane;

/// The longest name, in characters.
const LONGEST: usize = 60;

/// What the host keeps under one key, in bytes.
const MOST: usize = 64 << 10;

/// Panes and how they are laid out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workspace {
    /// What it is called.
    pub name: String,
    /// The name of its layout.
    pub layout: String,
    /// How its panes were split by hand.
    #[serde(default)]
    pub tree: Option<Tree<Pane>>,
    /// Its panes.
    pub panes: Vec<Pane>,
    /// The one with the keyboard.
    #[serde(default)]
    pub focused: Option<Pane>,
    /// What another version wrote beside that.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Workspace {
    /// A workspace under a name as it may be shown. `None` where nothing of the name can be.
    #[must_use]
    pub fn new(
        name: &str,
        layout: String,
        tree: Option<Tree<Pane>>,
        panes: Vec<Pane>,
    ) -> Option<Self> {
        let name = text::clean(name, LONGEST);
        let rest = Map::new();
        (!name.is_empty()).then_some(Self { name, layout, tree, panes, focused: None, rest })
    }
}

/// One of them, or what another version keeps in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    Known(Box<Workspace>),
    Other(Value),
}

/// All of them, in the order in which they were made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Workspaces(Vec<Entry>);

impl Workspaces {
    /// What was kept. What of it cannot be read stays as it is, and is not shown.
    ///
    /// # Errors
    ///
    /// If it is no list at all.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for entry in &mut read.0 {
            if let Entry::Known(known) = entry {
                known.name = text::clean(&known.name, LONGEST);
            }
        }
        Ok(read)
    }

    /// As it is kept.
    ///
    /// # Errors
    ///
    /// If it is more than the host keeps.
    pub fn written(&self) -> Result<String, String> {
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        if text.len() > MOST {
            return Err("there is no room for one more workspace: delete one first".to_owned());
        }
        Ok(text)
    }

    /// All that are known.
    pub fn all(&self) -> impl Iterator<Item = &Workspace> {
        self.0.iter().filter_map(|entry| match entry {
            Entry::Known(known) if !known.name.is_empty() => Some(&**known),
            Entry::Known(_) | Entry::Other(_) => None,
        })
    }

    /// The one with a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Workspace> {
        self.all().find(|workspace| workspace.name == name)
    }

    /// The one after that with a name; the first one where there is none.
    #[must_use]
    pub fn after(&self, name: Option<&str>) -> Option<&Workspace> {
        let at = self.all().position(|workspace| Some(&*workspace.name) == name);
        let next = at.and_then(|at| self.all().nth(at + 1));
        next.or_else(|| self.all().next())
    }

    /// With a workspace, which replaces that of its name.
    #[must_use]
    pub fn with(&self, new: Workspace) -> Self {
        let mut entries = self.0.clone();
        let same =
            |entry: &&mut Entry| matches!(entry, Entry::Known(known) if known.name == new.name);
        match entries.iter_mut().find(same) {
            Some(entry) => *entry = Entry::Known(Box::new(new)),
            None => entries.push(Entry::Known(Box::new(new))),
        }
        Self(entries)
    }

    /// Without the one with a name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let other = |entry: &&Entry| !matches!(entry, Entry::Known(known) if known.name == name);
        Self(self.0.iter().filter(other).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use maestro_core::AgentId;

    use super::*;

    fn workspace(name: &str) -> Option<Workspace> {
        let panes = vec![Pane::Agent(AgentId(1))];
        Workspace::new(name, "columns".to_owned(), Some(Tree::Pane(panes[0])), panes)
    }

    #[test]
    fn a_name_is_what_can_be_shown_of_it() {
        let long = "x".repeat(10_000);
        for (name, expected) in [
            ("  Night \u{1f319} shift ", Some("Night \u{1f319} shift")),
            ("\u{5dc}\u{5d9}\u{5dc}\u{5d4}", Some("\u{5dc}\u{5d9}\u{5dc}\u{5d4}")),
            ("a\u{202e}b\u{7}\nc", Some("ab c")),
            (&long, Some(&long[..LONGEST])),
            (" \u{200b}\u{1b} ", None),
            ("", None),
        ] {
            let got = workspace(name).map(|workspace| workspace.name);
            assert_eq!(got.as_deref(), expected, "{name:.20}");
        }
    }

    #[test]
    fn they_are_kept_in_their_order_and_replaced_by_name() {
        let of = |name| workspace(name).expect("a name");
        let mut all = Workspaces::default().with(of("a")).with(of("b"));
        all = all.with(Workspace { layout: "rows".to_owned(), ..of("a") });
        let names = |all: &Workspaces| all.all().map(|it| it.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&all), ["a", "b"]);
        assert_eq!(all.named("a").map(|it| it.layout.as_str()), Some("rows"));
        for (name, next) in [(None, "a"), (Some("a"), "b"), (Some("b"), "a"), (Some("gone"), "a")] {
            assert_eq!(all.after(name).map(|it| it.name.as_str()), Some(next), "{name:?}");
        }
        assert_eq!(Workspaces::read(&all.written().expect("text")), Ok(all.clone()));
        assert_eq!(names(&all.without("a")), ["b"]);
        assert_eq!(Workspaces::default().after(None), None);
    }

    #[test]
    fn what_another_version_wrote_is_kept_and_costs_no_other() {
        let good = r#"{"name":"a","layout":"spiral","panes":[{"Agent":1}],"colour":"red"}"#;
        let strange = r#"{"name":"b","panes":[{"Hologram":1}],"layout":"rows"}"#;
        let read = Workspaces::read(&format!("[{strange},{good},7]")).expect("a list");
        assert_eq!(read.all().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["a"]);
        let written = read.with(workspace("c").expect("a name")).written().expect("text");
        assert!(written.contains("Hologram") && written.contains("colour"), "{written}");
        for broken in ["", "{", "{}", "null"] {
            assert!(Workspaces::read(broken).is_err(), "{broken}");
        }
        let many = (0..2000).map(|n| workspace(&n.to_string()).expect("a name"));
        let many = Workspaces(many.map(|it| Entry::Known(Box::new(it))).collect());
        assert!(many.written().is_err(), "the host keeps no more");
    }
}
