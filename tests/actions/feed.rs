//! The feed: JSON Lines, and events that go on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::{announce, sell};
use crate::news::{about_product, env, mug, tell};
use crate::support::{Request, Serve, countersign};

fn lines(serve: &Serve, path: &str) -> Vec<Value> {
    let page = serve.admin_page(path);
    assert_eq!(page.status, 200, "{page:?}");
    page.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn seqs(lines: &[Value]) -> Vec<i64> {
    lines.iter().map(|line| line["data"]["seq"].as_i64().unwrap()).collect()
}

#[test]
fn the_feed_is_json_lines_oldest_first_by_after_limit_and_source() {
    let (env, store) = env();
    let serve = env.serve();
    for n in 1..=3 {
        sell(&serve, &store, n, i64::try_from(n).unwrap());
    }
    store.put_product(mug());
    tell(&serve, about_product("product.updated", 9001, "p"), 4);
    let all = lines(&serve, "/news");
    assert_eq!(seqs(&all), [1, 2, 3, 4]);
    let keys: Vec<&String> = all[0]["data"].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "seq",
            "notification_id",
            "source",
            "provider",
            "event",
            "origin",
            "subject_kind",
            "subject_id",
            "current",
            "previous"
        ]
    );
    assert_eq!((&all[0]["type"], &all[3]["type"]), (&"order.changed".into(), &"product.changed".into()));
    assert_eq!(env.value("SELECT at FROM news WHERE seq = 1").as_deref(), all[0]["timestamp"].as_str());
    assert_eq!(seqs(&lines(&serve, "/news?after=1&limit=2&source=shop")), [2, 3]);
    assert_eq!(lines(&serve, "/news?after=4"), [] as [Value; 0]);
    let output = env.run(&["news", "--json", "--after", "2"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, serve.admin_page("/news?after=2").text());
}

#[test]
fn bad_parameters_and_unknown_sources_are_400() {
    let (env, _store) = env();
    let serve = env.serve();
    for query in [
        "limit=1001",
        "limit=0",
        "limit=x",
        "after=-1",
        "after=",
        "after=1&after=2",
        "source=nope",
        "offset=1",
    ] {
        let page = serve.admin_page(&format!("/news?{query}"));
        assert_eq!(page.status, 400, "{query}: {page:?}");
    }
    assert_eq!(Request::post("/news").send(serve.admin).status, 405);
    assert_eq!(serve.admin_page("/news?limit=1000&after=0&source=shop").status, 200);
}

#[test]
fn after_a_prune_an_older_after_is_410_with_the_oldest_kept() {
    let (env, store) = env();
    let serve = env.serve();
    for n in 1..=2 {
        sell(&serve, &store, n, i64::try_from(n).unwrap());
    }
    assert!(env.run(&["prune", "--older-than", "0s"]).status.success());
    sell(&serve, &store, 3, 3);
    let page = serve.admin_page("/news?after=1");
    assert_eq!(page.status, 410);
    let said: Value = serde_json::from_str(&page.text()).unwrap();
    assert_eq!((&said["oldest"], &said["removed"]), (&3.into(), &2.into()));
    assert_eq!(seqs(&lines(&serve, "/news?after=0")), [3]);
    assert_eq!(seqs(&lines(&serve, "/news?after=2")), [3]);
    assert_eq!(env.run(&["news", "--after", "1"]).status.code(), Some(1));
}

/// An open stream of events.
struct Stream(BufReader<TcpStream>);

impl Stream {
    fn open(serve: &Serve, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(serve.admin).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{headers}\r\n"
        )
        .unwrap();
        let mut stream = Self(BufReader::new(stream));
        let head = stream.until("\r\n");
        assert!(
            head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("text/event-stream"),
            "{head}"
        );
        stream
    }

    /// Reads up to and with this line; what came until the end where it does not come.
    fn until(&mut self, wanted: &str) -> String {
        let mut read = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return read;
            }
            read += &line;
            if line == wanted {
                return read;
            }
        }
    }

    /// The next event: its id, type and data.
    fn event(&mut self) -> (i64, String, Value) {
        let (mut id, mut kind) = (0, String::new());
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(value) = line.strip_prefix("id: ") {
                id = value.trim().parse().unwrap();
            } else if let Some(value) = line.strip_prefix("event: ") {
                kind = value.trim().to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                return (id, kind, serde_json::from_str(data).unwrap());
            }
        }
    }
}

#[test]
fn a_stream_goes_on_as_news_arrives_and_last_event_id_goes_before_after() {
    let (env, store) = env();
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    sell(&serve, &store, 2, 2);
    let mut all = Stream::open(&serve, "/news", "");
    let mut rest = Stream::open(&serve, "/news?after=0&limit=1", "Last-Event-ID: 1\r\n");
    assert_eq!(all.event().0, 1);
    assert_eq!(all.event().0, 2);
    let (id, kind, data) = rest.event();
    assert_eq!((id, kind.as_str(), &data["data"]["seq"]), (2, "order.changed", &2.into()));
    sell(&serve, &store, 3, 3);
    assert_eq!((all.event().0, rest.event().0), (3, 3), "limit does not apply");
    // News that another process writes comes too.
    store.put_order(crate::news::order(4));
    assert_eq!(env.run(&["reconcile", "--since", "1h", "--recover"]).status.code(), Some(3));
    assert_eq!(all.event().0, 4);
    let begun = std::time::Instant::now();
    assert!(serve.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(8), "a stream ends at once on a stop");
}

#[test]
fn a_comment_is_sent_every_15_s() {
    let (env, _store) = env();
    let serve = env.serve();
    let mut stream = Stream::open(&serve, "/news", "");
    let mut comments = Vec::new();
    for _ in 0..2 {
        let read = stream.until(": countersign\n");
        assert!(read.contains(": countersign"), "{read}");
        comments.push(std::time::Instant::now());
    }
    let pause = comments[1].duration_since(comments[0]);
    assert!((14..25).contains(&pause.as_secs()), "{pause:?}");
}

#[test]
fn news_follow_prints_what_arrives() {
    let (env, store) = env();
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    let mut follow = countersign()
        .arg("--config")
        .arg(env.write_config())
        .args(["news", "--follow", "--json", "--after", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    assert_eq!(next()["data"]["seq"], 1);
    store.edit_order("SALE-1", |order| order.payment("REFUNDED"));
    announce(&serve, 1, 2);
    assert_eq!(next()["data"]["current"]["status"], "REFUNDED");
    follow.kill().unwrap();
    follow.wait().unwrap();
}

#[test]
fn a_line_an_event_a_request_and_a_commands_input_are_the_same_json() {
    let (endpoint, (env, store)) = (super::Endpoint::new(), env());
    let input = env.folder().join("input");
    let env = env
        .action("erp", &format!("url = \"{}\"\n", endpoint.url()))
        .action("ship", &format!("command = [\"/bin/sh\", \"-c\", \"cat > {}\"]\n", input.display()));
    let serve = env.serve();
    sell(&serve, &store, 1, 1);
    env.wait_for_value(super::STATES, "delivered delivered");
    let line = serve.admin_page("/news").text().trim_end().to_owned();
    let mut stream = Stream::open(&serve, "/news", "");
    let event = stream.until("\n");
    assert!(event.contains(&format!("data: {line}\n")), "{event}");
    assert_eq!(endpoint.wait_for(1)[0].body, line);
    assert_eq!(std::fs::read_to_string(input).unwrap().trim_end(), line);
    let printed = env.run(&["news", "--json"]);
    assert_eq!(String::from_utf8(printed.stdout).unwrap().trim_end(), line);
}
