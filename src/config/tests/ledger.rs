//! Tests of the `[ledger]` table.

use super::{ConfigFolder, SHOP};
use crate::config::ShownValue;
use crate::domain::shipping::Included;

const URL: &str = "url = \"postgres://countersign@db.example.com/shop\"";

#[test]
fn a_ledger_needs_a_url_and_a_node_and_has_a_schema() {
    let config = ConfigFolder::new().with_variable("COUNTERSIGN_LEDGER_PASSWORD", "hunter2");
    let text =
        format!("[ledger]\n{URL}\nnode = \"a\"\ninclude = [\"raw\", \"body\"]\nca_file = \"ca.pem\"\n{SHOP}");
    let settings = config.load(text).unwrap();
    let ledger = settings.ledger.unwrap();
    assert_eq!((ledger.node.as_str(), ledger.schema.as_str()), ("a", "countersign"));
    assert_eq!(ledger.include, [Included::Body, Included::Raw].into());
    assert_eq!(ledger.ca_file, Some(config.path().join("ca.pem")));
    assert!(ledger.password.is_some());
    let password = settings.entries.iter().find(|entry| entry.key == "ledger.password").unwrap();
    assert_eq!(password.value, ShownValue::Secret);
    assert!(ConfigFolder::new().load(SHOP).unwrap().ledger.is_none());
}

#[test]
fn a_wrong_ledger_is_named_by_its_key_and_no_password_is_repeated() {
    for (lines, said) in [
        ("node = \"a\"", "ledger.url: is missing"),
        (URL, "ledger.node: is missing"),
        ("url = \"postgres://a:hunter2@db/shop\"\nnode = \"a\"", "ledger.url: holds a password"),
        ("url = \"mysql://a@db/shop\"\nnode = \"a\"", "ledger.url: must begin with postgres://"),
        (&format!("{URL}\nnode = \"A b\""), "ledger.node: is not a valid node name"),
        (&format!("{URL}\nnode = \"a\"\nschema = \"a.b\""), "ledger.schema: is not a valid schema name"),
        (&format!("{URL}\nnode = \"a\"\nschema = \"pg_toast\""), "ledger.schema: is not a valid schema name"),
        (&format!("{URL}\nnode = \"a\"\ninclude = [\"bodies\"]"), "ledger.include: entry 1 must be one of"),
        (&format!("{URL}\nnode = \"a\"\nhost = \"x\""), "ledger.host: unknown key"),
        (&format!("{URL}\nnode = \"a\"\npassword = \"\""), "ledger.password: is empty"),
    ] {
        let found = ConfigFolder::new().complaints(format!("[ledger]\n{lines}\n{SHOP}"));
        assert_eq!(found.len(), 1, "{lines}: {found:?}");
        assert!(found[0].contains(said), "{lines}: {found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
}
