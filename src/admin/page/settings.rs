//! The settings in force, secrets masked, and the intake URLs.

use askama::Template;

use super::ViewResult;
use super::frame::{Frame, LIST, fitting, weight};
use crate::admin::Admin;

#[derive(Template)]
#[template(path = "admin/page/settings.html")]
struct View {
    frame: Frame,
    urls: Vec<(String, String)>,
    settings: Vec<Setting>,
    left_out: usize,
}

struct Setting {
    key: String,
    value: String,
    origin: &'static str,
}

impl Setting {
    /// Maximum size, in bytes of HTML.
    fn weight(&self) -> usize {
        200 + weight(&self.key) + weight(&self.value) + weight(self.origin)
    }
}

pub(super) fn show(admin: &Admin) -> ViewResult {
    let settings = &admin.settings;
    let url = |source: &crate::config::Source| {
        let token = if source.path_token.is_some() { "/…" } else { "" };
        (source.name.clone(), format!("https://YOUR-DOMAIN/hooks/{}{token}", source.name))
    };
    let setting = |entry: &crate::config::Entry| Setting {
        key: entry.key.clone(),
        value: entry.value.to_string(),
        origin: entry.origin.word(),
    };
    let urls: Vec<(String, String)> = settings.sources.iter().map(url).collect();
    let (urls, urls_left_out) = fitting(urls, LIST / 3, |(name, url)| 60 + weight(name) + weight(url));
    let (settings, left_out) =
        fitting(settings.entries.iter().map(setting).collect(), LIST / 3 * 2, Setting::weight);
    let view =
        View { frame: Frame::new(admin, "/settings"), urls, settings, left_out: left_out + urls_left_out };
    Ok(view.render()?)
}
