//! The documented answer of `QueryTransaction`, read into the values that are compared.

use serde_json::Value;

use crate::domain::decimal;

use super::fields::{self, Object};

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
}

impl Transaction {
    /// Reads an answer; the error names the field that is not as documented.
    pub(super) fn read(answer: &Object) -> Result<Self, String> {
        Ok(Self {
            external_id: fields::id(answer, &["transaction", "external_id"])?,
            id: fields::id(answer, &["transaction", "id"])?,
            project_id: fields::id(answer, &["transaction", "project", "id"])?,
            status: fields::text(answer, &["transaction", "status"])?,
            user_id: fields::id(answer, &["user", "id"])?,
            email: fields::text(answer, &["user", "email"])?,
            amount: fields::amount(answer, &["payment_details", "payment", "amount"])?,
            currency: fields::text(answer, &["payment_details", "payment", "currency"])?,
        })
    }

    /// Whether the answer shows no transaction at all: none of its ids, and no status that one could have.
    pub(super) fn is_none(&self) -> bool {
        self.external_id.is_none() && self.id.is_none() && self.status() == "Unknown"
    }

    /// The status; the first word of the provider's list where the answer leaves it out.
    pub(super) fn status(&self) -> &str {
        self.status.as_deref().unwrap_or("Unknown")
    }

    /// The fields of the answer that are looked at, nested as the API does and with the amount as written.
    pub(super) fn evidence(&self) -> Object {
        let mut object = Object::new();
        let looked_at: [(&[&str], &Option<String>); 7] = [
            (&["transaction", "external_id"], &self.external_id),
            (&["transaction", "id"], &self.id),
            (&["transaction", "project", "id"], &self.project_id),
            (&["transaction", "status"], &self.status),
            (&["user", "id"], &self.user_id),
            (&["payment_details", "payment", "amount"], &self.amount),
            (&["payment_details", "payment", "currency"], &self.currency),
        ];
        for (path, value) in looked_at {
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
