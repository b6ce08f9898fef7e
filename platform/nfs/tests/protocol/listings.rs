//! Folders that are listed in parts.

use std::collections::BTreeSet;

use nfs3_types::nfs3::*;

use crate::fixture::{Client, Volume, refusal};

/// The entries behind a cookie, with theirs, and whether these are the last.
async fn part(client: &mut Client, folder: &nfs_fh3, cookie: u64, bytes: u32) -> (Vec<(String, u64)>, bool) {
    let args = READDIR3args {
        dir: folder.clone(),
        cookie,
        cookieverf: cookieverf3::default(),
        count: bytes,
    };
    let listed = client.connection.readdir(&args).await.unwrap().unwrap();
    let entries = listed.reply.entries.0.into_iter();
    let entries = entries.map(|entry| {
        let name = String::from_utf8(entry.name.as_ref().to_vec()).unwrap();
        (name, entry.cookie)
    });
    (entries.collect(), listed.reply.eof)
}

async fn make(client: &mut Client, folder: &nfs_fh3, names: &BTreeSet<String>) {
    for name in names {
        client.create(folder, name, 0o644).await;
    }
}

fn stored(names: Vec<String>) -> Vec<String> {
    let mut names: Vec<String> = names
        .into_iter()
        .filter(|name| name.starts_with("file"))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_listed_once_while_what_was_listed_is_removed() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let folder = client.mkdir(&root, "folder", 0o755).await;
    let names: BTreeSet<String> = (0..300).map(|number| format!("file-{number:04}")).collect();
    make(&mut client, &folder, &names).await;
    let (mut seen, mut cookie) = (Vec::new(), 0);
    loop {
        let (entries, is_last) = part(&mut client, &folder, cookie, 1024).await;
        assert!(!entries.is_empty() || is_last);
        for (name, next) in entries {
            cookie = next;
            if name.starts_with("file") {
                client.remove(&folder, &name).await.unwrap();
            }
            seen.push(name);
        }
        if is_last {
            break;
        }
    }
    assert_eq!(seen.iter().filter(|name| name.starts_with('.')).count(), 2);
    assert!(stored(seen).iter().eq(names.iter()));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_means_the_same_place_after_a_restart_and_changes() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let folder = client.mkdir(&root, "folder", 0o755).await;
    let names: BTreeSet<String> = (0..100).map(|number| format!("file-{number:04}")).collect();
    make(&mut client, &folder, &names).await;
    let (first, _) = part(&mut client, &folder, 0, 1024).await;
    // Any cookie of the part, not the last alone.
    let (stop, cookie) = first[first.len() / 2].clone();
    let mut seen: Vec<String> = first.into_iter().map(|(name, _)| name).collect();
    seen.truncate(seen.iter().position(|name| *name == stop).unwrap() + 1);
    served.end().await;

    let served = volume.serve().await;
    let mut client = served.client().await;
    client.create(&folder, "file-0000-before", 0o644).await;
    let gone = seen.iter().find(|name| name.starts_with("file")).unwrap().clone();
    assert_ne!(gone, stop);
    client.remove(&folder, &gone).await.unwrap();
    let mut cookie = cookie;
    loop {
        let (entries, is_last) = part(&mut client, &folder, cookie, 2048).await;
        for (name, next) in entries {
            cookie = next;
            seen.push(name);
        }
        if is_last {
            break;
        }
    }
    let seen = stored(seen);
    let lasting: Vec<&String> = seen.iter().filter(|name| !name.ends_with("before")).collect();
    assert!(lasting.into_iter().eq(names.iter()), "{seen:?}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_with_attributes_has_the_handles_that_look_ups_have() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let folder = client.mkdir(&root, "folder", 0o755).await;
    let names: BTreeSet<String> = (0..40).map(|number| format!("file-{number:04}")).collect();
    make(&mut client, &folder, &names).await;
    let big = client.lookup(&folder, "file-0007").await.unwrap().object;
    client
        .write(&big, 0, &[1; 5000], stable_how::UNSTABLE)
        .await
        .unwrap();
    let (mut found, mut cookie) = (0, 0);
    loop {
        let args = READDIRPLUS3args {
            dir: folder.clone(),
            cookie,
            cookieverf: cookieverf3::default(),
            dircount: 512,
            maxcount: 4096,
        };
        let listed = client.connection.readdirplus(&args).await.unwrap().unwrap();
        for entry in listed.reply.entries.0 {
            cookie = entry.cookie;
            let name = String::from_utf8(entry.name.as_ref().to_vec()).unwrap();
            if !names.contains(&name) {
                continue;
            }
            let looked_up = client.lookup(&folder, &name).await.unwrap();
            assert_eq!(entry.name_handle.unwrap(), looked_up.object);
            let attr = entry.name_attributes.unwrap();
            assert_eq!(attr.fileid, entry.fileid);
            assert_eq!(attr.size, if name == "file-0007" { 5000 } else { 0 });
            found += 1;
        }
        if listed.reply.eof {
            break;
        }
    }
    assert_eq!(found, names.len());
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_of_nothing_and_too_little_room_are_told() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    client.create(&root, "file", 0o644).await;
    let args = |cookie, count| READDIR3args {
        dir: client.root.clone(),
        cookie,
        cookieverf: cookieverf3::default(),
        count,
    };
    let (lost, small) = (args(12_345, 4096), args(0, 64));
    let lost = client.connection.readdir(&lost).await.unwrap();
    assert_eq!(refusal(lost), nfsstat3::NFS3ERR_BAD_COOKIE);
    let small = client.connection.readdir(&small).await.unwrap();
    assert_eq!(refusal(small), nfsstat3::NFS3ERR_TOOSMALL);
    served.end().await;
}
