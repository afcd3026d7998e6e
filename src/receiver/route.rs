//! Parses the path of a request. This is done by hand, because a token may contain percent-encoded slashes, and no
//! other path may be normalised into an intake URL.

use percent_encoding::percent_decode_str;

/// A route of the intake listener.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/healthz`, which answers that the listener works.
    Health,
    /// A path below `/hooks/`; `None` if it does not have the form of an intake URL.
    Hooks(Option<IntakeUrl>),
    Nowhere,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct IntakeUrl {
    pub(super) source: String,
    /// The second part, if there is one; it may be empty.
    pub(super) token: Option<String>,
}

impl Route {
    /// Parses `path`, which has no query string. One trailing slash is ignored, because panels like to add
    /// it.
    pub(super) fn of(path: &str) -> Self {
        let mut segments = path.split('/');
        if segments.next() != Some("") {
            return Self::Nowhere;
        }
        let mut segments: Vec<&str> = segments.collect();
        if let [first, source, .., ""] = segments.as_slice()
            && decoded(first).as_deref() == Some("hooks")
            && !source.is_empty()
        {
            segments.pop();
        }
        match segments.split_first().and_then(|(first, rest)| Some((decoded(first)?, rest))) {
            Some((first, [])) if first == "healthz" => Self::Health,
            Some((first, [source])) if first == "hooks" => Self::Hooks(IntakeUrl::of(source, None)),
            Some((first, [source, token])) if first == "hooks" => {
                Self::Hooks(IntakeUrl::of(source, Some(token)))
            }
            Some((first, [_, ..])) if first == "hooks" => Self::Hooks(None),
            _ => Self::Nowhere,
        }
    }
}

impl IntakeUrl {
    fn of(source: &str, token: Option<&str>) -> Option<Self> {
        Some(Self {
            source: decoded(source)?,
            token: token.map_or(Some(None), |token| decoded(token).map(Some))?,
        })
    }
}

/// Decodes a percent-encoded segment; `None` if it is not UTF-8.
fn decoded(segment: &str) -> Option<String> {
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_but_for_one_slash_is_an_intake_url() {
        let url = |source: &str, token: Option<&str>| {
            Route::Hooks(Some(IntakeUrl { source: source.to_owned(), token: token.map(str::to_owned) }))
        };
        for (path, expected) in [
            ("/healthz", Route::Health),
            ("/healthz/", Route::Nowhere),
            ("/hooks/shop", url("shop", None)),
            ("/hooks/sh%6Fp", url("shop", None)),
            ("/%68ooks/shop", url("shop", None)),
            ("/hooks/shop/", url("shop", None)),
            ("/hooks/shop//", url("shop", Some(""))),
            ("/hooks/shop/t%2Fk", url("shop", Some("t/k"))),
            ("/hooks/shop/t%2Fk/", url("shop", Some("t/k"))),
            ("/hooks/shop/token//", Route::Hooks(None)),
            ("/hooks/shop/%FF", Route::Hooks(None)),
            ("/hooks/", url("", None)),
            ("/hooks//shop", url("", Some("shop"))),
            ("/hooks/shop/token/more", Route::Hooks(None)),
            ("/hooks", Route::Nowhere),
            ("//hooks/shop", Route::Nowhere),
            ("/hooks%2Fshop", Route::Nowhere),
            ("/Hooks/shop", Route::Nowhere),
            ("/", Route::Nowhere),
            ("", Route::Nowhere),
            ("*", Route::Nowhere),
        ] {
            assert_eq!(Route::of(path), expected, "{path}");
        }
    }
}
