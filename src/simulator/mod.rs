//! Simulated shops: servers of the Ecwid v3, Kinguin and Midas APIs that keep state and misbehave on demand.
//!
//! Tests, benchmarks, the demo and `countersign simulate` use them. They follow the providers' documentation alone
//! and import nothing else of the crate, so that one misreading cannot satisfy both sides.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! use countersign::simulator::{Fault, SimulatorOptions, Simulator, ecwid::Order};
//!
//! let simulator = Simulator::start(SimulatorOptions::default())?;
//! let shop = simulator.shops().open_ecwid(4_400_551, "secret_token");
//! shop.put_order(Order::new("SALE-H4K9P", 731_200_456).paid());
//! simulator.shops().add_fault(Fault::status(503).path("/orders").times(2));
//! // … a program calls simulator.ecwid_base() …
//! assert!(simulator.shops().calls().is_empty());
//! # Ok(()) }
//! ```
//!
//! | file | its one job |
//! |---|---|
//! | `server`, `exchange` | the HTTP listener; one request and its answer |
//! | [`ecwid`], [`kinguin`], [`midas`] | the three APIs |
//! | `record`, `shelf` | one object of a shop; all of one kind |
//! | `shops` | the state of all shops, and the handle on it |
//! | `faults`, `wire`, `gzip` | faults, and how an answer with one is sent |
//! | `calls` | the log of calls |
//! | [`samples`] | filled shops for a first look |
//! | `control` | the handle over HTTP, for people and other programs |
//! | `time` | the providers' time formats |

mod calls;
mod control;
pub mod ecwid;
mod exchange;
mod faults;
mod gzip;
pub mod kinguin;
pub mod midas;
mod record;
pub mod samples;
mod server;
mod shelf;
mod shops;
mod time;
mod wire;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use chrono::Utc;

pub use calls::{Call, ProviderApi};
pub use faults::{Fault, FaultId, Trouble};
pub use record::{Fields, Record, RecordKind};
pub use shops::Shops;
pub use time::TimeSource;

use server::Listening;

const ECWID_PATH: &str = "/ecwid/api/v3";
const KINGUIN_PATH: &str = "/kinguin/esa/api";
const MIDAS_PATH: &str = "/midas";

/// The answer to any other path.
const PATHS: &str = "Simulated shops: /ecwid/api/v3, /kinguin/esa/api, /midas; control: /_control/\n";

/// How a simulator starts.
pub struct SimulatorOptions {
    /// A loopback address; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The source of its time.
    pub clock: TimeSource,
}

impl Default for SimulatorOptions {
    /// 127.0.0.1, any port, the machine's time.
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), clock: Arc::new(Utc::now) }
    }
}

impl fmt::Debug for SimulatorOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatorOptions").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// A running server of simulated shops; dropping it stops it.
pub struct Simulator {
    addr: SocketAddr,
    shops: Shops,
    listening: Option<Listening>,
}

impl Simulator {
    /// Starts listening; it answers as soon as this returns.
    ///
    /// # Errors
    ///
    /// When the address is not a loopback address (the control pages have no password) or is in use.
    pub fn start(options: SimulatorOptions) -> io::Result<Self> {
        if !options.listen.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("simulated shops listen on a loopback address only, not on {}", options.listen),
            ));
        }
        let shops = Shops::new(options.clock);
        let (listening, addr) = Listening::start(options.listen, &shops)?;
        Ok(Self { addr, shops, listening: Some(listening) })
    }

    /// The address of the listener.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://` and the address, without a trailing `/`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The `api_base` of an `ecwid` or `ecwid-ion` source.
    pub fn ecwid_base(&self) -> String {
        format!("{}{ECWID_PATH}", self.url())
    }

    /// The `api_base` of a `kinguin` or `kinguin-postback` source.
    pub fn kinguin_base(&self) -> String {
        format!("{}{KINGUIN_PATH}", self.url())
    }

    /// The `api_base` of a `midas` source.
    pub fn midas_base(&self) -> String {
        format!("{}{MIDAS_PATH}", self.url())
    }

    /// The handle on the shops' state; it also works while the simulator is not listening.
    pub fn shops(&self) -> &Shops {
        &self.shops
    }

    /// Closes the listener and all connections: callers get "connection refused". The state stays.
    ///
    /// # Errors
    ///
    /// When the server had already ended, with its error.
    pub fn stop_listening(&mut self) -> io::Result<()> {
        self.listening.take().map_or(Ok(()), Listening::stop)
    }

    /// Listens again on the same address.
    ///
    /// # Errors
    ///
    /// When another program took the port meanwhile.
    pub fn listen_again(&mut self) -> io::Result<()> {
        if self.listening.is_none() {
            self.listening = Some(Listening::start(self.addr, &self.shops)?.0);
        }
        Ok(())
    }

    /// Stops for good.
    ///
    /// # Errors
    ///
    /// When the server had already ended, with its error.
    pub fn stop(mut self) -> io::Result<()> {
        self.stop_listening()
    }

    /// Blocks until the server ends, which it does only on an error.
    ///
    /// # Errors
    ///
    /// The error that ended it.
    pub fn wait(mut self) -> io::Result<()> {
        self.listening.take().map_or(Ok(()), Listening::wait)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // An error cannot be returned here; `stop` returns it.
        drop(self.stop_listening());
    }
}
