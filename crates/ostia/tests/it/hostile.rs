//! What hostile or careless clients and providers try, and what must not come of it. SECURITY.md names these tests.

mod bounds;
mod browsers;
mod callers;
mod clocks;
mod connections;
mod secrets;
