//! A folder without a project, and a plan without steps.
