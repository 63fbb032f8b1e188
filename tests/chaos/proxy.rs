//! A wire that somebody trips over: passes bytes on, and cuts.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rand::RngExt;
use rand::rngs::StdRng;

/// Where the other end is.
#[derive(Clone, Debug)]
pub enum Far {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// What the proxy does to one connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Nothing.
    Pass,
    /// Cut when so many bytes went to the far end.
    CutGoing(usize),
    /// Cut when so many bytes came back.
    CutComing(usize),
    /// Cut instead of passing on the `n`th COMMIT: nothing was committed.
    BeforeCommit(usize),
    /// Cut when the far end has answered the `n`th COMMIT: it was, and nobody hears of it.
    AfterCommit(usize),
}

/// A proxy at work until the test ends.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections of a proxy know.
#[derive(Default)]
struct Shared {
    /// Nothing is cut before this is set.
    is_wild: AtomicBool,
    cuts: AtomicUsize,
}

impl Proxy {
    /// Between whoever connects and `far`; `wicked` of a hundred connections are cut, those of a
    /// database around its commits.
    pub fn start(far: Far, wicked: f64, random: StdRng) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let known = Arc::clone(&shared);
        let random = Mutex::new(random);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let fate = fate(&far, wicked, &mut random.lock().unwrap());
                let (far, shared) = (far.clone(), Arc::clone(&known));
                std::thread::spawn(move || connect(near, &far, fate, &shared));
            }
        });
        Self { address, shared }
    }

    /// Begins to cut; until then the wire is sound.
    pub fn go_wild(&self) {
        self.shared.is_wild.store(true, Ordering::SeqCst);
    }

    /// Cuts no more.
    pub fn calm_down(&self) {
        self.shared.is_wild.store(false, Ordering::SeqCst);
    }

    /// How many connections were cut so far.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn now(&self, fate: Fate) -> Fate {
        if self.is_wild.load(Ordering::SeqCst) { fate } else { Fate::Pass }
    }
}

fn fate(far: &Far, wicked: f64, random: &mut StdRng) -> Fate {
    if !random.random_bool(wicked) {
        return Fate::Pass;
    }
    match (far, random.random_range(0..4)) {
        (Far::Unix(_), 0) => Fate::BeforeCommit(random.random_range(1..20)),
        (Far::Unix(_), 1) => Fate::AfterCommit(random.random_range(1..20)),
        (Far::Unix(_), 2) => Fate::CutGoing(random.random_range(0..200_000)),
        (Far::Unix(_), _) => Fate::CutComing(random.random_range(0..50_000)),
        (Far::Tcp(_), 0 | 1) => Fate::CutGoing(random.random_range(0..3000)),
        // The whole request arrives; of the answer at most a part.
        (Far::Tcp(_), _) => Fate::CutComing(random.random_range(0..200)),
    }
}

/// Either kind of socket.
enum Wire {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Wire {
    fn twin(&self) -> Self {
        match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone().unwrap()),
            Self::Unix(stream) => Self::Unix(stream.try_clone().unwrap()),
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> usize {
        match self {
            Self::Tcp(stream) => stream.read(bytes),
            Self::Unix(stream) => stream.read(bytes),
        }
        .unwrap_or(0)
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
        .is_ok()
    }

    fn cut(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }

    fn end(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
    }
}

fn connect(near: TcpStream, far: &Far, fate: Fate, shared: &Shared) {
    let far = match far {
        Far::Tcp(address) => TcpStream::connect(address).map(Wire::Tcp),
        Far::Unix(path) => UnixStream::connect(path).map(Wire::Unix),
    };
    let near = Wire::Tcp(near);
    let Ok(far) = far else {
        near.cut();
        return;
    };
    // Set once the commit of an `AfterCommit` is on its way: the next answer is swallowed.
    let swallow = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| come(&near, &far, fate, &swallow, shared));
        go(&near, &far, fate, &swallow, shared);
    });
}

fn tear(near: &Wire, far: &Wire, shared: &Shared) {
    shared.cuts.fetch_add(1, Ordering::SeqCst);
    near.cut();
    far.cut();
}

/// From the near end to the far one.
fn go(near: &Wire, far: &Wire, fate: Fate, swallow: &AtomicUsize, shared: &Shared) {
    let (mut from, mut to) = (near.twin(), far.twin());
    let (mut bytes, mut sum, mut commits) = (vec![0; 16 * 1024], 0, 0);
    loop {
        let read = from.read(&mut bytes);
        if read == 0 {
            far.end();
            return;
        }
        let passed = &bytes[..read];
        sum += read;
        if passed.windows(6).any(|six| six == b"COMMIT") {
            commits += 1;
        }
        match shared.now(fate) {
            Fate::CutGoing(limit) if sum > limit => {
                let rest = read.saturating_sub(sum - limit);
                to.write(&passed[..rest]);
                return tear(near, far, shared);
            }
            Fate::BeforeCommit(which) if commits >= which => return tear(near, far, shared),
            Fate::AfterCommit(which) if commits >= which => swallow.store(1, Ordering::SeqCst),
            _ => {}
        }
        if !to.write(passed) {
            near.cut();
            return;
        }
    }
}

/// From the far end back.
fn come(near: &Wire, far: &Wire, fate: Fate, swallow: &AtomicUsize, shared: &Shared) {
    let (mut from, mut to) = (far.twin(), near.twin());
    let (mut bytes, mut sum) = (vec![0; 16 * 1024], 0);
    loop {
        let read = from.read(&mut bytes);
        if read == 0 {
            near.cut();
            return;
        }
        sum += read;
        if swallow.load(Ordering::SeqCst) == 1 {
            return tear(near, far, shared);
        }
        if let Fate::CutComing(limit) = shared.now(fate)
            && sum > limit
        {
            let rest = read.saturating_sub(sum - limit);
            to.write(&bytes[..rest]);
            return tear(near, far, shared);
        }
        if !to.write(&bytes[..read]) {
            far.cut();
            return;
        }
    }
}
