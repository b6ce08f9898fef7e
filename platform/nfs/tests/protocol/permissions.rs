//! Who may do what.

use moorage_vfs::VfsOptions;
use nfs3_client::net::Connector as _;
use nfs3_client::tokio::TokioConnector;
use nfs3_client::{ConnectError, Nfs3Client, RpcError};
use nfs3_types::nfs3::*;

use crate::fixture::{USER, Volume, at, mode, refusal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_are_those_of_the_user_and_the_groups_of_each_request() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut root_user = served.client().await;
    let root = root_user.root.clone();
    root_user.setattr(&root, mode(0o755)).await.unwrap();
    let file = root_user.create(&root, "file", 0o640).await;
    let group = sattr3 {
        gid: Nfs3Option::Some(50),
        ..sattr3::default()
    };
    root_user.setattr(&file, group).await.unwrap();
    root_user
        .write(&file, 0, b"secret", stable_how::FILE_SYNC)
        .await
        .unwrap();

    let mut stranger = served.client_of(USER, USER, &[]).await;
    assert_eq!(refusal(stranger.read(&file, 0, 6).await), nfsstat3::NFS3ERR_ACCES);
    let mut member = served.client_of(USER, USER, &[7, 50]).await;
    assert_eq!(member.content(&file).await, b"secret");
    let write = member.write(&file, 0, b"x", stable_how::UNSTABLE).await;
    assert_eq!(refusal(write), nfsstat3::NFS3ERR_ACCES);
    assert_eq!(
        refusal(member.setattr(&file, mode(0o666)).await),
        nfsstat3::NFS3ERR_PERM
    );
    let create = CREATE3args {
        where_: at(&root, "own"),
        how: createhow3::GUARDED(mode(0o644)),
    };
    let create = member.connection.create(&create).await.unwrap();
    assert_eq!(refusal(create), nfsstat3::NFS3ERR_ACCES);

    let all = ACCESS3_READ | ACCESS3_MODIFY | ACCESS3_EXTEND | ACCESS3_EXECUTE;
    let access = ACCESS3args {
        object: file.clone(),
        access: all,
    };
    let allowed = member.connection.access(&access).await.unwrap().unwrap().access;
    assert_eq!(allowed, ACCESS3_READ);
    let allowed = stranger.connection.access(&access).await.unwrap().unwrap().access;
    assert_eq!(allowed, 0);
    let allowed = root_user
        .connection
        .access(&access)
        .await
        .unwrap()
        .unwrap()
        .access;
    assert_eq!(allowed, all);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_makes_a_file_that_nobody_may_write_fills_it() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut root_user = served.client().await;
    let root = root_user.root.clone();
    root_user.setattr(&root, mode(0o777)).await.unwrap();
    let mut user = served.client_of(USER, USER, &[]).await;
    let file = user.create(&root, "file", 0o444).await;
    user.write(&file, 0, b"content", stable_how::UNSTABLE)
        .await
        .unwrap();
    let shorter = sattr3 {
        size: Nfs3Option::Some(3),
        ..sattr3::default()
    };
    user.setattr(&file, shorter).await.unwrap();
    assert_eq!(user.content(&file).await, b"con");
    let mut other = served.client_of(USER + 1, USER + 1, &[]).await;
    let write = other.write(&file, 0, b"x", stable_how::UNSTABLE).await;
    assert_eq!(refusal(write), nfsstat3::NFS3ERR_ACCES);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_may_be_executed_may_be_read_for_that() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut root_user = served.client().await;
    let root = root_user.root.clone();
    let file = root_user.create(&root, "program", 0o711).await;
    root_user
        .write(&file, 0, b"#!", stable_how::FILE_SYNC)
        .await
        .unwrap();
    let mut user = served.client_of(USER, USER, &[]).await;
    assert_eq!(user.content(&file).await, b"#!");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_user_id_goes_when_somebody_else_writes() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut root_user = served.client().await;
    let root = root_user.root.clone();
    let file = root_user.create(&root, "program", 0o4777).await;
    let mut user = served.client_of(USER, USER, &[]).await;
    user.write(&file, 0, b"x", stable_how::FILE_SYNC).await.unwrap();
    assert_eq!(user.getattr(&file).await.unwrap().mode, 0o777);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_volume_refuses_changes_and_says_so() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    let mut client = served.client().await;
    let root = client.root.clone();
    let file = client.create(&root, "file", 0o666).await;
    served.end().await;
    let options = VfsOptions {
        read_only: true,
        ..VfsOptions::default()
    };
    let served = volume.serve_with(options).await;
    let mut client = served.client().await;
    let write = client.write(&file, 0, b"x", stable_how::UNSTABLE).await;
    assert_eq!(refusal(write), nfsstat3::NFS3ERR_ROFS);
    assert_eq!(
        refusal(client.remove(&root, "file").await),
        nfsstat3::NFS3ERR_ROFS
    );
    client.commit(&file).await.unwrap();
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_without_the_path_a_handle_of_ours_and_a_user() {
    let volume = Volume::new().await;
    let served = volume.serve().await;
    for path in ["/", "", "/moorage", &served.export[..served.export.len() - 1]] {
        let refused = served.connect(0, 0, &[], path).await;
        assert!(matches!(refused, Err(ConnectError::Mount(_))), "{path:?}");
    }
    let mut client = served.client().await;
    let exported = client.connection.mount_client.export().await.unwrap();
    assert!(exported.is_empty(), "the path is told to whoever asks");
    let mut forged = client.root.data.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = nfs_fh3 {
        data: nfs3_types::xdr_codec::Opaque::owned(forged),
    };
    assert_eq!(refusal(client.getattr(&forged).await), nfsstat3::NFS3ERR_STALE);

    let address = ([127, 0, 0, 1], served.port).into();
    let mut nobody = Nfs3Client::new(TokioConnector.connect(address).await.unwrap());
    nobody.null().await.unwrap();
    let root = GETATTR3args {
        object: client.root.clone(),
    };
    let refused = nobody.getattr(&root).await;
    assert!(matches!(refused, Err(RpcError::Auth(_))), "{refused:?}");
    served.end().await;
}
