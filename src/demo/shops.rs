//! The simulated shops with their orders.

use std::io;

use crate::simulator::samples::ECWID_TOKEN;
use crate::simulator::{ProviderApi, Simulator, SimulatorOptions, ecwid, kinguin, midas};

/// The second store, whose API is down at first.
pub(super) const BRANCH_STORE: u64 = 4_400_552;

/// The shops: one server for all except the branch, which has its own.
pub(super) struct DemoShops {
    pub(super) main: Simulator,
    pub(super) branch: Simulator,
    pub(super) midas: midas::MidasMerchant,
}

impl DemoShops {
    /// Starts and fills the shops; the branch is down.
    pub(super) fn open() -> io::Result<Self> {
        let (main, mut branch) =
            (Simulator::start(SimulatorOptions::default())?, Simulator::start(SimulatorOptions::default())?);
        let samples = main.shops().open_samples()?;
        // A search does not count as a call for the hiding time, so after two calls only the second verification
        // finds it.
        let new = ecwid::Order::new("SALE-N3W1X", 731_200_460).visible_after_asks(2);
        samples.ecwid.put_order(new);
        let refunded = kinguin::Order::new("K5REFUND3D9").external_id("shop-000398").status("refunded");
        samples.kinguin.put_order(refunded);
        let stranger = main.shops().open_kinguin("another store", "another-api-key");
        stranger.put_order(kinguin::Order::new("X9OTHERST0R").external_id("other-000017").completed());
        let store = branch.shops().open_ecwid(BRANCH_STORE, ECWID_TOKEN);
        store.put_order(ecwid::Order::new("BRANCH-7QK2", 731_300_001).paid());
        branch.stop_listening()?;
        Ok(Self { main, branch, midas: samples.midas })
    }

    pub(super) fn bring_branch_back(&mut self) -> io::Result<()> {
        self.branch.listen_again()
    }

    /// The number of calls that each API received.
    pub(super) fn calls(&self) -> [(&'static str, usize); 3] {
        [ProviderApi::Ecwid, ProviderApi::Kinguin, ProviderApi::Midas].map(|provider| {
            let of = |shops: &Simulator| shops.shops().calls_matching(|call| call.provider == provider).len();
            (provider.word(), of(&self.main) + of(&self.branch))
        })
    }

    pub(super) fn close(self) -> io::Result<()> {
        self.main.stop()?;
        self.branch.stop()
    }
}
