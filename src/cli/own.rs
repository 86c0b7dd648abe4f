//! Commands of the command line alone: they serve a person at a shell, and no other face has them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use clap_complete::Shell;

use super::{args, complete, output::Printer};
use crate::{error::Error, model::Id};

/// Write the prompt of a step in an editor
///
/// Opens $VISUAL or $EDITOR on a copy. What is saved becomes the prompt when the editor ends; a
/// prompt that somebody else wrote meanwhile is not written over.
#[derive(Args, Clone, Debug)]
pub(super) struct Edit {
    /// The step
    pub(super) step: Id,
}

/// Open the full-screen terminal UI; `seqctl` alone on a terminal does the same
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Tui {
    /// Draw with nothing but ASCII characters
    #[arg(long)]
    pub(super) ascii: bool,
}

/// Print the completions for a shell
///
/// They ask `seqctl` itself, so that the names of steps, gates, groups and runs are completed, too.
#[derive(Args, Clone, Debug)]
pub(super) struct Completions {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for each command
#[derive(Args, Clone, Debug)]
pub(super) struct Man {
    /// Write the pages into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// One of these commands with its arguments.
#[derive(Clone, Debug)]
pub(super) enum Own {
    Tui(Tui),
    Edit(Edit),
    Completions(Completions),
    Man(Man),
}

/// A command's name, and what gives it its arguments.
pub(super) type Row = (&'static str, fn(Command) -> Command);

/// These commands.
pub(super) const OWN: &[Row] = &[
    ("tui", Tui::augment_args),
    ("prompt.edit", Edit::augment_args),
    ("completions", Completions::augment_args),
    ("man", Man::augment_args),
];

impl Own {
    /// The command called `name`, if it is one of these.
    pub(super) fn from_matches(name: &str, matches: &ArgMatches) -> Option<Result<Self, clap::Error>> {
        Some(match name {
            "tui" => Tui::from_arg_matches(matches).map(Self::Tui),
            "prompt.edit" => Edit::from_arg_matches(matches).map(Self::Edit),
            "completions" => Completions::from_arg_matches(matches).map(Self::Completions),
            "man" => Man::from_arg_matches(matches).map(Self::Man),
            _ => return None,
        })
    }
}

impl Completions {
    /// Prints the script that the shell reads.
    pub(super) fn print(&self, printer: &Printer) -> Result<ExitCode, Error> {
        printer.bytes(&complete::script(&self.shell.to_string())?);
        Ok(ExitCode::SUCCESS)
    }
}

impl Man {
    /// Prints the page of `seqctl` itself, or writes all of them.
    pub(super) fn print(&self, printer: &Printer) -> Result<ExitCode, Error> {
        let mut root = args::command();
        root.build();
        match &self.out {
            None => printer.bytes(&page(&root, "seqctl")?),
            Some(folder) => {
                fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
                write_pages(&root, "seqctl", folder)?;
                if !printer.is_quiet() {
                    printer.note(&format!("wrote a page for each command to {}", folder.display()));
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn page(command: &Command, name: &str) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone().name(name.to_owned()).version(env!("CARGO_PKG_VERSION")))
        .render(&mut text)
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(text)
}

fn write_pages(command: &Command, name: &str, folder: &Path) -> Result<(), Error> {
    let path = folder.join(format!("{name}.1"));
    fs::write(&path, page(command, name)?).map_err(Error::io("write", &path))?;
    let children = command.get_subcommands().filter(|child| child.get_name() != "help");
    children.into_iter().try_for_each(|child| write_pages(child, &format!("{name}-{}", child.get_name()), folder))
}
