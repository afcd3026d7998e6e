//! Midas' transactions, as QueryTransaction answers them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::simulator::record::{Fields, Record, RecordKind, text_of};

/// A transaction; `Completed` by default. All its leaf values are strings.
pub type Transaction = Record<TransactionKind>;

/// The kind of record that a transaction is.
#[derive(Clone, Copy, Debug)]
pub enum TransactionKind {}

impl Transaction {
    /// A paid transaction of 8.98 EUR by the merchant's own id of the payment; the project is filled in by the merchant.
    #[must_use]
    pub fn new(external_id: &str) -> Self {
        Self::with(json!({
            "payment_details": {"payment": {
                "amount": "8.98", "currency": "EUR", "net_amount": "7.48", "vat_amount": "1.50",
                "discount": {
                    "discount_id": "d1", "discount_code": "NEW", "discount_amount": "1.00", "discount_rate": "0.1",
                },
            }},
            "transaction": {
                "external_id": external_id, "id": format!("TX-{external_id}"),
                "payment_date": "2026-01-02T03:04:05Z", "status": "Completed",
            },
            "user": {"region_code": "DE", "email": "p42@example.test", "id": "player-42", "name": "P"},
        }))
    }

    /// `transaction.id`, the platform's id.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        self.field_at(&["transaction", "id"], id)
    }

    /// `transaction.status`, any word.
    #[must_use]
    pub fn status(self, status: &str) -> Self {
        self.field_at(&["transaction", "status"], status)
    }

    /// `transaction.project.id`.
    #[must_use]
    pub fn project(self, project_id: &str) -> Self {
        self.field_at(&["transaction", "project", "id"], project_id)
    }

    /// `payment_details.payment.amount` and `currency`.
    #[must_use]
    pub fn payment(self, amount: &str, currency: &str) -> Self {
        self.field_at(&["payment_details", "payment", "amount"], amount)
            .field_at(&["payment_details", "payment", "currency"], currency)
    }

    /// `user.id`, the user's id in the game.
    #[must_use]
    pub fn user(self, id: &str) -> Self {
        self.field_at(&["user", "id"], id)
    }

    /// The payment token, by which the query finds it too; no answer shows it.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.field("token", token)
    }
}

impl RecordKind for TransactionKind {
    fn key(fields: &Fields) -> String {
        fields.get("transaction").and_then(|inner| inner.get("external_id")).map(text_of).unwrap_or_default()
    }

    fn alias(fields: &Fields) -> Option<String> {
        fields.get("token").map(text_of)
    }

    fn created(_: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn updated(_: DateTime<Utc>) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn from_fields(fields: &Fields) -> Result<Record<Self>, String> {
        let id = Self::key(fields);
        if id.is_empty() {
            return Err("a transaction needs transaction.external_id".to_owned());
        }
        let mut record = Transaction::new(&id);
        for (name, value) in fields {
            match value {
                Value::Object(inner) => {
                    for (leaf, value) in inner {
                        record = record.field_at(&[name, leaf], value.clone());
                    }
                }
                value => record = record.field(name, value.clone()),
            }
        }
        Ok(record)
    }
}
