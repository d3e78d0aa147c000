//! The pages of the documentation, split into their parts.

use std::fs;
use std::path::PathBuf;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::{files, read};

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    /// The path in the repository.
    pub(crate) path: PathBuf,
    pub(crate) parts: Vec<Part>,
}

/// A part of a page.
#[derive(Debug, PartialEq)]
pub(crate) struct Part {
    /// The first line, from 1 on.
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    /// A block of code, with the text after its fence. An indented block has none.
    Block(String),
    /// `code`
    Code,
    /// *emphasis*
    Emphasis,
    Heading,
    /// The target of a link or an image.
    Link,
}

impl Page {
    pub(crate) fn of(&self, kind: &Kind) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.kind == *kind)
    }

    /// Returns the page and the line of a part.
    pub(crate) fn place(&self, part: &Part) -> String {
        format!("{}:{}", self.path.display(), part.line)
    }
}

/// Returns all pages: those at the root, in `docs/`, and next to what they explain.
pub(crate) fn pages() -> Vec<Page> {
    let root = fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("the repository");
    let mut paths: Vec<_> = root.map(|entry| PathBuf::from(entry.expect("an entry").file_name())).collect();
    paths.extend(["docs", "examples", ".github", "fuzz", "tests"].iter().flat_map(|folder| files(folder)));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(paths.len() > 20, "{paths:?}");
    paths.into_iter().map(|path| Page { parts: parts(&read(&path)), path }).collect()
}

pub(crate) fn parts(text: &str) -> Vec<Part> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut parts: Vec<Part> = Vec::new();
    // The open parts, by their index in `parts`.
    let mut open = Vec::new();
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        let line = text[..range.start].lines().count().max(1) + usize::from(text[..range.start].ends_with('\n'));
        let kind = match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => Kind::Block(language.into_string()),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => Kind::Block(String::new()),
            Event::Start(Tag::Emphasis) => Kind::Emphasis,
            Event::Start(Tag::Heading { .. }) => Kind::Heading,
            Event::End(TagEnd::CodeBlock | TagEnd::Emphasis | TagEnd::Heading(_)) => {
                open.pop();
                continue;
            }
            Event::Text(inner) => {
                open.iter().for_each(|place: &usize| parts[*place].text += &inner);
                continue;
            }
            Event::SoftBreak => {
                open.iter().for_each(|place| parts[*place].text.push(' '));
                continue;
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                parts.push(Part { line, kind: Kind::Link, text: dest_url.into_string() });
                continue;
            }
            Event::Code(code) => {
                open.iter().for_each(|place| parts[*place].text += &code);
                parts.push(Part { line, kind: Kind::Code, text: code.into_string() });
                continue;
            }
            _ => continue,
        };
        open.push(parts.len());
        parts.push(Part { line, kind, text: String::new() });
    }
    parts
}

#[test]
fn a_page_is_split_into_its_parts() {
    let page = "---
title: `none`
---

# A `b`

| *two
  words* |

```terraform
a {}
```

and *one
more* and **[bold](x)**
";
    let part = |line, kind, text: &str| Part { line, kind, text: text.to_owned() };
    assert_eq!(
        parts(page),
        [
            part(5, Kind::Heading, "A b"),
            part(5, Kind::Code, "b"),
            part(7, Kind::Emphasis, "two words"),
            part(10, Kind::Block("terraform".to_owned()), "a {}\n"),
            part(14, Kind::Emphasis, "one more"),
            part(15, Kind::Link, "x"),
        ]
    );
}
