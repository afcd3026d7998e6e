//! The options for a window of time: `--since`, or `--from` and `--to`.

use std::time::Duration;

use super::{CommandError, args};
use crate::domain::{Timestamp, Window};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Default, clap::Args)]
pub(super) struct WindowArgs {
    /// Start of the window: an age (24h), an RFC 3339 time or a date (UTC)
    #[arg(long, value_name = "24h", value_parser = args::since, conflicts_with_all = ["from", "to"])]
    since: Option<Timestamp>,
    /// Start of the window: an RFC 3339 time or a date (UTC)
    #[arg(long, value_name = "T", value_parser = args::instant)]
    from: Option<Timestamp>,
    /// End of the window (exclusive): an RFC 3339 time or a date (UTC)
    #[arg(long, value_name = "T", value_parser = args::instant)]
    to: Option<Timestamp>,
}

impl WindowArgs {
    /// The window. It ends at `until` if no end is given, and is 24 hours long if no start is given.
    pub(super) fn window(&self, until: Timestamp) -> Result<Window, CommandError> {
        let to = self.to.unwrap_or(until);
        let from = self.since.or(self.from).unwrap_or_else(|| to.minus(DAY));
        if from >= to { Err(empty(from, to)) } else { Ok(Window { from, to }) }
    }

    /// The start and the end, if given.
    pub(super) fn ends(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), CommandError> {
        match (self.since.or(self.from), self.to) {
            (Some(from), Some(to)) if from >= to => Err(empty(from, to)),
            ends => Ok(ends),
        }
    }
}

fn empty(from: Timestamp, to: Timestamp) -> CommandError {
    let line = format!("the window from {from} to {to} is empty; --from must be before --to");
    CommandError::Usage(vec![line])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        args::instant(text).unwrap()
    }

    #[test]
    fn a_window_is_the_last_day_unless_told_otherwise() {
        let now = at("2026-01-05T12:00:00Z");
        let args = WindowArgs::default();
        assert_eq!(args.window(now).unwrap(), Window { from: at("2026-01-04T12:00:00Z"), to: now });
        let until = WindowArgs { to: Some(at("2026-01-03")), ..WindowArgs::default() };
        assert_eq!(
            until.window(now).unwrap(),
            Window { from: at("2026-01-02T00:00:00Z"), to: at("2026-01-03T00:00:00Z") }
        );
        let from = WindowArgs { from: Some(at("2026-01-01")), ..WindowArgs::default() };
        assert_eq!(from.window(now).unwrap(), Window { from: at("2026-01-01"), to: now });
        let future = WindowArgs { since: Some(at("2026-01-06")), ..WindowArgs::default() };
        assert!(future.window(now).is_err());
    }
}
