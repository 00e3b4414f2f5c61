//! All files and folders, twice: as the process sees them, and as they are on disk. No IO: the mount asks, and tests do.

use super::fault::{Act, Faults};
use super::file::{Content, CutStyle};
use crate::random::Random;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The root's number.
pub const ROOT: u64 = 1;
/// Bytes of a disk that is not short of any.
const CAPACITY: u64 = 1 << 40;

/// An error of the system.
pub type Errno = i32;

/// A file or a folder.
#[derive(Debug)]
pub struct Inode {
    /// What it is.
    pub node: Node,
    /// Permission bits.
    pub mode: u16,
    /// Names it has, as the process sees it.
    pub links: u32,
    /// When it was last changed.
    pub changed: SystemTime,
    /// Where it was made or last renamed to, from the root.
    pub path: PathBuf,
}

/// What an inode is.
#[derive(Debug)]
pub enum Node {
    /// A file.
    File(Content),
    /// A folder.
    Folder(Folder),
}

/// Names, twice.
#[derive(Debug, Default)]
pub struct Folder {
    /// As the process sees them.
    pub seen: BTreeMap<OsString, u64>,
    durable: BTreeMap<OsString, u64>,
}

/// A change of names that no fsync of its folder covered yet. A rename is several, all or none of them.
type NameChange = Vec<(u64, OsString, Option<u64>)>;

/// A power cut that waits for its moment.
#[derive(Debug)]
struct Armed {
    operations: u64,
    style: CutStyle,
    random: Random,
}

/// A disk.
#[derive(Debug)]
pub struct Tree {
    inodes: HashMap<u64, Inode>,
    next: u64,
    names: Vec<NameChange>,
    armed: Option<Armed>,
    /// The power is off: nothing works.
    pub dead: bool,
    /// What fails.
    pub faults: Faults,
    /// Bytes there are on the disk.
    pub capacity: u64,
    used: u64,
}

impl Default for Tree {
    fn default() -> Tree {
        let mut inodes = HashMap::new();
        inodes.insert(
            ROOT,
            Inode {
                node: Node::Folder(Folder::default()),
                mode: 0o755,
                links: 2,
                changed: SystemTime::now(),
                path: PathBuf::new(),
            },
        );
        Tree {
            inodes,
            next: ROOT + 1,
            names: Vec::new(),
            armed: None,
            dead: false,
            faults: Faults::default(),
            capacity: CAPACITY,
            used: 0,
        }
    }
}

impl Tree {
    /// The inode of this number.
    pub fn inode(&self, number: u64) -> Result<&Inode, Errno> {
        if self.dead {
            return Err(libc::EIO);
        }
        self.inodes.get(&number).ok_or(libc::ENOENT)
    }

    fn change(&mut self, number: u64) -> Result<&mut Inode, Errno> {
        self.inodes.get_mut(&number).ok_or(libc::ENOENT)
    }

    /// The folder of this number.
    pub fn folder(&self, number: u64) -> Result<&Folder, Errno> {
        match &self.inode(number)?.node {
            Node::Folder(folder) => Ok(folder),
            Node::File(_) => Err(libc::ENOTDIR),
        }
    }

    fn file(&mut self, number: u64) -> Result<&mut Content, Errno> {
        match &mut self.change(number)?.node {
            Node::File(content) => Ok(content),
            Node::Folder(_) => Err(libc::EISDIR),
        }
    }

    /// Files whose path one of our names for files holds.
    pub fn numbers(&self, holds: impl Fn(&Path) -> bool) -> Vec<u64> {
        let all = self.inodes.iter();
        all.filter(|(_, inode)| holds(&inode.path))
            .map(|(number, _)| *number)
            .collect()
    }

    /// Bytes in all files.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// The power goes after so many operations that change or sync something.
    pub fn arm(&mut self, operations: u64, style: CutStyle, random: Random) {
        self.armed = Some(Armed {
            operations,
            style,
            random,
        });
    }

    /// Whether this operation may go on: the power is on, and no fault strikes.
    fn gate(&mut self, act: Act, number: u64) -> Result<(), Errno> {
        if self.dead {
            return Err(libc::EIO);
        }
        if act != Act::Read
            && let Some(armed) = &mut self.armed
        {
            if armed.operations == 0 {
                let (style, mut random) = (armed.style, armed.random.clone());
                self.cut(style, &mut random);
                return Err(libc::EIO);
            }
            armed.operations -= 1;
        }
        let Some(inode) = self.inodes.get(&number) else {
            return Err(libc::ENOENT);
        };
        let is_folder = matches!(inode.node, Node::Folder(_));
        match self.faults.strike(act, &inode.path, is_folder) {
            Some(errno) => Err(errno),
            None => Ok(()),
        }
    }

    /// Makes a file or a folder.
    pub fn make(&mut self, parent: u64, name: &OsStr, mode: u16, node: Node) -> Result<u64, Errno> {
        let path = self.inode(parent)?.path.join(name);
        let is_folder = matches!(node, Node::Folder(_));
        self.gate(Act::Name, parent)?;
        if let Some(errno) = self.faults.strike(Act::Name, &path, is_folder) {
            return Err(errno);
        }
        if self.folder(parent)?.seen.contains_key(name) {
            return Err(libc::EEXIST);
        }
        let number = self.next;
        self.next += 1;
        let inode = Inode {
            node,
            mode,
            links: 0,
            changed: SystemTime::now(),
            path,
        };
        self.inodes.insert(number, inode);
        self.rename_all(vec![(parent, name.to_owned(), Some(number))])?;
        Ok(number)
    }

    /// One more name of a file.
    pub fn link(&mut self, number: u64, parent: u64, name: &OsStr) -> Result<(), Errno> {
        self.gate(Act::Name, parent)?;
        if self.folder(parent)?.seen.contains_key(name) {
            return Err(libc::EEXIST);
        }
        let path = self.inode(parent)?.path.join(name);
        self.change(number)?.path = path;
        self.rename_all(vec![(parent, name.to_owned(), Some(number))])
    }

    /// Removes a name; a folder only if it is empty.
    pub fn remove(&mut self, parent: u64, name: &OsStr, is_folder: bool) -> Result<(), Errno> {
        self.gate(Act::Name, parent)?;
        let number = *self.folder(parent)?.seen.get(name).ok_or(libc::ENOENT)?;
        match (&self.inode(number)?.node, is_folder) {
            (Node::Folder(folder), true) if folder.seen.is_empty() => {}
            (Node::Folder(_), true) => return Err(libc::ENOTEMPTY),
            (Node::Folder(_), false) => return Err(libc::EISDIR),
            (Node::File(_), true) => return Err(libc::ENOTDIR),
            (Node::File(_), false) => {}
        }
        self.rename_all(vec![(parent, name.to_owned(), None)])
    }

    /// Renames, in place of what has the new name.
    pub fn rename(
        &mut self,
        parent: u64,
        name: &OsStr,
        new_parent: u64,
        new_name: &OsStr,
    ) -> Result<(), Errno> {
        self.gate(Act::Name, parent)?;
        let number = *self.folder(parent)?.seen.get(name).ok_or(libc::ENOENT)?;
        let path = self.inode(new_parent)?.path.join(new_name);
        self.change(number)?.path = path;
        self.rename_all(vec![
            (new_parent, new_name.to_owned(), Some(number)),
            (parent, name.to_owned(), None),
        ])
    }

    fn rename_all(&mut self, change: NameChange) -> Result<(), Errno> {
        for (parent, name, number) in &change {
            let Node::Folder(folder) = &mut self.change(*parent)?.node else {
                return Err(libc::ENOTDIR);
            };
            let before = match number {
                Some(number) => folder.seen.insert(name.clone(), *number),
                None => folder.seen.remove(name),
            };
            if let Some(number) = number {
                self.change(*number)?.links += 1;
            }
            if let Some(gone) = before.and_then(|gone| self.inodes.get_mut(&gone)) {
                gone.links = gone.links.saturating_sub(1);
                if let (0, Node::File(content)) = (gone.links, &gone.node) {
                    self.used = self.used.saturating_sub(content.seen().len() as u64);
                }
            }
        }
        self.names.push(change);
        Ok(())
    }

    /// Reads a part of a file.
    pub fn read(&mut self, number: u64, offset: u64, size: usize) -> Result<&[u8], Errno> {
        self.gate(Act::Read, number)?;
        Ok(self.file(number)?.read(offset, size))
    }

    /// Writes a part of a file.
    pub fn write(&mut self, number: u64, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        self.gate(Act::Write, number)?;
        let end = offset + bytes.len() as u64;
        self.reserve(number, end)?;
        self.file(number)?.write(offset, bytes);
        self.change(number)?.changed = SystemTime::now();
        Ok(())
    }

    /// Makes a file so long.
    pub fn resize(&mut self, number: u64, length: u64) -> Result<(), Errno> {
        self.gate(Act::Write, number)?;
        self.reserve(number, length)?;
        let file = self.file(number)?;
        let shorter = (file.seen().len() as u64).saturating_sub(length);
        file.resize(length);
        self.used -= shorter.min(self.used);
        self.change(number)?.changed = SystemTime::now();
        Ok(())
    }

    fn reserve(&mut self, number: u64, end: u64) -> Result<(), Errno> {
        let length = self.file(number)?.seen().len() as u64;
        let more = end.saturating_sub(length);
        if more > 0 && self.used + more > self.capacity {
            return Err(libc::ENOSPC);
        }
        self.used += more;
        Ok(())
    }

    /// Changes permission bits.
    pub fn set_mode(&mut self, number: u64, mode: u16) -> Result<(), Errno> {
        self.change(number)?.mode = mode;
        Ok(())
    }

    /// fsync: a file's content is on disk from here on, or a folder's names are.
    pub fn sync(&mut self, number: u64) -> Result<(), Errno> {
        let gate = self.gate(Act::Sync, number);
        let was_struck = gate.is_err() && !self.dead;
        if let Node::File(content) = &mut self.change(number)?.node {
            match gate {
                Ok(()) => content.sync(),
                Err(_) if was_struck => content.forget_unsynced(),
                Err(_) => {}
            }
            return gate;
        }
        gate?;
        let names = std::mem::take(&mut self.names);
        let (now, later): (Vec<_>, Vec<_>) = names
            .into_iter()
            .partition(|change| change.iter().any(|(parent, _, _)| *parent == number));
        self.names = later;
        now.into_iter().for_each(|change| self.settle(change));
        Ok(())
    }

    fn settle(&mut self, change: NameChange) {
        for (parent, name, number) in change {
            if let Some(Inode {
                node: Node::Folder(folder),
                ..
            }) = self.inodes.get_mut(&parent)
            {
                match number {
                    Some(number) => folder.durable.insert(name, number),
                    None => folder.durable.remove(&name),
                };
            }
        }
    }

    /// The power goes. Nothing works until [`Tree::power_on`].
    pub fn cut(&mut self, style: CutStyle, random: &mut Random) {
        if self.dead {
            return;
        }
        self.dead = true;
        self.armed = None;
        let kept = self.names.len() * style.entries as usize / 100;
        let names: Vec<NameChange> = self.names.drain(..).take(kept).collect();
        names.into_iter().for_each(|change| self.settle(change));
        let mut numbers: Vec<u64> = self.inodes.keys().copied().collect();
        // In a fixed order, so that a seed gives the same cut.
        numbers.sort_unstable();
        for number in numbers {
            if let Some(Inode {
                node: Node::File(content),
                ..
            }) = self.inodes.get_mut(&number)
            {
                content.cut(style, random);
            }
        }
    }

    /// The power is back: what is there is what was on disk.
    pub fn power_on(&mut self) {
        self.dead = false;
        self.faults.clear();
        self.capacity = CAPACITY;
        let mut reached: HashMap<u64, u32> = HashMap::from([(ROOT, 1)]);
        let mut waiting = vec![ROOT];
        self.used = 0;
        while let Some(number) = waiting.pop() {
            match self.inodes.get_mut(&number).map(|inode| &mut inode.node) {
                Some(Node::Folder(folder)) => {
                    folder.seen = folder.durable.clone();
                    for child in folder.seen.values() {
                        let links = reached.entry(*child).or_default();
                        *links += 1;
                        if *links == 1 {
                            waiting.push(*child);
                        }
                    }
                }
                Some(Node::File(content)) => self.used += content.seen().len() as u64,
                None => {}
            }
        }
        self.inodes.retain(|number, _| reached.contains_key(number));
        for (number, inode) in &mut self.inodes {
            inode.links = reached.get(number).copied().unwrap_or(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    fn cut(tree: &mut Tree) {
        tree.cut(CutStyle::STRICT, &mut Random::new(1));
        tree.power_on();
    }

    fn file() -> Node {
        Node::File(Content::default())
    }

    #[test]
    fn a_name_is_durable_with_its_folders_sync_and_not_with_the_files() {
        let mut tree = Tree::default();
        let lost = tree.make(ROOT, name("lost"), 0o600, file()).expect("made");
        tree.write(lost, 0, b"synced").expect("written");
        tree.sync(lost).expect("synced");
        cut(&mut tree);
        assert!(tree.folder(ROOT).expect("a root").seen.is_empty());

        let kept = tree.make(ROOT, name("kept"), 0o600, file()).expect("made");
        tree.write(kept, 0, b"not synced").expect("written");
        tree.sync(ROOT).expect("synced");
        cut(&mut tree);
        assert_eq!(
            tree.folder(ROOT).expect("a root").seen.get(name("kept")),
            Some(&kept)
        );
        assert_eq!(tree.read(kept, 0, 100).expect("read"), b"");
    }

    #[test]
    fn a_rename_that_was_not_synced_leaves_what_was_there() {
        let mut tree = Tree::default();
        let old = tree.make(ROOT, name("key"), 0o600, file()).expect("made");
        let new = tree.make(ROOT, name("new"), 0o600, file()).expect("made");
        tree.sync(ROOT).expect("synced");
        tree.rename(ROOT, name("new"), ROOT, name("key"))
            .expect("renamed");
        assert_eq!(tree.folder(ROOT).expect("a root").seen[name("key")], new);
        cut(&mut tree);
        assert_eq!(tree.folder(ROOT).expect("a root").seen[name("key")], old);
        assert_eq!(tree.folder(ROOT).expect("a root").seen[name("new")], new);
    }

    #[test]
    fn a_full_disk_takes_nothing_that_makes_a_file_longer() {
        let mut tree = Tree::default();
        let file = tree.make(ROOT, name("file"), 0o600, file()).expect("made");
        tree.write(file, 0, &[1; 100]).expect("written");
        tree.capacity = 100;
        assert_eq!(tree.write(file, 50, &[2; 51]), Err(libc::ENOSPC));
        tree.write(file, 50, &[2; 50]).expect("it is there already");
        tree.resize(file, 10).expect("shorter");
        tree.write(file, 10, &[3; 90]).expect("there is room");
    }

    #[test]
    fn nothing_works_without_power_and_the_moment_can_be_an_operation() {
        let mut tree = Tree::default();
        let file = tree.make(ROOT, name("file"), 0o600, file()).expect("made");
        tree.sync(ROOT).expect("synced");
        tree.arm(1, CutStyle::STRICT, Random::new(1));
        tree.write(file, 0, b"before").expect("written");
        assert_eq!(tree.sync(file), Err(libc::EIO));
        assert_eq!(tree.write(file, 0, b"after"), Err(libc::EIO));
        tree.power_on();
        assert_eq!(tree.read(file, 0, 10).expect("read"), b"");
    }
}
