//! Every link between the pages of this repository leads somewhere.

use std::path::{Path, PathBuf};

use crate::markdown::{Kind, Page};

/// The repository on GitHub. The registries require it there, and show only `docs/`.
pub(crate) const REPOSITORY: &str = "https://github.com/callkit/terraform-provider-tencent/blob/main/";

/// Returns the problems of the links on these pages.
pub(crate) fn broken(pages: &[Page]) -> Vec<String> {
    let mut broken = Vec::new();
    for page in pages {
        let folder = page.path.parent().unwrap_or(Path::new(""));
        for link in page.of(&Kind::Link) {
            let (path, anchor) = link.text.split_once('#').unwrap_or((&link.text, ""));
            let target = match path.strip_prefix(REPOSITORY) {
                Some(path) => PathBuf::from(path),
                None if path.contains("://") => continue,
                None if path.is_empty() => page.path.clone(),
                None => normal(&folder.join(path)),
            };
            let has_anchor = |page: &Page| page.of(&Kind::Heading).any(|heading| anchor_of(&heading.text) == anchor);
            let leads = match anchor {
                "" => Path::new(env!("CARGO_MANIFEST_DIR")).join(&target).exists(),
                _ => pages.iter().any(|page| page.path == target && has_anchor(page)),
            };
            if !leads {
                broken.push(format!("{}: {}", page.place(link), link.text));
            }
        }
    }
    broken
}

/// Resolves `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component.as_os_str() == ".." {
            true => _ = normal.pop(),
            false => normal.push(component),
        }
    }
    normal
}

/// Returns the anchor of a heading, as GitHub and the registries make it.
fn anchor_of(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}
