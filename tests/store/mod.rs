//! Section 3 of the contract: the file, who may hold it, what its owner finds in it, and the commands beside a `serve`.

mod beside;
pub(crate) mod columns;
mod file;
mod links;
mod locked;
mod log;
mod pages;
mod parsing;
mod sources;
