//! The keys of a source.

use secrecy::SecretString;

use super::super::{ION, WEBHOOK};
use crate::providers::Keys;
use crate::providers::keys::KeyValue;

#[test]
fn a_store_is_named_by_digits_and_all_mistakes_are_told_at_once() {
    let mistakes = |keys: &Keys| match (WEBHOOK.build)(keys) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.key).collect(),
    };
    let mut keys = Keys::default();
    keys.set("store_id", KeyValue::Text("my-shop".to_owned()));
    assert_eq!(mistakes(&keys), ["store_id", "token"]);
    keys.set("store_id", KeyValue::Text("1003".to_owned()));
    keys.set("token", KeyValue::Secrets(vec![SecretString::from("secret_test")]));
    assert!(mistakes(&keys).is_empty());
    assert!((ION.build)(&keys).is_ok());
    keys.set("token", KeyValue::Secrets(vec![SecretString::from("secret_\ntest")]));
    assert_eq!(mistakes(&keys), ["token"]);
}
