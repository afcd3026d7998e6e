//! The sources of the demo: one per notification format, and a shop that is down at first.

/// A source in the demo's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoSource {
    /// Instant Order Notifications of an old Ecwid store.
    OldShop,
    /// Webhooks of the same store.
    Shop,
    /// Postbacks of an old Kinguin integration.
    OldKeys,
    /// Webhooks of Kinguin's eCommerce API.
    Keys,
    /// Payments of a game.
    Game,
    /// A second Ecwid store, whose API is down when the demo begins.
    Branch,
}

impl DemoSource {
    /// In the order of the contract's tables.
    pub const ALL: [Self; 6] =
        [Self::OldShop, Self::Shop, Self::OldKeys, Self::Keys, Self::Game, Self::Branch];

    /// The name, as in the configuration and the intake URL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OldShop => "oldshop",
            Self::Shop => "shop",
            Self::OldKeys => "oldkeys",
            Self::Keys => "keys",
            Self::Game => "game",
            Self::Branch => "branch",
        }
    }

    #[must_use]
    pub fn provider(self) -> &'static str {
        match self {
            Self::OldShop => "ecwid-ion",
            Self::Shop | Self::Branch => "ecwid",
            Self::OldKeys => "kinguin-postback",
            Self::Keys => "kinguin",
            Self::Game => "midas",
        }
    }

    /// A description, with its protection against strangers.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OldShop => "Instant Order Notifications; not signed, the URL ends with a token",
            Self::Shop => "webhooks, signed with the app's client secret",
            Self::OldKeys => "postbacks; not signed, the URL ends with a token",
            Self::Keys => "webhooks with a shared secret",
            Self::Game => "payments, signed by the platform",
            Self::Branch => "webhooks of another store, whose API is down at first",
        }
    }

    /// The acknowledgement of a stored notification: status and body.
    pub(super) fn acknowledgement(self) -> (u16, &'static str) {
        match self {
            Self::OldShop | Self::Shop | Self::Branch => (200, ""),
            Self::OldKeys | Self::Keys => (204, ""),
            Self::Game => (200, r#"{"processed":true,"message":"stored"}"#),
        }
    }
}
