//! Every link between the pages of this repository leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};

use crate::read;

/// Every page that people read: those at the root, in `docs/`, and beside what they explain.
pub(crate) fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = Vec::new();
    let mut folders = vec![root.join("docs"), root.join("examples"), root.join(".github")];
    for entry in fs::read_dir(root).expect("the repository").flatten() {
        pages.extend(Some(entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|extension| extension == "md") => pages.push(path),
                _ => {}
            }
        }
    }
    assert!(pages.len() > 20, "{pages:?}");
    pages.iter().map(|path| path.strip_prefix(root).expect("a page of this repository").to_owned()).collect()
}

/// What is wrong with the links of a page.
pub(crate) fn broken(page: &Path) -> Vec<String> {
    let text = prose(&read(page));
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = links.filter(|link| !link.contains("://"));
    let folder = page.parent().unwrap_or(Path::new(""));
    let is_broken = |link: &&str| {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if path.is_empty() { page.to_owned() } else { folder.join(path) };
        let there = Path::new(env!("CARGO_MANIFEST_DIR")).join(&target);
        !there.exists() || !anchor.is_empty() && !anchors(&read(&target)).contains(&anchor.to_owned())
    };
    local.filter(is_broken).map(|link| format!("{}: {link}", page.display())).collect()
}

/// A page without its blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The anchors of a page's headings, as GitHub and the registries make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text);
    let headings =
        headings.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}
