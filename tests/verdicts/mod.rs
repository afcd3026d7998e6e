//! Section 4 of the contract, provider by provider.

mod ecwid_ion;
