//! Images from the clipboard, handed to a terminal's program the way it takes them: as the path of a
//! file that the host saves, or by the key with which the program reads the clipboard itself.

use std::collections::HashSet;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use maestro_agents::tui::{ImagePaste, image_paste};
use maestro_core::agent::Provider;
use maestro_core::conversation::Prompt;
use maestro_core::input::{Action, Code, Input, Key, Mods};
use maestro_core::text;
use maestro_protocol::message::{Error, ErrorKind, IMAGE_LIMIT};
use maestro_store::Store;

use super::tools::failed;
use super::{Shared, blocking, export, now_ms, refuse};
use crate::client::ClientId;
use crate::session::Session;

/// What every PNG file begins with (PNG specification, 5.2).
const MAGIC: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// The length and the type of the first chunk, which has to be the header (11.2.2).
const HEADER: &[u8; 8] = b"\0\0\0\x0dIHDR";
/// How the files are called that are ours.
const ENDINGS: [&str; 4] = [".png", ".jpg", ".gif", ".webp"];
/// Images kept; the oldest go when there are more.
const FILES: usize = 500;
/// Bytes of images kept.
const BYTES: u64 = 1 << 30;
/// Who gives the input: no client of ours, so none is told that it was seen.
const NOBODY: ClientId = ClientId(0);

/// Hands an image to the program in a terminal.
pub(crate) async fn paste(
    shared: &Arc<Shared>,
    session: &Arc<Session>,
    png: Vec<u8>,
) -> Result<(), Error> {
    if png.len() > IMAGE_LIMIT {
        let text = format!("an image can have at most {} MiB", IMAGE_LIMIT >> 20);
        return Err(refuse(ErrorKind::Invalid, text));
    }
    if !is_png(&png) {
        return Err(refuse(ErrorKind::Invalid, "this is no image as a PNG file"));
    }
    if !session.is_live() {
        let text = format!("the program in {} has ended", session.id);
        return Err(refuse(ErrorKind::Failed, text));
    }
    // A shell beside an agent is a shell.
    let provider = session
        .agent
        .filter(|_| session.ai)
        .and_then(|agent| shared.world.agent(agent))
        .map_or(Provider::Shell, |agent| agent.provider);
    let input = match image_paste(provider) {
        ImagePaste::Path => {
            let _writing = shared.writing.read().await;
            if shared.is_stopping() {
                return Err(refuse(ErrorKind::Stopping, "the host is stopping"));
            }
            let folder = shared.options.home.root().join("images");
            let store = shared.store.clone();
            let saved = blocking(move || save(&folder, &png, "png", || in_use(&store)));
            let saved = saved.await.map_err(failed)?;
            let path = saved.map_err(|error| {
                refuse(ErrorKind::Failed, format!("the image cannot be saved: {error}"))
            })?;
            Input::Paste(text::shell_word(&path.to_string_lossy()))
        }
        ImagePaste::ControlV => Input::Key(Key {
            code: Code::Char('v'),
            mods: Mods { control: true, ..Mods::default() },
            text: String::new(),
            action: Action::Press,
            base: None,
            shifted: None,
            keypad: false,
        }),
        ImagePaste::Unsupported(because) => {
            return Err(refuse(ErrorKind::Unsupported, because));
        }
    };
    session.input(NOBODY, 0, input).map_err(|why| refuse(ErrorKind::Busy, why.to_string()))
}

/// The media type of an image and how its file is called, by what it begins with; `None` for anything that a
/// model is not given.
pub(super) fn kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if is_png(bytes) {
        Some(("image/png", "png"))
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(("image/jpeg", "jpg"))
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(("image/gif", "gif"))
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(("image/webp", "webp"))
    } else {
        None
    }
}

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && bytes[MAGIC.len()..].starts_with(HEADER)
}

/// Saves an image under a name of its own, where only its user can read it. The program reads it when it
/// likes, so older ones stay for a while, and those that are `in_use` for as long as they are.
pub(super) fn save(
    folder: &Path,
    png: &[u8],
    ending: &str,
    in_use: impl FnOnce() -> io::Result<HashSet<PathBuf>>,
) -> io::Result<PathBuf> {
    make_folder(folder)?;
    forget_oldest(folder, png.len() as u64, in_use)?;
    let now = now_ms();
    let mut last = None;
    for number in 0..100 {
        let path = folder.join(format!("image-{now}-{number}.{ending}"));
        match export::create(&path) {
            Ok(mut file) => {
                return match file.write_all(png).and_then(|()| file.flush()) {
                    Ok(()) => Ok(path),
                    Err(error) => {
                        let _ = fs::remove_file(&path);
                        Err(error)
                    }
                };
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("no name is free")))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        let _ = builder.mode(0o700);
    }
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// The images of what waits to be said, and of what is being written.
pub(super) fn in_use(store: &Store) -> io::Result<HashSet<PathBuf>> {
    let failed = |error: maestro_store::Error| io::Error::other(error.to_string());
    let mut prompts: Vec<Prompt> =
        store.items().map_err(failed)?.into_iter().map(|stored| stored.item.prompt).collect();
    for tab in store.drafted_tabs().map_err(failed)? {
        prompts.extend(store.draft(tab).map_err(failed)?);
    }
    // Conversations come back with their worktree.
    for snapshot in store.checkouts().map_err(failed)? {
        prompts.extend(snapshot.talks.iter().flat_map(|talk| talk.unsaid().cloned()));
    }
    Ok(prompts.into_iter().flat_map(|prompt| prompt.images).map(|image| image.path).collect())
}

/// Makes room for one more. Only what this module has saved is removed, and nothing that is in use, or where
/// that cannot be found out.
fn forget_oldest(
    folder: &Path,
    room: u64,
    in_use: impl FnOnce() -> io::Result<HashSet<PathBuf>>,
) -> io::Result<()> {
    let mut images: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if !(name.starts_with("image-") && ENDINGS.iter().any(|ending| name.ends_with(ending))) {
            continue;
        }
        // One may vanish meanwhile.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            let time = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            images.push((time, metadata.len(), entry.path()));
        }
    }
    images.sort();
    let mut bytes: u64 = images.iter().map(|(_, size, _)| size).sum();
    let mut count = images.len();
    if count < FILES && bytes + room <= BYTES {
        return Ok(());
    }
    let in_use = match in_use() {
        Ok(in_use) => in_use,
        Err(error) => {
            tracing::warn!(%error, "which images are in use is not known; all are kept");
            return Ok(());
        }
    };
    images.retain(|(_, _, path)| !in_use.contains(path));
    for (_, size, path) in images {
        if count < FILES && bytes + room <= BYTES {
            break;
        }
        let _ = fs::remove_file(path);
        count -= 1;
        bytes -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_like_a_png_is_one() {
        let whole = [&MAGIC[..], HEADER, b"more"].concat();
        for (bytes, expected) in [
            (&whole[..], true),
            (&whole[..15], false),
            (b"", false),
            (b"GIF89a", false),
            (b"\x89PNG\r\n\x1a\n\0\0\0\0IEND", false),
        ] {
            assert_eq!(is_png(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn images_are_known_by_their_beginning() {
        let png = [&MAGIC[..], HEADER].concat();
        for (bytes, expected) in [
            (&png[..], Some("png")),
            (b"\xff\xd8\xff\xe0", Some("jpg")),
            (b"GIF89a\x01", Some("gif")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some("webp")),
            (b"RIFF\0\0\0\0WAVE", None),
            (b"<svg>", None),
            (b"", None),
        ] {
            assert_eq!(kind(bytes).map(|(_, ending)| ending), expected, "{bytes:?}");
        }
    }

    #[test]
    fn images_are_private_and_the_oldest_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("images");
        let mine = folder.join("mine.txt");
        let none = || Ok(HashSet::new());
        let first = save(&folder, b"first", "png", none).expect("saved");
        let waits = save(&folder, b"waits", "png", none).expect("saved");
        fs::write(&mine, "not an image of ours").expect("written");
        let old = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
        for image in [&first, &waits] {
            let file = fs::File::options().write(true).open(image).expect("opened");
            file.set_modified(old).expect("set");
        }
        for _ in 2..FILES {
            let _ = save(&folder, b"more", "png", none).expect("saved");
        }
        assert!(first.exists());
        // Where it is not known what is in use, all is.
        let blind = || Err(io::Error::other("the database is damaged"));
        let more = save(&folder, b"more", "png", blind).expect("saved");
        fs::remove_file(more).expect("there");
        let last =
            save(&folder, b"last", "png", || Ok(HashSet::from([waits.clone()]))).expect("saved");
        assert!(!first.exists() && waits.exists() && mine.exists() && last.exists());
        assert_eq!(fs::read_dir(&folder).expect("read").count(), FILES + 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode();
            assert_eq!((mode(&last) & 0o777, mode(&folder) & 0o777), (0o600, 0o700));
        }
    }
}
