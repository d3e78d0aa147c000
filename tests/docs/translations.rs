//! The pages in Chinese say what their originals say, as far as a test can tell: the same code, quotations and links, and as
//! many headings.

use std::path::Path;

use crate::markdown::{Kind, Page, Part};

/// Pages in English and in Chinese.
const TRANSLATED: [(&str, &str); 2] =
    [("README.md", "README.zh-CN.md"), ("docs/guides/getting-started.md", "docs/guides/getting-started-zh.md")];

/// Returns the differences between the pages and their translations.
pub(crate) fn differences(pages: &[Page]) -> Vec<String> {
    let find =
        |path: &str| pages.iter().find(|page| page.path == Path::new(path)).unwrap_or_else(|| panic!("no {path}"));
    let of = |(english, chinese): (&str, &str)| compare(find(english), find(chinese));
    TRANSLATED.into_iter().flat_map(of).collect()
}

fn compare(english: &Page, chinese: &Page) -> Vec<String> {
    let blocks =
        |page: &Page| page.parts.iter().filter(|part| matches!(part.kind, Kind::Block(_))).map(shown).collect();
    let headings = |page: &Page| vec![page.of(&Kind::Heading).count().to_string()];
    // The order of words differs.
    let inline = |page: &Page| {
        let mut found: Vec<_> = page.parts.iter().filter(|part| is_inline(&part.kind)).map(shown).collect();
        found.sort();
        found
    };
    let mut differences = Vec::new();
    for (what, of) in
        [("block", &blocks as &dyn Fn(&Page) -> Vec<String>), ("number of headings", &headings), ("part", &inline)]
    {
        let (original, translation) = (of(english), of(chinese));
        let lacking = |some: &[String], others: &[String]| {
            let first = some.iter().find(|one| count(some, one) > count(others, one));
            first.map(|one| one.to_string())
        };
        let place = chinese.path.display();
        differences.extend(lacking(&original, &translation).map(|one| format!("{place} lacks the {what} {one}")));
        differences.extend(lacking(&translation, &original).map(|one| format!("{place} has another {what}: {one}")));
        if differences.is_empty() && original != translation {
            differences.push(format!("{place} has each {what}, but in another order"));
        }
    }
    differences
}

fn count(all: &[String], one: &str) -> usize {
    all.iter().filter(|other| *other == one).count()
}

fn is_inline(kind: &Kind) -> bool {
    matches!(kind, Kind::Code | Kind::Emphasis | Kind::Link)
}

/// Returns a part in one line, with the same name for a page in either language.
fn shown(part: &Part) -> String {
    let mut text = format!("{:?} {:?}", part.kind, part.text);
    for (english, chinese) in TRANSLATED {
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        text = text.replace(&name(chinese), &name(english));
    }
    text
}

#[test]
fn a_translation_that_lags_behind_is_noticed() {
    let page = |text: &str| Page { path: "page.md".into(), parts: crate::markdown::parts(text) };
    let original = page("# A\n\n`a` and [`b`](c.md)\n\n```shell\nd\n```\n");
    let of = |text: &str| compare(&original, &page(text));
    assert_eq!(of("# 一\n\n[`b`](c.md)、`a`\n\n```shell\nd\n```\n"), [""; 0]);
    assert_eq!(of("# 一\n\n[`b`](c.md)\n\n```shell\nd\n```\n"), [r#"page.md lacks the part Code "a""#]);
    assert_eq!(of("# 一\n\n`a` [`b`](c.md)\n\n```shell\ne\n```\n").len(), 2);
    assert_eq!(of("一\n\n`a` [`b`](c.md)\n\n```shell\nd\n```\n").len(), 2);
}
