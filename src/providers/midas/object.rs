//! Parses the documented answer of `QueryTransaction` into the compared values.

use serde_json::Value;

use crate::domain::decimal;
use crate::domain::replaced::{any_text, is_replaced};

use super::fields::{self, Object};

/// The path of the amount.
pub(super) const AMOUNT: &str = "payment_details.payment.amount";

/// The path of the currency.
pub(super) const CURRENCY: &str = "payment_details.payment.currency";

/// Reads the value at a path.
type Read = fn(&Object, &[&str]) -> Result<Option<String>, String>;

/// A transaction as the API shows it; every field may be absent.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// `transaction.external_id`: the merchant's own id.
    pub(super) external_id: Option<String>,
    /// `transaction.id`.
    pub(super) id: Option<String>,
    /// `transaction.project.id`.
    pub(super) project_id: Option<String>,
    /// `transaction.status`: `Unknown`, `Pending`, `Completed`, `Cancelled`; more may come.
    pub(super) status: Option<String>,
    /// `user.id`, which notifications call `user.external_id`.
    pub(super) user_id: Option<String>,
    /// `user.email`.
    pub(super) email: Option<String>,
    /// `payment_details.payment.amount`, as written: the final sum, after discount.
    pub(super) amount: Option<String>,
    /// `payment_details.payment.currency`, ISO 4217.
    pub(super) currency: Option<String>,
    /// The paths of compared values that could not be read; these are absent above.
    unreadable: Vec<&'static str>,
}

impl Transaction {
    /// Parses an answer; the error names the field that is not as documented.
    pub(super) fn read(answer: &Object) -> Result<Self, String> {
        let mut unreadable = Vec::new();
        let mut whole = |name: &'static str, path: &[&str], read: Read| match fields::find(answer, path)? {
            Some(value) if is_replaced(value) => {
                unreadable.push(name);
                Ok(None)
            }
            _ => read(answer, path),
        };
        Ok(Self {
            external_id: fields::id(answer, &["transaction", "external_id"])?,
            id: whole("transaction.id", &["transaction", "id"], fields::id)?,
            project_id: fields::id(answer, &["transaction", "project", "id"])?,
            status: whole("transaction.status", &["transaction", "status"], fields::text)?,
            user_id: whole("user.id", &["user", "id"], fields::id)?,
            email: fields::find(answer, &["user", "email"])?.and_then(any_text).map(str::to_owned),
            amount: whole(AMOUNT, &["payment_details", "payment", "amount"], fields::amount)?,
            currency: whole(CURRENCY, &["payment_details", "payment", "currency"], fields::text)?,
            unreadable,
        })
    }

    /// Whether the value at `path` (with dots) is there but could not be read: it differs from every value.
    pub(super) fn is_unreadable(&self, path: &str) -> bool {
        self.unreadable.contains(&path)
    }

    /// Whether the answer shows no transaction at all: it has none of the ids, and no status that a
    /// transaction could have.
    pub(super) fn is_none(&self) -> bool {
        self.external_id.is_none()
            && self.id.is_none()
            && self.status() == "Unknown"
            && self.unreadable.is_empty()
    }

    /// The status; the first word of the provider's list if the answer leaves it out.
    pub(super) fn status(&self) -> &str {
        self.status.as_deref().unwrap_or("Unknown")
    }

    /// The fields of the answer that are used, nested as in the API and with the amount as written.
    pub(super) fn evidence(&self) -> Object {
        let mut object = Object::new();
        let used: [(&[&str], &Option<String>); 7] = [
            (&["transaction", "external_id"], &self.external_id),
            (&["transaction", "id"], &self.id),
            (&["transaction", "project", "id"], &self.project_id),
            (&["transaction", "status"], &self.status),
            (&["user", "id"], &self.user_id),
            (&["payment_details", "payment", "amount"], &self.amount),
            (&["payment_details", "payment", "currency"], &self.currency),
        ];
        for (path, value) in used {
            if let Some(value) = value {
                fields::put(&mut object, path, Value::from(value.as_str()));
            }
        }
        object
    }

    /// The same with one spelling per amount, so that `10` after `10.00` is no news.
    pub(super) fn compared(&self) -> Object {
        let mut object = self.evidence();
        if let Some(value) = self.amount.as_deref().and_then(decimal::canonical) {
            fields::put(&mut object, &["payment_details", "payment", "amount"], Value::String(value));
        }
        object
    }
}
