//! Futures on the heap.

use std::pin::Pin;

/// Boxes the future that `make` gives, where it is made. `Box::pin` makes it on the stack first and copies the whole room
/// that it may come to need, some kilobytes, although only its arguments are there yet.
#[inline(always)]
pub fn pin<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let place = Box::new_uninit();
    Box::into_pin(Box::write(place, make()))
}
