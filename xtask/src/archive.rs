//! Zip files that depend only on their contents: without times and owners.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::Result;

/// A file in an archive.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    pub(crate) executable: bool,
}

/// Writes an archive of these files, in this order.
pub(crate) fn write(path: &Path, entries: &[Entry]) -> Result {
    let mut archive = ZipWriter::new(BufWriter::new(File::create(path)?));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(if entry.executable { 0o755 } else { 0o644 });
        archive.start_file(&entry.name, options)?;
        archive.write_all(&entry.content)?;
    }
    archive.finish()?.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn equal_contents_make_equal_archives() {
        let directory = tempfile::tempdir().expect("a directory");
        let entry = |name: &str, executable| Entry { name: name.into(), content: b"content".to_vec(), executable };
        let entries = [entry("run", true), entry("read", false)];
        let paths = ["one.zip", "two.zip"].map(|name| directory.path().join(name));
        for path in &paths {
            write(path, &entries).expect("an archive");
        }
        assert_eq!(fs::read(&paths[0]).expect("read"), fs::read(&paths[1]).expect("read"));

        let mut archive = ZipArchive::new(File::open(&paths[0]).expect("a file")).expect("an archive");
        let mut found = Vec::new();
        for index in 0..archive.len() {
            let mut file = archive.by_index(index).expect("an entry");
            let mut text = String::new();
            file.read_to_string(&mut text).expect("text");
            assert_eq!((text.as_str(), file.last_modified()), ("content", Some(DateTime::DEFAULT)));
            found.push((file.name().expect("a name").into_owned(), file.unix_mode().map(|mode| mode & 0o777)));
        }
        assert_eq!(found, [("run".to_owned(), Some(0o755)), ("read".to_owned(), Some(0o644))]);
    }
}
