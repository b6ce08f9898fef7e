//! Names and nodes.

use nfs3_types::nfs3::*;

use crate::fixture::{Volume, at, mode, refusal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_every_kind_are_made_found_and_removed() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let folder = client.mkdir(&root, "folder", 0o750).await;
    let file = client.create(&folder, "file", 0o640).await;
    let found = client.lookup(&folder, "file").await.unwrap();
    assert_eq!(found.object, file);
    let attr = found.obj_attributes.unwrap();
    assert_eq!((attr.type_, attr.mode, attr.nlink), (ftype3::NF3REG, 0o640, 1));

    let link = SYMLINK3args {
        where_: at(&folder, "link"),
        symlink: symlinkdata3 {
            symlink_attributes: sattr3::default(),
            symlink_data: b"../else/where".as_slice().into(),
        },
    };
    let link = client
        .connection
        .symlink(&link)
        .await
        .unwrap()
        .unwrap()
        .obj
        .unwrap();
    let target = client.connection.readlink(&READLINK3args { symlink: link }).await;
    assert_eq!(target.unwrap().unwrap().data.as_ref(), b"../else/where");

    let device = MKNOD3args {
        where_: at(&folder, "device"),
        what: mknoddata3::NF3CHR(devicedata3 {
            dev_attributes: mode(0o600),
            spec: specdata3 {
                specdata1: 1,
                specdata2: 300,
            },
        }),
    };
    let made = client.connection.mknod(&device).await.unwrap().unwrap();
    let made = made.obj_attributes.unwrap();
    assert_eq!((made.rdev.specdata1, made.rdev.specdata2), (1, 300));

    let hard = LINK3args {
        file: file.clone(),
        link: at(&root, "second"),
    };
    let linked = client.connection.link(&hard).await.unwrap().unwrap();
    assert_eq!(linked.file_attributes.unwrap().nlink, 2);
    client.remove(&folder, "file").await.unwrap();
    assert_eq!(client.getattr(&file).await.unwrap().nlink, 1);

    let full = RMDIR3args {
        object: at(&root, "folder"),
    };
    let full = client.connection.rmdir(&full).await.unwrap();
    assert_eq!(refusal(full), nfsstat3::NFS3ERR_NOTEMPTY);
    for name in ["link", "device"] {
        client.remove(&folder, name).await.unwrap();
    }
    let empty = RMDIR3args {
        object: at(&root, "folder"),
    };
    client.connection.rmdir(&empty).await.unwrap().unwrap();
    assert_eq!(refusal(client.getattr(&folder).await), nfsstat3::NFS3ERR_STALE);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rename_replaces_what_is_there_also_while_it_is_open() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let old = client.create(&root, "old", 0o644).await;
    let new = client.create(&root, "new", 0o644).await;
    client.write(&old, 0, b"old", stable_how::UNSTABLE).await.unwrap();
    client
        .write(&new, 0, b"newer", stable_how::UNSTABLE)
        .await
        .unwrap();
    let rename = RENAME3args {
        from: at(&root, "new"),
        to: at(&root, "old"),
    };
    client.connection.rename(&rename).await.unwrap().unwrap();
    let found = client.lookup(&root, "old").await.unwrap().object;
    assert_eq!(found, new);
    assert_eq!(client.content(&found).await, b"newer");
    assert_eq!(
        refusal(client.lookup(&root, "new").await),
        nfsstat3::NFS3ERR_NOENT
    );
    let gone = client.connection.rename(&rename).await.unwrap();
    assert_eq!(refusal(gone), nfsstat3::NFS3ERR_NOENT);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_of_what_is_gone_are_stale() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let file = client.create(&root, "file", 0o644).await;
    client.write(&file, 0, b"x", stable_how::UNSTABLE).await.unwrap();
    client.remove(&root, "file").await.unwrap();
    // The server had it open, and lets go of it in a moment.
    let mut looks = 0;
    while let Nfs3Result::Ok(attr) = client.getattr(&file).await {
        assert_eq!(attr.nlink, 0);
        looks += 1;
        assert!(looks < 10_000, "it is held for ever");
    }
    assert_eq!(refusal(client.getattr(&file).await), nfsstat3::NFS3ERR_STALE);
    assert_eq!(refusal(client.read(&file, 0, 1).await), nfsstat3::NFS3ERR_STALE);
    let write = client.write(&file, 0, b"y", stable_how::UNSTABLE).await;
    assert_eq!(refusal(write), nfsstat3::NFS3ERR_STALE);
    assert_eq!(refusal(client.commit(&file).await), nfsstat3::NFS3ERR_STALE);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_made_once_however_it_is_asked_for() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let create = |how| CREATE3args {
        where_: at(&root, "file"),
        how,
    };
    let first = create(createhow3::EXCLUSIVE(createverf3([1, 2, 3, 4, 5, 6, 7, 8])));
    let made = client.connection.create(&first).await.unwrap().unwrap();
    let again = client.connection.create(&first).await.unwrap().unwrap();
    assert_eq!(made.obj, again.obj);
    let other = create(createhow3::EXCLUSIVE(createverf3([9; 8])));
    let other = client.connection.create(&other).await.unwrap();
    assert_eq!(refusal(other), nfsstat3::NFS3ERR_EXIST);
    let guarded = create(createhow3::GUARDED(mode(0o644)));
    let guarded = client.connection.create(&guarded).await.unwrap();
    assert_eq!(refusal(guarded), nfsstat3::NFS3ERR_EXIST);

    let file = made.obj.unwrap();
    client
        .write(&file, 0, b"content", stable_how::FILE_SYNC)
        .await
        .unwrap();
    let kept = create(createhow3::UNCHECKED(mode(0o600)));
    let kept = client.connection.create(&kept).await.unwrap().unwrap();
    assert_eq!(kept.obj_attributes.unwrap().size, 7);
    let emptied = create(createhow3::UNCHECKED(sattr3 {
        size: Nfs3Option::Some(0),
        ..sattr3::default()
    }));
    let emptied = client.connection.create(&emptied).await.unwrap().unwrap();
    assert_eq!(
        (emptied.obj.unwrap(), emptied.obj_attributes.unwrap().size),
        (file, 0)
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_others_were_faster_with_is_refused_when_the_client_asks_for_that() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let file = client.create(&root, "file", 0o644).await;
    let known = client.getattr(&file).await.unwrap().ctime;
    let guarded = |guard| SETATTR3args {
        object: file.clone(),
        new_attributes: mode(0o600),
        guard: Nfs3Option::Some(guard),
    };
    let wrong = nfstime3 {
        seconds: known.seconds - 1,
        ..known
    };
    let refused = client.connection.setattr(&guarded(wrong)).await.unwrap();
    assert_eq!(refusal(refused), nfsstat3::NFS3ERR_NOT_SYNC);
    client.connection.setattr(&guarded(known)).await.unwrap().unwrap();
    assert_eq!(client.getattr(&file).await.unwrap().mode, 0o600);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_names_and_limits_are_told_as_what_they_are() {
    let volume = Volume::limited(1 << 20).await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let long = "n".repeat(256);
    assert_eq!(
        refusal(client.lookup(&root, &long).await),
        nfsstat3::NFS3ERR_NAMETOOLONG
    );
    let file = client.create(&root, "file", 0o644).await;
    let mut at = 0;
    let full = loop {
        let data = vec![7; 256 << 10];
        match client.write(&file, at, &data, stable_how::FILE_SYNC).await {
            Nfs3Result::Ok(written) => at += u64::from(written.count),
            Nfs3Result::Err((status, _)) => break status,
        }
    };
    assert_eq!(full, nfsstat3::NFS3ERR_NOSPC);
    let limits = PATHCONF3args { object: root.clone() };
    let limits = client.connection.pathconf(&limits).await.unwrap().unwrap();
    assert!(limits.no_trunc && limits.name_max == 255 && !limits.case_insensitive);
    let info = FSINFO3args { fsroot: root.clone() };
    let info = client.connection.fsinfo(&info).await.unwrap().unwrap();
    assert_eq!((info.wtmax, info.maxfilesize), (1 << 20, (1 << 57) - 1));
    let sizes = client.connection.fsstat(&FSSTAT3args { fsroot: root }).await;
    let sizes = sizes.unwrap().unwrap();
    assert!(sizes.tbytes == 1 << 20 && sizes.fbytes < 256 << 10, "{sizes:?}");
    served.end().await;
}
