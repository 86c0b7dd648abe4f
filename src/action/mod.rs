//! Everything a user, script or agent can ask for, defined once. Command line, JSON and the
//! reference docs are loops over [`CATALOG`].

pub mod add;
pub mod dep;
pub mod doctor;
pub mod extend;
pub mod fields;
pub mod fusion;
pub mod gate;
pub mod graph;
pub mod group;
pub mod history;
mod line;
pub mod mprocs;
pub mod open;
pub mod outcome;
pub mod place;
pub mod policy;
pub mod project;
pub mod prompt;
pub mod query;
pub mod requests;
pub mod review;
pub mod run;
pub mod schema;
pub mod step;
pub mod template;
mod txn;

use clap::{ArgMatches, Args, FromArgMatches as _};
use schemars::{JsonSchema, Schema};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub use txn::{Changed, NewPrompt, Txn};

use crate::{
    error::{Error, list},
    model,
};

/// What an action does, which is all that policy needs to know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// It only looks.
    Read,
    /// It changes the plan.
    Change,
    /// It takes something away.
    Destroy,
    /// It decides what a person has to decide.
    Decide,
    /// It makes steps run.
    Run,
    /// It ends what runs, or lets it go on for longer.
    Stop,
    /// A step says how it goes.
    Report,
}

/// One thing that can be asked for.
pub trait Act: Args + Clone + DeserializeOwned + JsonSchema + PartialEq + Serialize {
    /// `noun.verb`, or a word alone.
    const NAME: &'static str;
    /// What it does.
    const ACCESS: Access;
}

/// An action that is nothing but a change of the plan.
pub trait Change: Act {
    /// Changes the plan.
    fn apply(&self, txn: &mut Txn) -> Result<Changed, Error>;

    /// The step, gate or group it is about.
    fn target(&self) -> Option<String>;
}

/// A row of the catalog.
pub struct Spec {
    /// `noun.verb`, or a word alone.
    pub name: &'static str,
    /// What it does.
    pub access: Access,
    /// Adds its arguments and its help to a command.
    pub command: fn(clap::Command) -> clap::Command,
    /// The schema of its JSON form.
    pub schema: fn() -> Schema,
}

impl Spec {
    /// What it does, in a sentence.
    pub fn words(&self) -> String {
        let schema = (self.schema)();
        let words = schema.get("description").and_then(|words| words.as_str()).and_then(|words| words.lines().next());
        words.unwrap_or(self.name).to_owned()
    }
}

macro_rules! actions {
    (change { $($change:ident($change_args:ty),)* } other { $($other:ident($other_args:ty),)* }) => {
        /// An action with its arguments.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "each is documented where it is defined")]
        pub enum Action {
            $($change($change_args),)*
            $($other($other_args),)*
        }

        /// Every action, in help order.
        pub const CATALOG: &[Spec] = &[
            $(Spec {
                name: <$change_args as Act>::NAME,
                access: <$change_args as Act>::ACCESS,
                command: <$change_args as Args>::augment_args,
                schema: || schemars::schema_for!($change_args),
            },)*
            $(Spec {
                name: <$other_args as Act>::NAME,
                access: <$other_args as Act>::ACCESS,
                command: <$other_args as Args>::augment_args,
                schema: || schemars::schema_for!($other_args),
            },)*
        ];

        impl Action {
            /// Its name.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$change(_) => <$change_args as Act>::NAME,)*
                    $(Self::$other(_) => <$other_args as Act>::NAME,)*
                }
            }

            /// The action called `name` with the arguments of a command line.
            pub fn from_matches(name: &str, matches: &ArgMatches) -> Result<Self, clap::Error> {
                match name {
                    $(<$change_args as Act>::NAME => <$change_args>::from_arg_matches(matches).map(Self::$change),)*
                    $(<$other_args as Act>::NAME => <$other_args>::from_arg_matches(matches).map(Self::$other),)*
                    _ => Err(clap::Error::new(clap::error::ErrorKind::InvalidSubcommand)),
                }
            }

            /// The action called `name` with arguments in JSON, in `camelCase` or `snake_case`.
            pub fn from_json(name: &str, args: Value) -> Result<Self, Error> {
                match name {
                    $(<$change_args as Act>::NAME => parse(name, args).map(Self::$change),)*
                    $(<$other_args as Act>::NAME => parse(name, args).map(Self::$other),)*
                    _ => Err(Error::ActionUnknown {
                        action: name.into(),
                        nearest: model::nearest(name, CATALOG.iter().map(|spec| spec.name)),
                    }),
                }
            }

            /// The arguments in JSON.
            pub fn args(&self) -> Value {
                match self {
                    $(Self::$change(args) => to_value(args),)*
                    $(Self::$other(args) => to_value(args),)*
                }
            }

            /// Changes the plan; nothing if the action is something else than a change of the plan.
            pub fn change(&self, txn: &mut Txn) -> Option<Result<Changed, Error>> {
                match self {
                    $(Self::$change(args) => Some(args.apply(txn)),)*
                    $(Self::$other(_) => None,)*
                }
            }

            /// What a change of the plan is about.
            pub fn target(&self) -> Option<String> {
                match self {
                    $(Self::$change(args) => args.target(),)*
                    $(Self::$other(_) => None,)*
                }
            }

            /// Whether it is nothing but a change of the plan.
            pub const fn is_change(&self) -> bool {
                match self {
                    $(Self::$change(_) => true,)*
                    $(Self::$other(_) => false,)*
                }
            }
        }
    };
}

actions! {
    change {
        StepAdd(step::Add),
        StepEdit(step::Edit),
        StepRm(step::Rm),
        StepClone(step::CloneStep),
        StepMove(place::Move),
        DepAdd(dep::Add),
        DepRm(dep::Rm),
        GateInsert(gate::Insert),
        GateApprove(gate::Approve),
        GateBlock(gate::Block),
        GateReopen(gate::Reopen),
        GateRm(gate::Rm),
        ReviewAccept(review::Accept),
        ReviewReject(review::Reject),
        Skip(step::Skip),
        Reset(step::Reset),
        PromptSet(prompt::Set),
        Add(add::Add),
        Fuse(fusion::Fuse),
        FusionCreate(fusion::Create),
        GroupParallelize(group::Parallelize),
        GroupRm(group::Rm),
        TemplateApply(template::Apply),
    }
    other {
        Init(project::Init),
        Apply(project::Apply),
        Undo(history::Undo),
        Redo(history::Redo),
        Demo(project::Demo),
        StepList(query::StepList),
        StepShow(query::StepShow),
        GateList(query::GateList),
        PromptShow(prompt::Show),
        GroupList(group::List),
        TemplateList(template::List),
        TemplateShow(template::Show),
        PromptCompile(prompt::Compile),
        Status(query::Status),
        Attention(query::Attention),
        Graph(graph::Graph),
        Why(graph::Why),
        Validate(query::Validate),
        RunAll(run::All),
        RunRunnable(run::Runnable),
        RunStep(run::Steps),
        RunGroup(run::Group),
        RunFusion(run::Fusion),
        Attach(run::Attach),
        Wait(run::Wait),
        Stop(run::Stop),
        Extend(extend::Extend),
        Restart(run::Restart),
        Continue(review::Continue),
        Open(open::Open),
        Outcome(outcome::Report),
        Logs(query::Logs),
        Result(query::Answer),
        Diff(query::Diff),
        RunsList(query::RunsList),
        RunsShow(query::RunsShow),
        RunsPrune(run::Prune),
        Metrics(query::Metrics),
        RequestsList(requests::List),
        RequestsApprove(requests::Approve),
        RequestsDeny(requests::Deny),
        AuditTail(query::AuditTail),
        AuditList(query::AuditList),
        AuditVerify(query::AuditVerify),
        AuditHead(query::AuditHead),
        PolicyShow(policy::Show),
        PolicyCheck(policy::Check),
        PolicySetMode(policy::SetMode),
        Trust(policy::Trust),
        Schema(schema::Schema),
        Doctor(doctor::Doctor),
        MprocsOpen(mprocs::Open),
        MprocsSelect(mprocs::Select),
        MprocsStart(mprocs::Start),
        MprocsStop(mprocs::Stop),
        MprocsRestart(mprocs::Restart),
        MprocsSendKey(mprocs::SendKey),
        MprocsStatus(mprocs::Status),
        MprocsClose(mprocs::Close),
    }
}

impl Action {
    /// The row of the catalog.
    pub fn spec(&self) -> &'static Spec {
        CATALOG.iter().find(|spec| spec.name == self.name()).expect("the catalog has every action")
    }

    /// The action as an entry of `apply`: `{"action": "gate.approve", …fields}`.
    pub fn to_entry(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("action".into(), self.name().into());
        if let Value::Object(args) = self.args() {
            entry.extend(args);
        }
        entry.into()
    }

    /// The action of an entry of `apply`.
    pub fn from_entry(entry: Value) -> Result<Self, Error> {
        let invalid = |why: &str| Error::ActionInvalid { action: "apply".into(), why: why.into() };
        let Value::Object(mut fields) = entry else { return Err(invalid("each entry is an object with an `action`")) };
        match fields.shift_remove("action") {
            Some(Value::String(name)) => Self::from_json(&name, fields.into()),
            _ => Err(invalid("an entry has no `action`")),
        }
    }
}

fn to_value<T: Serialize>(args: &T) -> Value {
    serde_json::to_value(args).unwrap_or(Value::Null)
}

fn parse<T: Act>(name: &str, args: Value) -> Result<T, Error> {
    let invalid = |why: String| Error::ActionInvalid { action: name.into(), why };
    let fields = match args {
        Value::Object(fields) => fields,
        Value::Null => Map::new(),
        _ => return Err(invalid("expected an object".into())),
    };
    let schema = schemars::schema_for!(T);
    let known = schema.get("properties").and_then(Value::as_object);
    let mut renamed = Map::new();
    for (key, value) in fields {
        let name = camel(&key);
        if known.is_none_or(|known| !known.contains_key(&name)) {
            let names: Vec<&str> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let meant = match model::nearest(&name, names.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None if names.is_empty() => "it takes none".into(),
                None => format!("it takes {}", list(&names)),
            };
            return Err(invalid(format!("unknown field `{key}`; {meant}")));
        }
        renamed.insert(name, value);
    }
    serde_json::from_value(renamed.into()).map_err(|error| invalid(error.to_string()))
}

/// `depends_on` → `dependsOn`; what is camelCase already stays.
pub(crate) fn camel(key: &str) -> String {
    let mut words = key.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}
