//! Shops that answer without end, without sense or without haste: each call ends in time and within bounds, and what other
//! shops are asked goes on meanwhile.

mod answers;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::support::{Serve, TestEnv, paid, raw_shop};
use answers::ANSWERS;

/// 256 MiB of zeros, packed a thousandfold.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut gzip =
        Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut zeros = gzip.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for _ in 0..256 {
            zeros.write_all(&[0; 1024 * 1024]).unwrap();
        }
    });
    let packed = gzip.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    packed
});

/// How many true notifications the shop sends that behaves.
const TRUE: u64 = 20;

#[test]
fn hostile_answers_end_within_bounds_and_other_shops_are_asked_meanwhile() {
    LazyLock::force(&BOMB);
    let addr = raw_shop::start(ANSWERS);
    let mut env = TestEnv::new()
        .verify("timeout = \"1s\"\nretry_base = \"30s\"\nretry_cap = \"30s\"")
        .ion_shop("good", 1003, TRUE);
    for n in 0..ANSWERS.len() {
        let lines = format!(
            "provider = \"ecwid-ion\"\nstore_id = 1003\ntoken = \"t\"\napi_base = \"http://{addr}/{n}\"\n"
        );
        env = env.source(&format!("bad-{n}"), &lines);
    }
    let serve = env.serve();
    for n in 0..ANSWERS.len() {
        assert_eq!(serve.post(&format!("bad-{n}"), paid(1003, "o.1")).status, 200);
    }
    let begun = Instant::now();
    let hostile = i64::try_from(ANSWERS.len()).unwrap();
    for n in 1..=TRUE {
        assert_eq!(serve.post("good", paid(1003, &format!("o.{n}"))).status, 200);
    }
    for n in 1..=i64::try_from(TRUE).unwrap() {
        serve.settled(hostile + n);
        assert_eq!(env.row(hostile + n).state, "confirmed");
    }
    let took = begun.elapsed();
    for (id, (name, _)) in (1..).zip(ANSWERS) {
        assert_not_believed(&serve, &env, id, name);
    }
    let memory = serve.most_memory();
    println!(
        "hostile shops: {} answers, {TRUE} true notifications of another shop confirmed beside them in {took:?}, at \
         most {memory} MiB",
        ANSWERS.len()
    );
    assert!(took < Duration::from_secs(28), "the other shop waited {took:?}");
    assert!(memory < 250, "{memory} MiB");
    assert!(!serve.log().contains("panicked"));
}

#[track_caller]
fn assert_not_believed(serve: &Serve, env: &TestEnv, id: i64, name: &str) {
    serve.wait_for_line(name, |line| {
        line.contains(&format!("notification={id} ")) && line.contains("pending=api_")
    });
    let row = env.row(id);
    assert_eq!(row.state, "pending", "{name}: {row:#?}");
    let reason = row.reason.as_deref().unwrap_or_default();
    assert!(matches!(reason, "api_error" | "api_unreachable"), "{name}: {row:#?}");
    let longest =
        env.value(&format!("SELECT max(latency_ms) FROM verifications WHERE notification_id = {id}"));
    let longest: u64 = longest.and_then(|ms| ms.parse().ok()).unwrap_or(0);
    assert!(longest < 4000, "{name} took {longest} ms");
}
