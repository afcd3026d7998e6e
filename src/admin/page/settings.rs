//! The settings in force, secrets masked, and the intake URLs.

use askama::Template;

use super::Shown;
use super::frame::Frame;
use crate::admin::Admin;

#[derive(Template)]
#[template(path = "admin/page/settings.html")]
struct View {
    frame: Frame,
    urls: Vec<(String, String)>,
    settings: Vec<Setting>,
}

struct Setting {
    key: String,
    value: String,
    origin: &'static str,
}

pub(super) fn show(admin: &Admin) -> Shown {
    let settings = &admin.settings;
    let url = |source: &crate::config::Source| {
        let token = if source.path_token.is_some() { "/…" } else { "" };
        (source.name.clone(), format!("https://YOUR-HOST/hooks/{}{token}", source.name))
    };
    let setting = |entry: &crate::config::Entry| Setting {
        key: entry.key.clone(),
        value: entry.value.to_string(),
        origin: entry.origin.word(),
    };
    let view = View {
        frame: Frame::new(admin, "/settings"),
        urls: settings.sources.iter().map(url).collect(),
        settings: settings.entries.iter().map(setting).collect(),
    };
    Ok(view.render()?)
}
