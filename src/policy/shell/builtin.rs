//! Builtin commands that do more than their name says. bash expands what stands in brackets after
//! the name of a variable, wherever it takes one: `printf -v 'a[$(rm x)]'`.

use shuck_ast::Word;

use super::{
    Checked,
    assignment::settable,
    variable::is_name,
    walk::{Walker, odd},
};

/// Commands that run no other and need not be listed.
pub(super) fn is_free(walker: &Walker<'_>, name: &str, args: &[Word]) -> Result<bool, String> {
    let texts = texts(walker, args)?;
    Ok(match name {
        ":" => true,
        "set" => {
            !texts.is_empty()
                && texts.iter().enumerate().all(|(at, text)| {
                    let text = text.as_deref().unwrap_or_default();
                    let is_flags = |flags: &str| !flags.is_empty() && flags.bytes().all(|flag| b"eufCxo".contains(&flag));
                    text.strip_prefix(['-', '+']).is_some_and(is_flags) || (at > 0 && text == "pipefail")
                })
        }
        "command" => matches!(texts.first().map(Option::as_deref), Some(Some("-v"))),
        _ => false,
    })
}

/// Whether a builtin's arguments are as harmless as they look.
pub(super) fn check(walker: &mut Walker<'_>, name: &str, args: &[Word]) -> Checked {
    let texts = texts(walker, args)?;
    let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    let Some(first) = args.first() else { return Ok(()) };
    let is_fine = match name {
        "printf" => begins_plainly(walker, first)?,
        "test" => is_plain_test(&texts),
        "[" => match texts.split_last() {
            Some((Some("]"), rest)) => is_plain_test(rest) && args.iter().all(|word| is_one_word(walker, word)),
            _ => false,
        },
        "read" | "getopts" | "unset" => return names(walker, name, args, &texts),
        "wait" => args.iter().all(|word| walker.must_be_number(word)),
        _ => true,
    };
    if is_fine { Ok(()) } else { odd(&format!("an argument of `{name}`"), first.span) }
}

fn texts(walker: &Walker<'_>, args: &[Word]) -> Result<Vec<Option<String>>, String> {
    args.iter().map(|word| walker.literal_text(word)).collect()
}

/// Whether a word cannot be an option: it begins with something certain.
fn begins_plainly(walker: &Walker<'_>, word: &Word) -> Result<bool, String> {
    let raw = walker.raw(word.span)?;
    Ok(!raw.trim_start_matches(['"', '\'']).starts_with(['-', '$', '`', '\\', '*', '?', '[', '{', '~']) && !raw.is_empty())
}

/// Whether a word stays one word: what is expanded in it is in quotes, or a number.
fn is_one_word(walker: &mut Walker<'_>, word: &Word) -> bool {
    use shuck_ast::WordPart::{DoubleQuoted, Literal, SingleQuoted};
    word.parts.iter().all(|part| matches!(part.kind, Literal(_) | SingleQuoted { .. } | DoubleQuoted { .. }))
        || walker.must_be_number(word)
}

/// A test whose operators are certain and none of those that look at a variable by its name.
fn is_plain_test(texts: &[Option<&str>]) -> bool {
    const BINARY: [&str; 15] = ["=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "-a"];
    match texts {
        [] | [_] => true,
        [Some(operator), _] => {
            *operator == "!" || operator.len() == 2 && operator.starts_with('-') && !matches!(*operator, "-v" | "-R")
        }
        [_, Some(operator), _] if BINARY.contains(operator) || *operator == "-o" => true,
        [Some("!"), rest @ ..] if rest.len() < 4 => is_plain_test(rest),
        _ => false,
    }
}

/// `read`, `getopts` and `unset` change variables by their names.
fn names(walker: &mut Walker<'_>, command: &str, args: &[Word], texts: &[Option<&str>]) -> Checked {
    for (at, (word, text)) in args.iter().zip(texts).enumerate() {
        match (command, text) {
            // The options that it looks for.
            ("getopts", Some(_)) if at == 0 => walker.numbers.set("OPTARG", false),
            ("getopts", _) if at > 1 => {}
            ("read", Some("-r")) | ("unset", Some("-v" | "-f")) => {}
            (_, Some(name)) if is_name(name) => {
                settable(name, word.span)?;
                walker.numbers.set(name, false);
            }
            _ => return odd(&format!("an argument of `{command}`"), word.span),
        }
    }
    Ok(())
}
