//! A pooler in transaction mode: each transaction may be another session's.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{Shop, assert_same, settled};
use crate::support::postgres::{Database, PASSWORD, Postgres, as_other_user, free_port, give_away, program};

/// PgBouncer before one database, with so many sessions for all that come; killed when dropped.
struct Pooler {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Pooler {
    fn start(database: &Database, sessions: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (name, port, engine) = (database.name(), free_port(), database.postgres().addr().port());
        let users = folder.path().join("users.txt");
        fs::write(&users, format!("\"{name}\" \"{PASSWORD}\"\n")).expect("its users");
        let settings = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n{name} = host=127.0.0.1 port={engine} dbname={name} user={name} password={PASSWORD}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n\
             auth_file = {}\npool_mode = transaction\ndefault_pool_size = {sessions}\nserver_round_robin = 1\n",
            users.display(),
        );
        fs::write(&settings, text).expect("its settings");
        give_away(&users);
        give_away(&settings);
        give_away(folder.path());
        let mut command = as_other_user(&program("pgbouncer", "pgbouncer"));
        let process = command.arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let pooler = Self { process: process.expect("it starts"), port, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "PgBouncer does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn behind_a_pooler_in_transaction_mode_two_nodes_share_sessions_and_ship_everything() {
    let database = Postgres::shared().database();
    let pooler = Pooler::start(&database, 2);
    let url = database.url_at(([127, 0, 0, 1], pooler.port).into());
    let shops = ["a", "b"].map(|node| Shop::new().ledger(&database.keys_at(&url, node)));
    let serves = shops.each_ref().map(Shop::serve);
    for n in 1..=10 {
        for (shop, serve) in shops.iter().zip(&serves) {
            shop.tell(serve, n);
        }
    }
    for (node, (shop, serve)) in ["a", "b"].into_iter().zip(shops.iter().zip(&serves)) {
        database.wait_for(&settled(node), "10");
        assert_same(shop, &database, node);
        assert!(!serve.log().contains("nothing is shipped"), "{}", serve.log());
    }
    for serve in serves {
        assert!(serve.stop().success());
    }
}
