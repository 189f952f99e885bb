//! The command line: one subcommand, one file. Only this layer prints, and reads arguments, environment and the clock.
