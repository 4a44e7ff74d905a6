//! Checklists on disk: read whole, written whole, and never over what somebody else wrote meanwhile.
//! Everything here waits for the disk and belongs on a thread that may.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use maestro_core::checklist;

/// Why a document could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsaved {
    /// Somebody else wrote it since it was read: its bytes now.
    Changed(Vec<u8>),
    /// Why else, in a sentence.
    Failed(String),
}

/// Reads a document.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let name = name(path);
    let size = fs::metadata(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    if !size.is_file() {
        return Err(format!("{name} is no file"));
    }
    if size.len() > checklist::MAX_BYTES as u64 {
        let too_large =
            checklist::Error::TooLarge { bytes: usize::try_from(size.len()).unwrap_or(usize::MAX) };
        return Err(format!("{name} is not opened: {too_large}"));
    }
    let bytes = fs::read(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
    match checklist::Document::parse(bytes.clone()) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("{name} is not opened: {error}")),
    }
}

/// Writes a document if it still is what it was, by putting a new file in its place: who reads it
/// meanwhile sees the one or the other, and a full disk leaves it as it is.
pub fn save(path: &Path, bytes: &[u8], before: &[u8]) -> Result<(), Unsaved> {
    let failed =
        |error: std::io::Error| Unsaved::Failed(format!("{} cannot be saved: {error}", name(path)));
    // A link stays a link: what it leads to is replaced.
    let place = fs::canonicalize(path).map_err(failed)?;
    let there = fs::read(&place).map_err(failed)?;
    if there != before {
        return Err(Unsaved::Changed(there));
    }
    let permissions = fs::metadata(&place).map_err(failed)?.permissions();
    let aside = aside(&place);
    let written = (|| {
        let mut file = fs::File::create_new(&aside)?;
        file.write_all(bytes)?;
        file.set_permissions(permissions)?;
        file.sync_all()
    })();
    let renamed = written.and_then(|()| fs::rename(&aside, &place));
    renamed.map_err(|error| {
        // What could not be finished is of no use to anybody.
        let _ = fs::remove_file(&aside);
        failed(error)
    })
}

/// Makes a document that is not there yet.
pub fn create(path: &Path, text: &str) -> Result<(), String> {
    let said = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            format!("there is a {} already: choose another name", name(path))
        }
        _ => format!("{} cannot be made: {error}", name(path)),
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(said)?;
    }
    let mut file = fs::File::create_new(path).map_err(said)?;
    file.write_all(text.as_bytes()).map_err(said)
}

/// Keeps an image beside a document; returns what links to it.
pub fn keep_image(document: &Path, png: &[u8], now_ms: u64) -> Result<String, String> {
    let said = |error: std::io::Error| format!("the image cannot be kept: {error}");
    let folder = document.parent().unwrap_or(Path::new("/")).join("images");
    fs::create_dir_all(&folder).map_err(said)?;
    let stem = document.file_stem().unwrap_or_default().to_string_lossy();
    let stem: String = stem
        .chars()
        .map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' })
        .collect();
    let name = format!("{stem}-{now_ms}.png");
    let mut file = fs::File::create_new(folder.join(&name)).map_err(said)?;
    file.write_all(png).map_err(said)?;
    Ok(format!("![](images/{name})"))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.maestro", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("maestro-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    #[test]
    fn what_somebody_else_wrote_is_never_written_over() {
        let folder = folder("save");
        let path = folder.join("tasks.md");
        fs::write(&path, "one\r\n").expect("a file");
        assert_eq!(save(&path, b"two\r\n", b"one\r\n"), Ok(()));
        assert_eq!(fs::read(&path).expect("a file"), b"two\r\n");
        let theirs = Err(Unsaved::Changed(b"two\r\n".to_vec()));
        assert_eq!(save(&path, b"three", b"one\r\n"), theirs);
        assert_eq!(fs::read(&path).expect("a file"), b"two\r\n");
        let left: Vec<_> = fs::read_dir(&folder).expect("a folder").collect();
        assert_eq!(left.len(), 1, "nothing else is left there");
        fs::remove_dir_all(folder).expect("a folder");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_its_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("link");
        let (path, link) = (folder.join("tasks.md"), folder.join("link.md"));
        fs::write(&path, "one").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("permissions");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        assert_eq!(save(&link, b"two", b"one"), Ok(()));
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read(&path).expect("a file"), b"two");
        fs::remove_dir_all(folder).expect("a folder");
    }

    #[test]
    fn what_is_no_text_is_refused_by_name() {
        let folder = folder("bytes");
        let path = folder.join("bytes.md");
        fs::write(&path, [b'a', 0xff]).expect("a file");
        let why = read(&path).expect_err("no text");
        assert!(why.starts_with("bytes.md is not opened: it is not UTF-8"), "{why}");
        assert!(create(&path, "").expect_err("there").contains("another name"));
        fs::remove_dir_all(folder).expect("a folder");
    }

    #[test]
    fn an_image_is_kept_beside_its_document() {
        let folder = folder("image");
        let link = keep_image(&folder.join("my tasks.md"), b"png", 17).expect("kept");
        assert_eq!(link, "![](images/my-tasks-17.png)");
        assert_eq!(fs::read(folder.join("images/my-tasks-17.png")).expect("there"), b"png");
        fs::remove_dir_all(folder).expect("a folder");
    }
}
