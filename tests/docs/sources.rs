//! Every string in the sources that the provider can print.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemFn, ItemMod, Lit, LitStr, Macro, Meta};

use crate::read;

/// Returns the string literals of a crate, except those of tests and documentation.
pub(crate) fn literals(root: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut files = vec![PathBuf::from(root)];
    while let Some(file) = files.pop() {
        let mut literals = Literals::default();
        literals
            .visit_file(&syn::parse_file(&read(&file)).unwrap_or_else(|error| panic!("{}: {error}", file.display())));
        found.append(&mut literals.found);
        let name = file.file_stem().expect("a name");
        let folder = match file.parent().expect("a folder") {
            folder if ["lib", "main", "mod"].iter().any(|root| name == *root) => folder.to_owned(),
            folder => folder.join(name),
        };
        let there = |path: &PathBuf| Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists();
        let file_of = |module: String| {
            let candidates = [folder.join(format!("{module}.rs")), folder.join(&module).join("mod.rs")];
            candidates.into_iter().find(there).unwrap_or_else(|| panic!("{}: no file of {module}", file.display()))
        };
        files.extend(literals.modules.into_iter().map(file_of));
    }
    found
}

#[derive(Default)]
struct Literals {
    found: BTreeSet<String>,
    /// Modules in their own files.
    modules: Vec<String>,
}

impl Literals {
    fn tokens(&mut self, tokens: TokenStream) {
        let mut is_attribute = false;
        for tree in tokens {
            let follows = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '#');
            match tree {
                TokenTree::Group(group) if is_attribute && group.delimiter() == Delimiter::Bracket => {}
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    if let Lit::Str(text) = Lit::new(literal) {
                        self.visit_lit_str(&text);
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
            is_attribute = follows;
        }
    }
}

impl<'ast> Visit<'ast> for Literals {
    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.found.insert(text.value());
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.tokens(called.tokens.clone());
    }

    /// Visits only the messages of `thiserror`.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let (true, Meta::List(list)) = (attribute.path().is_ident("error"), &attribute.meta) {
            self.tokens(list.tokens.clone());
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_for_tests(&module.attrs) {
            if module.content.is_none() {
                self.modules.push(module.ident.to_string());
            }
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    let is_test = |list: &syn::MetaList| list.tokens.to_string() == "test";
    attributes.iter().any(|a| a.path().is_ident("cfg") && matches!(&a.meta, Meta::List(list) if is_test(list)))
}

#[test]
fn only_literals_that_users_can_see_are_collected() {
    let mut literals = Literals::default();
    let source = r#"
        //! No.
        #[error("it broke: {0}")]
        struct Broken(#[doc = "no"] u8);
        mod elsewhere;
        fn say() { print!("a {b} \
                           c"); model! { /// no
                           x: "d" } }
        #[cfg(test)]
        mod tests { const NO: &str = "no"; }
    "#;
    literals.visit_file(&syn::parse_str(source).expect("Rust"));
    assert_eq!(literals.found.iter().map(String::as_str).collect::<Vec<_>>(), ["a {b} c", "d", "it broke: {0}"]);
    assert_eq!(literals.modules, ["elsewhere"]);
}
