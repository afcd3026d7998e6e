//! Section 2 of the contract: what is stored, what is refused, and what is said about it, for all five formats.

mod busy;
mod guarded;
mod kept;
mod refused;
mod stored;
mod wire;
