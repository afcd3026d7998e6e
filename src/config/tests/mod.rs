//! The configuration through its front door: a file, an environment, and what comes of them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Mistakes, Settings};
use crate::domain::{Answer, Claim, Comparison, Failure, Judge, Known, RawNotification, Reading};
use crate::providers::{
    Acknowledgement, Admission, Api, Built, Examination, Key, KeyError, KeyKind, Keys, Provider, ProviderKind,
};

mod credentials;
mod entries;
mod example;
mod ledger;
mod mistaken;
mod secrets;
mod settings;
mod wrong_file;
mod wrong_source;

/// A provider that is only there to be configured.
struct Configured;

impl Judge for Configured {
    fn compare(&self, _: &Claim, _: &Answer, _: &Known) -> Comparison {
        unreachable!("no answer is judged here")
    }
}

impl Provider for Configured {
    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "", content_type: None }
    }

    fn admit(&self, _: &RawNotification) -> Admission {
        Admission::Admitted
    }

    fn read(&self, _: &RawNotification) -> Reading {
        unreachable!("no notification is read here")
    }

    fn ask<'a>(&'a self, _: &'a Api, _: &'a Claim) -> BoxFuture<'a, Answer> {
        unreachable!("nothing is asked here")
    }

    fn ask_order<'a>(&'a self, _: &'a Api, _: &'a str) -> BoxFuture<'a, Answer> {
        unreachable!("nothing is asked here")
    }

    fn control<'a>(&'a self, _: &'a Api) -> BoxFuture<'a, Result<(), Failure>> {
        unreachable!("nothing is asked here")
    }

    fn examine<'a>(&'a self, _: &'a Api) -> BoxFuture<'a, Examination> {
        unreachable!("nothing is asked here")
    }
}

/// Complains of a token `unusable` and of a secret `unusable`, as a provider complains of a key that is no key.
fn build(keys: &Keys) -> Built {
    use secrecy::ExposeSecret as _;
    let complaints: Vec<_> = ["token", "client_secret", "private_key"]
        .into_iter()
        .filter(|key| keys.secrets(key).iter().any(|secret| secret.expose_secret() == "unusable"))
        .map(|key| KeyError { key, message: "is of no use; get another".to_owned() })
        .collect();
    if complaints.is_empty() { Ok(Arc::new(Configured)) } else { Err(complaints) }
}

const fn key(name: &'static str, kind: KeyKind, required: bool, example: &'static str) -> Key {
    Key { name, kind, required, example, default: None }
}

const fn shop(name: &'static str, keys: &'static [Key], api_base: &'static str) -> ProviderKind {
    ProviderKind {
        name,
        keys,
        default_api_base: api_base,
        default_rate_limit: "600/min",
        setup: "paste it into the panel",
        build,
    }
}

const ECWID_API: &str = "https://app.ecwid.com/api/v3";
const STORE_ID: Key = key("store_id", KeyKind::Id, true, "1003");
const TOKEN: Key = key("token", KeyKind::Secret, true, "\"secret_…\"");
const CLIENT_SECRET: Key = key("client_secret", KeyKind::Secret, false, "\"…\"");

static ECWID_ION: ProviderKind = shop("ecwid-ion", &[STORE_ID, TOKEN], ECWID_API);
static ECWID: ProviderKind = shop("ecwid", &[STORE_ID, TOKEN, CLIENT_SECRET], ECWID_API);
static KINGUIN: ProviderKind = shop(
    "kinguin",
    &[
        key("api_key", KeyKind::Secret, true, "\"…\""),
        key("secret", KeyKind::Secrets, false, "[\"new\", \"old\"]"),
    ],
    "https://gateway.kinguin.net/esa/api",
);
static MIDAS: ProviderKind = shop(
    "midas",
    &[
        key("merchant_id", KeyKind::Id, true, "\"m-1001\""),
        key("project_id", KeyKind::Id, true, "\"pr-77\""),
        key("private_key", KeyKind::Secret, true, "\"…\""),
        key("serial_no", KeyKind::Text, true, "\"0A1B\""),
        key("platform_cert_files", KeyKind::Files, false, "[\"platform.pem\"]"),
        key("check_signatures", KeyKind::Choice(&["both", "notifications", "answers"]), false, "\"both\""),
        key("auth_id_type", KeyKind::Text, false, "\"MERCHANT_ID\""),
        key("id_param", KeyKind::Text, false, "\"external_id\""),
        key("sign_query", KeyKind::Flag, false, "true"),
    ],
    "https://pay.midaspayment.com",
);

/// A folder with a configuration, and the files that it names.
struct ConfigFolder {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl ConfigFolder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn with_file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.path().join(name), content).unwrap();
        self
    }

    fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn load(&self, text: impl AsRef<[u8]>) -> Result<Settings, Mistakes> {
        let file = self.path().join("c.toml");
        fs::write(&file, text).unwrap();
        let environment = |name: &str| {
            let found = self.environment.iter().find(|(variable, _)| variable == name);
            found.map(|(_, value)| value.clone())
        };
        Settings::load_with(&[&ECWID_ION, &ECWID, &KINGUIN, &MIDAS], &file, &environment)
    }

    /// What is wrong with a text: one line each, without the folder.
    fn complaints(&self, text: impl AsRef<[u8]>) -> Vec<String> {
        let Err(mistakes) = self.load(text) else { return Vec::new() };
        let folder = self.path().display().to_string();
        for mistake in mistakes.iter().filter(|mistake| !mistake.key.is_empty()) {
            assert!(mistake.message.contains("(e.g. "), "{mistake:?}");
        }
        let lines = mistakes.to_string().replace(&format!("{folder}/"), "").replace(&folder, "FOLDER");
        lines.lines().map(str::to_owned).collect()
    }
}

/// A source with which nothing is wrong; it takes the lines after the text before it.
const SHOP: &str = "[sources.shop]\nprovider = \"ecwid\"\nstore_id = 1003\ntoken = \"hush\"\n";
