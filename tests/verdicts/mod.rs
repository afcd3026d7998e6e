//! Section 4 of the contract, provider by provider.

mod ecwid_ion;
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
