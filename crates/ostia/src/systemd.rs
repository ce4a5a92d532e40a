//! The service manager: what it is told (sd_notify(3)), and a port that it may have opened (sd_listen_fds(3)). Without one
//! all of this does nothing.

use std::io;
use std::net::TcpListener;

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// Clients are let in from now on.
pub fn tell_ready() {
    tell(NotifyState::Ready);
}

/// The configuration is read again; [`tell_ready`] says when that is over, whatever came of it.
pub fn tell_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => drop(sd_notify::notify(&[NotifyState::Reloading, now])),
        Err(_) => tell(NotifyState::Reloading),
    }
}

/// Nobody new is let in any more, and open calls come to their end.
pub fn tell_stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    // A manager that does not listen is no reason to stop: it ends what it misses by itself.
    let _ = sd_notify::notify(&[state]);
}

/// The port that the service manager opened for this process; `None` where it opened none. It takes what says so out of the
/// environment, so it has to be asked before there are threads.
///
/// # Errors
/// What was handed over is no TCP port, or there are several.
pub fn inherited() -> io::Result<Option<TcpListener>> {
    let mut handed_over = ListenFd::from_env();
    if handed_over.len() > 1 {
        return Err(io::Error::other("there are several, and the gateway listens on one address"));
    }
    let Some(listener) = handed_over.take_tcp_listener(0)? else { return Ok(None) };
    listener.set_nonblocking(true)?;
    Ok(Some(listener))
}
