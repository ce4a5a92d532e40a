//! What is charged for: that every attempt is booked once, with what its provider counted, and that nothing looks exact which is not.

pub mod balance;
mod estimates;
mod ledger;
mod media;
mod tapes;
