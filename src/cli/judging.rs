//! The days to judge on, for commands that judge by the way.

use clap::Args;
use jiff::civil::Date;

use super::check::today;
use crate::check::Context;

/// What is assumed about the day. `check` has more.
#[derive(Debug, Args)]
pub(super) struct JudgingArguments {
    /// Judge as on this day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,

    /// The day on which the device was made
    #[arg(long, value_name = "YYYY-MM-DD")]
    made: Option<Date>,

    /// The day on which the device is or was sold
    #[arg(long, value_name = "YYYY-MM-DD")]
    sold: Option<Date>,
}

impl JudgingArguments {
    /// What is assumed.
    pub(super) fn context(&self) -> Context {
        Context { made: self.made, sold: self.sold, ..Context::on(self.as_of.unwrap_or_else(today)) }
    }
}
