//! A disk that can be full, slow and watched: SQLite's own file system with the writes and syncs of logs passing through here.
#![expect(
    unsafe_code,
    reason = "SQLite's virtual file system is a table of C functions"
)]

use rusqlite::ffi;
use std::os::raw::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The end of the disk: a log's byte beyond it can't be written.
static ROOM: AtomicI64 = AtomicI64::new(i64::MAX);
/// How long a sync takes, milliseconds.
static SYNC_MS: AtomicU64 = AtomicU64::new(0);
/// Whether syncs fail.
static SYNC_FAILS: AtomicBool = AtomicBool::new(false);
static SYNCED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
static ONE_TEST: Mutex<()> = Mutex::new(());

struct Below {
    open: OpenFn,
    methods: OnceLock<ffi::sqlite3_io_methods>,
}

type OpenFn = unsafe extern "C" fn(
    *mut ffi::sqlite3_vfs,
    ffi::sqlite3_filename,
    *mut ffi::sqlite3_file,
    c_int,
    *mut c_int,
) -> c_int;

static BELOW: OnceLock<Below> = OnceLock::new();

/// The disk, for one test at a time.
pub struct Disk(#[expect(dead_code, reason = "held for its drop alone")] MutexGuard<'static, ()>);

impl Disk {
    /// Takes the disk, with room without end and quick syncs.
    pub fn take() -> Disk {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(install);
        let guard = ONE_TEST.lock().unwrap_or_else(PoisonError::into_inner);
        ROOM.store(i64::MAX, Ordering::SeqCst);
        SYNC_MS.store(0, Ordering::SeqCst);
        Disk(guard)
    }

    /// A log may be this long.
    pub fn set_room(&self, bytes: i64) {
        ROOM.store(bytes, Ordering::SeqCst);
    }

    /// Syncs take this long.
    pub fn set_sync_time(&self, time: Duration) {
        SYNC_MS.store(
            u64::try_from(time.as_millis()).expect("a short time"),
            Ordering::SeqCst,
        );
    }

    /// From here on no sync of a log succeeds.
    pub fn fail_syncs(&self) {
        SYNC_FAILS.store(true, Ordering::SeqCst);
    }

    /// When each sync of a log ended.
    pub fn syncs(&self) -> Vec<Instant> {
        SYNCED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn install() {
    // SAFETY: SQLite's default file system lives as long as the process; ours is a copy of it that is never freed, with one function
    // replaced by one of the same type.
    unsafe {
        let default = ffi::sqlite3_vfs_find(std::ptr::null());
        let mut ours = Box::new(*default);
        BELOW
            .set(Below {
                open: ours.xOpen.expect("a file system opens files"),
                methods: OnceLock::new(),
            })
            .unwrap_or_else(|_| panic!("installed twice"));
        ours.zName = c"watched".as_ptr();
        ours.pNext = std::ptr::null_mut();
        ours.xOpen = Some(open);
        assert_eq!(
            ffi::sqlite3_vfs_register(Box::leak(ours), 1),
            ffi::SQLITE_OK
        );
    }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let below = BELOW.get().expect("installed");
    // SAFETY: the arguments are SQLite's own, passed on as they are; after a success `file` has its methods, which are replaced by a copy
    // that lives for ever.
    unsafe {
        let opened = (below.open)(vfs, name, file, flags, out);
        if opened == ffi::SQLITE_OK && flags & ffi::SQLITE_OPEN_WAL != 0 {
            let methods = below.methods.get_or_init(|| *(*file).pMethods);
            let mut watched = Box::new(*methods);
            watched.xWrite = Some(write);
            watched.xSync = Some(sync);
            (*file).pMethods = Box::leak(watched);
        }
        opened
    }
}

fn methods() -> &'static ffi::sqlite3_io_methods {
    BELOW
        .get()
        .and_then(|below| below.methods.get())
        .expect("a log was opened")
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    offset: i64,
) -> c_int {
    if offset + i64::from(count) > ROOM.load(Ordering::SeqCst) {
        return ffi::SQLITE_FULL;
    }
    // SAFETY: the arguments are SQLite's own, passed on as they are.
    unsafe { (methods().xWrite.expect("files are written"))(file, bytes, count, offset) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    std::thread::sleep(Duration::from_millis(SYNC_MS.load(Ordering::SeqCst)));
    if SYNC_FAILS.load(Ordering::SeqCst) {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    // SAFETY: the arguments are SQLite's own, passed on as they are.
    let synced = unsafe { (methods().xSync.expect("files are synced"))(file, flags) };
    SYNCED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Instant::now());
    synced
}
