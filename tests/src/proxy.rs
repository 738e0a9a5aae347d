//! A server that can go away: a way to PostgreSQL that a test can cut, or leave without an answer.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A TCP proxy on a port of its own, until the test ends.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    streams: Vec<TcpStream>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everything passes.
    #[default]
    Open,
    /// Connections are taken, and nothing passes.
    Silent,
    /// Connections are closed.
    Cut,
}

impl Proxy {
    /// A proxy in front of the server on `port` of this machine.
    pub fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, server));
        let shared = Arc::new(Shared { server, state: Mutex::default(), changed: Condvar::new() });
        let accepting = shared.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|client| accepting.accept(client)));
        Self { port, shared }
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server is there (again).
    pub fn open(&self) {
        self.shared.set(Mode::Open);
    }

    /// The server answers no more, as one that is stopped or behind a broken line.
    pub fn silence(&self) {
        self.shared.set(Mode::Silent);
    }

    /// The server is gone: every connection breaks, in the middle of whatever it does, and new ones are closed.
    pub fn cut(&self) {
        self.shared.set(Mode::Cut);
        for stream in self.shared.lock().streams.drain(..) {
            // The other side may have closed it.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, mode: Mode) {
        self.lock().mode = mode;
        self.changed.notify_all();
    }

    /// Waits until something may pass; false if nothing ever will.
    fn may_pass(&self) -> bool {
        let waited = self.changed.wait_while(self.lock(), |state| state.mode == Mode::Silent);
        waited.unwrap_or_else(PoisonError::into_inner).mode == Mode::Open
    }

    fn accept(self: &Arc<Self>, client: TcpStream) {
        if self.lock().mode == Mode::Cut {
            return;
        }
        // A server that does not run refuses its clients, too.
        let Ok(server) = TcpStream::connect(self.server) else { return };
        let pairs = [(&client, &server), (&server, &client)];
        for (from, to) in pairs.map(|(from, to)| (from.try_clone().unwrap(), to.try_clone().unwrap())) {
            let shared = self.clone();
            std::thread::spawn(move || shared.copy(from, to));
        }
        self.lock().streams.extend([client, server]);
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if !self.may_pass() || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}
