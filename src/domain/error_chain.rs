//! The chain of an error and its sources.

use std::error::Error;

/// The last error of the chain: what happened, without the URL that an HTTP client's outer errors repeat.
#[must_use]
pub fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost
}
