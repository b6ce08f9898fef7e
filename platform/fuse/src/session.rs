//! A mounted session: what is asked of the kernel, and its life from mount to unmount.

use std::io;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::{Arc, Once};

use fuser::{BackgroundSession, Config, InitFlags, KernelConfig, Session};
use moorage_host::{HostError, MountError, MountProblem, MountSession};
use moorage_vfs::Vfs;
use tokio::runtime::Handle;

use crate::adapter::Adapter;
use crate::buffers::BufferPool;
use crate::dispatch;
use crate::notifier::ThreadedNotifier;
use crate::options::{Audience, MountOptions};

/// Largest write and readahead of one request in bytes: the kernel's own limit (256 pages).
const REQUEST_BYTES: u32 = 1 << 20;
/// Requests of readahead and asynchronous I/O in flight; the kernel's 12 starve a store with latency.
const MAX_BACKGROUND: u16 = 128;
/// Background requests from which the kernel holds back, three quarters of [`MAX_BACKGROUND`].
const CONGESTED_FROM: u16 = 96;
/// Threads that read requests: one per core, since they seldom wait; each has a request buffer of 16 MiB.
const THREADS: std::ops::RangeInclusive<usize> = 2..=16;

/// Capabilities asked for on every mount (guides/performance section 6). One that the kernel lacks is done without.
const WANTED: [InitFlags; 12] = [
    InitFlags::FUSE_PARALLEL_DIROPS,
    InitFlags::FUSE_ASYNC_DIO,
    InitFlags::FUSE_DO_READDIRPLUS,
    InitFlags::FUSE_READDIRPLUS_AUTO,
    InitFlags::FUSE_CACHE_SYMLINKS,
    InitFlags::FUSE_ATOMIC_O_TRUNC,
    // Without it the kernel asks for security.capability before each write.
    InitFlags::FUSE_HANDLE_KILLPRIV_V2,
    InitFlags::FUSE_AUTO_INVAL_DATA,
    InitFlags::FUSE_DIRECT_IO_ALLOW_MMAP,
    // The vfs applies the umask itself, since a default ACL takes its place.
    InitFlags::FUSE_DONT_MASK,
    InitFlags::FUSE_EXPORT_SUPPORT,
    InitFlags::FUSE_HAS_IOCTL_DIR,
];

/// What one session offers.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Parsed `-o` options.
    pub mount: MountOptions,
    /// Whose processes may use it when `-o` does not say.
    pub audience: Audience,
    /// What the mount table shows as the source when `-o fsname` does not say.
    pub source: String,
    /// The kernel checks permissions; without it the vfs has to.
    pub kernel_checks: bool,
    /// The volume has POSIX ACLs.
    pub posix_acl: bool,
    /// Locks are kept in the volume; otherwise the kernel keeps them to itself.
    pub shared_locks: bool,
}

/// What is asked of the kernel when the session begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Negotiation {
    posix_acl: bool,
    shared_locks: bool,
}

impl Negotiation {
    pub(crate) fn negotiate(self, config: &mut KernelConfig) {
        let acl = self.posix_acl.then_some(InitFlags::FUSE_POSIX_ACL);
        let locks = [InitFlags::FUSE_POSIX_LOCKS, InitFlags::FUSE_FLOCK_LOCKS];
        let locks = locks.into_iter().filter(|_| self.shared_locks);
        for flag in WANTED.into_iter().chain(acl).chain(locks) {
            if config.add_capabilities(flag).is_err() {
                tracing::info!(?flag, "the kernel lacks a FUSE capability");
            }
        }
        // A refused value comes with the nearest one that works.
        if let Err(nearest) = config.set_max_write(REQUEST_BYTES) {
            let _ = config.set_max_write(nearest);
        }
        if let Err(nearest) = config.set_max_readahead(REQUEST_BYTES) {
            let _ = config.set_max_readahead(nearest);
        }
        let _ = config.set_max_background(MAX_BACKGROUND);
        let _ = config.set_congestion_threshold(CONGESTED_FROM);
    }
}

/// A volume at its mount point. It ends when the volume is unmounted.
#[derive(Debug)]
pub struct FuseSession {
    /// Never dropped: fuser would unmount the path again at the end, and take away what somebody mounted there since.
    background: ManuallyDrop<BackgroundSession>,
}

impl FuseSession {
    /// Mounts and begins to serve; operations that wait run on `runtime`.
    ///
    /// # Errors
    /// `Refused`, `InUse` or `System` with what the kernel or the set-uid helper answers.
    pub(crate) fn start(
        vfs: &Arc<Vfs>,
        point: &Path,
        options: &SessionOptions,
        runtime: Handle,
    ) -> Result<FuseSession, MountError> {
        die_with_a_request_thread();
        let adapter = Adapter {
            vfs: Arc::clone(vfs),
            runtime,
            negotiation: Negotiation {
                posix_acl: options.posix_acl,
                shared_locks: options.shared_locks,
            },
            buffers: BufferPool::default(),
        };
        let mut config = Config::default();
        config.mount_options = options.mount.for_fuser(&options.source, options.kernel_checks);
        config.acl = options.mount.audience.unwrap_or(options.audience).acl();
        let cores = std::thread::available_parallelism().map_or(*THREADS.start(), usize::from);
        config.n_threads = Some(cores.clamp(*THREADS.start(), *THREADS.end()));
        config.clone_fd = true;
        let session = Session::new(adapter, point, &config).map_err(|error| refused(point, &error))?;
        let notifier =
            ThreadedNotifier::start(&session.notifier()).map_err(|error| refused(point, &error))?;
        vfs.set_notifier(Arc::new(notifier));
        let background = session.spawn().map_err(|error| refused(point, &error))?;
        Ok(FuseSession {
            background: ManuallyDrop::new(background),
        })
    }
}

impl MountSession for FuseSession {
    fn wait(self) -> Result<(), MountError> {
        // SAFETY: the thread handle is moved out once; the session around it is neither used again nor dropped.
        let serving = unsafe { std::ptr::read(&self.background.guard) };
        let ended = serving
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread that serves the kernel panicked")));
        ended.map_err(|error| {
            let error = HostError::new("serving the kernel").with_source(error);
            MountError::new(MountProblem::System, error)
        })
    }
}

fn refused(point: &Path, error: &io::Error) -> MountError {
    let problem = match error.kind() {
        io::ErrorKind::PermissionDenied => MountProblem::Refused,
        io::ErrorKind::ResourceBusy => MountProblem::InUse,
        _ => MountProblem::System,
    };
    let text = error.to_string();
    let what = HostError::new(format!("mounting at {}", point.display()))
        .with_source(io::Error::other(text.trim().to_owned()));
    let what = if text.contains("user_allow_other") {
        what.with_advice(
            "Add the line `user_allow_other` to /etc/fuse.conf, or mount without `-o allow_other`.",
        )
    } else if problem == MountProblem::Refused {
        what.with_advice("Mount at a folder that you own, with the package fuse3 installed.")
    } else {
        what
    };
    MountError::new(problem, what)
}

/// A panic in a thread that reads requests, outside of any request of ours, would leave a mount that answers ever fewer
/// requests. The process ends instead, and its supervisor brings the mount back.
fn die_with_a_request_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            report(panic);
            let reads_requests = std::thread::current()
                .name()
                .is_some_and(|name| name.starts_with("fuser-"));
            if reads_requests && !dispatch::is_guarded() {
                std::process::abort();
            }
        }));
    });
}
