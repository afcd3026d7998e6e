//! Section 4 of the contract, provider by provider.

mod ecwid;
mod ecwid_failures;
mod ecwid_gone;
mod ecwid_ion;
mod ecwid_ion_ids;
mod ecwid_reading;
mod ecwid_repeats;
mod ecwid_shop;
mod ecwid_signature;
mod ecwid_superseded;
mod ecwid_truth;
mod kinguin;
mod kinguin_course;
mod kinguin_failures;
mod kinguin_intake;
mod kinguin_postback;
mod kinguin_products;
mod midas;
mod midas_claims;
mod midas_course;
mod midas_failures;
mod midas_signatures;
