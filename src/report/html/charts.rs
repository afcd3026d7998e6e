//! Charts as coordinates for the page's template. All lengths are in units of a drawing that scales to the page's
//! width.

use crate::domain::format::{length, number};
use crate::domain::statistics::{DayCounts, WAIT_BOUNDS_MS};
use crate::domain::{Counts, FindingKind};

/// The width of every drawing. It is about a phone's width in pixels, so that labels stay readable there.
const WIDTH: f64 = 320.0;

/// The height of the column chart, and the margins for its labels at the left, above and below.
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 38.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 22.0;

/// Half the width of the longest column label, `2026-01`.
const HALF_LABEL: f64 = 24.0;

/// Maximum number of columns; more would be too thin to see.
const MOST_COLUMNS: usize = 62;

/// Maximum number of labelled columns.
const MOST_LABELS: usize = 5;

/// Stacked columns over time.
#[derive(Debug)]
pub(super) struct ColumnChart {
    pub(super) height: f64,
    pub(super) columns: Vec<ChartColumn>,
    pub(super) grid: Vec<GridLine>,
    /// The unit of the columns: `day` or `month`.
    pub(super) period: &'static str,
}

#[derive(Debug)]
pub(super) struct ChartColumn {
    pub(super) x: f64,
    pub(super) width: f64,
    /// The centre of the label: that of the column, unless the label would leave the drawing.
    pub(super) label_x: f64,
    /// Empty if the neighbours' labels leave no room.
    pub(super) label: String,
    pub(super) parts: Vec<Part>,
}

/// The part of a column for one state.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) y: f64,
    pub(super) height: f64,
    /// The text that a pointer over the part shows.
    pub(super) title: String,
}

/// A horizontal grid line with its number.
#[derive(Debug)]
pub(super) struct GridLine {
    pub(super) y: f64,
    pub(super) label: String,
}

/// Horizontal bars with labels.
#[derive(Debug)]
pub(super) struct Bars {
    pub(super) height: f64,
    pub(super) bars: Vec<Bar>,
}

#[derive(Debug)]
pub(super) struct Bar {
    pub(super) class: &'static str,
    pub(super) label: String,
    pub(super) number: String,
    pub(super) y: f64,
    pub(super) text_y: f64,
    pub(super) width: f64,
    pub(super) end: f64,
}

/// The size of a part of a column.
pub(super) type Share = fn(&Counts) -> u64;

/// The parts of a column with their CSS classes, from the bottom.
pub(super) const PARTS: [(&str, Share); 5] = [
    ("confirmed", |counts| counts.confirmed),
    ("ignored", |counts| counts.ignored.saturating_sub(counts.fakes)),
    ("fake", |counts| counts.fakes),
    ("pending", |counts| counts.pending),
    ("undecided", |counts| counts.undecided),
];

/// Notifications over time by state; `periods` are the days or months, in order.
pub(super) fn columns(periods: &[(String, Counts)], period: &'static str) -> Option<ColumnChart> {
    let highest = periods.iter().map(|(_, counts)| counts.received).max().filter(|highest| *highest > 0)?;
    let step = grid_step(highest);
    let top = highest.div_ceil(step).saturating_mul(step);
    let floor = HEIGHT - BOTTOM;
    let unit = (floor - TOP) / real(top);
    let slot = (WIDTH - LEFT) / real(periods.len());
    let width = (slot * 0.8).min(40.0);
    let labelled = periods.len().div_ceil(MOST_LABELS);
    let column = |(index, (name, counts)): (usize, &(String, Counts))| {
        let middle = LEFT + slot * (real(index) + 0.5);
        let mut y = floor;
        let mut parts = Vec::new();
        for (class, of) in PARTS {
            let n = of(counts);
            if n > 0 {
                let height = real(n) * unit;
                y -= height;
                parts.push(Part { class, y, height, title: format!("{name}: {} {class}", number(n)) });
            }
        }
        let label_x = middle.min(WIDTH - HALF_LABEL);
        // The last label is moved left to stay in the drawing, and must not touch its neighbour.
        let has_room = slot * real(labelled) - (middle - label_x) > HALF_LABEL * 2.0;
        let label = if index % labelled == 0 && has_room { short(name) } else { String::new() };
        ChartColumn { x: middle - width / 2.0, width, label_x, label, parts }
    };
    let lines = (0..=top / step).map(|line| {
        let n = line.saturating_mul(step);
        GridLine { y: floor - real(n) * unit, label: number_in_short(n) }
    });
    Some(ColumnChart {
        height: HEIGHT,
        columns: periods.iter().enumerate().map(column).collect(),
        grid: lines.collect(),
        period,
    })
}

/// Every day from the first to the last; or, if there are too many, every month with data.
pub(super) fn periods(days: &[DayCounts], every_day: &[String]) -> (Vec<(String, Counts)>, &'static str) {
    let is_short = every_day.len() <= MOST_COLUMNS;
    let key = |day: &str| day.get(..if is_short { 10 } else { 7 }).unwrap_or(day).to_owned();
    let mut sums: Vec<(String, Counts)> = every_day.iter().map(|day| (key(day), Counts::default())).collect();
    sums.dedup_by(|next, before| next.0 == before.0);
    for day in days {
        if let Some((_, sum)) = sums.iter_mut().find(|(period, _)| *period == key(&day.day)) {
            sum.merge(day.counts);
        }
    }
    let most_recent = sums.split_off(sums.len().saturating_sub(MOST_COLUMNS));
    (most_recent, if is_short { "day" } else { "month" })
}

/// The times to verdict, by class.
pub(super) fn waits(classes: &[u64; WAIT_BOUNDS_MS.len() + 1]) -> Option<Bars> {
    let last = WAIT_BOUNDS_MS.last().copied().unwrap_or_default();
    let labels = WAIT_BOUNDS_MS
        .iter()
        .map(|bound| format!("up to {}", length(*bound)))
        .chain([format!("over {}", length(last))]);
    bars(labels.zip(classes).map(|(label, n)| (label, *n, "confirmed")).collect())
}

/// The findings by kind.
pub(super) fn kinds(totals: &[(FindingKind, u64)]) -> Option<Bars> {
    let colour = |kind: FindingKind| if kind.is_difference() { "undecided" } else { "fake" };
    bars(totals.iter().map(|(kind, n)| (kind.as_str().to_owned(), *n, colour(*kind))).collect())
}

fn bars(rows: Vec<(String, u64, &'static str)>) -> Option<Bars> {
    const ROW: f64 = 23.0;
    const LABELS: f64 = 90.0;
    const NUMBERS: f64 = 64.0;
    let highest = rows.iter().map(|(_, n, _)| *n).max().filter(|highest| *highest > 0)?;
    let height = ROW * real(rows.len()) + 2.0;
    let bar = |(index, (label, n, class)): (usize, (String, u64, &'static str))| {
        let y = ROW * real(index) + 4.0;
        let share = real(n) / real(highest);
        let width = if n > 0 { (share * (WIDTH - LABELS - NUMBERS)).max(2.0) } else { 0.0 };
        Bar { class, label, number: number(n), y, text_y: y + 12.5, width, end: LABELS + width + 6.0 }
    };
    Some(Bars { height, bars: rows.into_iter().enumerate().map(bar).collect() })
}

/// The distance between grid lines: 1, 2 or 5 times a power of ten, for at most four lines.
fn grid_step(highest: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if highest.div_ceil(step) <= 4 {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// `950`, `12k`, `3M`: short enough for the margin.
fn number_in_short(n: u64) -> String {
    match n {
        1_000_000.. if n.is_multiple_of(100_000) => decimal(n, 1_000_000, 'M'),
        1_000.. if n.is_multiple_of(100) => decimal(n, 1_000, 'k'),
        _ => number(n),
    }
}

fn decimal(n: u64, unit: u64, letter: char) -> String {
    match n % unit * 10 / unit {
        0 => format!("{}{letter}", number(n / unit)),
        tenth => format!("{}.{tenth}{letter}", number(n / unit)),
    }
}

/// `01-31` for a day; a month stays whole.
fn short(period: &str) -> String {
    if period.len() == 10 { period.get(5..).unwrap_or(period) } else { period }.to_owned()
}

/// A count as a length; exact up to 2^32.
fn real(n: impl TryInto<u32>) -> f64 {
    f64::from(n.try_into().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: &str, confirmed: u64) -> DayCounts {
        DayCounts {
            day: day.to_owned(),
            counts: Counts { received: confirmed, confirmed, ..Counts::default() },
            ..DayCounts::default()
        }
    }

    #[test]
    fn lines_across_are_round_numbers_and_few() {
        for (highest, step) in [(1, 1), (4, 1), (5, 2), (8, 2), (9, 5), (20, 5), (21, 10), (100_000, 50_000)]
        {
            assert_eq!(grid_step(highest), step, "{highest}");
        }
        assert!(grid_step(u64::MAX) > 0);
        for (n, shown) in [(0, "0"), (950, "950"), (1_500, "1.5k"), (20_000, "20k"), (2_500_000, "2.5M")] {
            assert_eq!(number_in_short(n), shown);
        }
    }

    #[test]
    fn days_without_anything_leave_a_gap_and_many_days_become_months() {
        let days = [day("2026-01-01", 3), day("2026-01-03", 5)];
        let every = ["2026-01-01", "2026-01-02", "2026-01-03"].map(str::to_owned).to_vec();
        let (periods, period) = periods(&days, &every);
        assert_eq!(periods.iter().map(|(_, counts)| counts.received).collect::<Vec<_>>(), [3, 0, 5]);
        let drawn = columns(&periods, period).unwrap();
        assert_eq!((drawn.columns.len(), drawn.period), (3, "day"));
        assert!(drawn.columns[1].parts.is_empty());
        let year: Vec<String> =
            (1..=12).flat_map(|m| (1..=28).map(move |d| format!("2026-{m:02}-{d:02}"))).collect();
        let (months, period) = super::periods(&days, &year);
        assert_eq!((months.len(), months[0].1.received, period), (12, 8, "month"));
    }

    #[test]
    fn everything_drawn_stays_inside() {
        let counts = Counts { received: 100_000, ignored: 100_000, fakes: 99_999, ..Counts::default() };
        let drawn = columns(&[("2026-01-01".to_owned(), counts)], "day").unwrap();
        for part in &drawn.columns[0].parts {
            assert!(part.y >= TOP - 0.01 && part.y + part.height <= HEIGHT - BOTTOM + 0.01, "{part:?}");
        }
        let drawn = kinds(&[(FindingKind::Missed, 1), (FindingKind::Fake, 1_000_000)]).unwrap();
        assert!(drawn.bars.iter().all(|bar| bar.width >= 2.0 && bar.end < WIDTH - 45.0), "{drawn:?}");
        assert!(kinds(&[(FindingKind::Missed, 0)]).is_none());
    }
}
