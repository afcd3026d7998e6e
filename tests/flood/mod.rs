//! Floods of forged notifications: true ones beside them are verified in time.

mod answers;
mod crowd;
mod load;
mod turns;
mod unproven;
