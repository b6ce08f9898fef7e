//! Certificates of a private authority.

use std::path::Path;
use std::process::Command;

/// Makes certificates and their keys in a folder: `ca.pem` signed those of `server` and `client`, which are for these
/// names; `other.pem` signed nothing. `None` and a loud line where openssl is not installed.
pub(crate) fn make(folder: &Path, names: &str) -> Option<()> {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for authority in ["ca", "other"] {
        openssl(
            folder,
            &format!(
                "req -x509 {key} -keyout {authority}.key -out {authority}.pem -days 2 -subj /CN={authority}"
            ),
        )?;
    }
    std::fs::write(folder.join("names"), format!("subjectAltName={names}")).unwrap();
    for holder in ["server", "client"] {
        openssl(
            folder,
            &format!("req {key} -keyout {holder}.key -out {holder}.csr -subj /CN={holder}"),
        )?;
        openssl(
            folder,
            &format!(
                "x509 -req -in {holder}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out {holder}.pem -extfile names"
            ),
        )?;
    }
    Some(())
}

/// Runs openssl in a folder; `None` and a loud line where it is not installed.
fn openssl(folder: &Path, line: &str) -> Option<()> {
    let output = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(folder)
        .output();
    let Ok(output) = output else {
        println!("skipped: no openssl");
        return None;
    };
    assert!(
        output.status.success(),
        "openssl {line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(())
}
