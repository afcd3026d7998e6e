//! A disk that fails: nothing is acknowledged that is not stored, and the service recovers by itself.

mod shim;
