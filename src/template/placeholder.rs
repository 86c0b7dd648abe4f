//! `{{name}}` in a text.

/// A part of a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part<'t> {
    /// Text that stays.
    Text(&'t str),
    /// The name between the braces.
    Name(&'t str),
}

/// The parts of a text. What stands in double braces and is no name stays as it is.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut found, mut rest, mut from) = (Vec::new(), text, 0);
    while let Some(open) = rest[from..].find("{{").map(|at| from + at) {
        let inner = &rest[open + 2..];
        let name = inner.find("}}").map(|end| (inner[..end].trim(), open + end + 4)).filter(|(name, _)| is_name(name));
        let Some((name, end)) = name else {
            from = open + 2;
            continue;
        };
        found.extend((open > 0).then(|| Part::Text(&rest[..open])));
        found.push(Part::Name(name));
        (rest, from) = (&rest[end..], 0);
    }
    found.extend((!rest.is_empty()).then_some(Part::Text(rest)));
    found
}

/// The name of a text that is one placeholder and nothing else.
pub fn whole(text: &str) -> Option<&str> {
    match parts(text.trim()).as_slice() {
        [Part::Name(name)] => Some(name),
        _ => None,
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_in_double_braces_are_placeholders() {
        use Part::{Name, Text};
        for (text, wanted) in [
            ("", &[][..]),
            ("plain {a} text", &[Text("plain {a} text")]),
            ("{{a}}", &[Name("a")]),
            ("x-{{ a_b }}-{{c}}y", &[Text("x-"), Name("a_b"), Text("-"), Name("c"), Text("y")]),
            ("{{ a.b }} {{c}}", &[Text("{{ a.b }} "), Name("c")]),
            ("{{{{a}}", &[Text("{{"), Name("a")]),
            ("{{a", &[Text("{{a")]),
            ("ä{{a}}ö", &[Text("ä"), Name("a"), Text("ö")]),
        ] {
            assert_eq!(parts(text), wanted, "{text}");
        }
        assert_eq!((whole(" {{a}} "), whole("{{a}}b"), whole("a")), (Some("a"), None, None));
    }
}
