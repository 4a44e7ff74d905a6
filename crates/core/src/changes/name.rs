//! Names of files as git has them: bytes, which are UTF-8 nearly always.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path relative to a checkout's root, with `/` between its parts, in git's bytes. In JSON it is a string,
/// in which bytes that are not UTF-8 stand as `\xE4`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Name(Vec<u8>);

impl Name {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For people: what is not UTF-8 stands as `\xE4`, and so do control characters.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        let is_plain = |text: &&str| !text.chars().any(char::is_control);
        if let Some(text) = str::from_utf8(&self.0).ok().filter(is_plain) {
            return Cow::Borrowed(text);
        }
        let mut shown = String::new();
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() {
                    let _ = write!(shown, "\\x{:02X}", u32::from(c));
                } else {
                    shown.push(c);
                }
            }
            for byte in chunk.invalid() {
                let _ = write!(shown, "\\x{byte:02X}");
            }
        }
        Cow::Owned(shown)
    }

    /// The folder's part, with the slash at its end; empty where there is none.
    #[must_use]
    pub fn folder(&self) -> Self {
        let end = self.0.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        Self(self.0[..end].to_vec())
    }

    /// The last part.
    #[must_use]
    pub fn file(&self) -> Self {
        let start = self.0.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        Self(self.0[start..].to_vec())
    }

    /// Whether it stays below the root it is relative to, and reaches nothing of git's own.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        let is_part = |part: &[u8]| {
            !matches!(part, b"" | b"." | b"..") && !part.eq_ignore_ascii_case(b".git")
        };
        !self.0.contains(&0) && self.0.split(|byte| *byte == b'/').all(is_part)
    }

    /// As a path of this system; `None` where it cannot be one.
    #[must_use]
    pub fn to_path(&self) -> Option<PathBuf> {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt as _;
            Some(OsString::from_vec(self.0.clone()).into())
        }
        #[cfg(not(unix))]
        {
            let text = str::from_utf8(&self.0).ok()?;
            (!text.contains('\\')).then(|| OsString::from(text).into())
        }
    }

    /// A relative path of this system as git has it.
    #[must_use]
    pub fn of_path(path: &Path) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt as _;
            Self(path.as_os_str().as_bytes().to_vec())
        }
        #[cfg(not(unix))]
        {
            Self(path.to_string_lossy().replace('\\', "/").into_bytes())
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<Vec<u8>> for Name {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Name {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&self.shown())
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file's name")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Name, E> {
                Ok(Name::from(text))
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Name, E> {
                Ok(Name::from(bytes))
            }
        }

        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Bytes)
        } else {
            deserializer.deserialize_bytes(Bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_on_one_line_whatever_is_in_them() {
        for (bytes, expected) in [
            (&b"a/b c"[..], "a/b c"),
            ("größe".as_bytes(), "größe"),
            (b"caf\xe9", "caf\\xE9"),
            (b"a\nb\x1b[2J", "a\\x0Ab\\x1B[2J"),
            (b"", ""),
        ] {
            assert_eq!(Name::from(bytes).shown(), expected);
        }
    }

    #[test]
    fn names_go_through_json_as_text() {
        assert_eq!(
            serde_json::to_string(&Name::from(&b"caf\xe9"[..])).ok().as_deref(),
            Some("\"caf\\\\xE9\"")
        );
        assert_eq!(serde_json::from_str::<Name>("\"a/b\"").ok(), Some(Name::from("a/b")));
    }

    #[test]
    fn only_names_below_the_root_are_inside() {
        for (name, expected) in [
            ("a", true),
            ("a/b.git/c", true),
            (".gitignore", true),
            ("", false),
            ("/etc/passwd", false),
            ("a/../../b", false),
            ("./a", false),
            (".git/config", false),
            ("sub/.GIT/hooks/x", false),
            ("a//b", false),
            ("a\0b", false),
        ] {
            assert_eq!(Name::from(name).is_inside(), expected, "{name}");
        }
    }

    #[test]
    fn a_name_has_a_folder_and_a_file() {
        let name = Name::from("a/b/c");
        assert_eq!((name.folder(), name.file()), ("a/b/".into(), "c".into()));
        let name = Name::from("c");
        assert_eq!((name.folder(), name.file()), ("".into(), "c".into()));
    }
}
