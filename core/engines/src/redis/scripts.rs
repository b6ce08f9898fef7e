//! The scripts that a server keeps.

use redis::{Cmd, RedisResult, Script};

use super::child::CHILD;
use super::commit::COMMIT;
use super::link::Handle;

/// Names the first command that the user may not run; an empty text when all are allowed or the server can not tell
/// (before 7.0). A commit that met one half-way would be half applied.
const PERMISSION: &str = r"
if not redis.acl_check_cmd then return '' end
local commands = {{'GET', 'i'}, {'SET', 'i', '1', 'EX', '1'}, {'DEL', 'i'}, {'INCR', 'i'}, {'INCRBY', 'i', '1'},
  {'TYPE', 'i'}, {'EXISTS', 'i'}, {'HGET', 'd', 'f'}, {'HSET', 'd', 'f', 'v'}, {'HSETNX', 'd', 'f', 'v'},
  {'HDEL', 'd', 'f'}, {'HINCRBY', 'd', 'f', '1'}, {'HLEN', 'd'}, {'HEXISTS', 'd', 'f'}, {'RPUSH', 'c', 'v'},
  {'LPOP', 'c'}, {'LRANGE', 'c', '0', '1'}, {'LLEN', 'c'}, {'ZADD', 'z', '1', 'm'}, {'ZREM', 'z', 'm'},
  {'ZSCORE', 'z', 'm'}, {'SADD', 's', 'm'}, {'SREM', 's', 'm'}, {'SISMEMBER', 's', 'm'}}
for _, command in ipairs(commands) do
  command[2] = KEYS[1] .. command[2]
  if not redis.acl_check_cmd(unpack(command)) then return command[1] end
end
return ''
";

/// Scripts of a server.
pub(super) struct Scripts {
    pub(super) commit: Script,
    child: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        Scripts {
            commit: Script::new(COMMIT),
            child: Script::new(CHILD),
        }
    }

    /// Has the server keep them, as it has to again after it started.
    pub(super) async fn load(&self, handle: &mut Handle) -> RedisResult<()> {
        self.commit.load_async(handle).await?;
        self.child.load_async(handle).await.map(drop)
    }

    /// Loads them and names a command that the user may not run, in vain when there is none.
    pub(super) async fn find_refused(&self, handle: &mut Handle, prefix: &str) -> RedisResult<String> {
        self.load(handle).await?;
        Script::new(PERMISSION).key(prefix).invoke_async(handle).await
    }

    /// A call that reads a child.
    pub(super) fn child_call(&self, directory: &[u8], name: &[u8], prefix: &str) -> Cmd {
        let mut call = redis::cmd("EVALSHA");
        call.arg(self.child.get_hash())
            .arg(1)
            .arg(directory)
            .arg(name)
            .arg(prefix);
        call
    }
}
