//! The tree as a file system of the kernel's.
//!
//! Locks, of fcntl and of flock, are the kernel's own, and so is the memory that processes map: nothing here knows of them.

use super::file::Content;
use super::tree::{Errno, Folder, Node, Tree};
use fuser::{
    AccessFlags, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use std::ffi::OsStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// Nothing changes but through the mount, so the kernel may remember what it was told.
const REMEMBERED: Duration = Duration::from_secs(3_600);
/// How long a sync takes, so that writes gather as on a disk.
const SYNC: Duration = Duration::from_micros(500);
const BLOCK: u32 = 4_096;

/// A tree that several threads share, and a bell that rings when its power went.
#[derive(Debug, Default)]
pub struct Shared {
    tree: Mutex<Tree>,
    bell: Condvar,
    /// How much longer a sync takes, milliseconds.
    stall_ms: AtomicU64,
}

impl Shared {
    /// The tree, for one at a time.
    pub fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets every sync take so much longer.
    pub fn stall(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.stall_ms.store(time, Ordering::Relaxed);
    }

    /// Waits until the power went, or for so long. Answers whether it went.
    pub fn wait_for_cut(&self, at_most: Duration) -> bool {
        let waited = self
            .bell
            .wait_timeout_while(self.tree(), at_most, |tree| !tree.dead);
        let (tree, _) = waited.unwrap_or_else(PoisonError::into_inner);
        tree.dead
    }
}

/// What the kernel talks to.
pub struct Mounted(pub Arc<Shared>);

impl Mounted {
    /// Does something with the tree, and rings if the power went in it.
    fn with<T>(&self, act: impl FnOnce(&mut Tree) -> Result<T, Errno>) -> Result<T, fuser::Errno> {
        let mut tree = self.0.tree();
        let done = act(&mut tree);
        if tree.dead {
            self.0.bell.notify_all();
        }
        done.map_err(fuser::Errno::from_i32)
    }

    fn entry(
        &self,
        reply: ReplyEntry,
        request: &Request,
        act: impl FnOnce(&mut Tree) -> Result<u64, Errno>,
    ) {
        match self.with(|tree| act(tree).and_then(|number| attributes(tree, number, request))) {
            Ok(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
            Err(errno) => reply.error(errno),
        }
    }

    fn empty(&self, reply: ReplyEmpty, act: impl FnOnce(&mut Tree) -> Result<(), Errno>) {
        match self.with(act) {
            Ok(()) => reply.ok(),
            Err(errno) => reply.error(errno),
        }
    }
}

fn attributes(tree: &Tree, number: u64, request: &Request) -> Result<FileAttr, Errno> {
    let inode = tree.inode(number)?;
    let (kind, size) = match &inode.node {
        Node::File(content) => (FileType::RegularFile, content.seen().len() as u64),
        Node::Folder(_) => (FileType::Directory, 0),
    };
    Ok(FileAttr {
        ino: INodeNo(number),
        size,
        blocks: size.div_ceil(512),
        atime: inode.changed,
        mtime: inode.changed,
        ctime: inode.changed,
        crtime: inode.changed,
        kind,
        perm: inode.mode,
        nlink: inode.links.max(1),
        uid: request.uid(),
        gid: request.gid(),
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    })
}

impl Filesystem for Mounted {
    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.entry(reply, request, |tree| {
            let folder = tree.folder(parent.0)?;
            folder.seen.get(name).copied().ok_or(libc::ENOENT)
        });
    }

    fn getattr(&self, request: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.with(|tree| attributes(tree, number.0, request)) {
            Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
            Err(errno) => reply.error(errno),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        number: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let set = self.with(|tree| {
            if let Some(mode) = mode {
                tree.set_mode(number.0, (mode & 0o7777) as u16)?;
            }
            if let Some(size) = size {
                tree.resize(number.0, size)?;
            }
            attributes(tree, number.0, request)
        });
        match set {
            Ok(attributes) => reply.attr(&REMEMBERED, &attributes),
            Err(errno) => reply.error(errno),
        }
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let folder = Node::Folder(Folder::default());
        self.entry(reply, request, |tree| {
            tree.make(parent.0, name, (mode & 0o7777) as u16, folder)
        });
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let made = self.with(|tree| {
            let file = Node::File(Content::default());
            let number = tree.make(parent.0, name, (mode & 0o7777) as u16, file)?;
            attributes(tree, number, request)
        });
        match made {
            Ok(attributes) => reply.created(
                &REMEMBERED,
                &attributes,
                Generation(0),
                FileHandle(0),
                FopenFlags::FOPEN_KEEP_CACHE,
            ),
            Err(errno) => reply.error(errno),
        }
    }

    fn open(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: fuser::ReplyOpen) {
        match self.with(|tree| tree.inode(number.0).map(|_| ())) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE),
            Err(errno) => reply.error(errno),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.remove(parent.0, name, false));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.remove(parent.0, name, true));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        self.empty(reply, |tree| {
            if flags.contains(RenameFlags::RENAME_EXCHANGE) {
                return Err(libc::EINVAL);
            }
            let taken = tree.folder(new_parent.0)?.seen.contains_key(new_name);
            if taken && flags.contains(RenameFlags::RENAME_NOREPLACE) {
                return Err(libc::EEXIST);
            }
            tree.rename(parent.0, name, new_parent.0, new_name)
        });
    }

    fn link(
        &self,
        request: &Request,
        number: INodeNo,
        parent: INodeNo,
        name: &OsStr,
        reply: ReplyEntry,
    ) {
        self.entry(reply, request, |tree| {
            tree.link(number.0, parent.0, name).map(|()| number.0)
        });
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = |tree: &mut Tree| {
            let bytes = tree.read(number.0, offset, size as usize)?;
            Ok(bytes.to_vec())
        };
        match self.with(read) {
            Ok(bytes) => reply.data(&bytes),
            Err(errno) => reply.error(errno),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.with(|tree| tree.write(number.0, offset, data)) {
            Ok(()) => reply.written(data.len() as u32),
            Err(errno) => reply.error(errno),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let stall = Duration::from_millis(self.0.stall_ms.load(Ordering::Relaxed));
        std::thread::sleep(SYNC + stall);
        self.empty(reply, |tree| tree.sync(number.0));
    }

    fn fsyncdir(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.sync(number.0));
    }

    fn readdir(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listed = self.with(|tree| {
            let folder = tree.folder(number.0)?;
            let mut entries = vec![
                (number.0, FileType::Directory, ".".into()),
                (number.0, FileType::Directory, "..".into()),
            ];
            for (name, child) in &folder.seen {
                let kind = match tree.inode(*child)?.node {
                    Node::File(_) => FileType::RegularFile,
                    Node::Folder(_) => FileType::Directory,
                };
                entries.push((*child, kind, name.clone()));
            }
            Ok(entries)
        });
        match listed {
            Ok(entries) => {
                let rest = entries.into_iter().enumerate().skip(offset as usize);
                for (at, (number, kind, name)) in rest {
                    if reply.add(INodeNo(number), at as u64 + 1, kind, &name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(errno) => reply.error(errno),
        }
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let tree = self.0.tree();
        let block = u64::from(BLOCK);
        let free = tree.capacity.saturating_sub(tree.used()) / block;
        reply.statfs(
            tree.capacity / block,
            free,
            free,
            1 << 20,
            1 << 20,
            BLOCK,
            255,
            BLOCK,
        );
    }

    fn access(&self, _: &Request, number: INodeNo, _: AccessFlags, reply: ReplyEmpty) {
        self.empty(reply, |tree| tree.inode(number.0).map(|_| ()));
    }
}
