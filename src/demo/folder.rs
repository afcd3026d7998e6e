//! The folder that the demo leaves: its configuration, the keys, and the store.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::DemoSource;
use super::shops::{BRANCH_STORE, DemoShops};
use super::targets::Targets;
use crate::simulator::samples::{ECWID_STORE, ECWID_TOKEN, KINGUIN_KEY, MIDAS_MERCHANT, MIDAS_PROJECT};

/// The app's client secret, which signs Ecwid's webhooks; taken from the example in Ecwid's documentation.
pub(super) const CLIENT_SECRET: &str = "test_client_secret_1";
/// The path token of the formats without signatures.
pub(super) const PATH_TOKEN: &str = "k3Vq8mZtR2";
/// Kinguin's shared secret, as in the recordings.
const SHARED_SECRET: &str = "example-shared-secret";

/// The settings of a demo. A real shop's API may take a minute to show an order; a simulated one gets two seconds.
const SETTINGS: &str = r#"# Written by `countersign demo`: the shops and the targets of the actions were simulated, and are gone.
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
drain = "2s"

[store]
path = "countersign.db"
min_free = "16MiB"

[verify]
grace = "2s"
retry_base = "300ms"
retry_cap = "600ms"
timeout = "5s"
"#;

/// The folder of one demo.
pub(super) struct Folder {
    config: PathBuf,
    store: PathBuf,
}

impl Folder {
    /// Creates a folder that only this user can open, with a configuration for these shops and targets.
    pub(super) fn create(shops: &DemoShops, targets: &mut Targets) -> anyhow::Result<Self> {
        let path = make().context(
            "cannot create a temporary folder; set TMPDIR to a folder that you may \
            write to",
        )?;
        let write = |name: &str, text: &str| {
            let file = path.join(name);
            write_private(&file, text).with_context(|| format!("cannot write {}", file.display()))
        };
        write("merchant.pem", &shops.midas.private_key_pem()?)?;
        write("platform.pem", &shops.midas.platform_public_key_pem()?)?;
        write("countersign.toml", &(configuration(shops) + &targets.configuration(&path)))?;
        Ok(Self { config: path.join("countersign.toml"), store: path.join("countersign.db") })
    }

    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    pub(super) fn store(&self) -> &Path {
        &self.store
    }
}

/// Creates a new folder, and leaves one of an earlier process with the same id alone.
fn make() -> std::io::Result<PathBuf> {
    let name = format!("countersign-demo-{}", std::process::id());
    let names = std::iter::once(name.clone()).chain((2..100).map(|n| format!("{name}-{n}")));
    for path in names.map(|name| std::env::temp_dir().join(name)) {
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}

fn configuration(shops: &DemoShops) -> String {
    let mut text = SETTINGS.to_owned();
    for source in DemoSource::ALL {
        text += &format!("\n[sources.{}]\nprovider = \"{}\"\n", source.name(), source.provider());
        text += &match source {
            DemoSource::OldShop => ecwid(ECWID_STORE, &shops.main.ecwid_base(), "path_token", PATH_TOKEN),
            DemoSource::Shop => ecwid(ECWID_STORE, &shops.main.ecwid_base(), "client_secret", CLIENT_SECRET),
            DemoSource::Branch => {
                ecwid(BRANCH_STORE, &shops.branch.ecwid_base(), "client_secret", CLIENT_SECRET)
            }
            DemoSource::OldKeys => kinguin(&shops.main.kinguin_base(), "path_token", PATH_TOKEN),
            DemoSource::Keys => kinguin(&shops.main.kinguin_base(), "secret", SHARED_SECRET),
            DemoSource::Game => format!(
                "merchant_id = \"{MIDAS_MERCHANT}\"\nproject_id = \"{MIDAS_PROJECT}\"\n\
                 private_key_file = \"merchant.pem\"\nserial_no = \"{}\"\n\
                 platform_cert_files = [\"platform.pem\"]\napi_base = \"{}\"\n",
                shops.midas.serial_no(),
                shops.main.midas_base()
            ),
        };
        text += "rate_limit = \"50/s\"\n";
    }
    text
}

fn ecwid(store_id: u64, api_base: &str, key: &str, secret: &str) -> String {
    format!(
        "store_id = {store_id}\ntoken = \"{ECWID_TOKEN}\"\n{key} = \"{secret}\"\napi_base = \"{api_base}\"\n"
    )
}

fn kinguin(api_base: &str, key: &str, secret: &str) -> String {
    format!("api_key = \"{KINGUIN_KEY}\"\n{key} = \"{secret}\"\napi_base = \"{api_base}\"\n")
}
