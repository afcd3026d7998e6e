//! Floods of forged notifications: whoever tells the truth beside them is heard in time.

mod answers;
mod crowd;
mod load;
mod turns;
mod unproven;
