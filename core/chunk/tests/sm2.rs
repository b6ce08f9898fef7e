//! Volumes whose data keys are wrapped by an SM2 key.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moorage_chunk::{Cipher, DataKey, Envelope, Sealer};
use moorage_model::ErrorKind;

/// An SM2 key as OpenSSL writes it: PKCS#8, DER, hexadecimal.
const KEY: &str = "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b02010104203cbd3309b8b8a410bc99b0657310\
    346b6fbf7ea6b0de6399b63ee030442edee0a144034200048b34c248eeb307f5eaf5be3f6b63adbb22c788a4a04ef84213db\
    d7c88df31f95c4a4dbf60e2fe077770099d65c3d04751affe9c5a2d713940c1b5babd8a2b4b2";
/// The same under the passphrase "secret", by PBES2 with AES-256.
const ENCRYPTED_KEY: &str = "3081ec305706092a864886f70d01050d304a302906092a864886f70d01050c301c04087373987efe3d126c02020800300c06\
    082a864886f70d02090500301d060960864801650304012a041035c3c4152dac4eff22548cc487503ae60481900b1472d647\
    32116497717648b4cda562c44281d7e313c9e2a6bb5d52f2d02e155f31d7cdd2cfd186a0cddae2ddef8b6e4f2b4ddfb7eb61\
    f6407dda4d21f0402ceaad058ecc153fc9364a3bc20a9a492b0a12b1e5be556b7ccf1c179f6804c4f2d4592a86f16a051768\
    bcd071f84799cbe3f607cff189d7b31a6b71795b7b2adc0c40b62ffce009c4a10fbca84667fcae";
/// A key of the curve P-256.
const OTHER_CURVE: &str = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b02010104203faef9adb84825580dc4354ebf4d\
    11e19123b83648ef1e8d30ab7a1f2d5f1db2a1440342000434355235deeadc725d18e3c683af220c1840ee0cfc23e60e3447\
    1920a9c88c41abaf4f5a03f4a0d12d90c3b7111e2dbf9631e9e5b5cf4ae7a7bc60b57c57ad97";
/// The marker objects of two volumes that JuiceFS 1.4.1 made with [`KEY`], and the UUIDs in them.
const OBJECTS: [(Cipher, &str, &str); 2] = [
    (
        Cipher::Sm4Gcm,
        "354d0857-8532-4610-9a33-033cae432531",
        "007b0c307902200feebddf0c27b3c6e4ee56639ff4b8b9c5e755f76dacf24d92a8c891f888b88c022100b7e1d6b718b14815\
    3b8690f54817e0697b2418e0c3626110db9368bcd4349b1f042042e5ffa59f97571929b95bf407e5572ee623a45f2d0ed48c\
    b888b869bdac556a04108a24ad690ed00b17719befb00625afe99237cac18185ac113bcb01f1efdb08aaa5ecd12394fd2f2c\
    ad2cea7638994d52aac4326328565efdbb89ce5f60bb49d436ecbd4945c756fd5808efda722f5814",
    ),
    (
        Cipher::Aes256Gcm,
        "25bf5186-7fc7-4445-b626-56d4763d70a7",
        "008c0c308189022014600783f1295158bebe0eb6861717d5663ec5466ed4e2469c029459f257bf54022100ea3650ffba16a4\
    57a438bd7215758475068ecc33a9c0136b9062f0e325c03fc6042059dff0f81318532644a53010c9ddf283f00556524832d3\
    afccbb456ae9aa27290420497b345ac18cf80f2bb791af0c8e17e29ed13a62861022e503bc58ebbfaa94aaa812ed3c2ab41a\
    16b631d3f66cab7313e843070568c84560abfc607a3fc46c7a2238c4456e54bff65aa50a3d31d7066b3f4f34dd439626db36\
    e40750dbdc955d",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().collect();
    let pairs = digits.chunks(2).map(|pair| pair.iter().collect::<String>());
    pairs.map(|pair| u8::from_str_radix(&pair, 16).unwrap()).collect()
}

fn text(tag: &str, der: &str) -> String {
    pem::encode(&pem::Pem::new(tag, bytes(der)))
}

fn key() -> DataKey {
    DataKey::from_pem(&text("PRIVATE KEY", KEY), None).unwrap()
}

#[test]
fn what_juicefs_has_sealed_opens() {
    for (cipher, uuid, object) in OBJECTS {
        let opened = Sealer::new(key(), cipher)
            .open(&bytes(object), "juicefs_uuid")
            .unwrap();
        assert_eq!(opened, uuid.as_bytes());
    }
}

#[test]
fn what_is_sealed_opens_again_and_its_key_is_wrapped_in_the_asn1_form() {
    for (cipher, ..) in OBJECTS {
        let sealer = Sealer::new(key(), cipher);
        let sealed = sealer.seal(b"a block").unwrap();
        let parts = Envelope::decode(&sealed).unwrap();
        // A sequence of two integers and two octet strings: 103 bytes and the data key, one or two less now and then.
        assert_eq!(parts.wrapped_key.first(), Some(&0x30));
        assert_eq!(sealer.open(&sealed, "a block").unwrap(), &b"a block"[..]);
    }
}

#[test]
fn a_changed_wrapped_key_is_noticed() {
    let (cipher, _, object) = OBJECTS[0];
    let sealer = Sealer::new(key(), cipher);
    let wrapped = 3..3 + Envelope::decode(&bytes(object)).unwrap().wrapped_key.len();
    for at in wrapped {
        let mut changed = bytes(object);
        changed[at] ^= 1;
        let error = sealer.open(&changed, "juicefs_uuid").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}");
    }
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_only() {
    let encrypted = text("ENCRYPTED PRIVATE KEY", ENCRYPTED_KEY);
    let (cipher, uuid, object) = OBJECTS[0];
    let sealer = Sealer::new(DataKey::from_pem(&encrypted, Some("secret")).unwrap(), cipher);
    assert_eq!(
        sealer.open(&bytes(object), "juicefs_uuid").unwrap(),
        uuid.as_bytes()
    );
    for wrong in [None, Some("Secret")] {
        let error = DataKey::from_pem(&encrypted, wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
}

#[test]
fn a_key_of_another_curve_is_refused_by_name() {
    let error = DataKey::from_pem(&text("PRIVATE KEY", OTHER_CURVE), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.to_string().contains("SM2"), "{error}");
}
