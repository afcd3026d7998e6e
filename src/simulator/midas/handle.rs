//! The handle by which tests, the demo and the control pages edit it.

use std::io;

use super::keys::{self, RsaKeys};
use super::merchant::{
    MERCHANT_SERIAL, MerchantOptions, MerchantState, PLATFORM_SERIAL, SignedPath, UnknownId,
};
use super::objects::Transaction;
use super::signature::PlatformSigner;
use crate::simulator::shelf::Shelf;
use crate::simulator::shops::Shops;

/// A handle on one Midas merchant.
#[derive(Clone)]
pub struct MidasMerchant {
    shops: Shops,
    merchant_id: String,
}

impl Shops {
    /// Opens a merchant with a key pair of its own; one that is open already only gets the project.
    ///
    /// # Errors
    ///
    /// When the library cannot read its key pair.
    pub fn open_midas(&self, merchant_id: &str, project_id: &str) -> io::Result<MidasMerchant> {
        let signer = self.lock().midas.signer();
        let signer = match signer {
            Some(signer) => signer,
            None => PlatformSigner { keys: RsaKeys::of_platform()?, serial: PLATFORM_SERIAL.to_owned() },
        };
        let mut state = self.lock();
        let merchant_keys = RsaKeys::of_merchant(state.midas.merchants.len())?;
        let public_key = merchant_keys.public_der();
        let platform = &mut state.midas;
        platform.signer.get_or_insert(signer);
        let merchant = platform.merchants.entry(merchant_id.to_owned()).or_insert_with(|| MerchantState {
            settings: MerchantOptions {
                project_id: String::new(),
                serial_no: MERCHANT_SERIAL.to_owned(),
                auth_id_type: "MERCHANT_ID".to_owned(),
                id_param: "external_id".to_owned(),
                signed_path: SignedPath::WithQuery,
                clock_window_s: Some(300),
                unknown_id: UnknownId::NotFound,
            },
            public_key,
            transactions: Shelf::default(),
            keys: merchant_keys,
        });
        project_id.clone_into(&mut merchant.settings.project_id);
        drop(state);
        Ok(MidasMerchant { shops: self.clone(), merchant_id: merchant_id.to_owned() })
    }

    pub(in crate::simulator) fn midas_merchant(&self, merchant_id: &str) -> Option<MidasMerchant> {
        let known = self.lock().midas.merchants.contains_key(merchant_id);
        known.then(|| MidasMerchant { shops: self.clone(), merchant_id: merchant_id.to_owned() })
    }
}

impl MidasMerchant {
    fn change<T: Default>(&self, change: impl FnOnce(&mut MerchantState) -> T) -> T {
        self.shops.lock().midas.merchants.get_mut(&self.merchant_id).map(change).unwrap_or_default()
    }

    fn keys(&self) -> io::Result<RsaKeys> {
        let keys = self.change(|merchant| Some(merchant.keys.clone()));
        keys.ok_or_else(|| io::Error::other("the merchant is gone"))
    }

    fn signer(&self) -> io::Result<PlatformSigner> {
        self.shops.lock().midas.signer().ok_or_else(|| io::Error::other("the platform has no key"))
    }

    pub fn configure(&self, change: impl FnOnce(&mut MerchantOptions)) {
        self.change(|merchant| change(&mut merchant.settings));
    }

    /// Registers another public key (PEM, `PUBLIC KEY`) to check this merchant's calls with.
    ///
    /// # Errors
    ///
    /// When the text holds no such PEM block.
    pub fn register_public_key(&self, pem: &str) -> io::Result<()> {
        let public_key = keys::public_from_pem(pem)?;
        self.change(|merchant| merchant.public_key = public_key);
        Ok(())
    }

    /// Puts a transaction, in place of one with the same external id; the merchant's project where it names none.
    pub fn put_transaction(&self, transaction: Transaction) {
        let now = self.shops.now();
        self.change(|merchant| {
            let has_project = !transaction.text_at(&["transaction", "project", "id"]).is_empty();
            let project_id = merchant.settings.project_id.clone();
            let transaction = if has_project { transaction } else { transaction.project(&project_id) };
            merchant.transactions.put(transaction, now);
        });
    }

    /// Changes the transaction with this external id. False if there is none.
    pub fn edit_transaction(&self, id: &str, change: impl FnOnce(Transaction) -> Transaction) -> bool {
        let now = self.shops.now();
        self.change(|merchant| merchant.transactions.edit(id, now, change))
    }

    /// Makes a transaction vanish. False if there is none.
    pub fn vanish_transaction(&self, id: &str) -> bool {
        self.change(|merchant| merchant.transactions.remove(id).is_some())
    }

    /// All transactions, hidden ones too.
    pub fn transactions(&self) -> Vec<Transaction> {
        self.change(|merchant| merchant.transactions.all().cloned().collect())
    }

    /// The four `txgw-` headers of a notification with exactly this body, signed now by the platform.
    ///
    /// # Errors
    ///
    /// None in practice: the platform has its key since the merchant was opened.
    pub fn sign_notification(&self, body: &[u8]) -> io::Result<[(&'static str, String); 4]> {
        Ok(self.signer()?.sign(self.shops.now(), body))
    }

    /// The key that signs this merchant's calls (PEM, PKCS#8), until another public key is registered.
    ///
    /// # Errors
    ///
    /// None in practice: the platform has its key since the merchant was opened.
    pub fn private_key_pem(&self) -> io::Result<String> {
        Ok(self.keys()?.private_pem())
    }

    /// The registered public key (PEM) that this merchant's calls are checked with.
    pub fn public_key_pem(&self) -> String {
        self.change(|merchant| keys::pem("PUBLIC KEY", &merchant.public_key))
    }

    /// The serial of the merchant's certificate.
    pub fn serial_no(&self) -> String {
        self.change(|merchant| merchant.settings.serial_no.clone())
    }

    /// The public key (PEM) that checks notifications and answers.
    ///
    /// # Errors
    ///
    /// None in practice: the platform has its key since the merchant was opened.
    pub fn platform_public_key_pem(&self) -> io::Result<String> {
        Ok(keys::pem("PUBLIC KEY", &self.signer()?.keys.public_der()))
    }

    /// The platform's private key (PEM, PKCS#8), for tests that make a certificate of it.
    ///
    /// # Errors
    ///
    /// None in practice: the platform has its key since the merchant was opened.
    pub fn platform_private_key_pem(&self) -> io::Result<String> {
        Ok(self.signer()?.keys.private_pem())
    }

    /// The serial that answers and notifications name, hexadecimal.
    ///
    /// # Errors
    ///
    /// None in practice: the platform has its serial since the merchant was opened.
    pub fn platform_serial(&self) -> io::Result<String> {
        Ok(self.signer()?.serial)
    }
}
