//! Decides where shipping to the ledger continues after each connection.

use crate::domain::shipping::Position;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// Continue after this position.
    From(Position),
    /// The ledger lacks rows that it had confirmed, or has rows that the file never had: fill it from the
    /// start.
    FillAgain,
}

/// Decides. `there` is the ledger's position for this file, `here` the position that it last confirmed;
/// `is_begun`: whether it confirmed anything of the present filling; `end`: the end of the file.
#[must_use]
pub fn resume(there: Option<&Position>, here: &Position, is_begun: bool, end: &Position) -> Resumed {
    match there {
        // The ledger committed a batch, but the confirmation was lost.
        Some(there) if there.is_at_least(here) && end.gave(there) => Resumed::From(there.clone()),
        _ if !is_begun => Resumed::From(here.clone()),
        _ => Resumed::FillAgain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shipping::Fill;

    #[test]
    fn shipping_goes_on_where_the_ledger_is_unless_it_and_the_file_do_not_fit() {
        let at = |generation: i64, id: i64| Position {
            generation,
            log: id,
            notifications: id,
            news: id,
            ..Position::default()
        };
        let end = Position { fill: Fill::done(), ..at(3, 100) };
        let from = |position: Position| Resumed::From(position);
        for (what, there, is_begun, wanted) in [
            ("as confirmed", Some(at(3, 50)), true, from(at(3, 50))),
            ("committed and not told", Some(at(3, 60)), true, from(at(3, 60))),
            ("all of the file", Some(at(3, 100)), true, from(at(3, 100))),
            ("an older dump", Some(at(3, 40)), true, Resumed::FillAgain),
            ("behind in one table", Some(Position { news: 49, ..at(3, 60) }), true, Resumed::FillAgain),
            ("an older file", Some(at(3, 101)), true, Resumed::FillAgain),
            ("of an earlier filling", Some(at(2, 60)), true, Resumed::FillAgain),
            ("of a later filling", Some(at(4, 60)), true, Resumed::FillAgain),
            ("empty", None, true, Resumed::FillAgain),
            ("empty, and nothing was shipped", None, false, from(at(3, 50))),
            ("of an earlier filling, and nothing was shipped", Some(at(2, 60)), false, from(at(3, 50))),
            ("the first batch, not told", Some(at(3, 60)), false, from(at(3, 60))),
        ] {
            assert_eq!(resume(there.as_ref(), &at(3, 50), is_begun, &end), wanted, "{what}");
        }
    }
}
