//! What config.yaml says of the screen.
