//! TLS to the engine is verified, or there is none.

use std::sync::Arc;

use super::{Shop, assert_silent, settled};
use crate::support::postgres::{Postgres, give_away};

/// A certificate for `localhost` that signs itself, and its key.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn the_engines_certificate_is_verified_against_ca_file() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate_pem, key_pem) = certificate();
    let (other_pem, _) = certificate();
    let path = |name: &str| folder.path().join(name);
    for (name, text) in [("cert.pem", &certificate_pem), ("key.pem", &key_pem), ("other.pem", &other_pem)] {
        std::fs::write(path(name), text).unwrap();
    }
    // The program reads its own copies.
    let own = tempfile::tempdir().unwrap();
    std::fs::copy(path("cert.pem"), own.path().join("ca.pem")).unwrap();
    std::fs::copy(path("other.pem"), own.path().join("other.pem")).unwrap();
    for name in ["cert.pem", "key.pem"] {
        give_away(&path(name));
    }
    give_away(folder.path());
    let (cert, key) = (path("cert.pem").display().to_string(), path("key.pem").display().to_string());
    let settings = ["ssl=on".to_owned(), format!("ssl_cert_file={cert}"), format!("ssl_key_file={key}")];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let postgres = Arc::new(Postgres::start_with(&settings));
    let database = postgres.database();
    let (name, port) = (database.name(), postgres.addr().port());
    let url = format!("postgres://{name}@localhost:{port}/{name}");
    let keys = |url: &str, node: &str, ca: &str| {
        let ca = own.path().join(ca).display().to_string();
        database.keys_at(url, node) + &format!("\nca_file = \"{ca}\"")
    };
    let shop = Shop::new().ledger(&keys(&url, "right", "ca.pem"));
    let serve = shop.serve();
    shop.sell(&serve, 1, 1);
    database.wait_for(&settled("right"), "1");
    let encrypted = "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
                     WHERE a.application_name = 'countersign'";
    assert_eq!(database.value(encrypted).as_deref(), Some("t"));
    assert!(serve.stop().success());
    let by_address = format!("postgres://{name}@127.0.0.1:{port}/{name}?sslmode=verify-full");
    for (node, lines) in [
        ("another-ca", keys(&url, "another-ca", "other.pem")),
        ("another-name", keys(&by_address, "another-name", "ca.pem")),
        ("no-ca", database.keys_at(&format!("{url}?sslmode=require"), "no-ca")),
    ] {
        let shop = Shop::new().ledger(&lines);
        let serve = shop.serve();
        shop.sell(&serve, 1, 1);
        let line =
            serve.wait_for_line("it does not trust the engine", |line| line.contains("nothing is shipped"));
        assert!(line.contains("certificate"), "{node}: {line}");
        shop.wait_for_warning(Some("ledger_refused"));
        assert_silent(&serve);
        let count = format!("SELECT count(*) FROM countersign.nodes WHERE node = '{node}'");
        assert_eq!(database.value(&count).as_deref(), Some("0"));
    }
}

#[test]
fn without_tls_nothing_goes_beyond_private_networks() {
    let database = Postgres::shared().database();
    let name = database.name();
    for (url, why) in [
        // An address of the documentation: nothing may be sent there in plain.
        (
            format!("postgres://{name}@192.0.2.7/{name}?sslmode=disable"),
            "beyond this machine and private networks",
        ),
        (format!("{}?sslmode=require", database.url()), "the server does not support TLS"),
    ] {
        let shop = Shop::new().ledger(&database.keys_at(&url, "a"));
        let serve = shop.serve();
        shop.sell(&serve, 1, 1);
        serve.wait_for_line(why, |line| line.contains("nothing is shipped") && line.contains(why));
        assert_silent(&serve);
    }
}
