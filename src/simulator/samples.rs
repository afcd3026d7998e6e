//! Three filled shops for a first look: the examples of the providers' documentation, with invented credentials.

use std::io;

use super::shops::Shops;
use super::{ecwid, kinguin, midas};

/// The Ecwid sample's store id.
pub const ECWID_STORE: u64 = 4_400_551;
/// The Ecwid sample's access token.
pub const ECWID_TOKEN: &str = "secret_sample_token";
/// The Kinguin sample's name in the call log and in faults.
pub const KINGUIN_NAME: &str = "keys";
/// The Kinguin sample's API key.
pub const KINGUIN_KEY: &str = "sample-api-key";
/// The Midas sample's merchant id.
pub const MIDAS_MERCHANT: &str = "m-1001";
/// The Midas sample's project id.
pub const MIDAS_PROJECT: &str = "pr-77";

/// Handles on the sample shops.
pub struct Samples {
    /// Store 4400551: paid order `SALE-H4K9P` (internal id 731200456), order 1207 from before 2020, product 9001.
    pub ecwid: ecwid::EcwidStore,
    /// Completed order `QZ7T2RMN4WB` and product 70123.
    pub kinguin: kinguin::KinguinAccount,
    /// Completed transaction `shop-order-9` (`TX-555`), with fresh keys.
    pub midas: midas::MidasMerchant,
}

impl Shops {
    /// Opens and fills the sample shops.
    ///
    /// # Errors
    ///
    /// When no RSA key could be generated for the Midas merchant.
    pub fn open_samples(&self) -> io::Result<Samples> {
        let ecwid = self.open_ecwid(ECWID_STORE, ECWID_TOKEN);
        ecwid.put_order(ecwid::Order::new("SALE-H4K9P", 731_200_456).paid().total("24.50"));
        ecwid.put_order(ecwid::Order::new("1207", 41_207).order_number(1207).paid());
        ecwid.put_product(ecwid::Product::new(9001, "Mug"));
        let kinguin = self.open_kinguin(KINGUIN_NAME, KINGUIN_KEY);
        kinguin.put_order(kinguin::Order::new("QZ7T2RMN4WB").external_id("shop-000451").completed());
        kinguin.put_product(kinguin::Product::new(70123, "5f00aa11bb22cc33dd44ee55"));
        let midas = self.open_midas(MIDAS_MERCHANT, MIDAS_PROJECT)?;
        midas.put_transaction(midas::Transaction::new("shop-order-9").id("TX-555"));
        Ok(Samples { ecwid, kinguin, midas })
    }
}
