//! Disks that are full or cannot be written. Mounting one needs root: else these tests say that
//! they were skipped.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{Folder, counts, write};

/// A small file system in memory.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Folder, size: &str) -> Option<Self> {
        let path = folder.path("disk");
        fs::create_dir(&path).unwrap();
        let mut mount = Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&path);
        if mount.output().is_ok_and(|ran| ran.status.success()) {
            return Some(Self(path));
        }
        eprintln!("skipped: no file system can be mounted here (are you root?)");
        None
    }

    fn make_read_only(&self) {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", "remount,ro"]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const TRAIN: [&str; 6] = ["train", "x.h5ad", "--model", "disk/m", "--max-epochs", "3"];

#[test]
fn a_full_disk_is_told_and_the_old_model_stays() {
    let folder = Folder::new();
    write(&folder.path("x.h5ad"), &counts(60, 12), vec![]);
    let Some(_disk) = Disk::mount(&folder, "128k") else { return };
    folder.scvi(&[&TRAIN[..], &["--n-hidden", "4"]].concat()).ok();
    let old = common::running::model_files(&folder.path("disk/m"));

    // 600 wide, a model takes more than there is.
    let wide = ["--n-hidden", "600", "--overwrite", "--checkpoint-every-n-epoch", "1"];
    let ran = folder.scvi(&[&TRAIN[..], &wide].concat());
    ran.fails_with(&["cannot write disk/m", "No space left on device"]);
    // A checkpoint that cannot be written does not end the run.
    assert!(ran.stderr().contains("warning: no checkpoint: cannot write disk/m.checkpoint"));
    assert_eq!(common::running::model_files(&folder.path("disk/m")), old);
    let left: Vec<_> = fs::read_dir(folder.path("disk")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_the_work() {
    let folder = Folder::new();
    write(&folder.path("x.h5ad"), &counts(60, 12), vec![]);
    let Some(disk) = Disk::mount(&folder, "1m") else { return };
    folder.scvi(&[&TRAIN[..], &["--n-hidden", "4"]].concat()).ok();
    let old = common::running::model_files(&folder.path("disk/m"));
    disk.make_read_only();
    let ran = folder.scvi(&[&TRAIN[..], &["--overwrite"]].concat());
    ran.fails_with(&["cannot write disk/m: folder disk cannot be written"]);
    assert!(!ran.stderr().contains("epoch"), "{}", ran.stderr());
    assert_eq!(common::running::model_files(&folder.path("disk/m")), old);
}
