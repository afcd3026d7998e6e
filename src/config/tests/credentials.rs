//! Secrets as credentials of the service manager.

use super::{ConfigFolder, SHOP};
use crate::config::ValueOrigin;

const KEYS: &str = "[sources.my-keys]\nprovider = \"kinguin\"\n";

impl ConfigFolder {
    /// With the desk's folder as that of the credentials.
    fn with_credentials(self) -> Self {
        let folder = self.path().display().to_string();
        self.with_variable("CREDENTIALS_DIRECTORY", &folder)
    }
}

#[test]
fn a_credential_named_after_source_and_key_stands_for_a_secret() {
    let config = ConfigFolder::new().with_credentials();
    let config = config
        .with_file("sources.my-keys.api_key", "hush\n")
        .with_file("sources.my-keys.secret", "new\nold\n");
    let settings = config.load(KEYS).unwrap();
    let origin = |key: &str| {
        let key = format!("sources.my-keys.{key}");
        settings.entries.iter().find(|entry| entry.key == key).map(|entry| entry.origin.clone())
    };
    let file = config.path().join("sources.my-keys.api_key");
    assert_eq!(origin("api_key"), Some(ValueOrigin::Credential(file)));
    assert!(matches!(origin("secret"), Some(ValueOrigin::Credential(_))));
    assert_eq!(origin("path_token"), Some(ValueOrigin::Default));
    assert!(
        ConfigFolder::new().with_file("sources.my-keys.api_key", "hush").load(KEYS).is_err(),
        "no credentials here"
    );
}

#[test]
fn a_credential_wins_over_the_file_and_the_environment_over_both() {
    let config = ConfigFolder::new().with_credentials().with_file("sources.shop.token", "hush");
    assert_eq!(config.complaints(SHOP.replace("hush", "unusable")), [""; 0]);
    let config = config.with_file("sources.shop.token", "unusable");
    assert_eq!(
        config.complaints(SHOP),
        [
            "c.toml: sources.shop.token: the value of the credential sources.shop.token: is of no use; get another (e.g. \
          token = \"secret_…\")"
        ]
    );
    let config = config.with_variable("COUNTERSIGN_SOURCES_SHOP_TOKEN", "hush");
    assert_eq!(config.complaints(SHOP), [""; 0]);
}

#[test]
fn a_path_may_begin_with_the_folder_of_the_credentials() {
    let text = SHOP.replace("token = \"hush\"", "token_file = \"$CREDENTIALS_DIRECTORY/shop-token\"");
    let config = ConfigFolder::new().with_credentials().with_file("shop-token", "hush\n");
    assert_eq!(config.complaints(&text), [""; 0]);
    assert_eq!(
        ConfigFolder::new().complaints(&text),
        [
            "c.toml:4: sources.shop.token_file: begins with $CREDENTIALS_DIRECTORY, which is not set; systemd sets it for a \
          unit with LoadCredential= (e.g. token_file = \"/etc/countersign/secret\")"
        ]
    );
}

#[test]
fn a_credential_that_is_no_secret_is_a_mistake_and_no_name_leads_out_of_the_folder() {
    for (content, wrong) in [("", "is empty; write the file"), ("\n", "is empty; write the secret")] {
        let config = ConfigFolder::new().with_credentials().with_file("sources.shop.token", content);
        assert_eq!(
            config.complaints(SHOP),
            [format!(
                "c.toml: sources.shop.token: the credential sources.shop.token (sources.shop.token) {wrong}, or \
                 remove it (e.g. LoadCredential=sources.shop.token:/etc/countersign/secrets/shop-token)"
            )]
        );
    }
    let config = ConfigFolder::new().with_credentials().with_file("token", "hush");
    let said = config.complaints("[sources.\"/../../x\"]\nprovider = \"ecwid\"\nstore_id = 1\n");
    assert_eq!(said.len(), 2, "{said:?}");
}
