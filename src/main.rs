//! The program: the command line in, an exit code out. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign::cli::run(std::env::args_os()).into()
}
