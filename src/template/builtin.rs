//! The templates that come with `seqctl`, one for each thread type.

/// Their names and texts, written like the user's own.
pub const BUILTIN: &[(&str, &str)] = &[
    ("base", include_str!("base.yaml")),
    ("parallel", include_str!("parallel.yaml")),
    ("chained", include_str!("chained.yaml")),
    ("fusion", include_str!("fusion.yaml")),
    ("orchestrated", include_str!("orchestrated.yaml")),
    ("long-autonomy", include_str!("long-autonomy.yaml")),
];
