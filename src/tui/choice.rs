//! What a menu, the palette or a button can lead to.

use serde_json::{Map, Value};

use super::{app::App, command::Command, effect::Effect, layers::form::Form, toast::Tone};
use crate::{
    action::{Action, CATALOG},
    model::Id,
};

/// Something that can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Choice {
    /// A command of the screen.
    Command(Command),
    /// An action of the catalog, with what is known of its fields; a form asks for the rest.
    Action { name: &'static str, known: Map<String, Value> },
    /// An action with nothing more to ask.
    Do(Box<Action>),
    /// A step or gate to go to.
    Node(Id),
    /// A text for the clipboard, and what it is.
    Copy { text: String, what: &'static str },
}

impl App {
    /// Does what was chosen.
    pub(super) fn choose(&mut self, choice: Choice) {
        match choice {
            Choice::Command(command) => self.perform(command),
            // It has a screen of its own, and leads back here.
            Choice::Action { name: "demo", .. } => self.want(Effect::HandOver(vec!["demo".into()])),
            // Nobody knows their names by heart.
            Choice::Action { name: "template.apply", known } if !known.contains_key("name") => {
                self.want(Effect::Templates(known));
            }
            Choice::Action { name, known } => self.fill_in(name, known),
            Choice::Do(action) => self.ask(*action, false),
            Choice::Node(id) => self.go_to(&id),
            Choice::Copy { text, what } => {
                self.say(Tone::Plain, format!("copied {what}"), None);
                self.want(Effect::Copy(text));
            }
        }
    }

    /// Does an action if nothing more is to be said about it, else asks for the rest.
    fn fill_in(&mut self, name: &'static str, known: Map<String, Value>) {
        let Some(spec) = CATALOG.iter().find(|spec| spec.name == name) else { return };
        let form = Form::new(spec, known.clone(), self);
        match Action::from_json(name, known.into()) {
            Ok(action) if form.is_complete() => self.ask(action, false),
            _ => self.open(form),
        }
    }
}
