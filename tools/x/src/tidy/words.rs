//! Words that may stand in nobody's code: marks of work that was not finished.

use super::Source;

/// Written in two halves, so that this file does not complain about itself.
const FORBIDDEN: &[(&str, &str)] = &[
    ("todo", "!("),
    ("unimplemented", "!("),
    ("dbg", "!("),
    ("FIX", "ME"),
    ("TO", "DO:"),
];

/// A complaint for each line of Rust or JavaScript with such a word.
pub fn forbidden(sources: &[Source]) -> Vec<String> {
    let words: Vec<String> = FORBIDDEN
        .iter()
        .map(|(start, end)| format!("{start}{end}"))
        .collect();
    let mut found = Vec::new();
    for source in sources
        .iter()
        .filter(|source| source.path.ends_with(".rs") || source.path.ends_with(".mjs"))
    {
        for (number, line) in source.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                found.push(format!(
                    "{}:{}: {word} has no place here",
                    source.path,
                    number + 1
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_forbidden_word_is_named() {
        let text = format!("fn a() {{}}\nfn b() {{ {}{}) }}\n", "todo", "!(");
        let source = Source {
            path: "a.rs".to_owned(),
            text,
        };
        assert_eq!(
            forbidden(&[source]),
            [format!("a.rs:2: {}{} has no place here", "todo", "!(")]
        );
    }
}
