//! Whose work is in a product, in the form of CycloneDX, which programs that look for known weaknesses read.

use anyhow::Result;
use serde_json::{Value, json};

use super::version::Version;
use crate::licences::{Licences, Product};

/// The list of a product, in JSON.
///
/// # Errors
/// As of the licences.
pub(super) fn bytes(products: &[Product], version: &Version) -> Result<Vec<u8>> {
    let components: Vec<Value> = Licences::of(products)?
        .parts()
        .map(|(name, number, licence, is_crate)| {
            let kind = if is_crate { "cargo" } else { "npm" };
            // Of a scope of npm.
            let url = format!("pkg:{kind}/{}@{number}", name.replace('@', "%40"));
            json!({
                "type": "library",
                "bom-ref": url,
                "name": name,
                "version": number,
                "licenses": [{"expression": licence}],
                "purl": url,
            })
        })
        .collect();
    let list = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "moorage",
                "name": "moorage",
                "version": version.text,
            },
            "properties": [
                {"name": "moorage:commit", "value": version.commit.as_deref().unwrap_or_default()},
            ],
        },
        "components": components,
    });
    let mut text = serde_json::to_vec_pretty(&list)?;
    text.push(b'\n');
    Ok(text)
}
