//! How long it takes to look into a store, and to lease from it, that holds ten thousand, a million or ten million
//! notifications, a tenth of them pending. The stores are filled once (see `filled`) and kept in the target folder.
//!
//! `cargo bench --bench reports -- 10000 1000000` for stores of these sizes; without sizes all three, which takes 18 GB
//! and ten minutes for the filling. `-- fill` only fills them; `-- page` only times the views of the page, without a size
//! on ten million.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench that cannot go on has failed, and it prints"
)]

mod filled;
mod looks;
mod page;

use std::path::PathBuf;
use std::time::Duration;

use looks::{LOOKS, Look};
use page::Page;

/// Notifications in the stores.
const SIZES: [u32; 3] = [10_000, 1_000_000, 10_000_000];

fn main() {
    // Cargo adds --bench.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_page = words.iter().any(|word| word == "page");
    let mut sizes: Vec<u32> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = if is_page { vec![SIZES[2]] } else { SIZES.to_vec() };
    }
    let stores: Vec<_> = sizes.iter().map(|size| filled::store(*size)).collect();
    if words.iter().any(|word| word == "fill") {
        return;
    }
    println!("| ms |{}", sizes.iter().map(|size| format!(" {size} |")).collect::<String>());
    println!("|---|{}", "--:|".repeat(sizes.len()));
    if !is_page {
        print_looks(&stores);
    }
    let pages: Vec<Page> = stores.iter().map(|store| Page::on(store)).collect();
    for path in page::VIEWS {
        print_row(&format!("`{path}`"), pages.iter().map(|page| page.view(path)));
    }
}

fn print_looks(stores: &[PathBuf]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for (name, look) in LOOKS {
        let times = stores.iter().map(|store| match look {
            Look::Command(arguments) => looks::command(store, arguments),
            Look::Sql(sql) => looks::sql(store, sql),
            Look::Lease(most_in_list) => runtime.block_on(looks::lease(store, most_in_list)),
        });
        print_row(name, times);
    }
}

fn print_row(name: &str, times: impl Iterator<Item = Duration>) {
    println!("| {name} |{}", times.map(|time| format!(" {} |", milliseconds(time))).collect::<String>());
}

/// Three digits are more than a machine repeats.
fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
}
