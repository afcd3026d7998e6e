//! A recorded notification: a file under `data/`, built into the program.

/// A file under `data/`: a body, or a request with its head (`.http`).
#[derive(Clone, Copy, Debug)]
pub struct Recording {
    /// The path in the repository.
    pub file: &'static str,
    pub(super) text: &'static str,
}

/// The recording in `data/` with this path.
macro_rules! recording {
    ($path:literal) => {
        $crate::demo::recording::Recording {
            file: concat!("data/", $path),
            text: include_str!(concat!("../../data/", $path)),
        }
    };
}

pub(super) use recording;

impl Recording {
    /// The recorded headers; empty if only the body was recorded.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let head = self.head_and_body().map_or("", |(head, _)| head);
        head.lines().skip(1).filter_map(|line| line.split_once(": "))
    }

    /// The body, byte for byte.
    pub(super) fn body(&self) -> &'static str {
        self.head_and_body().map_or(self.text, |(_, body)| body)
    }

    fn head_and_body(&self) -> Option<(&'static str, &'static str)> {
        self.text.starts_with("POST ").then(|| self.text.split_once("\n\n")).flatten()
    }
}
