//! A disk of ours, under the server: it knows what was fsync'd, and forgets the rest when its power is cut.
//!
//! It is a file system of the kernel's, mounted on a folder and kept in memory, with two states of each file and folder: what
//! the process sees, and what is on disk. A file's fsync makes its content and length durable; names (made, renamed, removed) are
//! durable with the fsync of their folder alone, which is stricter than most file systems, and what POSIX promises. It can
//! also be full, or fail, by path.

pub mod fault;
pub mod file;
mod mounted;
pub mod tree;

pub use fault::{Act, Fault, Target};
pub use file::CutStyle;

use crate::random::Random;
use anyhow::{Context, Result};
use fuser::{BackgroundSession, Config, INodeNo, MountOption};
use mounted::{Mounted, Shared};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tree::Tree;

/// What the mount is called in the system's list, before the number of the process that answers.
const NAME: &str = "pando-torture-";
/// Threads that answer the kernel: one may wait for a sync while others read.
const THREADS: usize = 4;

/// A mounted disk. It is unmounted when dropped, whoever still uses it.
pub struct Disk {
    shared: Arc<Shared>,
    session: Option<BackgroundSession>,
    folder: TempDir,
}

impl Disk {
    /// Why there can't be one here; none if there can.
    pub fn is_missing() -> Option<String> {
        Disk::mount().err().map(|error| format!("{error:#}"))
    }

    /// An empty disk with power.
    pub fn mount() -> Result<Disk> {
        sweep();
        let folder = tempfile::Builder::new()
            .prefix("pando-disk-")
            .tempdir()
            .context("make a folder for the disk")?;
        let mut disk = Disk {
            shared: Arc::default(),
            session: None,
            folder,
        };
        disk.attach()?;
        std::fs::create_dir(disk.path().join("tmp")).context("make a folder on the disk")?;
        disk.shared.tree().sync(tree::ROOT).map_err(errno)?;
        Ok(disk)
    }

    fn attach(&mut self) -> Result<()> {
        let mut config = Config::default();
        let name = format!("{NAME}{}", std::process::id());
        config.mount_options = vec![MountOption::FSName(name), MountOption::NoAtime];
        config.n_threads = Some(THREADS);
        let mounted = Mounted(Arc::clone(&self.shared));
        let session = fuser::spawn_mount(mounted, self.folder.path(), &config)
            .context("mount a file system of ours (FUSE: /dev/fuse, and root or fusermount3)")?;
        self.session = Some(session);
        Ok(())
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes the power away: nothing works from here on.
    pub fn cut(&mut self, style: CutStyle, random: &mut Random) {
        self.shared.tree().cut(style, random);
    }

    /// Takes it away after so many operations that change or sync something.
    pub fn cut_after(&self, operations: u64, random: &mut Random) {
        let style = CutStyle::draw(random);
        self.shared.tree().arm(operations, style, random.fork());
    }

    /// Waits for such a cut, for so long at most. Answers whether it came.
    pub fn wait_for_cut(&self, at_most: Duration) -> bool {
        self.shared.wait_for_cut(at_most)
    }

    /// Gives the power back. Mounted anew, so that nothing in the kernel's memory outlives the cut; nobody may use it meanwhile.
    pub fn power_on(&mut self) -> Result<()> {
        self.detach();
        self.shared.tree().power_on();
        self.attach()
    }

    fn detach(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        if session.umount_and_join().is_err() {
            // Somebody has a file open still; the mount goes when they do.
            let _detached = Command::new("umount")
                .arg("--lazy")
                .arg(self.folder.path())
                .output();
        }
    }

    /// Lets something fail from now on. What the kernel remembers of these files is dropped before, so that reads ask the disk.
    pub fn fail(&self, fault: Fault) {
        let numbers = {
            let mut tree = self.shared.tree();
            tree.faults.arm(fault);
            tree.numbers(|path| fault.target.holds(path, false))
        };
        if fault.act == Act::Read
            && let Some(session) = &self.session
        {
            for number in numbers {
                // A file the kernel does not know has nothing to drop.
                let _dropped = session.notifier().inval_inode(INodeNo(number), 0, 0);
            }
        }
    }

    /// Leaves room for so many bytes more.
    pub fn leave_room(&self, bytes: u64) {
        let mut tree = self.shared.tree();
        tree.capacity = tree.used() + bytes;
    }

    /// Lets every sync take so much longer from now on.
    pub fn stall(&self, time: Duration) {
        self.shared.stall(time);
    }

    /// Everything works again, and there is room.
    pub fn mend(&self) {
        self.shared.stall(Duration::ZERO);
        let mut tree = self.shared.tree();
        tree.faults.clear();
        tree.capacity = u64::MAX / 2;
    }

    /// How many operations failed since the last mend.
    pub fn failed(&self) -> u64 {
        self.shared.tree().faults.fired()
    }

    /// How often a file of the database was synced after a sync had failed, since the last mend.
    pub fn syncs_after_failure(&self) -> u64 {
        self.shared.tree().faults.syncs_after_failure()
    }

    /// Looks at the tree.
    pub fn tree<T>(&self, look: impl FnOnce(&Tree) -> T) -> T {
        look(&self.shared.tree())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.detach();
    }
}

/// Takes away the mounts of processes that were killed: nobody answers there any more.
fn sweep() {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let process = words.next().and_then(|name| name.strip_prefix(NAME));
        let (Some(process), Some(path)) = (process, words.next()) else {
            continue;
        };
        // One whose process lives may look dead while it is mounted anew.
        if !Path::new("/proc").join(process).exists() {
            let _swept = Command::new("umount").arg("--lazy").arg(path).output();
            let _removed = std::fs::remove_dir(path);
        }
    }
}

fn errno(errno: i32) -> std::io::Error {
    std::io::Error::from_raw_os_error(errno)
}
