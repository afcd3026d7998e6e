//! The simulated shops, in a process of their own: what they take from the machine is not the worker's.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use countersign::simulator::{Fault, Simulator, SimulatorOptions, Trouble, ecwid, kinguin};

/// The first argument of the process that plays the shops.
pub(crate) const ROLE: &str = "--play-the-shops";

pub(crate) const STORE: u64 = 1003;
pub(crate) const TOKEN: &str = "secret_bench";
pub(crate) const API_KEY: &str = "bench-key";

/// What Ecwid allows an app.
const ECWID_CALLS_PER_MINUTE: usize = 600;

/// How long a call takes at the shops.
pub(crate) const LATENCY: Duration = Duration::from_millis(20);

/// Shops with the orders 0 to `orders`, each call of which takes [`LATENCY`].
pub(crate) struct Shops {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    url: String,
}

impl Shops {
    pub(crate) fn open(orders: usize) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([ROLE, &orders.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut shops = Self { child, orders, answers, url: String::new() };
        shops.url = shops.line();
        shops
    }

    pub(crate) fn kinguin_base(&self) -> String {
        format!("{}/kinguin/esa/api", self.url)
    }

    pub(crate) fn ecwid_base(&self) -> String {
        format!("{}/ecwid/api/v3", self.url)
    }

    /// How many calls came in so far.
    pub(crate) fn calls(&mut self) -> usize {
        self.orders.write_all(b"calls\n").unwrap();
        self.line().parse().unwrap()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Shops {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Plays the shops until the other side is gone.
pub(crate) fn play(orders: usize) {
    let simulator = Simulator::start(SimulatorOptions::default()).unwrap();
    let shops = simulator.shops();
    let account = shops.open_kinguin("bench", API_KEY);
    let store = shops.open_ecwid(STORE, TOKEN);
    store.configure(|settings| settings.calls_per_minute = Some(ECWID_CALLS_PER_MINUTE));
    for n in 0..orders {
        account.put_order(kinguin::Order::new(&kinguin_id(n)).completed());
        store.put_order(ecwid::Order::new(&ecwid_id(n), 1_000_000 + u64::try_from(n).unwrap()).paid());
    }
    shops.add_fault(Fault::new(Trouble::Latency(LATENCY)));
    println!("{}", simulator.url());
    for line in std::io::stdin().lines() {
        if line.unwrap() == "calls" {
            println!("{}", shops.calls().len());
        }
    }
}

pub(crate) fn kinguin_id(n: usize) -> String {
    format!("K{n:07}")
}

pub(crate) fn ecwid_id(n: usize) -> String {
    format!("ORDER-{n:07}")
}
