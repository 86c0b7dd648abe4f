//! Whether every command that a shell text could run is allowed. Denies what it does not understand.
//!
//! The text is parsed, and every node of the tree is either visited or refused: whatever a newer
//! parser adds or another shell reads differently ends in a denial, never in a silent pass.

mod arithmetic;
mod assignment;
mod builtin;
mod heredoc;
mod substitution;
mod text;
mod variable;
mod walk;
mod word;

pub(super) use variable::is_risky;

use shuck_ast::File;
use shuck_parser::{ShellDialect, parser::Parser};
use walk::Walker;

/// The longest text that is looked at.
const SIZE_LIMIT: usize = 64 * 1024;

/// Room for the recursion of parser, walker and the tree's own end.
const STACK: usize = 8 * 1024 * 1024;

/// Why a text is denied, in words; nothing else is told of it.
type Checked = Result<(), String>;

/// Whether all commands of `text` are on `allowed`; else which one is not, and where.
pub(super) fn check(text: &str, allowed: &[String]) -> Checked {
    if text.len() > SIZE_LIMIT {
        return Err(format!("its text is longer than {} KiB, too long to be checked", SIZE_LIMIT / 1024));
    }
    text::check_characters(text)?;
    std::thread::scope(|scope| {
        let checker = std::thread::Builder::new().name("shell-check".into()).stack_size(STACK);
        let checker = checker.spawn_scoped(scope, || parse_and_walk(text, allowed));
        let checker = checker.map_err(|error| format!("its text cannot be checked: {error}"))?;
        checker.join().unwrap_or_else(|_| Err("its text cannot be checked: the parser gave up".into()))
    })
}

fn parse_and_walk(text: &str, allowed: &[String]) -> Checked {
    let file = parse(text)?;
    let mut walker = Walker::new(text, allowed);
    walker.list(&file.body)?;
    walker.finish()
}

/// A text as a tree, if all of it was understood: a shell runs the lines before a mistake.
fn parse(text: &str) -> Result<File, String> {
    let parsed = Parser::with_dialect(text, ShellDialect::Posix).parse();
    if parsed.is_ok() && parsed.diagnostics.is_empty() {
        return Ok(parsed.file);
    }
    let place = parsed.diagnostics.first().map(|found| format!(": line {}: {}", found.span.start.line(), found.message));
    Err(format!("its text is not understood{}", place.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_denial_names_the_command_and_its_place() {
        let allowed = ["git".to_owned()];
        let why = check("git status &&\n  rm -rf /", &allowed).unwrap_err();
        assert_eq!(why, "`rm` at line 2, column 3 is not one of the allowed commands");
        assert_eq!(check("git log", &allowed), Ok(()));
    }

    const HARMLESS: &[&str] = &[
        "i=1; echo $((i + 1))",
        "i=1; echo $(( (i + 2) * 3 ))",
        "i=1; echo $((-i))",
        "i=1; echo $((i > 1 ? 2 : 3))",
        "i=1; echo $((i = 2))",
        "i=1; echo $((i += 2))",
        "i=1; echo $((i++))",
        "i=1; echo $(($i + 1))",
        "i=1; echo $((${i} + 1))",
        "echo $((${#x} + 1))",
        "echo $((0x1f))",
        "case x in [ab]*) git log;; esac",
        "case x in [$a]) git log;; esac",
        "case x in \"$y\"*) git log;; esac",
        "echo ${x%[a-z]*}",
        "echo ${x##*/}",
        "echo ${x%%$(git log)}",
        "echo ${x:-$(git log)}",
        "echo ${x:-}",
        "echo 'a' \"b\" g\\it",
        "g'i't log",
        "\"git\" log",
        "git log <<EOF\n$((1 + 1)) ${x:-y}\nEOF\n",
        "git log <<'EOF'\n$(rm x)\nEOF\n",
    ];

    const DENIED: &[(&str, &str)] = &[
        ("echo $((\"1\" + 1))", "this calculation"),
        ("echo $((1 + $(echo 2)))", "this calculation"),
        ("echo $((1 + $(rm x)))", "this calculation"),
        ("echo $((a[0] + 1))", "this calculation"),
        ("echo $((a[0] = 1))", "this calculation"),
        ("case x in ?) git log;; *) rm x;; esac", "`rm`"),
        ("echo ${x%$(rm x)}", "`rm`"),
        ("echo ${x/a/b}", "this expansion"),
        ("echo ${x^}", "this expansion"),
        ("echo ${x:1:2}", "this expansion"),
        ("echo ${!x}", "this expansion"),
        ("echo $'a'", "this quote"),
        ("\"g$x\" log", "cannot tell which command"),
        ("git log <<EOF\n$(rm x)\nEOF\n", "`rm`"),
        ("git log <<EOF\n`rm x`\nEOF\n", "`rm`"),
    ];

    #[test]
    fn numbers_and_patterns_are_read_as_the_shell_reads_them() {
        let allowed = ["git", "echo"].map(str::to_owned);
        for text in HARMLESS {
            assert_eq!(check(text, &allowed), Ok(()), "{text}");
        }
        for (text, why) in DENIED {
            let found = check(text, &allowed).expect_err(text);
            assert!(found.contains(why), "{text}: {found}");
        }
    }

    #[test]
    fn deep_nesting_is_denied_and_not_fatal() {
        let allowed = ["git".to_owned()];
        for (open, close) in
            [("(", ")"), ("$(", ")"), ("{ ", "; }"), ("\"$(", ")\""), ("${x:-", "}"), ("if ", "; then git; fi"), ("`", "`")]
        {
            for depth in [50, 1000, 10_000] {
                let text = format!("git {}git{}", open.repeat(depth), close.repeat(depth));
                let _ = check(&text, &allowed);
                let _ = check(&open.repeat(depth), &allowed);
            }
        }
        let _ = check(&"git|".repeat(10_000), &allowed);
        let _ = check(&"git && ".repeat(8000), &allowed);
        let _ = check(&format!("git $(({}1))", "1+".repeat(20_000)), &allowed);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic_or_hang(text in "\\PC{0,60}", soup in prop::collection::vec("[`$(){}\"'\\\\<>|&;! \nEOFgit=#:-]{0,3}", 0..25)) {
            let allowed = ["git".to_owned()];
            let _ = check(&text, &allowed);
            let denied = check(&soup.concat(), &allowed).err();
            prop_assert!(!denied.unwrap_or_default().contains("gave up"));
        }
    }
}
