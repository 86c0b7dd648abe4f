//! Templates: parts of a plan with parameters, ours and the user's own.

mod builtin;
mod made;
mod parameter;
mod placeholder;

pub use builtin::BUILTIN;
pub use made::{Made, PromptText};
pub use parameter::{Item, Kind, Parameter, Scope, Template, Value};
pub use placeholder::{Part, parts, whole};
