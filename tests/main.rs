//! Everything from outside: the real binary, real files, real HTTP.

mod cli;
mod support;
